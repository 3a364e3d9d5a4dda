"""Compression by every protocol that has it: odd but right streams, broken ones, bombs, codings that nobody knows."""
import gzip
import zlib

import brotli
import pytest
import zstandard

from support.matrix.axes import Cell
from support.matrix.codings import CODINGS, compress
from support.matrix.framing import CODES, envelope, single
from support.matrix.raw_body import BodyCall, as_sent, ask
from support.matrix.raw_client import encode
from support.matrix.scenario import LIMIT
from support.matrix.schema import Order

# protocol, HTTP version, kind; a unary Connect body is compressed whole.
WIRES = [("connect", "1.1", "unary"), ("connect", "2", "unary"), ("connect", "1.1", "bidi"), ("connect", "2", "bidi"),
         ("grpc-web", "1.1", "unary"), ("grpc-web", "2", "bidi"), ("grpc-web-text", "1.1", "bidi"), ("grpc", "2", "unary"),
         ("grpc", "2", "bidi")]
every_wire = pytest.mark.parametrize("wire", WIRES, ids=[" ".join(wire) for wire in WIRES])
every_coding = pytest.mark.parametrize("coding", CODINGS[1:])


def cell(wire, coding, codec="json"):
    """JSON, so that the gateway must open what it is sent, also by gRPC."""
    protocol, http, kind = wire
    return Cell("raw", protocol, codec, http, kind, coding, "plain", "ok")


def body(one, payload):
    """A request body of one compressed message."""
    return payload if one.is_bare else as_sent(one, envelope(payload, flags=1))


def order(text="t", answer_bytes=0):
    message = Order(key="k", text=text)
    message.plan.head_first, message.plan.answer_bytes = True, answer_bytes
    return encode("json", message)


def zstd_frame(data, **options):
    return zstandard.ZstdCompressor(**options).compress(data)


def zstd_without_size(data):
    compressor = zstandard.ZstdCompressor(write_content_size=False).compressobj()
    return compressor.compress(data) + compressor.flush()


def right_streams():
    data = order()
    half = len(data) // 2
    return {
        "gzip of two members": ("gzip", gzip.compress(data[:half]) + gzip.compress(data[half:])),
        "gzip with a name": ("gzip", named_gzip(data)),
        "gzip, stored": ("gzip", gzip.compress(data, 0)),
        "zstd without a size": ("zstd", zstd_without_size(data)),
        "zstd with a checksum": ("zstd", zstd_frame(data, write_checksum=True)),
        "zstd of two frames": ("zstd", zstd_frame(data[:half]) + zstd_frame(data[half:])),
        "brotli, quality 0": ("br", brotli.compress(data, quality=0)),
        "brotli, quality 11, window 24": ("br", brotli.compress(data, quality=11, lgwin=24)),
    }


def named_gzip(data):
    """A member with a file name, a comment and an extra field in its head."""
    plain = gzip.compress(data, mtime=0)
    return plain[:3] + b"\x1c" + plain[4:10] + b"\x04\0abcd" + b"name\0" + b"comment\0" + plain[10:]


@every_wire
@pytest.mark.parametrize("coding, payload", right_streams().values(), ids=right_streams())
def test_odd_but_right(port, wire, coding, payload):
    one = cell(wire, coding)
    code, items, answer = ask(port, one, body(one, payload))
    assert code == "ok", answer.failure
    assert [(item.key, item.text) for item in items] == [("k", "t")]


@every_wire
@every_coding
def test_nothing_needs_no_inflating(port, wire, coding):
    """A message of no bytes, marked as compressed, is an empty message."""
    one = cell(wire, coding, codec="proto")
    code, items, answer = ask(port, one, body(one, b""))
    assert code == "ok", answer.failure
    assert len(items) == 1


@every_wire
@every_coding
def test_messages_that_are_not_compressed_pass_under_a_coding(port, wire, coding):
    one = cell(wire, coding)
    if one.is_bare:
        pytest.skip("a bare body has no flag")
    code, items, answer = ask(port, one, as_sent(one, envelope(order())))
    assert code == "ok", answer.failure
    assert [item.key for item in items] == ["k"]


