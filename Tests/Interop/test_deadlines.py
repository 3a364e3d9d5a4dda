"""How long a call may take: three headers, the smallest counts; what remains is what the upstream is given."""
import uuid

import pytest

from support import http1
from support.matrix.axes import Cell
from support.matrix.framing import envelope
from support.matrix.raw_body import BodyCall, as_sent, ask
from support.matrix.raw_client import encode
from support.matrix.schema import Order

WIRES = [("connect", "proto", "1.1", "unary"), ("connect", "json", "2", "unary"), ("connect", "proto", "1.1", "server-stream"),
         ("connect", "proto", "2", "bidi"), ("grpc-web", "proto", "1.1", "unary"), ("grpc-web", "proto", "2", "server-stream"),
         ("grpc-web-text", "proto", "1.1", "server-stream"), ("grpc", "proto", "2", "unary"), ("grpc", "proto", "2", "bidi")]
every_wire = pytest.mark.parametrize("wire", WIRES, ids=[" ".join(wire) for wire in WIRES])


def cell(wire):
    protocol, codec, http, kind = wire
    return Cell("raw", protocol, codec, http, kind, "identity", "plain", "ok")


def order(key, **plan):
    message = Order(key=key)
    for name, value in plan.items():
        setattr(message.plan, name, value)
    return message


def body(one, message):
    payload = encode(one.codec, message)
    return payload if one.is_bare else as_sent(one, envelope(payload))


def remaining(served, key):
    """Seconds that the server was given; None for no deadline."""
    return next(event[1] for event in served.server.journal.events[key] if event[0] == "time")


@every_wire
@pytest.mark.parametrize("headers, seconds", [
    ({"grpc-timeout": "7S"}, 7), ({"connect-timeout-ms": "7000"}, 7), ({"x-server-timeout": "7"}, 7), ({"x-server-timeout": "6.5"}, 6.5),
    ({"grpc-timeout": "7S", "connect-timeout-ms": "9000", "x-server-timeout": "8"}, 7),
    ({"grpc-timeout": "9S", "connect-timeout-ms": "7000", "x-server-timeout": "8"}, 7),
    ({"grpc-timeout": "9S", "connect-timeout-ms": "8000", "x-server-timeout": "7.5"}, 7.5),
    ({"grpc-timeout": "99999999H", "connect-timeout-ms": "9999999999", "x-server-timeout": "7"}, 7)],
    ids=lambda value: " ".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else str(value))
def test_the_smallest_counts(served, wire, headers, seconds):
    key, one = uuid.uuid4().hex, cell(wire)
    code, _, answer = ask(served.plain_port, one, body(one, order(key)), timeout=None, change=headers)
    assert code == "ok", answer.failure
    assert seconds - 3 < remaining(served, key) <= seconds


@every_wire
@pytest.mark.parametrize("headers", [{"grpc-timeout": "7"}, {"grpc-timeout": "123456789S"}, {"connect-timeout-ms": "1.5"},
                                     {"connect-timeout-ms": "12345678901"}, {"connect-timeout-ms": "-1"},
                                     {"x-server-timeout": "soon"}, {"grpc-timeout": "5S", "connect-timeout-ms": "x"}], ids=str)
def test_what_is_no_timeout_is_an_error(served, wire, headers):
    one = cell(wire)
    code, _, answer = ask(served.plain_port, one, body(one, order("bad")), timeout=None, change=headers)
    # gRPC's own libraries say internal.
    assert code in {"invalid_argument", "internal"}, answer.failure


@every_wire
@pytest.mark.parametrize("headers", [{"connect-timeout-ms": "0"}, {"grpc-timeout": "0S"}, {"x-server-timeout": "0"}],
                         ids=str)
def test_no_time_at_all(served, wire, headers):
    key, one = uuid.uuid4().hex, cell(wire)
    code, _, answer = ask(served.plain_port, one, body(one, order(key)), timeout=None, change=headers)
    assert code == "deadline_exceeded", answer.failure
    assert key not in served.server.journal.events, "a call without time came to the server"


@every_wire
def test_less_time_than_anything_takes(served, wire):
    one = cell(wire)
    assert ask(served.plain_port, one, body(one, order("k")), timeout=None, change={"grpc-timeout": "1n"})[0] == "deadline_exceeded"


@every_wire
def test_the_deadline_passes_while_the_request_is_still_coming(served, wire):
    """The clock runs from the head on; an answer comes though the client has not ended."""
    one = cell(wire)
    with BodyCall(served.plain_port, one, timeout=300) as call:
        if one.http == "1.1" and one.is_bare:
            # Its head, and less than it announced.
            call.request.raw.send(call.request._head("Content-Length: 100") + b"{")
        else:
            call.send(as_sent(one, b"\0\0\0")[:4])
        answer = call.answer()
        assert answer.failure.code == "deadline_exceeded", answer.failure


@pytest.mark.parametrize("headers, seconds", [
    ({"grpc-timeout": "7S", "x-server-timeout": "8"}, 7), ({"x-server-timeout": "7"}, 7), ({"connect-timeout-ms": "7000"}, 7)],
    ids=str)
def test_rest_takes_all_three(echo, gateway, headers, seconds):
    answer = http1.request(gateway.port, "GET", "/v1/delay", headers=headers)
    seen = float(answer.json["deadline"].removesuffix("s"))
    assert seconds - 3 < seen <= seconds


@pytest.mark.parametrize("wire", [wire for wire in WIRES if wire[2] == "1.1"], ids=" ".join)
def test_a_client_that_closes_after_its_request_is_gone(served, wire):
    """HTTP/1.1: FIN after the complete request cancels the upstream."""
    key, one = uuid.uuid4().hex, cell(wire)
    with BodyCall(served.plain_port, one) as call:
        call.send(body(one, order(key, hold=True)), end=True)
        assert served.server.journal.wait(key, "started", 20)
        call.request.raw.finish_sending()
        assert served.server.journal.wait(key, "cancelled", 20)
