"""Pages in Chromium that call every protocol of browsers by plain `fetch`, from another origin."""
import struct

import pytest

from support.schema import ECHO, Everything, StreamItem, StreamRequest

# A call by JavaScript's `call` (support/browser.py), with a body of bytes.
CALL = "async ([url, options, body]) => call(url, { ...options, ...(body && { body: new Uint8Array(body) }) })"


def call(page, url, method="POST", body=None, **headers):
    options = {"method": method, "headers": {name.replace("_", "-"): value for name, value in headers.items()}}
    answer = page.evaluate(CALL, [url, options, list(body) if body is not None else None])
    answer["body"] = bytes(answer["body"])
    return answer


def envelope(message, flags=0):
    return struct.pack(">BI", flags, len(message)) + message


def envelopes(body):
    found = []
    while body:
        flags, size = struct.unpack(">BI", body[:5])
        found.append((flags, body[5:5 + size]))
        body = body[5 + size:]
    return found


def test_which_http_the_browser_speaks(web, page):
    """That the other tests are about both versions."""
    for base, expected in ((web.plain, "http/1.1"), (web.tls, "h2")):
        url = f"{base}/v1/echo/version"
        found = page.evaluate("""async (url) => {
            await (await fetch(url)).text();
            return performance.getEntriesByName(url)[0].nextHopProtocol;
        }""", url)
        assert found in (expected, ""), found  # "": hidden from other origins without timing-allow-origin
    # The same from a page of the gateway's own origin, which is told.
    for base, expected in ((web.plain, "http/1.1"), (web.tls, "h2")):
        own = web.context.new_page()
        own.goto(f"{base}/v1/echo/page")
        assert own.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol") == expected
        own.close()


@pytest.mark.parametrize("method, path, body", [
    ("GET", "/v1/echo/a", None), ("DELETE", "/v1/echo/a", None), ("PUT", "/v1/echo/a", b'{"id":"x"}'),
    ("PATCH", "/v1/deep/a", b'{"count":3}'), ("POST", "/v1/echo", b'{"text":"a"}')])
def test_every_method_of_rest_passes_its_preflight(page, base, method, path, body):
    answer = call(page, base + path, method, body, content_type="application/json", x_anything="1", authorization="Bearer x")
    assert answer["status"] == 200 and answer["type"] == "cors"


@pytest.mark.parametrize("method, path, content_type, body, status", [
    ("GET", "/v1/nowhere", "application/json", None, 404), ("GET", "/v1/nested", "application/json", None, 405),
    ("POST", "/v1/echo", "text/plain", b"a", 415), ("POST", f"/{ECHO}/Nowhere", "application/json", b"{}", 404),
    ("POST", "/v1/fail", "application/json", b'{"code":14,"message":"later","retryInfo":{"retryDelay":"7s"}}', 503)])
def test_errors_can_be_read(page, base, method, path, content_type, body, status):
    answer = call(page, base + path, method, body, content_type=content_type)
    assert answer["status"] == status and b'"message"' in answer["body"]
    if status == 503:
        assert answer["headers"]["retry-after"] == "7"
    else:
        assert "gateway-error" in answer["headers"]


def test_metadata_and_credentials_can_be_read(page, base):
    found = page.evaluate("""async (url) => {
        const response = await fetch(url, { method: "POST", credentials: "include",
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ leading: { "x-one": "1" }, trailing: { "x-two": "2" } }) });
        return [response.status, response.headers.get("x-one"), response.headers.get("grpc-trailer-x-two"),
                response.headers.get("x-request-id") !== null];
    }""", f"{base}/v1/headers")
    assert found == [200, "1", "2", True]


def test_another_origin_is_kept_out(web):
    page = web.context.new_page()
    page.goto(web.origin.replace("localhost", "127.0.0.1"))
    found = page.evaluate("async (url) => { try { await fetch(url); return 'read'; } catch (error) { return error.name; } }",
                          f"{web.plain}/v1/echo/a")
    page.close()
    assert found == "TypeError"


