"""Keepalive of connections, and how much of an upstream is used at a time."""
import collections
import struct
import threading
import time

from support.echo_process import EchoProcess
from support.fleet import Fleet
from support.scripted_upstream import ScriptedUpstream
from support.upstream_scripts import fine
from support.waiting import eventually


class Held:
    """A script whose calls are answered once `event` is set."""

    def __init__(self):
        self.event = threading.Event()

    def __call__(self, call):
        threading.Thread(target=lambda: (self.event.wait(20), fine(call)), daemon=True).start()


def in_background(fleet, count, **headers):
    """Calls at the same time: their threads, and the answers that have come."""
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(fleet.call(**headers))) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads, answers


def test_calls_above_the_limit_are_refused_at_once(tmp_path):
    held = Held()
    with Fleet(tmp_path, [ScriptedUpstream(held)], threads=2, limits={"calls": 3}) as fleet:
        threads, answers = in_background(fleet, 3)
        assert eventually(lambda: len(fleet.upstreams[0].calls) == 3)
        refused = fleet.call()
        assert (refused.status, refused.headers["gateway-error"]) == (503, "upstream_calls_max"), refused
        held.event.set()
        for thread in threads:
            thread.join()
        assert [answer.status for answer in answers] == [200] * 3
        assert fleet.calls(10) == {200: 10}, "places are given back"


def test_places_of_calls_that_fail_or_are_left_are_given_back(tmp_path):
    def reset(call):
        call.reset(2)

    with Fleet(tmp_path, [ScriptedUpstream(reset)], limits={"calls": 1}) as fleet:
        assert fleet.calls(5) == {500: 5}
        fleet.upstreams[0].script = lambda call: None
        assert collections.Counter(fleet.call(grpc_timeout="50m").status for _ in range(3)) == {504: 3}
        fleet.upstreams[0].script = fine
        assert fleet.calls(3) == {200: 3}


def test_calls_that_wait_are_limited(tmp_path):
    held = Held()
    with Fleet(tmp_path, [ScriptedUpstream(held, streams_max=1)], limits={"waiting": 2}) as fleet:
        first, answers = in_background(fleet, 1)
        assert eventually(lambda: fleet.upstreams[0].calls)
        others, more = in_background(fleet, 4)
        assert eventually(lambda: [each.headers.get("gateway-error") for each in more] == ["upstream_queue_full"] * 2)
        held.event.set()
        for thread in first + others:
            thread.join()
        assert sorted(each.status for each in answers + more) == [200] * 3 + [503] * 2
        assert fleet.calls(5) == {200: 5}


def test_retries_at_a_time_are_limited(tmp_path):
    retry = {"max_attempts": 2, "initial_backoff": "300ms", "max_backoff": "300ms"}

    def refuse(call):
        call.head({"grpc-status": "14"}, end=True)

    with Fleet(tmp_path, [ScriptedUpstream(refuse)], retry=retry, limits={"retries": 1}) as fleet:
        threads, answers = in_background(fleet, 4)
        for thread in threads:
            thread.join()
        assert [answer.status for answer in answers] == [503] * 4
        assert len(fleet.upstreams[0].calls) == 5, "one of four was made again"
        assert fleet.call().status == 503
        assert len(fleet.upstreams[0].calls) == 7, "its place was given back"


def test_keepalive_finds_an_upstream_that_has_stopped(tmp_path):
    with Fleet(tmp_path, [EchoProcess()], keepalive={"time": "1s", "timeout": "1s"}) as fleet:
        assert fleet.call().status == 200
        fleet.upstreams[0].pause()
        began = time.monotonic()
        answer = fleet.call(grpc_timeout="20S")
        fleet.upstreams[0].resume()
        assert (answer.status, answer.headers["gateway-error"]) == (503, "upstream_connection_lost"), answer
        assert "sent nothing for 1s after a keepalive PING" in answer.json["message"]
        assert 1 < time.monotonic() - began < 6
        assert eventually(lambda: fleet.call().status == 200)


def test_a_deadline_holds_while_an_upstream_has_stopped(tmp_path):
    with Fleet(tmp_path, [EchoProcess()]) as fleet:
        assert fleet.call().status == 200
        fleet.upstreams[0].pause()
        began = time.monotonic()
        assert fleet.call(grpc_timeout="500m").status == 504
        assert time.monotonic() - began < 2
        fleet.upstreams[0].resume()


def test_an_upstream_that_answers_pings_keeps_its_calls(tmp_path):
    def slow(call):
        threading.Thread(target=lambda: (time.sleep(4), fine(call))).start()

    with Fleet(tmp_path, [ScriptedUpstream(slow)], keepalive={"time": "1s", "timeout": "1s"}) as fleet:
        assert fleet.call().status == 200
        assert fleet.upstreams[0].connections == 1


def test_too_many_pings_halve_them(tmp_path):
    def calm(call):
        debug = b"too_many_pings"
        call.raw(struct.pack(">I", 8 + len(debug))[1:] + b"\x07\0\0\0\0\0" + struct.pack(">II", call.stream, 11) + debug)
        fine(call)

    with Fleet(tmp_path, [ScriptedUpstream(calm)], keepalive={"time": "7s"}) as fleet:
        assert fleet.call().status == 200
        assert fleet.gateway.lines(".*too many keepalive PINGs; one in 14s from now on")
