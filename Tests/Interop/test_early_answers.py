"""The upstream ends a call before the client has: the answer comes at once, and what the client still sends harms nobody."""
import uuid

import pytest

from support.gateway_process import GatewayProcess
from support.matrix.axes import Cell
from support.matrix.framing import envelope
from support.matrix.raw_body import BodyCall, as_sent, ask
from support.matrix.schema import MATRIX_SET, Order
from support.scripted_upstream import ScriptedUpstream
from support.upstream_scripts import GOOD, MESSAGE

WIRES = [("connect", "1.1"), ("connect", "2"), ("grpc-web", "1.1"), ("grpc-web", "2"), ("grpc-web-text", "1.1"), ("grpc", "2")]
every_wire = pytest.mark.parametrize("wire", WIRES, ids=" ".join)


def cell(wire, kind):
    return Cell("raw", wire[0], "proto", wire[1], kind, "identity", "plain", "ok")


def body(one, **plan):
    order = Order(key=uuid.uuid4().hex)
    for name, value in plan.items():
        setattr(order.plan, name, value)
    return as_sent(one, envelope(order.SerializeToString()))


@every_wire
@pytest.mark.parametrize("code, name", [(0, "ok"), (7, "permission_denied")])
def test_the_answer_does_not_wait_for_the_request(served, wire, code, name):
    one = cell(wire, "client-stream")
    with BodyCall(served.plain_port, one) as call:
        call.send(body(one, reads=1, code=code, head_first=True))
        answer = call.answer()
        assert (answer.failure.code if answer.failure else "ok") == name
        if wire[1] == "2":
            # The rest of the request is not wanted, and the connection lives on.
            call.send(body(one))
            call.send(b"", end=True)
            call.request.client.h2.ping(b"is-alive")
            call.request.client.flush()
            assert call.request.client.wait_for(lambda: call.request.client.pings == 1)
            assert call.request.response.reset in (None, 0)


@every_wire
def test_who_goes_on_sending_is_not_answered_twice(served, wire):
    """The client sends for long before it looks at the answer."""
    one = cell(wire, "client-stream")
    with BodyCall(served.plain_port, one) as call:
        call.send(body(one, reads=1, head_first=True))
        try:
            for _ in range(50):
                call.send(body(one))
            call.send(b"", end=True)
        except (BrokenPipeError, ConnectionResetError):
            assert wire[1] == "1.1", "HTTP/1.1 alone must close to stop a sender"
        answer = call.answer()
        assert answer.failure is None and len(answer.payloads) == 1
    assert ask(served.plain_port, one, body(one, head_first=True))[0] == "ok"


@every_wire
def test_the_upstreams_stream_is_ended(wire):
    """d.2: after early trailers the gateway ends its own half, by the end of the request or a reset."""
    done = []

    def answer(call):
        if done:
            return
        done.append(call)
        call.head()
        call.data(MESSAGE)
        call.trailers(GOOD)

    one = cell(wire, "client-stream")
    with ScriptedUpstream(lambda call: None, piece=answer) as upstream:
        process = GatewayProcess("proxy", upstream.target, "--descriptors", MATRIX_SET, "--listen", "127.0.0.1:0", "--admin", "off",
                                 "--threads", "1")
        try:
            with BodyCall(process.port, one) as call:
                call.send(body(one))
                assert call.answer().failure is None
                with upstream.changed:
                    assert upstream.changed.wait_for(lambda: upstream.resets or upstream.calls, 20), "the stream stays open"
                    assert all(code in (0, 8) for code in upstream.resets), upstream.resets
        finally:
            process.stop()
