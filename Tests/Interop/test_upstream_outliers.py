"""An address whose calls fail is left out for a while."""
import time

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
    with Fleet(tmp_path, [EchoProcess() for _ in range(3)], outlier_detection=OUTLIERS) as fleet:
        assert eventually(lambda: fleet.calls(6) == {200: 6})
        fleet.upstreams[0].pause()

        def all_served():
            return {fleet.call(grpc_timeout="100m").status for _ in range(9)} == {200}

        assert eventually(all_served, 20)
        fleet.upstreams[0].resume()
