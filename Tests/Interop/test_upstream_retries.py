"""Attempts that fail and are made again: by the policy of the configuration, and where the upstream has not seen a call."""
import time

import grpc
import pytest

from support import http1, schema
from support.echo_process import EchoProcess
from support.fleet import Fleet, load
from support.scripted_upstream import ScriptedUpstream
from support.upstream_scripts import GOOD, MESSAGE, envelope, fine
from support.waiting import eventually

REFUSED_STREAM = 7
UNAVAILABLE = {"grpc-status": "14", "grpc-message": "not now"}
RETRY = {"max_attempts": 3, "initial_backoff": "10ms", "max_backoff": "50ms"}


def scripts(*each):
    """A script that runs one of `each` for each call in turn, and the last one from then on."""
    calls = iter(each)
    last = each[-1]
    return lambda call: next(calls, last)(call)


def refuse(fields=None):
    return lambda call: call.head({**UNAVAILABLE, **(fields or {})}, end=True)


def started(fleet):
    return fleet.upstreams[0].calls


def run(folder, script, **options):
    return Fleet(folder, [ScriptedUpstream(script)], **options)


def test_an_attempt_that_fails_is_made_again(tmp_path):
    with run(tmp_path, scripts(refuse(), refuse(), fine), retry=RETRY) as fleet:
        answer = fleet.call()
        assert answer.status == 200 and answer.json == {"text": "a"}
        attempts = started(fleet)
        assert [call.headers.get("grpc-previous-rpc-attempts") for call in attempts] == [None, "1", "2"]
        assert [call.body for call in attempts] == [MESSAGE] * 3


def test_a_clients_own_count_of_attempts_does_not_stand_beside_the_gateways(tmp_path):
    with run(tmp_path, scripts(refuse(), fine), retry=RETRY) as fleet:
        assert fleet.call(grpc_previous_rpc_attempts="7").status == 200
        first, second = started(fleet)
        assert first.headers["grpc-previous-rpc-attempts"] == "7"
        assert second.all("grpc-previous-rpc-attempts") == ["1"]


def test_an_attempt_is_not_made_at_an_address_that_has_just_failed(tmp_path):
    upstreams = [ScriptedUpstream(refuse()), ScriptedUpstream(refuse()), ScriptedUpstream(fine)]
    with Fleet(tmp_path, upstreams, balance="least_request", retry=RETRY) as fleet:
        assert fleet.calls(40) == {200: 40}
        # Each call has three attempts: whoever was asked is not asked again.
        assert fleet.served[2] == 40


def test_an_attempt_is_made_at_the_same_address_where_there_is_no_other(tmp_path):
    with Fleet(tmp_path, [ScriptedUpstream(refuse()), ScriptedUpstream(refuse())], retry=RETRY) as fleet:
        assert fleet.call().status == 503
        assert sum(fleet.served) == 3


def test_the_last_failure_is_told(tmp_path):
    with run(tmp_path, refuse(), retry=RETRY) as fleet:
        answer = fleet.call()
        assert answer.status == 503 and answer.json["message"] == "not now"
        assert "gateway-error" not in answer.headers
        assert len(started(fleet)) == 3


def test_nothing_is_retried_unless_configured(tmp_path):
    with run(tmp_path, scripts(refuse(), fine)) as fleet:
        assert fleet.call().status == 503
        assert len(started(fleet)) == 1


@pytest.mark.parametrize("codes, code, attempts", [
    (["UNAVAILABLE"], 8, 1), (["resource_exhausted", "ABORTED"], 8, 3), ("ABORTED", 14, 1)])
def test_only_the_configured_codes_are_retried(tmp_path, codes, code, attempts):
    with run(tmp_path, refuse({"grpc-status": str(code)}), retry={**RETRY, "codes": codes}) as fleet:
        assert fleet.call().json["code"] == code
        assert len(started(fleet)) == attempts


def test_a_method_may_differ_from_its_upstream(tmp_path):
    method = {"selector": f"{schema.ECHO}.Echo", "retry": {"max_attempts": 1}}
    with run(tmp_path, refuse(), retry=RETRY, methods=[method]) as fleet:
        assert fleet.call().status == 503
        assert len(started(fleet)) == 1


def test_an_answer_that_has_begun_is_not_made_again(tmp_path):
    def begun(call):
        call.head()
        call.trailers(UNAVAILABLE)

    with run(tmp_path, begun, retry=RETRY) as fleet:
        assert fleet.call().status == 503
        assert len(started(fleet)) == 1


