"""What well-behaved clients never send, by every protocol that has envelopes: bytes cut, joined, lied about."""
import base64
import itertools

import pytest
from h2.settings import SettingCodes

from support.http1 import RawConnection
from support.http2 import Client
from support.matrix.axes import Cell
from support.matrix.framing import envelope
from support.matrix.protocols import protocol
from support.matrix.raw_body import BodyCall, as_sent, ask
from support.matrix.raw_client import encode
from support.matrix.scenario import LIMIT
from support.matrix.schema import SERVICE, Order

WIRES = [("connect", "1.1"), ("connect", "2"), ("grpc-web", "1.1"), ("grpc-web", "2"), ("grpc-web-text", "1.1"),
         ("grpc-web-text", "2"), ("grpc", "2")]
IDS = [f"{protocol} {http}" for protocol, http in WIRES]
every_wire = pytest.mark.parametrize("wire", WIRES, ids=IDS)
# What a server may say of bytes that are against the rules.
BAD = {"invalid_argument", "internal"}


def cell(wire, kind="bidi", codec="proto", coding="identity"):
    return Cell("raw", wire[0], codec, wire[1], kind, coding, "plain", "ok")


def order(index=0, codec="proto", **fields):
    message = Order(key="k", index=index, text="t" * 3, **fields)
    message.plan.head_first = True
    return encode(codec, message)


def indexes(items):
    return [item.index for item in items]


# Cut and joined

@every_wire
@pytest.mark.parametrize("codec", ["proto", "json"])
def test_a_body_may_be_cut_anywhere(port, wire, codec):
    body = as_sent(cell(wire), b"".join(envelope(order(index, codec)) for index in range(2)))
    for at in range(1, len(body)):
        code, items, _ = ask(port, cell(wire, codec=codec), body[:at], body[at:])
        assert (code, indexes(items)) == ("ok", [0, 1]), at


@every_wire
def test_a_body_may_come_byte_by_byte(port, wire):
    body = as_sent(cell(wire), b"".join(envelope(order(index)) for index in range(3)))
    code, items, _ = ask(port, cell(wire), *[bytes([byte]) for byte in body])
    assert (code, indexes(items)) == ("ok", [0, 1, 2])


@every_wire
def test_a_message_leaves_as_soon_as_it_is_whole(port, wire):
    """Its answer is there before the next byte is sent. On HTTP/1.1 the answer waits for the end of the request."""
    first, second = (as_sent(cell(wire), envelope(order(index))) for index in range(2))
    with BodyCall(port, cell(wire)) as call:
        call.send(first + second[:4])
        if wire[1] == "2":
            call.protocol.receive_head(*call.request.head())
            while not call.protocol.payloads:
                call.protocol.receive(call.request.read())
        call.send(second[4:], end=True)
        if wire[1] == "1.1":
            call.protocol.receive_head(*call.request.head())
        while (data := call.request.read()) is not None:
            call.protocol.receive(data)
        assert indexes(call.items()) == [0, 1]


@pytest.mark.parametrize("wire", [wire for wire in WIRES if wire[1] == "1.1"], ids=str)
def test_calls_in_one_piece_are_answered_in_order(port, wire):
    """HTTP/1.1 pipelining: three calls in one write."""
    calls = []
    for index in range(3):
        fields = protocol(cell(wire, "server-stream")).head_fields(20_000)
        message = Order(key="k", index=index)
        message.plan.answers, message.plan.head_first = 1, True
        body = as_sent(cell(wire), envelope(message.SerializeToString()))
        lines = [f"POST /{SERVICE}/ServerStream HTTP/1.1", "Host: x", *(f"{name}: {value}" for name, value in fields),
                 f"Content-Length: {len(body)}", "", ""]
        calls.append("\r\n".join(lines).encode() + body)
    with BodyCall(port, cell(wire, "server-stream")) as first:
        first.send(as_sent(cell(wire), envelope(order())), end=True)
        first.answer()
        first.request.raw.send(b"".join(calls))
        for _ in range(3):
            first.protocol = protocol(cell(wire, "server-stream"))
            assert first.answer().failure is None
            assert len(first.items()) == 1


@pytest.mark.parametrize("wire", [wire for wire in WIRES if wire[1] == "2"], ids=str)
def test_an_answer_passes_through_a_window_of_one_byte(port, wire):

    with Client(port, settings={SettingCodes.INITIAL_WINDOW_SIZE: 1}) as client:
        client.automatic_windows = False
        fields = dict(protocol(cell(wire)).head_fields(20_000))
        stream = client.open(f"/{SERVICE}/Bidi", {**fields, "te": fields.get("te")})
        client.send(stream, as_sent(cell(wire), envelope(order(7))), end=True)
        response, reader = client.responses[stream], protocol(cell(wire))
        while not response.ended:
            size = len(response.body)
            assert client.wait_for(lambda: len(response.body) > size or response.ended)
            assert len(response.body) <= size + 1
            if not response.ended:
                client.h2.increment_flow_control_window(1, stream)
                client.flush()
        reader.receive_head(response.status, [pair for pair in response.fields if pair[0] != ":status"])
        reader.receive(response.body)
        reader.end(response.trailer_fields)
        assert reader.failure is None and len(reader.payloads) == 1


# Lies

