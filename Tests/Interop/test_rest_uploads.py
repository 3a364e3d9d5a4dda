"""REST client streams and bidi: JSON values however they are cut, raw entities up and down."""
import json
import os
import socket

import pytest

from support import http1, http2
from support.body_server import BODIES_SET, BodyServer
from support.gateway_process import GatewayProcess

ITEMS = [{"index": 1, "payload": "eHg="}, {"index": 2, "payload": "eHh4"}, {"key": "a \"}]{ b"}]
BODIES = {
    "concatenated": "".join(map(json.dumps, ITEMS)),
    "ndjson": "".join(json.dumps(item) + "\n" for item in ITEMS),
    "array": json.dumps(ITEMS),
    "pretty": json.dumps(ITEMS, indent=2),
}


def cut(port, path, body, size, content_type="application/json"):
    """Sends the body in chunks, and TCP segments, of `size` bytes."""
    with http1.RawConnection(port) as client:
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.send(f"POST {path} HTTP/1.1\r\nhost: a\r\ncontent-type: {content_type}\r\n"
                    "transfer-encoding: chunked\r\nconnection: close\r\n\r\n".encode())
        for start in range(0, len(body), size):
            piece = body[start:start + size]
            client.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        client.send(b"0\r\n\r\n")
        received = b""
        while piece := client.socket.recv(65536):
            received += piece
    return received


@pytest.mark.parametrize("shape", BODIES)
def test_messages_are_found_wherever_the_body_is_cut(gateway, shape):
    body = BODIES[shape].encode()
    for size in range(1, len(body) + 1):
        received = cut(gateway.port, "/v1/client-stream", body, size)
        assert received.endswith(b'{"messages":"3","bytes":"5"}'), (size, received)


@pytest.mark.parametrize("shape", BODIES)
def test_messages_are_found_over_http2(gateway, shape):
    with http2.Client(gateway.port) as client:
        stream = client.open("/v1/client-stream", {"content-type": "application/json", "te": None})
        for byte in BODIES[shape].encode():
            client.send(stream, bytes([byte]))
        client.send(stream, b"", end=True)
        assert json.loads(client.wait(stream).body) == {"messages": "3", "bytes": "5"}


def test_bidi_is_full_duplex_on_http2(gateway):
    with http2.Client(gateway.port) as client:
        stream = client.open("/v1/bidi", {"content-type": "application/x-ndjson", "accept": "application/x-ndjson", "te": None})
        for number in range(1, 6):
            client.send(stream, json.dumps({"index": number}).encode() + b"\n")
            assert client.wait_for(lambda: client.responses[stream].body.endswith(b"\n") and
                                   client.responses[stream].body.count(b"\n") == number)
        client.send(stream, b"", end=True)
        response = client.wait(stream)
        assert response.whole and [json.loads(line)["index"] for line in response.body.splitlines()] == [1, 2, 3, 4, 5]


def test_bidi_is_answered_after_the_request_on_http1(gateway):
    received = cut(gateway.port, "/v1/bidi", b'{"index":1}{"index":2}', 5)
    assert b'[{"index":1}' in received and received.endswith(b"0\r\n\r\n")


def test_a_broken_message_is_named(gateway):
    answer = http1.request(gateway.port, "POST", "/v1/client-stream", '{"index":1}{"index":true}')
    assert answer.status == 400
    assert answer.json["message"].startswith("message 2: index: expected")


@pytest.mark.parametrize("body, status", [("[{}", 400), ("{", 400), ("[{}{}]", 400), ("", 200), ("[]", 200), ("  ", 200)])
def test_a_body_that_is_no_sequence_is_refused(gateway, body, status):
    assert http1.request(gateway.port, "POST", "/v1/client-stream", body).status == status


@pytest.fixture(scope="module")
def files():
    server = BodyServer()
    gateway = GatewayProcess("proxy", server.target, "--listen", "127.0.0.1:0", "--descriptors", BODIES_SET)
    yield gateway
    gateway.stop()
    server.stop()


def test_an_upload_is_cut_into_messages(files):
    data = os.urandom(3_000_000)
    answer = http1.request(files.port, "POST", "/v1/store/a/b.bin?overwrite=true", data, {"content-type": "image/png"})
    assert answer.status == 200, answer
    stored = answer.json
    assert (stored["name"], stored["contentType"], stored["size"]) == ("a/b.bin", "image/png", "3000000")
    assert int(stored["pieces"]) > 40


def test_an_empty_upload_is_one_message(files):
    answer = http1.request(files.port, "POST", "/v1/store/a", b"", {"content-type": "text/plain"})
    assert answer.json == {"name": "a", "contentType": "text/plain", "size": "0", "pieces": "1", "content": {}} or \
        answer.json == {"name": "a", "contentType": "text/plain", "pieces": "1", "content": {}}, answer


@pytest.mark.parametrize("accept", ["*/*", "text/event-stream"])
def test_a_download_is_raw(files, accept):
    answer = http1.request(files.port, "GET", "/v1/download?pieces=3&size=100000&contentType=video/mp4", headers={"accept": accept})
    assert answer.status == 200 and answer.headers["content-type"] == "video/mp4"
    assert answer.body == b"a" * 100000 + b"b" * 100000 + b"c" * 100000


def test_a_download_without_a_message_is_empty(files):
    answer = http1.request(files.port, "GET", "/v1/download")
    assert (answer.status, answer.headers["content-type"], answer.body) == (200, "application/octet-stream", b"")


def test_a_download_that_fails_is_not_complete(files):
    early = http1.request(files.port, "GET", "/v1/download?code=5")
    assert early.status == 404 and early.json["code"] == 5
    with http1.RawConnection(files.port) as client:
        client.send(b"GET /v1/download?pieces=2&size=10&code=15 HTTP/1.1\r\nhost: a\r\n\r\n")
        received = b""
        while piece := client.socket.recv(65536):
            received += piece
    assert b"bbbbbbbbbb" in received and not received.endswith(b"0\r\n\r\n")
    with http2.Client(files.port) as client:
        stream = client.open("/v1/download?pieces=2&size=10&code=15", {"te": None, "content-type": None}, method="GET", end=True)
        response = client.wait(stream)
        assert response.body == b"a" * 10 + b"b" * 10 and not response.whole and response.reset == 2