def broken_streams(coding):
    good = compress(coding, order("x" * 100))
    yield "cut", good[:-1]
    yield "cut in the middle", good[:len(good) // 2]
    yield "one byte", good[:1]
    yield "garbage", b"\xf7" * 40
    yield "bytes after it", good + b"\0\1\2\3"
    yield "another coding", compress("zstd" if coding != "zstd" else "gzip", order())
    if coding == "gzip":
        yield "wrong checksum", good[:-8] + bytes(4) + good[-4:]
        yield "wrong length", good[:-4] + b"\1\2\3\4"
        yield "raw deflate", zlib.compress(order(), wbits=-15)
        yield "zlib", zlib.compress(order())
        yield "reserved flags", good[:3] + b"\xe0" + good[4:]
    if coding == "zstd":
        # A frame of the format's own making: a window of 2 GiB, then one raw block that is the last.
        yield "window of 2 GiB", b"\x28\xb5\x2f\xfd\x00\xa8" + (len(order()) << 3 | 1).to_bytes(3, "little") + order()
        yield "unknown dictionary", b"\x28\xb5\x2f\xfd\x01\x58\x07" + (len(order()) << 3 | 1).to_bytes(3, "little") + order()
        yield "checksum that is wrong", zstd_frame(order(), write_checksum=True)[:-4] + bytes(4)


BROKEN = [(coding, name, payload) for coding in CODINGS[1:] for name, payload in broken_streams(coding)]


@every_wire
@pytest.mark.parametrize("coding, payload", [(coding, payload) for coding, _, payload in BROKEN],
                         ids=[f"{coding}: {name}" for coding, name, _ in BROKEN])
def test_broken_streams(port, wire, coding, payload):
    one = cell(wire, coding)
    code, _, answer = ask(port, one, body(one, payload))
    assert code in {"invalid_argument", "internal", "resource_exhausted"}, answer.failure
    good = body(one, compress(coding, order()))
    assert ask(port, one, good)[0] == "ok"


@every_wire
@every_coding
def test_the_limit_is_for_what_comes_out(port, wire, coding):
    one, frame = cell(wire, coding), len(order("x", LIMIT)) - 1
    for size, expected in ((LIMIT, "ok"), (LIMIT + 1, "resource_exhausted")):
        message = order("x" * (size - frame), LIMIT)
        assert len(message) == size
        code, _, answer = ask(port, one, body(one, compress(coding, message)))
        assert code == expected, (size, answer.failure)


@every_coding
def test_bombs_take_no_memory(served, port, coding):
    """64 MiB of spaces before a message, some kilobytes on the wire, sixteen at a time."""
    payload = compress(coding, b" " * (64 << 20) + order())
    one = cell(("connect", "2", "bidi"), coding)
    ask(port, one, body(one, payload[:20_000]))
    before = served.process.resident_kilobytes()
    calls = [BodyCall(port, one) for _ in range(16)]
    try:
        # A stream of gzip is longer than the limit for what comes in, and is refused by its length.
        for call in calls:
            call.send(body(one, payload), end=True)
        for call in calls:
            assert call.answer().failure.code == "resource_exhausted"
    finally:
        for call in calls:
            call.__exit__()
    assert served.process.resident_kilobytes() - before < 16_000


@every_wire
@pytest.mark.parametrize("name", ["snappy", "gzip, br", "x" * 100, "GZIP2"])
def test_an_unknown_coding_is_unimplemented_and_the_known_ones_are_named(port, wire, name):
    one = cell(wire, "identity")
    field = {"connect": "content-encoding" if one.is_bare else "connect-content-encoding"}.get(one.protocol, "grpc-encoding")
    code, _, answer = ask(port, one, body(one, b"whatever it is"), change={field: name})
    assert code == "unimplemented", answer.failure
    if one.is_bare:
        assert answer.status == CODES["unimplemented"][1]
    accept = single(answer.fields, field.replace("content-encoding", "accept-encoding").replace("grpc-enc", "grpc-accept-enc"))
    assert {"gzip", "br", "zstd"} <= {part.strip() for part in accept.split(",")}, answer.fields
    assert all(known in answer.failure.message for known in ("gzip", "br", "zstd")), answer.failure
