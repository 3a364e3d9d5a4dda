"""Which address of an upstream gets a call, and when connections are made and given up."""
import threading
import time

from support.fleet import Fleet
from support.scripted_upstream import ScriptedUpstream
from support.upstream_scripts import fine
from support.waiting import eventually


def test_round_robin_loads_three_endpoints_alike(tmp_path):
    with Fleet(tmp_path, 3, threads=2) as fleet:
        assert eventually(lambda: fleet.calls(6) and all(upstream.connections == 2 for upstream in fleet.upstreams))
        before = fleet.served
        assert fleet.at_once(clients=64, calls=20) == {200: 1280}
        loads = [now - then for now, then in zip(fleet.served, before)]
        assert max(loads) - min(loads) <= 0.05 * max(loads), loads


def test_pick_first_uses_one_endpoint_and_fails_over(tmp_path):
    with Fleet(tmp_path, 3, balance="pick_first") as fleet:
        assert fleet.calls(20) == {200: 20}
        assert fleet.served == [20, 0, 0]
        assert [upstream.connections for upstream in fleet.upstreams] == [1, 0, 0]
        first = fleet.upstreams[0]
        first.__exit__()
        for call in first.calls[-1:]:
            call.close()
        assert eventually(lambda: fleet.call().status == 200)
        assert fleet.calls(10) == {200: 10}
        assert fleet.upstreams[2].connections == 0


def test_pick_first_tries_the_next_address_while_the_first_is_silent(tmp_path):
    with Fleet(tmp_path, [silent(), ScriptedUpstream(fine)], balance="pick_first") as fleet:
        began = time.monotonic()
        assert fleet.call().status == 200
        assert time.monotonic() - began < 5


def test_least_request_prefers_the_endpoint_with_fewer_calls(tmp_path):
    held = threading.Event()

    def slow(call):
        held.wait(20)
        fine(call)

    with Fleet(tmp_path, 2, balance="least_request") as fleet:
        assert eventually(lambda: fleet.calls(4) and all(upstream.connections for upstream in fleet.upstreams))
        fleet.upstreams[0].script = slow
        before = fleet.served
        threads = [threading.Thread(target=fleet.call) for _ in range(40)]
        for thread in threads:
            thread.start()
        assert eventually(lambda: fleet.served[1] - before[1] > 10)
        # Only calls that drew the slow endpoint twice, or when it had no more calls than the other, wait for it.
        assert fleet.served[0] - before[0] < 20
        held.set()
        for thread in threads:
            thread.join()


def test_an_address_that_comes_back_is_used_again_though_others_serve(tmp_path):
    with Fleet(tmp_path, 2) as fleet:
        assert eventually(lambda: fleet.calls(4) and all(fleet.served))
        before = fleet.upstreams[0].connections
        fleet.upstreams[0].calls[-1].close()
        assert eventually(lambda: fleet.upstreams[0].connections > before), "no call was needed for that"
        served = fleet.upstreams[0].calls.copy()
        assert eventually(lambda: fleet.calls(2) and len(fleet.upstreams[0].calls) > len(served))


def test_an_idle_channel_closes_its_connections_until_the_next_call(tmp_path):
    with Fleet(tmp_path, 1, connection={"max_idle": "1s"}) as fleet:
        upstream = fleet.upstreams[0]
        assert fleet.call().status == 200
        assert eventually(lambda: is_closed(upstream.calls[0])), "the connection is still there"
        assert upstream.connections == 1
        assert fleet.call().status == 200
        assert upstream.connections == 2


def test_a_call_in_flight_keeps_a_channel_awake(tmp_path):
    def slow(call):
        time.sleep(3)
        fine(call)

    with Fleet(tmp_path, [ScriptedUpstream(slow)], connection={"max_idle": "1s"}) as fleet:
        assert fleet.call().status == 200
        assert fleet.upstreams[0].connections == 1


def test_an_old_connection_takes_no_more_calls_and_finishes_those_it_has(tmp_path):
    started = threading.Event()

    def slow(call):
        started.set()
        time.sleep(2.5)
        fine(call)

    with Fleet(tmp_path, 1, connection={"max_age": "1s"}) as fleet:
        upstream = fleet.upstreams[0]
        upstream.script = slow
        answers = []
        thread = threading.Thread(target=lambda: answers.append(fleet.call()))
        thread.start()
        assert started.wait(5)
        upstream.script = fine
        assert eventually(lambda: upstream.connections >= 2, 5)
        assert fleet.call().status == 200
        thread.join()
        assert answers[0].status == 200


def test_an_old_connection_serves_until_another_one_is_there(tmp_path):
    with Fleet(tmp_path, 1, connection={"max_age": "1s"}) as fleet:
        upstream = fleet.upstreams[0]
        assert fleet.call().status == 200
        upstream.__exit__()
        end = time.monotonic() + 2.5
        while time.monotonic() < end:
            assert fleet.call().status == 200, "the connection is old, but there is no other one"
            time.sleep(0.05)
        assert upstream.connections == 1
        fleet.upstreams[0] = again = ScriptedUpstream(fine, port=upstream.port)
        assert eventually(lambda: again.connections == 1 and fleet.calls(3) == {200: 3} and len(again.calls) >= 3)


def test_further_connections_when_the_first_allows_no_more_calls(tmp_path):
    """MAX_CONCURRENT_STREAMS 1, and calls that only end once three are there."""
    together = threading.Barrier(3)

    def meet(call):
        threading.Thread(target=lambda: (together.wait(10), fine(call)), daemon=True).start()

    with Fleet(tmp_path, [ScriptedUpstream(meet, streams_max=1)], connection={"max_connections": 3}) as fleet:
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(fleet.call().status)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [200] * 3
        assert fleet.upstreams[0].connections == 3


def test_calls_above_the_upstreams_limit_wait_with_their_deadline(tmp_path):
    held = threading.Event()

    def hold(call):
        threading.Thread(target=lambda: (held.wait(10), fine(call))).start()

    with Fleet(tmp_path, [ScriptedUpstream(hold, streams_max=1)]) as fleet:
        upstream = fleet.upstreams[0]
        first = []
        thread = threading.Thread(target=lambda: first.append(fleet.call().status))
        thread.start()
        assert eventually(lambda: upstream.calls)
        assert fleet.call(grpc_timeout="300m").status == 504
        held.set()
        thread.join()
        assert first == [200]
        assert fleet.call().status == 200, "the place is free again"


def test_connecting_takes_no_longer_than_configured(tmp_path):
    with Fleet(tmp_path, [silent()], connection={"timeout": "500ms"}) as fleet:
        answer = fleet.call()
        assert answer.status == 503 and "no HTTP/2 SETTINGS within 500ms" in answer.json["message"], answer


def silent():
    """An upstream that takes connections and says nothing."""
    return ScriptedUpstream(greet=lambda accepted: threading.Event().wait(20))


def is_closed(call):
    """Whether the gateway has closed the connection that a call came by."""
    return call.connection.socket.fileno() < 0
