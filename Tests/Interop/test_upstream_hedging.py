"""Calls that are made several times side by side, of which the first answer counts (gRFC A6)."""
import json
import random
import threading
import time

import grpc
import pytest

from support import http1, schema
from support.echo_server import EchoServer
from support.fleet import Fleet
from support.scripted_upstream import ScriptedUpstream
from support.upstream_scripts import GOOD, MESSAGE, envelope, fine
from support.upstream_report import nonzero, report
from support.waiting import eventually

HEDGING = {"max_attempts": 3, "delay": "100ms"}
LONG = {"max_attempts": 3, "delay": "30s"}


class SlowAtFirst(EchoServer):
    """Its Delay takes what is asked for, unless the call says that it is another attempt."""

    def Delay(self, request, context):
        if "grpc-previous-rpc-attempts" in dict(context.invocation_metadata()):
            request.ClearField("time")
        return super().Delay(request, context)

    def __exit__(self, *exception):
        self.stop()


def answers(status, fields=None):
    return lambda call: call.head({"grpc-status": str(status), **(fields or {})}, end=True)


def silent(call):
    """Never answers."""


def scripts(*each):
    calls, lock = iter(each), threading.Lock()

    def run(call):
        with lock:
            script = next(calls, each[-1])
        script(call)

    return run


def run(folder, *each, hedging=None, **options):
    return Fleet(folder, [ScriptedUpstream(scripts(*each))], hedging={**HEDGING, **(hedging or {})}, **options)


def attempts(fleet):
    return [call.headers.get("grpc-previous-rpc-attempts") for call in fleet.upstreams[0].calls]


def test_a_slow_first_attempt_is_overtaken_and_cancelled(tmp_path):
    with Fleet(tmp_path, [SlowAtFirst() for _ in range(2)], hedging=HEDGING) as fleet:
        began = time.monotonic()
        assert http1.request(fleet.gateway.port, "GET", "/v1/delay?time=10s&key=slow").status == 200
        assert 0.1 <= time.monotonic() - began < 3
        ends = [server.journal.events.get("slow") for server in fleet.upstreams]
        assert all(ends), "the second attempt was made at the other address"
        assert any(server.journal.wait("slow", "cancelled", 3) for server in fleet.upstreams)
        assert any(server.journal.wait("slow", "answered", 3) for server in fleet.upstreams)


def test_a_quick_call_is_made_once(tmp_path):
    with run(tmp_path, fine) as fleet:
        assert fleet.calls(5) == {200: 5}
        assert attempts(fleet) == [None] * 5


def test_each_attempt_tells_how_many_were_before_and_has_the_whole_request(tmp_path):
    with run(tmp_path, silent, silent, fine) as fleet:
        assert fleet.call(grpc_previous_rpc_attempts="9").json == {"text": "a"}
        assert attempts(fleet) == ["9", "1", "2"]
        assert [call.body for call in fleet.upstreams[0].calls] == [MESSAGE] * 3
        assert eventually(lambda: fleet.upstreams[0].resets == [8, 8])


def test_the_first_answer_counts_whichever_attempt_it_is_of(tmp_path):
    held = []

    def hold(call):
        held.append(call)

    def answer_the_first(call):
        fine(held[0])

    with run(tmp_path, hold, answer_the_first) as fleet:
        assert fleet.call().status == 200
        assert eventually(lambda: fleet.upstreams[0].resets == [8])
        assert attempts(fleet) == [None, "1"]


def test_without_a_delay_all_attempts_are_made_at_once(tmp_path):
    with run(tmp_path, silent, silent, fine, hedging={"delay": "0s"}) as fleet:
        began = time.monotonic()
        assert fleet.call().status == 200
        assert time.monotonic() - began < 1
        assert len(attempts(fleet)) == 3


def test_a_failure_that_is_not_fatal_is_followed_by_the_next_attempt_at_once(tmp_path):
    with run(tmp_path, answers(14), answers(14), fine, hedging=LONG) as fleet:
        assert fleet.call().status == 200
        assert attempts(fleet) == [None, "1", "2"]


def test_the_last_failure_is_told_with_all_that_the_upstream_said(tmp_path):
    with run(tmp_path, answers(14, {"grpc-message": "first"}), answers(14, {"grpc-message": "last", "x-why": "me"}),
             hedging={**LONG, "max_attempts": 2}) as fleet:
        answer = fleet.call()
        assert answer.status == 503 and answer.json["message"] == "last" and answer.headers["grpc-trailer-x-why"] == "me"
        assert len(attempts(fleet)) == 2


@pytest.mark.parametrize("end, status", [
    (answers(5), 404), (answers(13), 500), (lambda call: call.reset(2), 500),
    (lambda call: call.head({":status": "404", "content-type": "text/html"}), 501)])