@pytest.mark.parametrize("pushback, attempts", [("-1", 1), ("soon", 1), ("0", 3)])
def test_the_upstream_says_whether_to_come_again(tmp_path, pushback, attempts):
    with run(tmp_path, refuse({"grpc-retry-pushback-ms": pushback}), retry=RETRY) as fleet:
        assert fleet.call().status == 503
        assert len(started(fleet)) == attempts


def test_the_upstream_says_when_to_come_again(tmp_path):
    with run(tmp_path, scripts(refuse({"grpc-retry-pushback-ms": "700"}), fine), retry=RETRY) as fleet:
        began = time.monotonic()
        assert fleet.call().status == 200
        assert time.monotonic() - began >= 0.7


def test_the_deadline_covers_all_attempts(tmp_path):
    # Spread by a fifth: one wait fits, two do not.
    retry = {"max_attempts": 5, "initial_backoff": "500ms", "max_backoff": "500ms"}
    with run(tmp_path, refuse(), retry=retry) as fleet:
        began = time.monotonic()
        assert fleet.call(grpc_timeout="700m").status in (503, 504)
        assert time.monotonic() - began < 0.9
        remaining = [int(call.headers["grpc-timeout"][:-1]) for call in started(fleet)]
        assert len(remaining) == 2 and remaining[0] > remaining[1]


def test_a_request_above_the_limit_is_sent_once(tmp_path):
    def post(fleet, count):
        return http1.request(fleet.gateway.port, "POST", "/v1/echo", '{"text":"%s"}' % ("x" * count),
                             {"content-type": "application/json"}).status

    with run(tmp_path, refuse(), retry={**RETRY, "request": "2KiB"}) as fleet:
        assert post(fleet, 3000) == 503
        assert len(started(fleet)) == 1
        assert post(fleet, 1000) == 503
        assert len(started(fleet)) == 4
        assert len({call.body for call in started(fleet)[1:]}) == 1


def test_without_retries_as_much_is_kept_for_what_is_not_processed(tmp_path):
    """An upstream that refuses a call is asked once more if all of the call is still there."""
    def post(fleet, count):
        return http1.request(fleet.gateway.port, "POST", "/v1/echo", {"text": "x" * count}).status

    for retry, count, status in (({}, 60_000, 200), ({}, 70_000, 503),
                                 ({"retry": {"max_attempts": 1, "request": "128KiB"}}, 70_000, 200)):
        with run(tmp_path, scripts(lambda call: call.reset(REFUSED_STREAM), fine), **retry) as fleet:
            assert post(fleet, count) == status, (retry, count)


def test_http_answers_of_proxies_are_retried_too(tmp_path):
    def proxy(call):
        call.head({":status": "503", "content-type": "text/plain"})
        call.data(b"no healthy upstream", end=True)

    with run(tmp_path, scripts(proxy, fine), retry=RETRY) as fleet:
        assert fleet.call().status == 200


def test_retries_end_while_an_upstream_fails_as_a_whole(tmp_path):
    with run(tmp_path, refuse(), retry={**RETRY, "tokens": 6, "token_ratio": 0.5}) as fleet:
        assert fleet.calls(10) == {503: 10}
        # 6 tokens: the third failure leaves half of them.
        assert len(started(fleet)) == 12
        fleet.upstreams[0].script = fine
        assert fleet.calls(20) == {200: 20}
        fleet.upstreams[0].script = scripts(refuse(), fine)
        assert fleet.call().status == 200, "successes have brought tokens back"


def test_a_refused_stream_is_made_again_once_without_configuration(tmp_path):
    with run(tmp_path, scripts(lambda call: call.reset(7), fine)) as fleet:
        assert fleet.call().status == 200
        assert len(started(fleet)) == 2
        assert "grpc-previous-rpc-attempts" not in started(fleet)[1].headers
        fleet.upstreams[0].script = lambda call: call.reset(7)
        assert fleet.call().status == 503
        assert len(started(fleet)) == 4


@pytest.mark.parametrize("code", [c for c in range(14) if c != 7])
def test_no_other_reset_is_made_again_without_configuration(tmp_path, code):
    with run(tmp_path, lambda call: call.frame_reset(code)) as fleet:
        assert fleet.call().status != 200
        assert len(started(fleet)) == 1


def test_calls_above_the_last_stream_of_a_goaway_are_made_again(tmp_path):
    with run(tmp_path, scripts(fine, lambda call: call.goaway(call.stream - 2), fine)) as fleet:
        assert fleet.call().status == 200
        assert fleet.call().status == 200
        assert fleet.upstreams[0].connections == 2
        assert [call.body for call in started(fleet)] == [MESSAGE] * 3