@pytest.mark.parametrize("codec", ["json", "proto"])
def test_connect_unary(page, base, codec):
    message = Everything(text="from a page", i64=1 << 60)
    body = b'{"text":"from a page","i64":"1152921504606846976"}' if codec == "json" else message.SerializeToString()
    answer = call(page, f"{base}/{ECHO}/Echo", body=body, content_type=f"application/{codec}", connect_protocol_version="1",
                  connect_timeout_ms="5000")
    assert answer["status"] == 200 and answer["headers"]["content-type"] == f"application/{codec}"
    assert answer["body"] == body


def test_connect_by_get(page, base):
    answer = call(page, f"{base}/{ECHO}/EchoNested?connect=v1&encoding=json&message=%7B%22text%22%3A%22a%22%7D", "GET")
    assert answer["status"] == 200 and answer["body"] == b'{"text":"a"}'


def test_a_connect_error(page, base):
    answer = call(page, f"{base}/{ECHO}/Fail", body=b'{"code":5,"message":"no such thing"}', content_type="application/json",
                  connect_protocol_version="1")
    assert answer["status"] == 404 and answer["body"] == b'{"code":"not_found","message":"no such thing"}'


def test_a_connect_stream(page, base):
    answer = call(page, f"{base}/{ECHO}/ServerStream", body=envelope(b'{"count":3}'), content_type="application/connect+json",
                  connect_protocol_version="1")
    assert answer["status"] == 200 and answer["headers"]["content-type"] == "application/connect+json"
    assert envelopes(answer["body"]) == [(0, b"{}"), (0, b'{"index":1}'), (0, b'{"index":2}'), (2, b"{}")]


def test_a_connect_stream_that_fails(page, base):
    answer = call(page, f"{base}/{ECHO}/FailStream", body=envelope(b'{"code":15,"message":"lost","messagesBefore":1}'),
                  content_type="application/connect+json", connect_protocol_version="1")
    assert answer["status"] == 200
    assert envelopes(answer["body"]) == [(0, b"{}"), (2, b'{"error":{"code":"data_loss","message":"lost"}}')]


def grpc_web(page, base, method, message, **headers):
    answer = call(page, f"{base}/{ECHO}/{method}", body=envelope(message.SerializeToString()),
                  content_type="application/grpc-web+proto", x_grpc_web="1", x_user_agent="page/1", grpc_timeout="5S", **headers)
    assert answer["status"] == 200, answer
    frames = envelopes(answer["body"])
    messages = [frame for flags, frame in frames if flags == 0]
    trailers = dict(line.split(": ", 1) for flags, frame in frames if flags == 0x80
                    for line in frame.decode().replace(":", ": ").replace(":  ", ": ").splitlines())
    return answer, messages, trailers


def test_grpc_web_unary(page, base):
    message = Everything(text="from a page", data=bytes(range(256)))
    _, messages, trailers = grpc_web(page, base, "Echo", message)
    assert [Everything.FromString(one) for one in messages] == [message]
    assert trailers["grpc-status"] == "0"


def test_a_grpc_web_stream(page, base):
    _, messages, trailers = grpc_web(page, base, "ServerStream", StreamRequest(count=3))
    assert [StreamItem.FromString(one).index for one in messages] == [0, 1, 2]
    assert trailers["grpc-status"] == "0"


def test_a_grpc_web_error_can_be_read(page, base):
    """The status of a call without messages is in the head, which the page must be allowed to see."""
    answer, messages, trailers = grpc_web(page, base, "Missing", Everything())
    assert messages == []
    assert {**answer["headers"], **trailers}["grpc-status"] == "12"


@pytest.mark.parametrize("coding", ["gzip", "br"])
def test_a_compressed_answer_is_inflated_by_the_browser(web, page, coding):
    """Browsers offer br and zstd only to secure origins; either way the page sees what was meant."""
    base = web.plain if coding == "gzip" else web.tls
    answer = call(page, f"{base}/v1/echo", body=b'{"text":"' + b"a" * 5000 + b'"}', content_type="application/json")
    assert answer["body"] == b'{"text":"' + b"a" * 5000 + b'"}'
    assert answer["headers"]["content-encoding"] in ("gzip", "br", "zstd")