def test_a_fatal_failure_ends_the_call_and_the_other_attempts(tmp_path, end, status):
    with run(tmp_path, silent, end, hedging={"max_attempts": 2}) as fleet:
        assert fleet.call().status == status
        assert eventually(lambda: 8 in fleet.upstreams[0].resets)
        assert len(attempts(fleet)) == 2


def test_a_success_without_a_message_counts_too(tmp_path):
    with run(tmp_path, silent, answers(0)) as fleet:
        # A unary call needs its message, and this was the answer.
        assert fleet.call().headers["gateway-error"] == "bad_message_count"
        assert len(attempts(fleet)) == 2


def test_a_connection_that_breaks_is_a_failure_like_others(tmp_path):
    script = scripts(lambda call: call.abort(), fine)
    with Fleet(tmp_path, [ScriptedUpstream(script), ScriptedUpstream(script)], hedging=LONG) as fleet:
        assert fleet.call().status == 200
        assert fleet.served == [1, 1]


def test_a_refused_stream_is_made_again_beside_the_policy(tmp_path):
    with run(tmp_path, lambda call: call.reset(7), fine, hedging=LONG) as fleet:
        assert fleet.call().status == 200
        assert attempts(fleet) == [None, None]


@pytest.mark.parametrize("pushback, count", [("-1", 1), ("soon", 1), ("0", 3)])
def test_the_upstream_says_whether_there_is_another_attempt(tmp_path, pushback, count):
    with run(tmp_path, answers(14, {"grpc-retry-pushback-ms": pushback}), hedging=LONG) as fleet:
        assert fleet.call().status == 503
        assert len(attempts(fleet)) == count


def test_the_upstream_says_when_the_next_attempt_may_come(tmp_path):
    with run(tmp_path, answers(14, {"grpc-retry-pushback-ms": "600"}), fine, hedging={"delay": "10ms"}) as fleet:
        began = time.monotonic()
        assert fleet.call().status == 200
        assert time.monotonic() - began >= 0.6


def test_an_upstream_that_fails_as_a_whole_is_asked_once_a_call(tmp_path):
    with run(tmp_path, answers(14), hedging={**LONG, "tokens": 4, "token_ratio": 1}) as fleet:
        assert fleet.calls(6) == {503: 6}
        # Four tokens: the second failure leaves half of them.
        assert len(attempts(fleet)) == 2 + 5


def test_the_deadline_covers_all_attempts_and_ends_them(tmp_path):
    with run(tmp_path, silent) as fleet:
        assert fleet.call(grpc_timeout="250m").status == 504
        assert eventually(lambda: fleet.upstreams[0].resets == [8] * 3), fleet.upstreams[0].resets


def test_a_client_that_leaves_ends_all_attempts(tmp_path):
    with run(tmp_path, silent) as fleet:
        with http1.RawConnection(fleet.gateway.port) as connection:
            connection.send(b"GET /v1/echo/a HTTP/1.1\r\nhost: a\r\n\r\n")
            assert eventually(lambda: len(attempts(fleet)) == 3)
        assert eventually(lambda: fleet.upstreams[0].resets == [8] * 3)


def test_limits_of_retries_hold_for_further_attempts(tmp_path):
    with run(tmp_path, answers(14), hedging={"delay": "10ms"}, limits={"retries": 0}) as fleet:
        slow = scripts(lambda call: (time.sleep(0.2), fine(call)))
        fleet.upstreams[0].script = slow
        assert fleet.call().status == 200
        assert len(attempts(fleet)) == 1


def test_all_addresses_are_down(tmp_path):
    upstream = ScriptedUpstream(fine)
    upstream.__exit__()
    with Fleet(tmp_path, [upstream], hedging=HEDGING) as fleet:
        answer = fleet.call()
        assert answer.status == 503 and answer.headers["gateway-error"] == "upstream_unreachable"


def post(fleet, count):
    return http1.request(fleet.gateway.port, "POST", "/v1/echo", json.dumps({"text": "x" * count}),
                         {"content-type": "application/json"}).status


def test_a_request_above_the_limit_is_sent_once(tmp_path):
    with run(tmp_path, answers(14), hedging={**LONG, "request": "2KiB"}) as fleet:
        assert post(fleet, 3000) == 503
        assert len(attempts(fleet)) == 1
        assert post(fleet, 1000) == 503
        assert len(attempts(fleet)) == 4
        assert len({call.body for call in fleet.upstreams[0].calls[1:]}) == 1


class Clients:
    """Methods of EchoService by a gRPC client."""

    def __init__(self, fleet):
        self.channel = grpc.insecure_channel(fleet.gateway.target)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.channel.close()

    def method(self, kind, name, answer):
        return getattr(self.channel, kind)(f"/{schema.ECHO}/{name}", response_deserializer=answer.FromString,
                                           request_serializer=lambda message: message.SerializeToString())


