"""HTTP/1.1 connections: keep-alive, pipelining, chunked bodies, Expect, HTTP/1.0; by raw sockets and curl."""
import json
import subprocess

import pytest

from support.http1 import Connection, RawConnection
from support.schema import ECHO


def post(path, body, *lines):
    """The bytes of one JSON request."""
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = [f"POST {path} HTTP/1.1", "Host: gateway.test", "Content-Type: application/json",
            f"Content-Length: {len(body)}", *lines]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def chunked(*chunks, lines=(), trailers=""):
    head = ["POST /v1/echo HTTP/1.1", "Host: gateway.test", "Content-Type: application/json", "Transfer-Encoding: chunked",
            *lines]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + b"".join(chunks) + b"0\r\n" + trailers.encode() + b"\r\n"


def chunk(data, extension=""):
    return f"{len(data):x}{extension}\r\n".encode() + data + b"\r\n"


@pytest.fixture
def raw(gateway):
    with RawConnection(gateway.port) as connection:
        yield connection


def test_many_requests_on_one_connection(gateway):
    with Connection(gateway.port) as connection:
        for index in range(200):
            assert connection.request("POST", "/v1/echo", {"i32": index}).json == ({"i32": index} if index else {})
            assert connection.request("GET", "/nowhere").status == 404
            assert connection.request("POST", f"/{ECHO}/Echo", {"i32": 5}).json == {"i32": 5}


