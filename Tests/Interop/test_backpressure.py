"""Who reads slowly stops whoever sends to him, and nobody else: down and up, by every protocol that streams.

--full takes the time that the short form saves: 20 seconds at 1 MB/s."""
import time

import pytest

from support.gateway_process import GatewayProcess
from support.matrix import flow
from support.matrix.axes import Cell
from support.matrix.schema import MATRIX_SET

MB = 1_000_000
# protocol, codec, HTTP version, what kernel buffers and windows may hold besides, and the form of REST's answers.
WIRES = [("grpc", "proto", "2", 4 * MB), ("grpc", "json", "2", 4 * MB), ("connect", "proto", "1.1", 10 * MB),
         ("connect", "json", "1.1", 10 * MB), ("connect", "proto", "2", 4 * MB), ("grpc-web", "proto", "1.1", 10 * MB),
         ("grpc-web", "proto", "2", 4 * MB), ("grpc-web-text", "proto", "1.1", 10 * MB),
         ("rest", "json", "1.1", 10 * MB, "sse"), ("rest", "json", "2", 4 * MB, "sse"),
         ("rest", "json", "1.1", 10 * MB, "ndjson"), ("rest", "json", "2", 4 * MB, "array")]
every_wire = pytest.mark.parametrize("wire", WIRES, ids=[" ".join((*wire[:3], *wire[4:])) for wire in WIRES])


@pytest.fixture(scope="module")
def flowing():
    server = flow.FlowServer()
    process = GatewayProcess("proxy", server.target, "--descriptors", MATRIX_SET, "--listen", "127.0.0.1:0", "--admin", "off",
                             "--threads", "1")
    yield server, process
    process.stop()
    server.stop()


@pytest.fixture
def pace(request):
    """(seconds, bytes a second)"""
    return (20, 1 * MB) if request.config.getoption("--full") else (2, 4 * MB)


class Unary:
    """Unary calls beside a stream, and how long each took."""

    def __init__(self, call):
        self.call, self.times = call, []

    def __call__(self):
        begin = time.monotonic()
        self.call.unary()
        self.times.append(time.monotonic() - begin)

    @property
    def p99(self):
        return sorted(self.times)[int(len(self.times) * 0.99)] * 1000


def stream(wire, kind):
    """The call of this wire that streams one way."""
    form = wire[4] if len(wire) > 4 else "none"
    if kind == "client-stream" and form != "ndjson":
        form = "none"
    return Cell("raw", *wire[:3], kind, "identity", "plain", "ok", form)


def calm(port, cell):
    """99th percentile in ms of unary calls with nothing beside them."""
    call = flow.call(port, cell)
    try:
        unary = Unary(call)
        for _ in range(200):
            unary()
        return unary.p99
    finally:
        call.close()


@every_wire
def test_a_slow_client_stops_its_upstream(flowing, pace, report, wire):
    server, process = flowing
    cell = stream(wire, "server-stream")
    before_p99, ratio, (seconds, rate) = calm(process.port, cell), flow.answer_ratio(cell), pace
    call = flow.call(process.port, cell)
    try:
        unary, resident, sent_before = Unary(call), process.resident_kilobytes(), server.bytes
        call.start_reading(flow.order(cell))
        begin, read = time.monotonic(), 0
        while (elapsed := time.monotonic() - begin) < seconds:
            # The pace is that of the messages, whatever they are wrapped in.
            if read * ratio + 16_000 < rate * elapsed:
                read += call.read(int(rate * elapsed / ratio - read))
            else:
                unary()
        held = server.settled() - sent_before - read * ratio
        grown = process.resident_kilobytes() - resident
        assert held <= wire[3], f"{held / MB:.1f} MB were sent that nobody has read"
        assert grown <= 16_000, f"RSS grew by {grown} kB"
        begin, drained = time.monotonic(), 0
        while drained < 32 * MB:
            drained += call.read(1 << 20)
        speed = drained / (time.monotonic() - begin) / MB
        assert speed > rate / MB / 2, "it does not get fast again"
        report(f"down, {cell.protocol} {cell.codec} {cell.http} {cell.form}: {read * ratio / seconds / MB:.1f} MB/s read for {seconds} s, {held / MB:.1f} MB held, RSS "
               f"+{grown} kB, then {speed:.0f} MB/s; {len(unary.times)} unary calls, p99 {unary.p99:.1f} ms, calm {before_p99:.1f} ms")
    finally:
        call.close()
    server.settled()


@every_wire
def test_a_slow_upstream_stops_its_client(flowing, pace, report, wire):
    server, process = flowing
    cell = stream(wire, "client-stream")
    before_p99, (body, ratio), (seconds, rate) = calm(process.port, cell), flow.big_order(cell), pace
    call, server.pace = flow.call(process.port, cell), rate
    try:
        unary, resident, read_before = Unary(call), process.resident_kilobytes(), server.bytes
        begin, sent = time.monotonic(), 0
        while time.monotonic() - begin < seconds:
            sent += call.write(body)
            unary()
        read = server.bytes - read_before
        held = sent * ratio - read
        grown = process.resident_kilobytes() - resident
        # gRPC's core opens windows of some megabytes of its own.
        assert held <= wire[3] + 4 * MB, f"{held / MB:.1f} MB were taken that the server has not read"
        assert grown <= 16_000, f"RSS grew by {grown} kB"
        server.hurry()
        begin, more = time.monotonic(), 0
        while more < 32 * MB:
            more += call.write(body)
            unary()
        speed = more / (time.monotonic() - begin) / MB
        assert speed > rate / MB / 2, "it does not get fast again"
        call.finish()
        report(f"up,   {cell.protocol} {cell.codec} {cell.http} {cell.form}: {read / seconds / MB:.1f} MB/s read for {seconds} s, {held / MB:.1f} MB held, RSS "
               f"+{grown} kB, then {speed:.0f} MB/s; {len(unary.times)} unary calls, p99 {unary.p99:.1f} ms, calm {before_p99:.1f} ms")
    finally:
        server.hurry()
        call.close()
