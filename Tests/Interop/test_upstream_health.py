"""Addresses that say by grpc.health.v1 that they do not serve get no calls (gRFC A17)."""
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from grpc_health.v1 import health_pb2

from support.fleet import Fleet
from support.health_server import NOT_SERVING, SERVING, HealthServer
from support.scripted_upstream import ScriptedUpstream
from support.upstream_scripts import envelope, fine
from support.waiting import eventually

WATCH = "/grpc.health.v1.Health/Watch"
HEALTH = {"health": {"service": ""}}


def answer(status):
    return envelope(health_pb2.HealthCheckResponse(status=status).SerializeToString())


def watching(watch, call=fine):
    """A script that gives its watches to `watch` and all other calls to `call`."""
    return lambda stream: (watch if stream.headers[":path"] == WATCH else call)(stream)


def serving(stream):
    stream.head()
    stream.data(answer(SERVING))


def watches(upstream):
    return [call for call in upstream.calls if call.headers[":path"] == WATCH]


def test_an_address_that_does_not_serve_gets_no_calls_until_it_does(tmp_path):
    with Fleet(tmp_path, [HealthServer() for _ in range(3)], threads=2, **HEALTH) as fleet:
        assert fleet.at_once(clients=4, calls=15) == {200: 60}
        assert all(server.calls for server in fleet.upstreams)
        fleet.upstreams[0].set(NOT_SERVING)
        assert eventually(lambda: fleet.gateway.lines(".*not healthy, it says NOT_SERVING"))
        # What was on its way when it was told is done.
        assert fleet.at_once(clients=4, calls=3) == {200: 12}
        before = len(fleet.upstreams[0].calls)
        assert fleet.at_once(clients=4, calls=15) == {200: 60}
        assert len(fleet.upstreams[0].calls) == before
        fleet.upstreams[0].set(SERVING)
        assert eventually(lambda: fleet.gateway.lines(".*healthy again"))
        assert eventually(lambda: fleet.at_once(clients=2, calls=3) == {200: 6} and len(fleet.upstreams[0].calls) > before)


def test_an_address_is_watched_once_whatever_the_threads(tmp_path):
    with Fleet(tmp_path, [HealthServer()], threads=4, **HEALTH) as fleet:
        assert fleet.at_once(clients=8, calls=5) == {200: 40}
        assert fleet.upstreams[0].health.watched == [""] and fleet.upstreams[0].health.open == 1


def test_the_service_that_is_configured_is_asked_for(tmp_path):
    with Fleet(tmp_path, [HealthServer(service="echo.v1.Echo")], health={"service": "echo.v1.Echo"}) as fleet:
        assert fleet.call().status == 200
        assert fleet.upstreams[0].health.watched == ["echo.v1.Echo"]
        fleet.upstreams[0].set(NOT_SERVING)
        assert eventually(lambda: fleet.call().status == 503)


def test_a_service_that_the_server_does_not_know_is_not_healthy(tmp_path):
    with Fleet(tmp_path, [HealthServer()], health={"service": "nobody.v1.Knows"}) as fleet:
        answer = fleet.call()
        assert answer.status == 503 and answer.headers["gateway-error"] == "upstream_unreachable"
        assert "not healthy, as its health service says" in answer.json["message"]
        assert fleet.gateway.lines(".*not healthy, it says SERVICE_UNKNOWN")


def test_calls_wait_until_the_first_answer(tmp_path):
    held = []

    def hold(stream):
        stream.head()
        held.append(stream)

    with Fleet(tmp_path, [ScriptedUpstream(watching(hold))], **HEALTH) as fleet:
        assert eventually(lambda: held)
        assert fleet.call(grpc_timeout="300m").status == 504
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(fleet.call)
            assert not waiting.done()
            held[0].data(answer(SERVING))
            assert waiting.result().status == 200