def test_pipelined_requests_are_answered_in_order(raw):
    raw.send(b"GET /v1/delay?time=0.3s HTTP/1.1\r\nHost: x\r\n\r\n" + b"".join(
        post("/v1/echo", {"i32": i}) for i in range(1, 50)) + b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")
    assert raw.response().status == 200
    assert [raw.response().json["i32"] for _ in range(1, 50)] == list(range(1, 50))
    assert raw.response().status == 404


def test_a_request_may_come_byte_by_byte(raw):
    for byte in post("/v1/echo", {"text": "slow"}) + chunked(chunk(b'{"text":'), chunk(b'"slow"}')):
        raw.send(bytes([byte]))
    assert raw.response().json == {"text": "slow"}
    assert raw.response().json == {"text": "slow"}


@pytest.mark.parametrize("data", [
    chunked(chunk(b'{"text":"a"}')),
    chunked(*[chunk(bytes([byte])) for byte in b'{"text":"a"}']),
    chunked(chunk(b'{"text":', ";name=value"), chunk(b'"a"}', ' ; q="x\\"y"')),
    chunked(b"00c\r\n" + b'{"text":"a"}' + b"\r\n"),
    chunked(b"C\r\n" + b'{"text":"a"}' + b"\r\n"),
    chunked(chunk(b'{"text":"a"}'), trailers="X-Sum: 1\r\nX-More: 2\r\n"),
    b"\r\n" + post("/v1/echo", b'{"text":"a"}'),
    post("/v1/echo", b'{"text":"a"}', "X-Empty:", "X-Spaces:   padded \t ", "x-obs: caf\u00e9"),
    post("http://gateway.test/v1/echo", b'{"text":"a"}'),
    post("/v1/echo", b'{"text":"a"}', "Connection: keep-alive"),
    post("/v1/echo", b'{"text":"a"}', "Content-Length: 12") .replace(b"Content-Length: 12\r\n", b"", 1),
], ids=["one chunk", "a byte a chunk", "extensions", "leading zeros", "upper-case hex", "trailers", "empty line first",
        "odd headers", "absolute form", "keep-alive", "length last"])
def test_requests_that_are_well_formed(raw, data):
    for _ in range(2):
        raw.send(data)
        answer = raw.response()
        assert (answer.status, answer.json) == (200, {"text": "a"}), answer


def test_expect_100_continue(raw):
    body = b'{"text":"waited"}'
    raw.send(post("/v1/echo", body, "Expect: 100-continue").removesuffix(body))
    assert raw.head() == (100, [])
    raw.send(body)
    assert raw.response().json == {"text": "waited"}


def test_expect_when_the_answer_is_known_without_the_body(raw):
    raw.send(post("/nowhere", b"x" * 1000, "Expect: 100-continue").removesuffix(b"x" * 1000))
    status, _ = raw.head()
    assert status == 404


def test_another_expectation_is_ignored_or_417(raw):
    raw.send(post("/v1/echo", {}, "Expect: the-impossible"))
    assert raw.response().status in (200, 417)


def test_connection_close(raw):
    raw.send(post("/v1/echo", {}, "Connection: close"))
    answer = raw.response()
    assert (answer.status, answer.headers["connection"].lower()) == (200, "close")
    assert raw.at_end()


def test_http_1_0_is_closed_after_its_answer_or_refused(raw):
    raw.send(b"GET /v1/echo/old HTTP/1.0\r\nHost: x\r\n\r\n")
    answer = raw.everything()
    assert answer.startswith((b"HTTP/1.1 200", b"HTTP/1.0 200", b"HTTP/1.1 505")), answer
    assert b"chunked" not in answer.lower()


def test_a_body_that_nobody_reads_does_not_become_the_next_request(raw):
    raw.send(post("/nowhere", b"GET /v1/echo/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"))
    assert raw.response().status == 404
    rest = b""
    try:
        raw.send(post("/v1/echo", {"text": "next"}, "Connection: close"))
        rest = raw.everything()
    except (BrokenPipeError, ConnectionResetError):
        pass
    assert b"smuggled" not in rest


def test_a_client_that_half_closes_with_its_request_is_gone_or_served(raw):
    raw.send(post("/v1/echo", {"text": "half"}))
    raw.finish_sending()
    answer = raw.everything()
    assert answer == b"" or answer.startswith(b"HTTP/1.1 200"), answer


def test_half_a_request_and_the_end(raw):
    raw.send(post("/v1/echo", {"text": "cut"})[:-3])
    raw.finish_sending()
    assert raw.everything().startswith((b"", b"HTTP/1.1 400"))


def curl(gateway, path, *arguments):
    run = subprocess.run(["curl", "-sS", "-m", "20", "-w", "\n%{http_code} %{http_version}", *arguments,
                          f"http://127.0.0.1:{gateway.port}{path}"], stdout=subprocess.PIPE, check=True)
    body, line = run.stdout.rsplit(b"\n", 1)
    return body, line.decode()


def test_curl(gateway):
    assert curl(gateway, "/v1/echo/a") == (b'{"text":"a"}', "200 1.1")
    assert curl(gateway, "/v1/echo", "--json", '{"text":"a"}') == (b'{"text":"a"}', "200 1.1")
    assert curl(gateway, f"/{ECHO}/Echo", "--json", '{"text":"a"}') == (b'{"text":"a"}', "200 1.1")


@pytest.mark.parametrize("version", ["--http1.1", "--http2-prior-knowledge"])
def test_curl_with_a_big_body_from_a_pipe(gateway, version):
    body = json.dumps({"text": "x" * 2_000_000}, separators=(",", ":"))
    run = subprocess.run(["curl", "-sS", "-m", "20", version, "-H", "content-type: application/json", "-H",
                          "transfer-encoding: chunked", "-T", "-", "-X", "POST", f"http://127.0.0.1:{gateway.port}/v1/echo"],
                         input=body.encode(), stdout=subprocess.PIPE, check=True)
    assert run.stdout.decode() == body


def test_curl_with_http2(gateway):
    http2 = "--http2-prior-knowledge"
    assert curl(gateway, "/v1/echo/a", http2) == (b'{"text":"a"}', "200 2")
    assert curl(gateway, "/v1/echo", http2, "--json", '{"text":"a"}') == (b'{"text":"a"}', "200 2")
    assert curl(gateway, "/nowhere", http2)[1] == "404 2"
    assert curl(gateway, "/v1/echo", http2, "--json", '{"i32":"x"}')[1] == "400 2"


def test_curl_that_offers_an_upgrade_to_h2c(gateway):
    """Without prior knowledge curl stays at HTTP/1.1 when nobody upgrades it."""
    assert curl(gateway, "/v1/echo/a", "--http2")[0] == b'{"text":"a"}'
