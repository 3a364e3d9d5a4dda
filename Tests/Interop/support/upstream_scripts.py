"""What an upstream may do to a call, and what each kind of client may be told then."""
import dataclasses
import gzip
import struct

from .http2 import envelope

# One string in field 1: an Everything of interop.proto, and an Item of matrix.proto.
TEXT = b"\x0a\x01a"
MESSAGE = envelope(TEXT)
GOOD = {"grpc-status": "0"}


@dataclasses.dataclass
class Script:
    """`run(call)` answers a call. `unary` and `stream`: the codes that may come of it for either kind of method; `items`:
    the messages that a stream's client must have got; `passed_through`: what more a client may see whose messages the
    gateway does not open; `breaks`: the connection is gone afterwards."""

    run: object
    unary: set
    stream: set | None = None
    items: int | None = 0
    passed_through: set | None = None
    breaks: bool = False
    cuts: bool = False

    def codes(self, is_stream, is_passed_through):
        if is_passed_through and self.passed_through is not None:
            return self.passed_through
        return self.stream if is_stream and self.stream is not None else self.unary


def steps(*functions):
    return lambda call: [function(call) for function in functions]


def head(call):
    call.head()


def message(call):
    call.data(MESSAGE)


def data(payload, end=False):
    return lambda call: call.data(payload, end=end)


def headed(fields, end=False):
    return lambda call: call.head(fields, end=end)


def trailers(fields):
    return lambda call: call.trailers(fields)


def fine(call):
    call.head()
    call.data(MESSAGE)
    call.trailers(GOOD)


def frame(kind, flags, payload, stream=None):
    return lambda call: call.raw(struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(
        ">I", call.stream if stream is None else stream) + payload)


def reset(code):
    return lambda call: call.reset(code)


def too_much(call):
    """Five messages of 4 MiB, each one field, whatever the window."""
    def frame_of(payload):
        return struct.pack(">IBBI", len(payload), 0, 0, call.stream)[1:] + payload

    body = envelope(b"\x42\xfb\xff\xff\x01" + bytes((4 << 20) - 5)) * 5
    call.raw(b"".join(frame_of(body[at:at + 16384]) for at in range(0, len(body), 16384)))


def good_ways():
    """Odd, but right."""
    def byte_by_byte(call):
        call.head()
        for byte in MESSAGE:
            call.data(bytes([byte]))
        call.trailers(GOOD)

    def coalesced(call):
        fields = [(":status", "200"), ("content-type", "application/grpc")]
        call.raw(call.header_frames(fields) + struct.pack(">IBBI", len(MESSAGE), 0, 0, call.stream)[1:] + MESSAGE
                 + call.header_frames(list(GOOD.items()), end=True))

    def padded(call):
        call.head()
        call.connection.h2.send_data(call.stream, MESSAGE, pad_length=100)
        call.connection.flush()
        call.trailers(GOOD)

    return {
        "right": fine,
        "informational heads first": steps(*[headed({":status": status, "content-type": None}) for status in
                                             ("103", "100", "102", "199")], fine),
        "byte by byte": byte_by_byte,
        "in one piece": coalesced,
        "heads of many frames": lambda call: (
            call.raw(call.header_frames([(":status", "200"), ("content-type", "application/grpc")], piece=1)),
            call.data(MESSAGE), call.raw(call.header_frames(list(GOOD.items()), end=True, piece=2))),
        "padded": padded,
        "many empty DATA frames": steps(head, *[data(b"")] * 500, message, trailers(GOOD)),
        "unknown frames": steps(head, frame(0xbe, 0xff, b"what"), message, frame(0xef, 0, b"", stream=0), trailers(GOOD)),
        "PING and PRIORITY between": steps(head, frame(6, 0, b"12345678", stream=0), message,
                                           frame(2, 0, struct.pack(">IB", 0, 7)), trailers(GOOD)),
        "content type with a suffix": steps(headed({"content-type": "application/grpc+proto"}), message, trailers(GOOD)),
        "content type with a parameter": steps(headed({"content-type": "application/grpc; charset=utf-8"}), message,
                                               trailers(GOOD)),
        "unknown fields": steps(headed({"x-many": "a" * 1000, "grpc-unknown": "1"}), message,
                                trailers({**GOOD, "grpc-unknown": "2"})),
        "names a coding, uses none": steps(headed({"grpc-encoding": "gzip"}), message, trailers(GOOD)),
        "reset NO_ERROR after the answer": steps(fine, lambda call: call.frame_reset(0)),
        "goaway with this stream, then the answer": steps(lambda call: call.goaway(call.stream), fine),
    }


