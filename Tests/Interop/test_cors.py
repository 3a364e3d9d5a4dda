"""CORS as browsers ask for it, on raw requests; test_browser.py has a browser."""
import pytest

from support import http1, http2
from support.configuration import configuration, run_gateway
from support.gateway_process import GatewayProcess
from support.schema import ECHO, INTEROP_SET

PAGE = "https://app.example.com"
EVIL = "https://evil.example.net"


@pytest.fixture(scope="module")
def cors(echo, tmp_path_factory):
    policy = {"origins": [PAGE, "https://*.example.org"], "credentials": True, "max_age": "10m"}
    gateway = run_gateway(tmp_path_factory.mktemp("cors"), configuration(echo.target, cors=policy))
    yield gateway
    gateway.stop()


def preflight(port, path, method, headers="content-type", origin=PAGE, **more):
    fields = {"origin": origin, "access-control-request-method": method, **more}
    if headers:
        fields["access-control-request-headers"] = headers
    return http1.request(port, "OPTIONS", path, headers=fields)


@pytest.mark.parametrize("path, method, allowed", [
    ("/v1/echo/a", "DELETE", "DELETE"), ("/v1/echo", "POST", "POST"), (f"/{ECHO}/Echo", "POST", "POST"),
    ("/v1/nowhere", "PUT", "PUT"), ("/v1/deep/x", "PATCH", "PATCH")])
def test_a_preflight_is_answered_with_the_routes_methods(cors, path, method, allowed):
    answer = preflight(cors.port, path, method, "x-anything, content-type, connect-timeout-ms, grpc-timeout")
    assert answer.status == 204 and answer.body == b""
    assert allowed in answer.headers["access-control-allow-methods"].split(", ")
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert answer.headers["access-control-allow-headers"] == "x-anything, content-type, connect-timeout-ms, grpc-timeout"
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["access-control-max-age"] == "600"
    assert "Origin" in answer.headers["vary"]


def test_a_preflight_of_a_stranger_gets_no_permission(cors):
    answer = preflight(cors.port, "/v1/echo", "POST", origin=EVIL)
    assert answer.status == 204
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert "Origin" in answer.headers["vary"]


def test_private_networks_are_allowed_when_asked_for(cors):
    answer = preflight(cors.port, "/v1/echo", "POST", **{"access-control-request-private-network": "true"})
    assert answer.headers["access-control-allow-private-network"] == "true"


def exposed(headers):
    return headers.get("access-control-expose-headers", "").split(", ")


@pytest.mark.parametrize("method, path, body, headers, status", [
    ("GET", "/v1/echo/a", None, {}, 200),
    ("GET", "/v1/nowhere", None, {}, 404),
    ("DELETE", "/v1/nested", None, {}, 405),
    ("POST", "/v1/echo", "x", {"content-type": "text/plain"}, 415),
    ("POST", "/v1/echo", "{", {}, 400),
    ("POST", "/v1/fail", {"code": 14}, {}, 503),
    ("POST", f"/{ECHO}/Fail", {"code": 5}, {"connect-protocol-version": "1"}, 404),
    ("POST", f"/{ECHO}/Echo", "x", {"content-type": "text/plain"}, 415),
    ("POST", "/v1/echo", "x" * 5_000_000, {}, 413),
    ("GET", "/v1/missing", None, {}, 501),
    ("GET", "/v1/stream?count=2", None, {"accept": "text/event-stream"}, 200)])
def test_answers_and_errors_can_be_read_by_the_page(cors, method, path, body, headers, status):
    answer = http1.request(cors.port, method, path, body, {"origin": PAGE, **headers})
    assert answer.status == status
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert "x-request-id" in exposed(answer.headers)
    if "gateway-error" in answer.headers:
        assert "gateway-error" in exposed(answer.headers)


def test_metadata_and_trailers_are_exposed_by_their_names(cors):
    body = {"leading": {"x-note": "1"}, "trailing": {"x-end": "2"}}
    rest = http1.request(cors.port, "POST", "/v1/headers", body, {"origin": PAGE})
    assert {"x-note", "grpc-trailer-x-end"} <= set(exposed(rest.headers))
    connect = http1.request(cors.port, "POST", f"/{ECHO}/Headers", body, {"origin": PAGE})
    assert {"x-note", "trailer-x-end"} <= set(exposed(connect.headers))


@pytest.mark.parametrize("content_type", ["application/grpc-web+proto", "application/grpc-web-text"])
def test_grpc_web_errors_expose_their_status(cors, content_type):
    with http2.Client(cors.port) as client:
        response = client.call(b"\0\0\0\0\x01\xff" if content_type.endswith("proto") else b"AAAAAAH/", headers={
            "content-type": content_type, "origin": PAGE, "te": None, ":path": f"/{ECHO}/Missing"})
        assert response.headers["access-control-allow-origin"] == PAGE
        if "grpc-status" in response.headers:
            assert "grpc-status" in exposed(response.headers)


def test_a_stranger_reads_nothing(cors):
    answer = http1.request(cors.port, "GET", "/v1/echo/a", headers={"origin": EVIL})
    assert answer.status == 200 and "access-control-allow-origin" not in answer.headers
    assert answer.headers["vary"] == "Origin"


def test_without_the_switch_nothing_is_said(gateway):
    answer = http1.request(gateway.port, "GET", "/v1/echo/a", headers={"origin": PAGE})
    assert not [name for name in answer.headers if name.startswith("access-control-")] and "vary" not in answer.headers
    assert preflight(gateway.port, "/v1/echo/a", "DELETE").status == 405


def test_a_proxy_allows_what_its_flags_say(echo):
    proxy = GatewayProcess("proxy", echo.target, "--listen", "127.0.0.1:0", "--descriptors", INTEROP_SET,
                           "--cors-origin", PAGE, "--cors-origin", "http://localhost:3000")
    try:
        for origin, allowed in [(PAGE, PAGE), ("http://localhost:3000", "http://localhost:3000"), (EVIL, None)]:
            answer = http1.request(proxy.port, "GET", "/v1/echo/a", headers={"origin": origin})
            assert answer.headers.get("access-control-allow-origin") == allowed
            assert "access-control-allow-credentials" not in answer.headers
    finally:
        proxy.stop()


def test_the_demo_is_open_to_any_page():
    demo = GatewayProcess("demo", "--listen", "127.0.0.1:0", "--upstream-listen", "127.0.0.1:0")
    try:
        answer = http1.request(demo.port, "GET", "/v1/shelves", headers={"origin": "null"})
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["access-control-expose-headers"] == "*"
    finally:
        demo.stop()
