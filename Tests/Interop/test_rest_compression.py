"""Compression of REST streams: as one body, flushed with every message; and of what clients send."""
import gzip
import json
import socket
import zlib

import brotli
import pytest
import zstandard

from support import http1
from support.configuration import configuration, run_gateway
from support.schema import INTEROP_SET
from test_rest_streams import FORMS, ITEMS, STREAM, Call, elements
from test_rest_uploads import BODIES, cut, files  # noqa: F401 — a fixture

DECODERS = {
    "gzip": lambda data: zlib.decompressobj(31).decompress(data),
    "br": lambda data: brotli.Decompressor().process(data),
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
}
ENCODERS = {"gzip": gzip.compress, "br": brotli.compress, "zstd": zstandard.ZstdCompressor().compress}
codings = pytest.mark.parametrize("coding", DECODERS)


@codings
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("version", ["1.1", "2"])
def test_a_stream_is_compressed_as_asked(gateway, version, form, coding):
    call = Call(version, gateway.port, "GET", STREAM, FORMS[form], headers={"accept-encoding": f"identity;q=0.1, {coding};q=0.9"})
    assert (call.status, call.is_complete, call.headers["content-encoding"]) == (200, True, coding)
    assert "Accept-Encoding" in call.headers["vary"]
    assert elements(form, DECODERS[coding](call.body)) == ITEMS


@codings
def test_an_error_amid_a_compressed_stream_is_seen(gateway, coding):
    body = json.dumps({"code": 15, "message": "lost", "messagesBefore": 2}).encode()
    call = Call("1.1", gateway.port, "POST", "/v1/fail-stream", FORMS["ndjson"], body, {"accept-encoding": coding})
    assert not call.is_complete
    assert json.loads(DECODERS[coding](call.body).splitlines()[-1]) == {"error": {"code": 15, "message": "lost"}}


@codings
def test_each_message_can_be_read_when_it_comes(gateway, coding):
    decoder = {"gzip": lambda: zlib.decompressobj(31).decompress, "br": lambda: brotli.Decompressor().process,
               "zstd": lambda: zstandard.ZstdDecompressor().decompressobj().decompress}[coding]()
    with socket.create_connection(("127.0.0.1", gateway.port), 10) as client:
        client.sendall(f"GET /v1/stream?count=3&interval=0.4s HTTP/1.1\r\nhost: a\r\naccept: application/x-ndjson\r\n"
                       f"accept-encoding: {coding}\r\n\r\n".encode())
        received, texts = b"", []
        while not received.endswith(b"\r\n0\r\n\r\n"):
            piece = client.recv(65536)
            received += piece
            body = piece.partition(b"\r\n\r\n")[2] if piece.startswith(b"HTTP") else piece
            while body and not body.startswith(b"0\r\n"):
                size, _, rest = body.partition(b"\r\n")
                texts.append(decoder(rest[:int(size, 16)]))
                body = rest[int(size, 16) + 2:]
    assert [text for text in texts if text][:3] == [b"{}\n", b'{"index":1}\n', b'{"index":2}\n']


def test_compression_can_be_off(echo, tmp_path):
    services = [{"upstream": "echo", "descriptors": {"file": INTEROP_SET}, "rest": {"compression": False}}]
    gateway = run_gateway(tmp_path, configuration(echo.target, services=services))
    try:
        for path in (STREAM, "/v1/echo?text=" + "a" * 3000):
            answer = http1.request(gateway.port, "GET", path, headers={"accept-encoding": "gzip"})
            assert answer.status == 200 and "content-encoding" not in answer.headers
    finally:
        gateway.stop()


@codings
def test_compressed_messages_are_found_wherever_the_body_is_cut(gateway, coding):
    body = ENCODERS[coding](BODIES["ndjson"].encode())
    for size in range(1, len(body) + 1):
        head = f"application/json\r\ncontent-encoding: {coding}"
        received = cut(gateway.port, "/v1/client-stream", body, size, head)
        assert received.endswith(b'{"messages":"3","bytes":"5"}'), (size, received)


@codings
def test_a_cut_or_broken_body_is_refused(gateway, coding):
    body = ENCODERS[coding](BODIES["array"].encode())
    for broken in (body[:-1], b"x" + body, body[:20] + b"\xff\xff" + body[22:]):
        headers = {"content-type": "application/json", "content-encoding": coding}
        answer = http1.request(gateway.port, "POST", "/v1/client-stream", broken, headers)
        assert answer.status == 400, (broken, answer)


@codings
def test_an_upload_that_expands_is_taken_a_step_at_a_time(files, coding):  # noqa: F811
    data = ENCODERS[coding](bytes(50_000_000))
    answer = http1.request(files.port, "POST", "/v1/store/a", data, {"content-type": "a/b", "content-encoding": coding}, 60)
    assert answer.status == 200 and answer.json["size"] == "50000000"
    with open(f"/proc/{files.process.pid}/status") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    assert peak < 120_000, f"{peak} kB"


def test_text_is_compressed_and_pictures_are_not(files):  # noqa: F811
    for content_type, coded in [("text/csv", True), ("image/png", False), ("application/zip", False)]:
        answer = http1.request(files.port, "GET", f"/v1/download?pieces=2&size=3000&contentType={content_type}",
                               headers={"accept-encoding": "gzip"})
        assert ("content-encoding" in answer.headers) == coded
        assert (DECODERS["gzip"](answer.body) if coded else answer.body) == b"a" * 3000 + b"b" * 3000
