"""Upstreams that mean harm: floods of every frame, heads without end, half frames, a byte at a time. The call ends in time
with a clear error, and the gateway keeps its memory, its processor and its other calls."""
import contextlib
import itertools
import os
import socket
import struct
import threading
import time

import pytest

from support import http1
from support.matrix.plain_call import CLIENTS
from support.matrix.schema import MATRIX_SET
from support.scripted_upstream import ScriptedUpstream
from support.upstream_scripts import GOOD, MESSAGE, fine, steps
from support.waiting import eventually

SECONDS = 0.4
LAST = (1 << 31) - 1
both_clients = pytest.mark.parametrize("client", [CLIENTS["rest"], CLIENTS["grpc stream"]], ids=["rest", "grpc stream"])


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">IBBI", len(payload), kind, flags, stream)[1:] + payload


def flood(*frames, before=None):
    """Sends these frames again and again, as fast as they are taken, and reads nothing meanwhile. Each is bytes, or made of
    the call's stream and a count."""
    def run(call):
        if before:
            before(call)
        counts = itertools.count()
        end = time.monotonic() + SECONDS
        with contextlib.suppress(OSError):
            call.connection.socket.settimeout(2)
            while time.monotonic() < end:
                call.connection.socket.sendall(b"".join(
                    each(call.stream, next(counts)) if callable(each) else each for each in frames * 200))
            call.connection.socket.settimeout(None)
    return run


def head(call):
    call.head()


def header_block(*pairs):
    """Fields as HPACK literals that enter no table, and so change nothing for what follows (RFC 7541 §6.2.2)."""
    return b"".join(b"\0" + literal(name) + literal(value) for name, value in pairs)


def literal(text):
    data, rest, length = text if isinstance(text, bytes) else text.encode(), len(text), b""
    if rest < 127:
        return bytes([rest]) + data
    rest -= 127
    while rest >= 128:
        length += bytes([rest % 128 | 128])
        rest //= 128
    return b"\x7f" + length + bytes([rest]) + data


OK = [(":status", "200"), ("content-type", "application/grpc")]


def cut_head(call, block, flags=0):
    """The frames of a head, as large as they may be."""
    pieces = [block[at:at + 16384] for at in range(0, len(block), 16384)]
    with contextlib.suppress(OSError):
        call.raw(b"".join(
            frame(9 if index else 1, (4 if index == len(pieces) - 1 else 0) | (0 if index else flags), call.stream, piece)
            for index, piece in enumerate(pieces)))


def endless_head(piece):
    """HEADERS, and CONTINUATION for ever."""
    def run(call):
        call.raw(frame(1, 0, call.stream, header_block(*OK)))
        flood(lambda stream, _: frame(9, 0, stream, piece))(call)
    return run


def large_head(call):
    """A megabyte of fields in one field."""
    cut_head(call, header_block(*OK, ("x-large", "x" * (1 << 20))))


def many_fields(call):
    """Within the frames that a head may have, and far over the bytes."""
    cut_head(call, header_block(*OK, *[(f"x-{index}", "") for index in range(12_000)]))


def repeated_field(call):
    """A head of little, whose one indexed field of 3 KB comes 4,000 times (an HPACK bomb)."""
    indexed = b"\x40" + literal("x-bomb") + literal("x" * 3000)
    cut_head(call, header_block(*OK) + indexed + b"\xbe" * 4000)