def test_calls_up_to_the_last_stream_of_a_goaway_are_finished(tmp_path):
    def leave(call):
        call.goaway(call.stream)
        time.sleep(0.3)
        fine(call)

    with run(tmp_path, scripts(leave, fine)) as fleet:
        assert fleet.calls(2) == {200: 2}
        assert fleet.upstreams[0].connections == 2


def test_a_goaway_with_every_call_is_not_seen_by_clients(tmp_path):
    """Graceful restarts, all the time: answers, GOAWAY, and calls that cross it."""
    seen = []

    def answer(call):
        seen.append(call)
        if len(seen) % 3 == 0:
            call.goaway(call.stream - 2)
        else:
            fine(call)

    with run(tmp_path, answer) as fleet:
        assert fleet.calls(60) == {200: 60}


def test_the_messages_of_a_client_stream_are_sent_again(tmp_path):
    def answer(call):
        call.head()
        call.data(envelope(schema.StreamSummary(messages=3).SerializeToString()))
        call.trailers(GOOD)

    with run(tmp_path, scripts(refuse(), answer), retry=RETRY) as fleet:
        items = [schema.StreamItem(index=index, payload=b"x" * 100) for index in range(3)]
        with grpc.insecure_channel(fleet.gateway.target) as channel:
            method = channel.stream_unary(f"/{schema.ECHO}/ClientStream",
                                          request_serializer=lambda message: message.SerializeToString(),
                                          response_deserializer=schema.StreamSummary.FromString)
            assert method(iter(items), timeout=10).messages == 3
        first, second = started(fleet)
        assert first.body == second.body == b"".join(envelope(item.SerializeToString()) for item in items)


def test_an_upstream_killed_under_load_costs_idempotent_calls_nothing(tmp_path):
    fleet_load(tmp_path, retry={"max_attempts": 4, "initial_backoff": "20ms", "max_backoff": "200ms"}, failures=0)


def test_without_retries_an_upstream_killed_under_load_costs_the_calls_in_flight(tmp_path):
    # Sixteen clients: each has at most one call on its connection when it breaks, and one on its way to it.
    fleet_load(tmp_path, failures=32)


def fleet_load(tmp_path, failures, **options):
    """Calls by sixteen clients, while one of three upstreams is killed and started again."""
    with Fleet(tmp_path, [EchoProcess() for _ in range(3)], threads=2, **options) as fleet:
        assert fleet.calls(6) == {200: 6}
        with load(fleet.gateway) as statuses:
            for _ in range(2):
                time.sleep(0.5)
                fleet.upstreams[0].kill()
                time.sleep(0.5)
                fleet.upstreams[0].start()
            time.sleep(0.5)
        failed = [status for status in statuses if status != 200]
        assert len(statuses) > 300 and len(failed) <= failures and set(failed) <= {503}, (len(statuses), failed)
        assert eventually(lambda: fleet.calls(3) == {200: 3})


def test_an_upstream_stopped_under_load_costs_idempotent_calls_nothing(tmp_path):
    """SIGSTOP: its connections stay open, and only keepalive tells. Calls on them are made again, and the others serve."""
    with Fleet(tmp_path, [EchoProcess() for _ in range(3)], threads=2, keepalive={"time": "1s", "timeout": "1s"},
               connection={"timeout": "2s"}, retry=RETRY) as fleet:
        assert fleet.calls(6) == {200: 6}
        with load(fleet.gateway) as statuses:
            time.sleep(0.5)
            fleet.upstreams[0].pause()
            assert fleet.gateway.lines(".*sent no HTTP/2 SETTINGS within 2s", 10), "its connections were given up, and made anew"
            # All sixteen clients had come to wait for it; now the others have them.
            count = len(statuses)
            assert eventually(lambda: len(statuses) > count + 100)
            fleet.upstreams[0].resume()
        assert set(statuses) == {200}, len(statuses)


def test_a_stopped_upstream_costs_calls_their_deadline_at_most(tmp_path):
    """The same without keepalive and retries: who calls it waits as long as he wants to, and the others are served."""
    with Fleet(tmp_path, [EchoProcess() for _ in range(3)], threads=1) as fleet:
        assert fleet.calls(6) == {200: 6}
        fleet.upstreams[0].pause()
        times = []
        for _ in range(9):
            began = time.monotonic()
            answer = fleet.call(grpc_timeout="300m")
            times.append((answer.status, time.monotonic() - began))
        fleet.upstreams[0].resume()
        assert sorted(status for status, _ in times) == [200] * 6 + [504] * 3
        assert all(took < 1 for _, took in times), times
