"""What the gateway has counted of its upstreams, and how each address is: told in the log at SIGUSR1."""
import threading

from support.echo_process import EchoProcess
from support.fleet import Fleet
from support.health_server import NOT_SERVING, HealthServer
from support.scripted_upstream import ScriptedUpstream
from support.upstream_report import nonzero, report
from support.upstream_scripts import fine
from support.waiting import eventually


def refused(call):
    call.head({"grpc-status": "14"}, end=True)


def test_calls_and_connections_are_counted_over_all_threads(tmp_path):
    with Fleet(tmp_path, 2, threads=2) as fleet:
        assert eventually(lambda: report(fleet)[0]["connections_opened_total"] == 4)
        assert fleet.at_once(clients=4, calls=5) == {200: 20}
        fleet.upstreams[1].script = fleet.upstreams[0].script = lambda call: call.head({"grpc-status": "5"}, end=True)
        assert fleet.calls(3) == {404: 3}
        counters, addresses = report(fleet)
        assert nonzero(counters) == {"calls": 23, "calls_succeeded": 20, "calls_failed": 3, "connections_opened": 4}
        assert addresses == [{"state": "ready", "connections": "2", "calls_in_flight": "0", "ejected": "0", "healthy": "1"}] * 2


def test_calls_in_flight_are_told_until_they_end(tmp_path):
    held, go = threading.Event(), threading.Event()

    def hold(call):
        held.set()
        threading.Thread(target=lambda: (go.wait(10), fine(call)), daemon=True).start()

    with Fleet(tmp_path, [ScriptedUpstream(hold)]) as fleet:
        thread = threading.Thread(target=fleet.call)
        thread.start()
        assert held.wait(5)
        counters, addresses = report(fleet)
        assert nonzero(counters) == {"calls": 1, "calls_in_flight": 1, "connections_opened": 1}
        assert addresses[0]["calls_in_flight"] == "1"
        go.set()
        thread.join()
        assert nonzero(report(fleet)[0]) == {"calls": 1, "calls_succeeded": 1, "connections_opened": 1}


def test_retries_and_what_limits_refuse_are_counted(tmp_path):
    retry = {"max_attempts": 3, "initial_backoff": "1ms"}
    with Fleet(tmp_path, [ScriptedUpstream(refused)], retry=retry, limits={"retries": 0, "calls": 1}) as fleet:
        assert fleet.call().status == 503
        assert nonzero(report(fleet)[0]) == {"calls": 1, "calls_failed": 1, "retries_refused": 1, "connections_opened": 1}
    with Fleet(tmp_path, [ScriptedUpstream(refused)], retry=retry) as fleet:
        assert fleet.call().status == 503
        fleet.upstreams[0].script = lambda call: call.reset(7)
        assert fleet.call().status == 503
        assert nonzero(report(fleet)[0]) == {"calls": 2, "calls_failed": 2, "retries": 4, "transparent_retries": 1,
                                             "connections_opened": 1}


def test_ends_of_connections_are_counted_with_their_reasons(tmp_path):
    upstream = ScriptedUpstream(lambda call: (call.goaway(call.stream), fine(call)))
    with Fleet(tmp_path, [upstream]) as fleet:
        assert fleet.calls(3) == {200: 3}
        expected = {"calls": 3, "calls_succeeded": 3, "goaways": 3, "connections_opened": 4, "connections_closed": 3}
        assert eventually(lambda: nonzero(report(fleet)[0]) == expected), nonzero(report(fleet)[0])
    with Fleet(tmp_path, [EchoProcess()], keepalive={"time": "1s", "timeout": "1s"}) as fleet:
        assert fleet.call().status == 200
        fleet.upstreams[0].pause()
        assert fleet.call().status == 503
        fleet.upstreams[0].resume()
        counters = nonzero(report(fleet)[0])
        assert counters["keepalive_timeouts"] == 1 and counters["connections_closed"] == 1


def test_an_address_that_cannot_be_reached_is_told_as_failed(tmp_path):
    with Fleet(tmp_path, 2) as fleet:
        assert fleet.calls(4) == {200: 4}
        for upstream in fleet.upstreams[:1]:
            upstream.__exit__()
            upstream.calls[0].connection.socket.shutdown(2)
        assert eventually(lambda: [each["state"] for each in report(fleet)[1]] == ["transient_failure", "ready"])
        assert report(fleet)[0]["connections_failed_total"] >= 1


def test_addresses_that_are_left_out_are_told(tmp_path):
    outliers = {"interval": "1s", "failure_percentage": {"threshold": 50, "min_hosts": 1, "volume": 2}}
    with Fleet(tmp_path, [HealthServer(), HealthServer(status=NOT_SERVING)], health={}) as fleet:
        assert eventually(lambda: [each["healthy"] for each in report(fleet)[1]] == ["1", "0"])
        assert report(fleet)[0]["health_changes_total"] == 2
    with Fleet(tmp_path, [ScriptedUpstream(refused)], outlier_detection=outliers) as fleet:
        assert eventually(lambda: fleet.call().status == 503 and report(fleet)[1][0]["ejected"] == "1")
        assert report(fleet)[0]["ejections_total"] == 1
