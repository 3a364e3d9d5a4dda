"""What HTTP/2 lets an upstream do while calls are under way: GOAWAY at any point of one, windows of a byte, other SETTINGS."""
import threading
import time

import grpc
import pytest
from h2.settings import SettingCodes

from support import http1, schema
from support.fleet import Fleet
from support.http2 import envelope
from support.scripted_upstream import ScriptedUpstream
from support.upstream_scripts import GOOD, MESSAGE, fine

LAST = (1 << 31) - 1
# A call, step by step; a GOAWAY stands before one of these, or behind the last.
STEPS = [lambda call: call.head(), lambda call: call.data(MESSAGE[:3]), lambda call: call.data(MESSAGE[3:]),
         lambda call: call.trailers(GOOD)]
POINTS = ["before the head", "behind the head", "within the message", "behind the message", "behind the trailers"]


def leave(point, last):
    """Answers the first call with a GOAWAY at that point, whose last stream is the call's own plus `last`, or `last` itself."""
    def answer(call):
        for index, step in enumerate(STEPS):
            if index == point:
                call.goaway(last if last == LAST else call.stream + last)
            step(call)
        if point == len(STEPS):
            call.goaway(last if last == LAST else call.stream + last)
    return answer


def then(first, others):
    """The first call gets one script, those behind it another."""
    left = [first]
    return lambda call: (left.pop() if left else others)(call)


def unary(fleet):
    return fleet.call().status


def stream(fleet):
    """A server stream of gRPC: the code it ends with."""
    with grpc.insecure_channel(fleet.gateway.target, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        method = channel.unary_stream(f"/{schema.ECHO}/ServerStream")
        try:
            return len(list(method(b"", timeout=10)))
        except grpc.RpcError as error:
            return error.code()


@pytest.mark.parametrize("call, good", [(unary, 200), (stream, 1)], ids=["unary", "stream"])
@pytest.mark.parametrize("last", [0, LAST], ids=["this stream", "all streams"])
@pytest.mark.parametrize("point", range(5), ids=POINTS)
def test_a_goaway_that_lets_a_call_finish_is_not_seen(tmp_path, call, good, last, point):
    with Fleet(tmp_path, [ScriptedUpstream(then(leave(point, last), fine))]) as fleet:
        upstream = fleet.upstreams[0]
        assert call(fleet) == good
        assert call(fleet) == good
        if point < len(STEPS):  # else the next call may cross it
            assert len(upstream.calls) == 2
            assert upstream.connections == 2, "the next call has a connection of its own"


@pytest.mark.parametrize("call, good, lost", [(unary, 200, 503), (stream, 1, grpc.StatusCode.UNAVAILABLE)], ids=["unary", "stream"])
@pytest.mark.parametrize("point", range(5), ids=POINTS)
def test_a_goaway_that_drops_a_call(tmp_path, call, good, lost, point):
    """Its stream is above the last one: it is made again, unless the client has seen something of an answer."""
    with Fleet(tmp_path, [ScriptedUpstream(fine)]) as fleet:
        upstream = fleet.upstreams[0]
        assert call(fleet) == good, "the upstream is one that answers"
        upstream.script = then(leave(point, -2), fine)
        assert call(fleet) == (good if point in (0, 4) else lost)
        assert call(fleet) == good
        if point < len(STEPS):
            assert len(upstream.calls) == (4 if point == 0 else 3)
            assert upstream.connections == 2


def test_a_window_of_one_byte(tmp_path):
    """Every byte of the request waits for the upstream to have read the one before."""
    with Fleet(tmp_path, [ScriptedUpstream(fine, settings={SettingCodes.INITIAL_WINDOW_SIZE: 1})]) as fleet:
        text = "x" * 300
        for _ in range(3):
            assert http1.request(fleet.gateway.port, "POST", "/v1/echo", {"text": text}).status == 200
        sent = envelope(schema.Everything(text=text).SerializeToString())
        assert [call.body for call in fleet.upstreams[0].calls] == [sent] * 3


def test_windows_that_shrink_while_a_request_is_sent(tmp_path):
    """INITIAL_WINDOW_SIZE goes to 0, so that windows are negative (RFC 9113 §6.9.2), and up again."""
    changing = threading.Event()

    def change(call):
        for size in (0, 100, 0, 65535):
            call.raw(settings({SettingCodes.INITIAL_WINDOW_SIZE: size}))
            time.sleep(0.05)

    def piece(call):
        if not changing.is_set():
            changing.set()
            threading.Thread(target=change, args=(call,)).start()

    payload = "y" * 1_000_000
    with Fleet(tmp_path, [ScriptedUpstream(fine, piece=piece)]) as fleet:
        assert http1.request(fleet.gateway.port, "POST", "/v1/echo", {"text": payload}).status == 200
        assert fleet.upstreams[0].calls[0].body == envelope(schema.Everything(text=payload).SerializeToString())


def test_one_stream_at_a_time(tmp_path):
    """MAX_CONCURRENT_STREAMS 1: calls of many clients go one after the other."""
    most, open_calls = [], []

    def count(call):
        open_calls.append(call)
        most.append(len(open_calls))
        fine(call)
        open_calls.remove(call)

    with Fleet(tmp_path, [ScriptedUpstream(count, streams_max=1)]) as fleet:
        assert fleet.at_once(clients=20, calls=10) == {200: 200}
        assert max(most) == 1 and fleet.upstreams[0].connections == 1


def test_more_and_fewer_streams(tmp_path):
    """With MAX_CONCURRENT_STREAMS 0 calls wait, until there may be some again."""
    def none_from_now_on(call):
        limit(call, 0)
        fine(call)

    def limit(call, count):
        call.raw(settings({SettingCodes.MAX_CONCURRENT_STREAMS: count}))

    with Fleet(tmp_path, [ScriptedUpstream(none_from_now_on)]) as fleet:
        upstream = fleet.upstreams[0]
        assert fleet.call().status == 200
        assert fleet.call(grpc_timeout="300m").status == 504
        assert len(upstream.calls) == 1
        upstream.script = fine
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(fleet.call().status)) for _ in range(8)]
        for thread in threads:
            thread.start()
        time.sleep(0.2)
        assert answers == []
        limit(upstream.calls[0], 3)
        for thread in threads:
            thread.join()
        assert answers == [200] * 8 and upstream.connections == 1


@pytest.mark.parametrize("values", [
    {SettingCodes.HEADER_TABLE_SIZE: 0}, {SettingCodes.HEADER_TABLE_SIZE: 1 << 20}, {SettingCodes.MAX_FRAME_SIZE: (1 << 24) - 1},
    {SettingCodes.MAX_HEADER_LIST_SIZE: 1 << 20}, {0x4242: 7}], ids=str)
def test_other_settings_between_calls(tmp_path, values):
    def change(call):
        call.raw(settings(values))
        fine(call)

    with Fleet(tmp_path, [ScriptedUpstream(change)]) as fleet:
        for index in range(10):
            assert fleet.call(x_many="m" * 100, x_some=f"{index}").status == 200
        calls = fleet.upstreams[0].calls
        assert [call.headers["x-some"] for call in calls] == [f"{index}" for index in range(10)]
        assert fleet.upstreams[0].connections == 1


def settings(values):
    payload = b"".join(int(code).to_bytes(2, "big") + value.to_bytes(4, "big") for code, value in values.items())
    return len(payload).to_bytes(3, "big") + b"\4\0\0\0\0\0" + payload