FLOODS = {
    "CONTINUATION, empty": endless_head(b""),
    "CONTINUATION, fields": endless_head(header_block(("a", "b")) * 100),
    "a head of a megabyte": large_head,
    "a head of 12,000 fields": many_fields,
    "a field that comes 4,000 times": repeated_field,
    "SETTINGS": flood(frame(4, 0, 0, struct.pack(">HI", 3, 100))),
    "SETTINGS, empty": flood(frame(4, 0, 0)),
    "SETTINGS that acknowledge": flood(frame(4, 1, 0)),
    "PING": flood(frame(6, 0, 0, b"12345678")),
    "PING that answers": flood(frame(6, 1, 0, b"\0\0\0\0\0\0\0\0")),
    "GOAWAY, ever lower": flood(lambda stream, count: frame(7, 0, 0, struct.pack(">II", LAST - count, 0))),
    "GOAWAY, ever higher": flood(lambda stream, count: frame(7, 0, 0, struct.pack(">II", 2 * count + 1, 0))),
    "GOAWAY, the same": flood(frame(7, 0, 0, struct.pack(">II", LAST, 0) + b"x" * 1000)),
    "RST_STREAM of no stream": flood(lambda _, count: frame(3, 0, 2 * count + 101, struct.pack(">I", 8))),
    "RST_STREAM of the call": flood(lambda stream, _: frame(3, 0, stream, struct.pack(">I", 2))),
    "WINDOW_UPDATE of the connection": flood(frame(8, 0, 0, struct.pack(">I", 1))),
    "WINDOW_UPDATE of the call": flood(lambda stream, _: frame(8, 0, stream, struct.pack(">I", 1)), before=head),
    "PRIORITY": flood(lambda _, count: frame(2, 0, (2 * count + 1) & LAST, struct.pack(">IB", 0, 7))),
    "PUSH_PROMISE": flood(lambda stream, count: frame(5, 4, stream, struct.pack(">I", 2 * count + 2) + b"\x88"), before=head),
    "unknown frames": flood(frame(0xee, 0xff, 0, b"x" * 1000)),
    "empty DATA": flood(lambda stream, _: frame(0, 0, stream), before=head),
    "DATA of a stream that is closed": flood(lambda stream, _: frame(0, 0, stream, b"x" * 100), before=fine),
    "DATA of padding alone": flood(lambda stream, _: frame(0, 8, stream, b"\xff" + bytes(255)), before=head),
    "informational heads": flood(lambda stream, _: frame(1, 4, stream, header_block((":status", "103")))),
    "ALTSVC and ORIGIN": flood(frame(10, 0, 0, b"\0\x01ah2=x"), frame(12, 0, 0, b"\0\x01a")),
}


def leave(call):
    """The connection, behind what was done to it."""
    with contextlib.suppress(OSError):
        call.close()