def test_a_server_without_a_health_service_counts_as_healthy(tmp_path):
    unimplemented = watching(lambda stream: stream.head({"grpc-status": "12"}, end=True))
    with Fleet(tmp_path, [ScriptedUpstream(unimplemented)], **HEALTH) as fleet:
        assert fleet.calls(5) == {200: 5}
        assert len(fleet.gateway.lines(".*no health service; it counts as healthy")) == 1
        assert len(watches(fleet.upstreams[0])) == 1


@pytest.mark.parametrize("end", [
    lambda stream: stream.head({"grpc-status": "14"}, end=True),
    lambda stream: stream.reset(2),
    lambda stream: (stream.head(), stream.data(b"\0\0\0\0\2\xff\xff")),
    lambda stream: (stream.head(), stream.data(b"\0\1\0\0\0" + bytes(5000))),
    lambda stream: stream.head({"content-type": "text/html"}),
])
def test_a_watch_that_fails_is_made_again_and_the_address_left_out_meanwhile(tmp_path, end):
    watch = iter([end])
    script = watching(lambda stream: next(watch, serving)(stream))
    with Fleet(tmp_path, [ScriptedUpstream(script), ScriptedUpstream(watching(serving))], **HEALTH) as fleet:
        failing, other = fleet.upstreams
        assert eventually(lambda: fleet.gateway.lines(f".*{failing.target}.*not healthy"))
        assert fleet.calls(6) == {200: 6}
        assert len(failing.calls) == 1 and len(other.calls) == 7
        assert eventually(lambda: fleet.calls(2) == {200: 2} and len(failing.calls) > 2)
        assert len(watches(failing)) == 2
        assert fleet.gateway.lines(f".*{failing.target}.*healthy again")


def test_a_new_connection_is_watched_anew(tmp_path):
    with Fleet(tmp_path, [ScriptedUpstream(watching(serving, lambda call: (fine(call), call.goaway(call.stream))))],
               **HEALTH) as fleet:
        assert fleet.calls(20) == {200: 20}
        assert len(watches(fleet.upstreams[0])) > 10
        assert not any("not healthy" in line for line in fleet.gateway.errors)


def test_a_watch_goes_over_to_another_connection_when_its_own_breaks(tmp_path):
    upstream = ScriptedUpstream(watching(serving))
    with Fleet(tmp_path, [upstream], threads=3, **HEALTH) as fleet:
        assert eventually(lambda: upstream.connections == 3 and fleet.call().status == 200)
        for count in range(1, 4):
            assert eventually(lambda: len(watches(upstream)) == count)
            # One that ends within a second, and was of no use, would not be made again at once.
            time.sleep(1.1)
            watches(upstream)[-1].close()
            assert eventually(lambda: len(watches(upstream)) == count + 1, 0.9)
            assert fleet.at_once(clients=6, calls=3) == {200: 18}
        assert not any("not healthy" in line for line in fleet.gateway.errors)


def test_a_watch_is_no_call_and_does_not_keep_a_connection(tmp_path):
    upstream = ScriptedUpstream(watching(serving))
    with Fleet(tmp_path, [upstream], connection={"max_idle": "1s"}, **HEALTH) as fleet:
        assert fleet.call().status == 200
        assert eventually(lambda: upstream.resets == [8], 5), "the watch ends with the idle connection"
        assert fleet.call().status == 200
        assert upstream.connections == 2


def test_a_watch_moves_to_the_connection_that_replaces_an_old_one(tmp_path):
    upstream = ScriptedUpstream(watching(serving))
    with Fleet(tmp_path, [upstream], connection={"max_age": "1s"}, **HEALTH) as fleet:
        assert eventually(lambda: fleet.calls(5) == {200: 5} and upstream.connections >= 3)
        assert len(watches(upstream)) >= 3


def test_health_is_the_service_configs_where_the_section_says_nothing(tmp_path):
    path = tmp_path / "service.json"
    path.write_text('{"healthCheckConfig": {"serviceName": ""}, "loadBalancingConfig": [{"round_robin": {}}]}')
    with Fleet(tmp_path, [HealthServer(status=NOT_SERVING)], service_config=str(path)) as fleet:
        assert fleet.call().status == 503
        assert fleet.upstreams[0].health.watched == [""]