def streams():
    """What HTTP/2 and gRPC forbid within a stream, or leave open; the connection lives on."""
    table = {
        "trailers alone": Script(headed({"grpc-status": "7", "grpc-message": "no"}, end=True), {7}),
        "trailers alone under HTTP 503": Script(headed({":status": "503", "grpc-status": "7"}, end=True), {7}),
        "error after the message": Script(steps(head, message, trailers({"grpc-status": "5"})), {5}, items=1),
        "no grpc-status, no trailers": Script(steps(head, data(MESSAGE, end=True)), {13}, items=1),
        "no grpc-status in a head alone": Script(headed({}, end=True), {13, 2}),
        "trailers without grpc-status": Script(steps(head, message, trailers({"x": "y"})), {2, 13}, items=1),
        "OK without a message": Script(steps(head, trailers(GOOD)), {12, 13}, {0}, passed_through={0, 12}),
        "OK in a head alone": Script(headed(GOOD, end=True), {12, 13}, {0}, passed_through={0, 12}),
        "two messages": Script(steps(head, message, message, trailers(GOOD)), {12, 13}, {0}, items=2, passed_through={0, 12}),
        "two grpc-status": Script(steps(head, message, lambda call: call.raw(call.header_frames(
            [("grpc-status", "0"), ("grpc-status", "5")], end=True))), {2, 5, 13}, items=1),
        "a grpc-status in the head, another in the trailers": Script(
            steps(headed({"grpc-status": "0"}), message, trailers({"grpc-status": "5"})), {2, 5, 13}, items=None),
        "a second head without an end": Script(steps(head, message, lambda call: call.raw(call.header_frames(
            [("x-second", "1")]))), {13}, items=None),
        "informational head that ends the stream": Script(lambda call: call.raw(
            call.header_frames([(":status", "103")], end=True)), {13}),
        "DATA before the head": Script(lambda call: call.raw(
            struct.pack(">IBBI", len(MESSAGE), 0, 0, call.stream)[1:] + MESSAGE), {13, 14}),
        "trailers with a pseudo-field": Script(steps(head, message, lambda call: call.raw(call.header_frames(
            [(":status", "200"), *GOOD.items()], end=True))), {13}, items=None),
        "upper-case field": Script(lambda call: call.raw(call.header_frames(
            [(":status", "200"), ("content-type", "application/grpc"), ("X-Upper", "1")])), {13}),
        "field of a connection": Script(lambda call: call.raw(call.header_frames(
            [(":status", "200"), ("content-type", "application/grpc"), ("connection", "close")])), {13}),
        "head without a status": Script(lambda call: call.raw(call.header_frames([("content-type", "application/grpc")])),
                                        {13}),
        "WINDOW_UPDATE of nothing": Script(steps(head, frame(8, 0, bytes(4))), {13, 14}),
        "window over the limit": Script(steps(head, frame(8, 0, b"\x7f\xff\xff\xff")), {13, 14}),
        "length of a body that is longer": Script(steps(headed({"content-length": "3"}), message, trailers(GOOD)), {13},
                                                  items=None),
        "length of a body that is shorter": Script(steps(headed({"content-length": "30"}), message, trailers(GOOD)), {13},
                                                   items=None),
        "message cut by trailers": Script(steps(head, data(MESSAGE[:-1]), trailers(GOOD)), {13}, cuts=True),
        "prefix cut by trailers": Script(steps(head, data(MESSAGE + b"\0\0"), trailers(GOOD)), {12, 13}, {13}, items=None,
                                         cuts=True),
        "message cut by the end": Script(steps(head, data(MESSAGE[:-1], end=True)), {13}, cuts=True),
        "length of 2^32 - 1": Script(steps(head, data(b"\0\xff\xff\xff\xff" + bytes(100))), {8, 13}),
        "length of 2^31": Script(steps(head, data(b"\0\x80\0\0\0" + bytes(100))), {8, 13}),
        "length over the limit, after a message": Script(
            steps(head, message, data(b"\0\x10\0\0\0"), data(bytes(9)), trailers(GOOD)), {8, 12, 13}, {8, 13}, items=1),
        "unknown flag": Script(steps(head, data(b"\x08" + MESSAGE[1:]), trailers(GOOD)), {13}),
        "a flag of gRPC-Web": Script(steps(head, data(envelope(b"grpc-status: 0\r\n", flags=0x80)), trailers(GOOD)), {13}),
        "a flag of Connect": Script(steps(head, data(envelope(b"{}", flags=2)), trailers(GOOD)), {13}),
        "compressed without a coding": Script(steps(head, data(b"\x01" + MESSAGE[1:]), trailers(GOOD)), {13}),
        "compressed with identity": Script(steps(headed({"grpc-encoding": "identity"}), data(b"\x01" + MESSAGE[1:]),
                                                 trailers(GOOD)), {13}),
        "compressed with an unknown coding": Script(steps(headed({"grpc-encoding": "snappy"}), data(b"\x01" + MESSAGE[1:]),
                                                          trailers(GOOD)), {13}, passed_through=set()),
        "a web page": Script(steps(headed({"content-type": "text/html"}), data(b"<h1>hello</h1>", end=True)), {2}),
        "another content type": Script(steps(headed({"content-type": "application/json"}), data(b"{}", end=True)), {2}),
        "no content type": Script(steps(headed({"content-type": None}), message, trailers(GOOD)), {2}),
        "reset CANCEL after trailers alone": Script(steps(headed({"grpc-status": "5"}, end=True),
                                                          lambda call: call.frame_reset(8)), {5}),
    }
    for text in ("x", "99", "-1", "+0", "0x0", "4294967296", "18446744073709551616", "", "0,0"):
        table[f"grpc-status {text!r}"] = Script(steps(head, message, trailers({"grpc-status": text})), {2, 13}, items=1)
    for status, code in {400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 431: 13, 500: 2, 502: 14, 503: 14, 504: 14, 204: 2,
                         302: 2, 418: 2}.items():
        table[f"HTTP {status}"] = Script(headed({":status": str(status), "content-type": "text/plain"}, end=True), {code})
    return table


