"""Thousands of calls at a time: each gets its own answer, and takes little memory.

--full opens four times as many streams."""
import time

import pytest

from support.configuration import configuration, run_gateway
from support.frames import FrameClient, FrameUpstream, envelope
from support.schema import ECHO, StreamItem
from support.stream_process import StreamProcess
from support.waiting import eventually

# Of the gateway's memory, for one call: its client's stream, its upstream's, and what is between.
STREAM_BYTES_MAX = 16 << 10
STREAMS_PER_CLIENT = 500

GRPC = {":method": "POST", ":scheme": "http", ":path": "", ":authority": "a", "content-type": "application/grpc", "te": "trailers"}
EVENTS = {":method": "GET", ":scheme": "http", ":path": "", ":authority": "a", "accept": "text/event-stream"}


@pytest.fixture
def streams(request):
    return 20_000 if request.config.getoption("--full") else 5_000


class Crowd:
    """Clients and upstreams of one gateway, and the memory that the gateway takes for their calls."""

    def __init__(self, folder, upstreams, calls, threads=1, warm=True):
        self.upstreams = upstreams
        content = configuration(",".join(upstream.target for upstream in upstreams),
                                limits={"streams_per_connection": STREAMS_PER_CLIENT})
        self.gateway = run_gateway(folder, content, "--threads", str(threads))
        self.clients = [FrameClient(self.gateway.port) for _ in range(-(-calls // STREAMS_PER_CLIENT))]
        self.calls = calls
        # What each call has sent, by its client and its stream.
        self.sent = {}
        if warm:
            self.warm()
        self.resident = self.gateway.resident_kilobytes()

    def warm(self):
        """Makes a call on each connection: what the first ones allocate is not theirs alone."""
        for client in self.clients:
            client.open({**GRPC, ":path": f"/{ECHO}/Echo"}, [envelope(b"")])
        assert self.held(len(self.clients)) and self.release() == len(self.clients)
        assert all(client.wait(1) for client in self.clients)
        for client in self.clients:
            client.answers.clear()
            client.begun = 0

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        for client in self.clients:
            client.close()
        for upstream in self.upstreams:
            upstream.__exit__()
        self.gateway.stop()

    def open(self, fields, body):
        """Opens all calls: the `n`th has the body `body(n)`."""
        for index, client in enumerate(self.clients):
            numbers = self.numbers(index)
            for number, stream in zip(numbers, client.open(fields, map(body, numbers))):
                self.sent[index, stream] = body(number)

    def numbers(self, index):
        """Of the calls that a client makes."""
        return range(index * STREAMS_PER_CLIENT, min((index + 1) * STREAMS_PER_CLIENT, self.calls))

    def begun(self):
        """Whether every answer's head has come."""
        return all(client.wait_begun(len(self.numbers(index))) for index, client in enumerate(self.clients))

    def held(self, count, seconds=60):
        """Whether so many calls are in the upstreams' hands."""
        deadline = time.monotonic() + seconds
        while sum(len(upstream.held) for upstream in self.upstreams) < count:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def release(self):
        return sum(upstream.release() for upstream in self.upstreams)

    def bytes_per_call(self):
        return (self.gateway.resident_kilobytes() - self.resident) * 1024 // self.calls

    def answers(self):
        """Every answer with what its call had sent, once all are there."""
        for index, client in enumerate(self.clients):
            assert client.wait(len(self.numbers(index))), "answers are missing"
            for answer in client.answers:
                yield answer, self.sent[index, answer.stream]


def number(count):
    """A message that is its call's own."""
    return envelope(StreamItem(index=count, key=f"call-{count}").SerializeToString())


def test_server_streams_through_one_connection(tmp_path, streams, report):
    """gRPC: passed through, message by message."""
    upstream = FrameUpstream(first=True)
    with Crowd(tmp_path, [upstream], streams) as crowd:
        began = time.monotonic()
        crowd.open({**GRPC, ":path": f"/{ECHO}/ServerStream"}, number)
        assert crowd.held(crowd.calls)
        assert crowd.begun()
        each = crowd.bytes_per_call()
        assert len(upstream.connections) == 1
        assert crowd.release() == crowd.calls
        for answer, sent in crowd.answers():
            assert answer.body == sent * 2 and answer.fields["grpc-status"] == "0", answer.fields
        report(f"{crowd.calls} server streams through one connection: {each} bytes each, "
               f"{time.monotonic() - began:.1f} s")
        assert each < STREAM_BYTES_MAX


def test_server_streams_of_grpcio(tmp_path, streams, report):
    """The same with a server that everybody uses."""
    upstream = StreamProcess()
    with Crowd(tmp_path, [upstream], streams, warm=False) as crowd:
        began = time.monotonic()
        crowd.open({**GRPC, ":path": f"/{ECHO}/ServerStream"}, number)
        assert eventually(lambda: upstream.count() == streams, 120)
        assert upstream.release() == streams
        for answer, sent in crowd.answers():
            assert answer.body == sent * 2 and answer.fields["grpc-status"] == "0", answer.fields
        report(f"{streams} server streams of grpcio through one connection: {time.monotonic() - began:.1f} s")


def test_event_streams_through_one_connection(tmp_path, streams, report):
    """REST: transcoded, with a timer for each."""
    upstream = FrameUpstream(first=True)
    with Crowd(tmp_path, [upstream], streams) as crowd:
        began = time.monotonic()
        for index, client in enumerate(crowd.clients):
            for count in crowd.numbers(index):
                stream, = client.open({**EVENTS, ":path": f"/v1/stream?count={count}"}, [None])
                crowd.sent[index, stream] = count
        assert crowd.held(crowd.calls)
        assert crowd.begun()
        each = crowd.bytes_per_call()
        assert len(upstream.connections) == 1
        assert crowd.release() == crowd.calls
        for answer, count in crowd.answers():
            message = b'data: {"index":%d}\n\n' % count if count else b"data: {}\n\n"
            assert answer.body == message * 2 + b"event: end\ndata: {}\n\n", answer.body
        report(f"{crowd.calls} event streams through one connection: {each} bytes each, {time.monotonic() - began:.1f} s")
        assert each < STREAM_BYTES_MAX


def test_unary_calls_in_flight_over_three_upstreams(tmp_path, report):
    with Crowd(tmp_path, [FrameUpstream() for _ in range(3)], 20_000, threads=2) as crowd:
        began = time.monotonic()
        crowd.open({**GRPC, ":path": f"/{ECHO}/Echo"}, number)
        assert crowd.held(crowd.calls)
        each = crowd.bytes_per_call()
        loads = [len(upstream.held) for upstream in crowd.upstreams]
        assert max(loads) - min(loads) <= 0.05 * max(loads), loads
        assert crowd.release() == crowd.calls
        for answer, sent in crowd.answers():
            assert answer.body == sent and answer.fields["grpc-status"] == "0", answer.fields
        report(f"{crowd.calls} unary calls in flight over three upstreams: {each} bytes each, "
               f"{time.monotonic() - began:.1f} s")
        assert each < STREAM_BYTES_MAX
        # What calls took is used again: as many once more need little more.
        before = crowd.gateway.resident_kilobytes()
        for client in crowd.clients:
            client.answers.clear()
        crowd.sent.clear()
        crowd.open({**GRPC, ":path": f"/{ECHO}/Echo"}, number)
        assert crowd.held(crowd.calls) and crowd.release() == crowd.calls
        assert sum(1 for _ in crowd.answers()) == crowd.calls
        assert crowd.gateway.resident_kilobytes() - before < crowd.calls * each // 1024 // 4