def lies():
    good = envelope(order())
    table = {f"flags {1 << bit:#x}": (good + envelope(order(1), flags=1 << bit), BAD) for bit in range(1, 8)}
    table |= {
        "flags 0xff": (good + envelope(order(1), flags=0xff), BAD),
        "compressed without a coding": (good + envelope(order(1), flags=1), {"internal", "invalid_argument"}),
        "length of 2^31": (good + envelope(b"x", length=2**31), {"resource_exhausted"}),
        "length of 2^32 - 1": (good + envelope(b"x", length=2**32 - 1), {"resource_exhausted"}),
        "length of the limit + 1": (good + envelope(b"x", length=LIMIT + 1), {"resource_exhausted"}),
        "message cut": (good + envelope(order(1))[:-1], BAD),
        "no protobuf": (good + envelope(b"\xff\xff\xff"), {"internal", "invalid_argument", "unknown"}),
    }
    for size in range(1, 5):
        table[f"prefix cut after {size}"] = (good + bytes(size), BAD)
    return table


@every_wire
@pytest.mark.parametrize("body, codes", lies().values(), ids=lies())
def test_lies_end_the_call_clearly(port, wire, body, codes):
    code, items, answer = ask(port, cell(wire), as_sent(cell(wire), body))
    assert code in codes, (code, answer.failure)
    assert indexes(items) in ([], [0])
    assert ask(port, cell(wire), as_sent(cell(wire), envelope(order())))[0] == "ok"


@every_wire
@pytest.mark.parametrize("kind", ["server-stream", "unary"])
@pytest.mark.parametrize("count", [0, 2])
def test_too_few_and_too_many_messages(port, wire, kind, count):
    if cell(wire, kind).is_bare:
        pytest.skip("a bare body is one message")
    code, _, _ = ask(port, cell(wire, kind), as_sent(cell(wire), envelope(order()) * count))
    assert code in {"unimplemented", "invalid_argument", "internal"}


@every_wire
@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b'{"key":"\xff"}', b'{"index":"x"}', b'{"key":"a","key":"b"}',
                                  b"{}{}", b"{} x"], ids=str)
def test_bad_json_ends_a_stream_after_what_came_before_it(port, wire, text):
    code, items, answer = ask(port, cell(wire, codec="json"), as_sent(cell(wire), envelope(order(codec="json")) + envelope(text)))
    assert code == "invalid_argument", (code, answer.failure)
    assert indexes(items) in ([], [0])


# Text

TEXT_WIRES = [wire for wire in WIRES if wire[0] == "grpc-web-text"]


@pytest.mark.parametrize("wire", TEXT_WIRES, ids=str)
def test_base64_may_be_padded_anywhere(port, wire):
    """Pieces of any length, each with its own padding, sent together."""
    body = b"".join(envelope(order(index)) for index in range(3))
    for sizes in ((1,), (2,), (3,), (4,), (5, 1), (1, 2, 3), (7, 2)):
        text, at = b"", 0
        for size in itertools.cycle(sizes):
            text += base64.b64encode(body[at:at + size])
            at += size
            if at >= len(body):
                break
        code, items, _ = ask(port, cell(wire), text)
        assert (code, indexes(items)) == ("ok", [0, 1, 2]), sizes


@pytest.mark.parametrize("wire", TEXT_WIRES, ids=str)
@pytest.mark.parametrize("tail", [b"A", b"AA", b"AAA", b"A===", b"====", b"=AAA", b"A=AA", b"AA=A", b"AA*A", b"\xff\xff\xff\xff",
                                  b"AA-_", b"\0\0\0\0"], ids=str)
def test_bad_base64(port, wire, tail):
    """An error in the client's protocol, or HTTP 400 as Envoy has it."""
    good = as_sent(cell(wire), envelope(order()))
    with BodyCall(port, cell(wire)) as call:
        call.send(good + tail, end=True)
        status, fields = call.request.head()
        if status == 400:
            assert "gateway-error" in dict(fields)
            return
        call.protocol.receive_head(status, fields)
        while (data := call.request.read()) is not None:
            call.protocol.receive(data)
        call.protocol.end(call.request.trailers)
        assert call.protocol.failure.code in BAD, call.protocol.failure


# Bodies without envelopes

@pytest.mark.parametrize("http", ["1.1", "2"])
@pytest.mark.parametrize("codec", ["proto", "json"])
def test_a_bare_body_may_be_cut_anywhere(port, http, codec):
    one = cell(("connect", http), "unary", codec)
    body = order(3, codec)
    for at in range(1, len(body)):
        code, items, _ = ask(port, one, body[:at], body[at:])
        assert (code, indexes(items)) == ("ok", [3]), at


@pytest.mark.parametrize("codec", ["proto", "json"])
def test_a_bare_body_that_is_shorter_than_announced(port, codec):
    """The client ends its connection within the body: nothing comes to the upstream, and nothing is answered as a success."""
    body = order(3, codec)
    with RawConnection(port) as raw:
        raw.send(f"POST /{SERVICE}/Unary HTTP/1.1\r\nHost: x\r\nContent-Type: application/{codec}\r\n"
                 f"Content-Length: {len(body) + 1}\r\n\r\n".encode() + body)
        raw.finish_sending()
        answer = raw.everything()
    assert b"HTTP/1.1 200" not in answer, answer


def test_bytes_after_a_bare_body_are_another_request(port):
    body = order(3, "json")
    with RawConnection(port) as raw:
        raw.send(f"POST /{SERVICE}/Unary HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                 f"Content-Length: {len(body)}\r\n\r\n".encode() + body + b"\0\1\2\3\r\n\r\n")
        assert raw.response().status == 200
        assert raw.response().status == 400
        assert raw.at_end()
