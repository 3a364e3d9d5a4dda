"""An address whose calls fail is left out for a while."""
import contextlib
import threading
import time

from support import http1
from support.fleet import Fleet
from support.echo_process import EchoProcess
from support.scripted_upstream import ScriptedUpstream
from support.upstream_scripts import fine
from support.waiting import eventually

OUTLIERS = {"interval": "1s", "base_ejection": "3s", "failure_percentage": {"threshold": 50, "min_hosts": 3, "volume": 5}}


def fails(code):
    return lambda call: call.head({"grpc-status": str(code)}, end=True)


def test_an_address_that_fails_is_left_out_and_tried_again(tmp_path):
    upstreams = [ScriptedUpstream(fails(14)), ScriptedUpstream(fine), ScriptedUpstream(fine)]
    with Fleet(tmp_path, upstreams, threads=2, outlier_detection=OUTLIERS) as fleet:
        assert eventually(lambda: fleet.at_once(clients=4, calls=10) == {200: 40}), "it is not left out"
        assert fleet.gateway.lines(f".*{fleet.upstreams[0].target}.*left out, as too many calls fail")
        fleet.upstreams[0].script = fine
        before = fleet.served[0]
        assert eventually(lambda: fleet.calls(3) == {200: 3} and fleet.served[0] > before, 15), "it does not come back"


def test_clients_mistakes_do_not_leave_an_address_out(tmp_path):
    upstreams = [ScriptedUpstream(fails(5)) for _ in range(3)]
    with Fleet(tmp_path, upstreams, outlier_detection=OUTLIERS) as fleet:
        end = time.monotonic() + 2.5
        while time.monotonic() < end:
            assert fleet.calls(6) == {404: 6}
        before = fleet.served
        assert fleet.calls(6) == {404: 6}
        assert [now - then for now, then in zip(fleet.served, before)] == [2, 2, 2]


def test_an_upstream_that_has_stopped_is_left_out_by_its_deadlines(tmp_path):
    """SIGSTOP of one of three, under load: calls take their deadline at most, and none goes there once it is left out."""
    with Fleet(tmp_path, [EchoProcess() for _ in range(3)], threads=2, outlier_detection=OUTLIERS) as fleet:
        assert eventually(lambda: fleet.calls(6) == {200: 6})
        stopped = fleet.upstreams[0]
        with timed_load(fleet.gateway, "200m") as ended:
            stopped.pause()
            assert fleet.gateway.lines(f".*{stopped.target}.*left out, as too many calls fail", 20)
            time.sleep(0.5)  # the deadlines of those that were there before
            count = len(ended)
            assert eventually(lambda: len(ended) > count + 200)
            afterwards = ended[count:count + 200]
            stopped.resume()
            assert fleet.gateway.lines(f".*{stopped.target}.*tried again", 20)
        assert {status for status, _ in ended} == {200, 504}
        assert {status for status, _ in afterwards} == {200}, "it still gets calls"
        assert max(seconds for _, seconds in ended) < 1.5, "a deadline did not hold"
        assert eventually(lambda: fleet.calls(9) == {200: 9})


@contextlib.contextmanager
def timed_load(gateway, timeout, clients=8):
    """Calls by so many connections, one after the other, meanwhile: the list of their statuses and seconds."""
    done, ended = threading.Event(), []

    def run():
        with http1.Connection(gateway.port) as connection:
            while not done.is_set():
                began = time.monotonic()
                answer = connection.request("GET", "/v1/echo/a", headers={"grpc-timeout": timeout})
                ended.append((answer.status, time.monotonic() - began))

    threads = [threading.Thread(target=run) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield ended
    finally:
        done.set()
        for thread in threads:
            thread.join()