def compressed():
    """gzip that is none, or too much; a client whose messages are not opened gets what the upstream sent."""
    good = gzip.compress(TEXT)
    many = gzip.compress(b"\x0a\xff\xff\x3f" + bytes(0xfffff) * 16)

    def sent(payload):
        return steps(headed({"grpc-encoding": "gzip"}), data(envelope(payload, flags=1)), trailers(GOOD))

    return {
        "compressed": Script(sent(good), {0}, items=1),
        "compressed, of no length": Script(sent(b""), {0}, items=1),
        "compressed in two members": Script(sent(gzip.compress(TEXT[:1]) + gzip.compress(TEXT[1:])), {0}, items=1),
        "compressed, cut": Script(sent(good[:-1]), {13}, passed_through=set()),
        "compressed, with bytes after it": Script(sent(good + b"\0\1\2"), {13}, passed_through=set()),
        "compressed, with a wrong sum": Script(sent(good[:-8] + bytes(4) + good[-4:]), {13}, passed_through=set()),
        "no gzip at all": Script(sent(b"\xff" * 50), {13}, passed_through=set()),
        "a bomb of 16 MiB": Script(sent(many), {8}, passed_through=set()),
    }


def resets():
    """d.4 of the semantics; where peers differ both are allowed."""
    table = {}
    codes = {0: {13}, 1: {13}, 2: {13}, 3: {13, 8}, 4: {13}, 5: {13, 2}, 6: {13}, 7: {14}, 8: {1}, 9: {13}, 10: {13},
             11: {8}, 12: {7}, 13: {13}, 99: {2, 13}, 0xffffffff: {2, 13}}
    for error, allowed in codes.items():
        table[f"reset {error}"] = Script(reset(error), allowed)
        table[f"reset {error} after the head"] = Script(steps(head, reset(error)), allowed)
        table[f"reset {error} after a message"] = Script(steps(head, message, reset(error)), allowed, items=None)
    return table


def breaking():
    """The end of the connection, with calls on it."""
    return {
        "closes at once": Script(lambda call: call.close(), {14}),
        "aborts at once": Script(lambda call: call.abort(), {14}),
        "closes after the head": Script(steps(head, lambda call: call.close()), {14}),
        "closes in a message": Script(steps(head, data(MESSAGE[:-1]), lambda call: call.close()), {14}, cuts=True),
        "closes after the message": Script(steps(head, message, lambda call: call.close()), {14}, items=1),
        "aborts after the message": Script(steps(head, message, lambda call: call.abort()), {14}, items=None),
        "goaway below this stream": Script(lambda call: (call.goaway(0), call.close()), {14}),
        "goaway, a message, and the end": Script(
            steps(lambda call: call.goaway(call.stream), head, message, lambda call: call.close()), {14}, items=1),
        "goaway for a protocol error": Script(steps(head, lambda call: call.goaway(call.stream, code=1),
                                                    lambda call: call.close()), {13, 14}),
        "garbage frames": Script(steps(head, lambda call: call.raw(b"\xff" * 1000)), {13, 14}),
        "a frame over the limit": Script(
            steps(head, lambda call: call.raw(b"\xff\xff\xff\0\0\0\0\0\1" + bytes(100_000))), {13, 14}),
        "HPACK that is none": Script(lambda call: call.raw(
            b"\0\0\4\1\4" + struct.pack(">I", call.stream) + b"\xff\xff\xff\xff"), {13, 14}),
        "more DATA than the window": Script(steps(head, too_much), {4, 8, 12, 13, 14}, items=None, cuts=True),
        "DATA after the trailers": Script(steps(fine, lambda call: call.raw(
            struct.pack(">IBBI", len(MESSAGE), 0, 0, call.stream)[1:] + MESSAGE)), {0}, items=1),
    }


SCRIPTS = {
    **{name: Script(run, {0}, items=1) for name, run in good_ways().items()}, **streams(), **compressed(), **resets(),
    **{name: dataclasses.replace(script, breaks=True) for name, script in breaking().items()},
}
for name in ("goaway with this stream, then the answer", "WINDOW_UPDATE of nothing", "DATA before the head"):
    SCRIPTS[name].breaks = True