def processor_seconds(process):
    with open(f"/proc/{process.process.pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rests(process):
    """Whether the gateway does nothing once nobody wants anything of it."""
    def is_quiet():
        before = processor_seconds(process)
        time.sleep(0.3)
        return processor_seconds(process) - before < 0.1
    return eventually(is_quiet, 5)


def serves_again(upstream, gateway):
    upstream.script = fine
    return eventually(lambda: http1.request(gateway.port, "GET", "/v1/echo/a", headers={"grpc-timeout": "1S"}).status == 200, 5)


@both_clients
@pytest.mark.parametrize("attack", FLOODS.values(), ids=FLOODS)
def test_floods(start_gateway, attack, client):
    with ScriptedUpstream(fine) as upstream:
        gateway = start_gateway(upstream.target, "--descriptors", MATRIX_SET, "--threads", "1")
        assert client(gateway).code == 0
        before = gateway.resident_kilobytes()
        upstream.script = steps(attack, leave)
        seen = []
        thread = threading.Thread(target=lambda: seen.append(client(gateway)))
        began = time.monotonic()
        thread.start()
        # Others are served meanwhile: on the one thread that takes in the flood.
        slowest = 0
        while thread.is_alive() and time.monotonic() < began + 15:
            asked = time.monotonic()
            assert http1.request(gateway.port, "GET", "/nowhere").status == 404
            slowest = max(slowest, time.monotonic() - asked)
            time.sleep(0.02)
        thread.join()
        assert slowest < 1, slowest
        assert time.monotonic() - began < 10
        assert seen[0].code in (0, 1, 4, 8, 13, 14), seen
        assert seen[0].trailing.keys() <= {"x-request-id"}, "a part of a head"
        assert seen[0].code != 0 or [item.key for item in seen[0].items] == ["a"], seen
        assert serves_again(upstream, gateway)
        assert gateway.resident_kilobytes() - before < 24 << 10
        assert rests(gateway), "it works although nobody wants anything"



# Of a head or of trailers that are not there as a whole.
PART = [("x-part", "1"), ("content-length", "3"), ("set-cookie", "a=b")]
HALVES = {
    "half a frame's head": lambda call: call.raw(b"\0\0\x10"),
    "half a HEADERS frame": lambda call: call.raw(frame(1, 4, call.stream, header_block(*OK))[:20]),
    "a head that goes on": lambda call: call.raw(frame(1, 0, call.stream, header_block(*OK, *PART))),
    "half a DATA frame": steps(head, lambda call: call.raw(frame(0, 0, call.stream, MESSAGE)[:-1])),
    "half a message": steps(head, lambda call: call.data(MESSAGE[:-1])),
    "half a prefix": steps(head, lambda call: call.data(MESSAGE[:3])),
    "no trailers": steps(head, lambda call: call.data(MESSAGE)),
    "half of the trailers": steps(head, lambda call: call.data(MESSAGE), lambda call: call.raw(
        frame(1, 5, call.stream, header_block(*GOOD.items()))[:-1])),
    "trailers that go on": steps(head, lambda call: call.data(MESSAGE), lambda call: call.raw(
        frame(1, 1, call.stream, header_block(*GOOD.items(), *PART)))),
}


@pytest.mark.parametrize("begin", HALVES.values(), ids=HALVES)
def test_what_is_begun_and_never_ended_takes_no_longer_than_its_deadline(start_gateway, begin):
    # What h2 has to say comes first, or it would stand within the half frame.
    with ScriptedUpstream(steps(lambda call: call.connection.flush(), begin)) as upstream:
        gateway = start_gateway(upstream.target, "--threads", "1")
        began = time.monotonic()
        answer = http1.request(gateway.port, "GET", "/v1/echo/a", headers={"grpc-timeout": "600m"})
        assert (answer.status, answer.json["code"]) == (504, 4)
        assert answer.headers.keys().isdisjoint(["x-part", "set-cookie"])
        assert 0.5 < time.monotonic() - began < 2
        assert rests(gateway)


def drip(data, pause):
    """Sends what is written a byte at a time."""
    def run(call):
        with contextlib.suppress(OSError):
            for byte in data(call):
                call.raw(bytes([byte]))
                time.sleep(pause)
    return run


def whole_answer(call):
    return (frame(1, 4, call.stream, header_block(*OK))
            + frame(0, 0, call.stream, MESSAGE) + frame(1, 5, call.stream, header_block(*GOOD.items())))


@pytest.mark.parametrize("pause, timeout, status", [(0.002, "8S", 200), (0.1, "600m", 504)], ids=["quick enough", "too slow"])
def test_an_answer_that_comes_a_byte_at_a_time(start_gateway, pause, timeout, status):
    with ScriptedUpstream(steps(lambda call: call.connection.flush(), drip(whole_answer, pause))) as upstream:
        gateway = start_gateway(upstream.target, "--threads", "1")
        began = time.monotonic()
        answer = http1.request(gateway.port, "GET", "/v1/echo/a", headers={"grpc-timeout": timeout})
        assert answer.status == status and time.monotonic() - began < 3, answer
        assert status != 200 or answer.json == {"text": "a"}


def test_padding_is_given_back_to_the_window(start_gateway):
    """Far more padding than the windows of the stream and the connection, around a message in pieces of a byte."""
    def padded(call):
        call.head()
        filler = frame(0, 8, call.stream, b"\xff" + bytes(255))
        for byte in MESSAGE:
            call.raw(filler * 10_000 + frame(0, 8, call.stream, b"\xff" + bytes([byte]) + bytes(255)))
        call.trailers(GOOD)

    with ScriptedUpstream(padded) as upstream:
        gateway = start_gateway(upstream.target, "--threads", "1")
        assert http1.request(gateway.port, "GET", "/v1/echo/a", headers={"grpc-timeout": "10S"}).json == {"text": "a"}


@pytest.mark.parametrize("message", ["%0d%0aset-cookie: a=b" * 900, "%" * 20_000, "%E2%82" * 3000, "\u00e9" * 5000, "%00" * 6000],
                         ids=["line ends", "percent signs", "cut UTF-8", "Latin-1", "NUL"])
@both_clients
def test_long_odd_status_messages(start_gateway, message, client):
    def fail(call):
        cut_head(call, header_block(*OK, ("grpc-status", "9"), ("grpc-message", message.encode("latin-1"))), flags=1)

    with ScriptedUpstream(fail) as upstream:
        gateway = start_gateway(upstream.target, "--descriptors", MATRIX_SET, "--threads", "1")
        seen = client(gateway)
        assert seen.code in (9, 13), seen
        answer = http1.request(gateway.port, "GET", "/v1/echo/a")
        assert answer.status in (400, 500) and "set-cookie" not in answer.headers
        assert serves_again(upstream, gateway)


def test_a_status_message_of_a_megabyte(start_gateway):
    def fail(call):
        cut_head(call, header_block(*OK, ("grpc-status", "9"), ("grpc-message", "m" * (1 << 20))), flags=1)

    with ScriptedUpstream(fail) as upstream:
        gateway = start_gateway(upstream.target, "--threads", "1")
        answer = http1.request(gateway.port, "GET", "/v1/echo/a")
        assert answer.json["code"] in (8, 13, 14) and "gateway-error" in answer.headers and len(answer.body) < 1000, answer
        assert serves_again(upstream, gateway)


SETTINGS = {
    "a window over the limit": struct.pack(">HI", 4, 1 << 31), "frames of 0 bytes": struct.pack(">HI", 5, 0),
    "frames of 4 GB": struct.pack(">HI", 5, 0xffffffff), "push": struct.pack(">HI", 2, 1),
    "half an entry": b"\0\3\0", "a table of 4 GB": struct.pack(">HI", 1, 0xffffffff),
    "heads of 0 bytes": struct.pack(">HI", 6, 0), "10,000 entries": struct.pack(">HI", 3, 50) * 2700,
}


@pytest.mark.parametrize("payload", SETTINGS.values(), ids=SETTINGS)
def test_settings_that_make_no_sense(start_gateway, payload):
    def change(call):
        call.raw(frame(4, 0, 0, payload))
        with contextlib.suppress(OSError):
            fine(call)

    with ScriptedUpstream(change) as upstream:
        gateway = start_gateway(upstream.target, "--threads", "1")
        before = gateway.resident_kilobytes()
        for _ in range(3):
            answer = http1.request(gateway.port, "GET", "/v1/echo/a", headers={"grpc-timeout": "2S"})
            assert answer.status in (200, 500, 502, 503), answer
        assert serves_again(upstream, gateway)
        assert gateway.resident_kilobytes() - before < 16 << 10


def linger(accepted):
    accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


GREETINGS = {
    "closes": lambda accepted: None,
    "resets": linger,
    "closes behind SETTINGS": lambda accepted: accepted.sendall(frame(4, 0, 0)),
    "resets behind SETTINGS": lambda accepted: (accepted.sendall(frame(4, 0, 0)), linger(accepted)),
    "GOAWAY at once": lambda accepted: accepted.sendall(frame(4, 0, 0) + frame(7, 0, 0, bytes(8))),
    "SETTINGS in half": lambda accepted: accepted.sendall(b"\0\0\x06\4\0"),
    "100,000 GOAWAYs": lambda accepted: accepted.sendall(frame(4, 0, 0) + frame(7, 0, 0, bytes(8)) * 100_000),
}


@pytest.mark.parametrize("greet", GREETINGS.values(), ids=GREETINGS)
def test_connections_that_end_at_once_are_not_made_again_without_a_pause(start_gateway, greet):
    with ScriptedUpstream(greet=greet) as upstream:
        gateway = start_gateway(upstream.target, "--threads", "1")
        end = time.monotonic() + 2
        while time.monotonic() < end:
            answer = http1.request(gateway.port, "GET", "/v1/echo/a", headers={"grpc-timeout": "300m"})
            assert answer.status in (503, 504) and answer.json["code"] in (4, 14), answer
            time.sleep(0.01)
        assert upstream.connections <= 5
        assert rests(gateway)