@pytest.mark.parametrize("size, count", [(10, 2), (200_000, 2), (300_000, 1), (2_000_000, 1)])
def test_requests_of_grpc_clients_are_gathered_up_to_the_limit(tmp_path, size, count):
    first = silent if count > 1 else fine
    with run(tmp_path, first, fine) as fleet, Clients(fleet) as clients:
        echo = clients.method("unary_unary", "Echo", schema.Everything)
        assert echo(schema.Everything(text="x" * size), timeout=10).text == "a"
        assert len(attempts(fleet)) == count
        assert {len(call.body) for call in fleet.upstreams[0].calls} == {len(envelope(
            schema.Everything(text="x" * size).SerializeToString()))}


def test_a_server_stream_is_that_of_one_attempt(tmp_path):
    def stream(call):
        call.head()
        for index in range(3):
            call.data(envelope(schema.StreamItem(index=index).SerializeToString()))
            time.sleep(0.1)
        call.trailers(GOOD)

    def slow(call):
        call.head()  # too late
        call.trailers(GOOD)

    with run(tmp_path, silent, stream, slow) as fleet, Clients(fleet) as clients:
        items = clients.method("unary_stream", "ServerStream", schema.StreamItem)(schema.StreamRequest(), timeout=10)
        assert [item.index for item in items] == [0, 1, 2]
        assert len(attempts(fleet)) == 2


def test_client_streams_are_not_hedged(tmp_path):
    def answer(call):
        time.sleep(0.4)
        call.head()
        call.data(envelope(schema.StreamSummary(messages=3).SerializeToString()))
        call.trailers(GOOD)

    with run(tmp_path, answer) as fleet, Clients(fleet) as clients:
        method = clients.method("stream_unary", "ClientStream", schema.StreamSummary)
        assert method(iter([schema.StreamItem()] * 3), timeout=10).messages == 3
        assert len(attempts(fleet)) == 1


def test_only_the_methods_that_are_configured_are_hedged(tmp_path):
    slow = lambda call: (time.sleep(0.3), fine(call))
    with Fleet(tmp_path, [ScriptedUpstream(slow)], methods=[
            {"selector": f"{schema.ECHO}.EchoNested", "hedging": {"delay": "10ms"}}]) as fleet:
        assert fleet.call().status == 200
        assert len(attempts(fleet)) == 1
    with Fleet(tmp_path, [ScriptedUpstream(slow)], hedging={"delay": "10ms"}, methods=[
            {"selector": f"{schema.ECHO}.Echo", "retry": {"max_attempts": 2}}]) as fleet:
        assert fleet.call().status == 200
        assert len(attempts(fleet)) == 1


def test_a_service_config_may_hedge(tmp_path):
    path = tmp_path / "service.json"
    path.write_text(json.dumps({"methodConfig": [{
        "name": [{"service": schema.ECHO}],
        "hedgingPolicy": {"maxAttempts": 2, "hedgingDelay": "0.05s", "nonFatalStatusCodes": ["ABORTED"]}}]}))
    with Fleet(tmp_path, [ScriptedUpstream(scripts(silent, answers(10)))], service_config=str(path)) as fleet:
        assert fleet.call(grpc_timeout="500m").status == 504
        assert attempts(fleet) == [None, "1"]
        fleet.upstreams[0].script = scripts(answers(10), fine)
        assert fleet.call().status == 200
        fleet.upstreams[0].script = scripts(answers(14), fine)
        assert fleet.call().status == 503


def test_among_faults_every_attempt_is_accounted_for(tmp_path):
    """Answers, failures, resets, broken connections, GOAWAYs and silence, by chance: nothing is left of any call."""
    draw = random.Random(7)
    faults = [answers(14), lambda call: call.reset(7), lambda call: call.reset(2), lambda call: call.abort(), silent,
              lambda call: (call.goaway(call.stream), fine(call)), lambda call: call.goaway(max(call.stream - 2, 0)),
              answers(14, {"grpc-retry-pushback-ms": "5"})]

    def chaos(call):
        (fine if draw.random() < 0.5 else draw.choice(faults))(call)

    hedging = {"max_attempts": 4, "delay": "5ms", "token_ratio": 1000}
    limits = {"calls": 12, "retries": 12, "waiting": 48}
    with Fleet(tmp_path, [ScriptedUpstream(chaos) for _ in range(3)], threads=2, hedging=hedging, limits=limits,
               timeout={"default": "300ms"}) as fleet:
        statuses = fleet.at_once(clients=12, calls=40)
        assert set(statuses) <= {200, 500, 503, 504} and statuses[200] > 0 and sum(statuses.values()) == 480
        counters, addresses = report(fleet)
        assert counters["calls_in_flight"] == counters["calls_waiting"] == 0
        assert counters["hedges_total"] > 0 and counters["calls_total"] == 480
        for upstream in fleet.upstreams:
            upstream.script = fine
        # What was taken of the limits was given back.
        assert eventually(lambda: fleet.at_once(clients=12, calls=5) == {200: 60})
        assert eventually(lambda: {address["calls_in_flight"] for address in report(fleet)[1]} == {"0"})
