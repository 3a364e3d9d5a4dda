"""HTTP/2 by hand: windows, resets, trailers, and what is no HTTP/2 at all."""
import json
import random
import socket
import struct
import uuid

import h2.exceptions
import h2.settings
import pytest

from support.http2 import Client, envelope
from support.schema import ECHO, DelayRequest, DelayResponse, Everything, StreamRequest

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = b"\0\0\0\4\0\0\0\0\0"
SET = h2.settings.SettingCodes


@pytest.fixture
def client(gateway):
    with Client(gateway.port) as client:
        yield client


def echo_request(**fields):
    return envelope(Everything(**fields).SerializeToString())


def ok(response, **fields):
    assert response.status == 200 and response.grpc_status == 0, response
    assert response.body == echo_request(**fields), response


def test_a_call(client):
    response = client.call(echo_request(text="a"))
    ok(response, text="a")
    assert response.headers["content-type"].startswith("application/grpc")
    assert response.reset is None


@pytest.mark.parametrize("size", [1, 3, 5, 100])
def test_an_envelope_may_come_in_any_pieces(client, size):
    data = echo_request(text="pieces " * 20)
    stream = client.open()
    for at in range(0, len(data), size):
        client.send(stream, data[at:at + size])
    client.h2.end_stream(stream)
    client.flush()
    ok(client.wait(stream), text="pieces " * 20)


def test_the_request_may_end_with_trailers(client):
    stream = client.open()
    client.send(stream, echo_request(text="t"))
    client.h2.send_headers(stream, [("x-late", "1")], end_stream=True)
    client.flush()
    ok(client.wait(stream), text="t")


def test_padded_frames(client):
    stream = client.open()
    client.h2.send_data(stream, echo_request(text="p"), end_stream=True, pad_length=200)
    client.flush()
    ok(client.wait(stream), text="p")


@pytest.mark.parametrize("timeout, most", [("5S", 5), ("1500m", 1.5), ("99999999m", 99999.999), ("2H", 7200), ("1M", 60),
                                           ("99999999H", 1e12), ("5000000u", 5)])
def test_the_upstream_gets_no_more_time_than_the_client_gave(client, timeout, most):
    response = client.call(envelope(b""), path=f"/{ECHO}/Delay", headers={"grpc-timeout": timeout})
    assert response.grpc_status == 0, response
    seen = DelayResponse.FromString(response.body[5:])
    if seen.HasField("deadline"):  # grpcio takes a very long one as none
        assert most * 0.9 - 0.5 < seen.deadline.ToMicroseconds() / 1e6 <= most + 0.005


@pytest.mark.parametrize("timeout", ["0S", "0n", "1n"])
def test_no_time_at_all(client, timeout):
    response = client.call(envelope(b""), path=f"/{ECHO}/Delay", headers={"grpc-timeout": timeout})
    assert response.grpc_status == 4, response


@pytest.mark.parametrize("timeout", ["", "5", "S", "-1S", "1.5S", "123456789S", "5s", "5 S"])
def test_bad_timeouts(client, timeout):
    response = client.call(envelope(b""), headers={"grpc-timeout": timeout})
    assert response.status in (200, 400) and response.grpc_status not in (0, None), response


def test_a_reset_reaches_the_upstream(client, echo):
    key = uuid.uuid4().hex
    request = DelayRequest(key=key)
    request.time.seconds = 30
    stream = client.open(path=f"/{ECHO}/Delay")
    client.send(stream, envelope(request.SerializeToString()), end=True)
    assert echo.journal.wait(key, "started", 5)
    client.h2.reset_stream(stream, 8)
    client.flush()
    assert echo.journal.wait(key, "cancelled", 1)
    ok(client.call(echo_request(text="after")), text="after")


def test_a_window_of_one_byte(gateway):
    with Client(gateway.port, settings={SET.INITIAL_WINDOW_SIZE: 1}) as client:
        client.automatic_windows = False
        stream = client.open()
        client.send(stream, echo_request(text="abc"), end=True)
        size = len(echo_request(text="abc"))
        for received in range(1, size + 1):
            assert client.wait_for(lambda: len(client.responses[stream].body) == received)
            if client.responses[stream].ended:
                break
            client.h2.increment_flow_control_window(1, stream)
            client.flush()
        ok(client.wait(stream), text="abc")


def test_a_stream_that_nobody_reads_holds_up_no_other(gateway):
    with Client(gateway.port, settings={SET.INITIAL_WINDOW_SIZE: 10}) as client:
        client.automatic_windows = False
        stuck = client.open(path=f"/{ECHO}/ServerStream")
        client.send(stuck, envelope(StreamRequest(count=100, size=10_000).SerializeToString()), end=True)
        assert client.wait_for(lambda: len(client.responses[stuck].body) == 10)
        for _ in range(5):
            stream = client.open()
            client.send(stream, echo_request(i32=7), end=True)
            ok(client.wait(stream), i32=7)
        assert not client.responses[stuck].ended


def test_ping_is_answered(client):
    client.h2.ping(b"12345678")
    client.flush()
    assert client.wait_for(lambda: client.pings == 1)


def test_calls_in_flight_survive_the_clients_goaway(client):
    request = DelayRequest()
    request.time.FromMilliseconds(300)
    stream = client.open(path=f"/{ECHO}/Delay")
    client.send(stream, envelope(request.SerializeToString()), end=True)
    client.frame(7, 0, 0, struct.pack(">II", 0, 0))
    assert client.wait(stream).grpc_status == 0


@pytest.mark.parametrize("headers", [
    {"content-type": "text/plain"}, {"content-type": None}, {"content-type": "application/grpcx"}])
def test_another_content_type_is_no_grpc(client, headers):
    response = client.call(echo_request(), headers=headers)
    assert response.status == 415, response


def test_rest_on_the_same_connection(client):
    stream = client.open_raw([(":method", "GET"), (":scheme", "http"), (":path", "/v1/echo/rest"), (":authority", "x")],
                             end=True)
    response = client.wait(stream)
    assert (response.status, json.loads(response.body)) == (200, {"text": "rest"})
    assert response.trailers == {} and "grpc-status" not in response.headers
    ok(client.call(echo_request(text="grpc")), text="grpc")


@pytest.mark.parametrize("sizes", [(0,), (60,), (200,), (65536,), (0, 4096), (300, 0, 300)])
def test_heads_fit_the_clients_table(client, sizes):
    """The client's decoder fails on a head that takes its table for larger than it is."""
    for size in sizes:
        client.h2.update_settings({SET.HEADER_TABLE_SIZE: size})
        client.flush()
        for value in ["a", "b", "b" * 100]:
            ok(client.call(echo_request(text=value), headers={"x-request-id": value}), text=value)


BAD_HEADS = {
    "no method": [(":scheme", "http"), (":path", "/"), (":authority", "x")],
    "no path": [(":method", "GET"), (":scheme", "http"), (":authority", "x")],
    "empty path": [(":method", "GET"), (":scheme", "http"), (":path", ""), (":authority", "x")],
    "two paths": [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":path", "/a"), (":authority", "x")],
    "unknown pseudo-header": [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":evil", "x")],
    "pseudo-header after others": [(":method", "GET"), (":scheme", "http"), ("x", "y"), (":path", "/")],
    "response pseudo-header": [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":status", "200")],
    "upper-case name": [(":method", "GET"), (":scheme", "http"), (":path", "/v1/nothing"), ("X-Upper", "y")],
    "connection header": [(":method", "GET"), (":scheme", "http"), (":path", "/v1/nothing"), ("connection", "close")],
    "te that is no trailers": [(":method", "GET"), (":scheme", "http"), (":path", "/v1/nothing"), ("te", "gzip")],
    "line feed in a value": [(":method", "GET"), (":scheme", "http"), (":path", "/v1/nothing"), ("x", "a\nb")],
    "nul in a value": [(":method", "GET"), (":scheme", "http"), (":path", "/v1/nothing"), ("x", "a\0b")],
    "space in the path": [(":method", "GET"), (":scheme", "http"), (":path", "/v1/echo/a b"), (":authority", "x")],
    "length without a body": [(":method", "POST"), (":scheme", "http"), (":path", "/v1/echo"), ("content-length", "5"),
                              ("content-type", "application/json")],
}


@pytest.mark.parametrize("fields", BAD_HEADS.values(), ids=BAD_HEADS.keys())
def test_bad_heads_end_their_stream_or_connection(client, fields):
    response = client.wait(client.open_raw(fields, end=True))
    assert client.closed or client.goaway is not None or response.reset or response.status in (400, 404, 411, 431), response


def survives(data, port):
    """Sends bytes and waits for the end; whatever happens, it happens within the time limit."""
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
        except OSError:
            pass


GARBAGE = {
    "preface alone": PREFACE,
    "half a preface": PREFACE[:10],
    "preface with another end": PREFACE[:-4] + b"XXXX",
    "no settings": PREFACE + b"\0\0\x08\x06\0\0\0\0\0" + bytes(8),
    "frame of 16 MB": PREFACE + SETTINGS + b"\xff\xff\xff\0\0\0\0\0\1" + bytes(1000),
    "unknown frame types": PREFACE + SETTINGS + b"\0\0\x04\xee\xff\0\0\0\x05abcd" * 100,
    "data on stream 0": PREFACE + SETTINGS + b"\0\0\1\0\1\0\0\0\0x",
    "data on an idle stream": PREFACE + SETTINGS + b"\0\0\1\0\1\0\0\0\1x",
    "headers on an even stream": PREFACE + SETTINGS + b"\0\0\1\1\5\0\0\0\2\x82",
    "broken HPACK": PREFACE + SETTINGS + b"\0\0\4\1\5\0\0\0\1\xff\xff\xff\xff",
    "continuation of nothing": PREFACE + SETTINGS + b"\0\0\1\x09\4\0\0\0\1\x82",
    "continuations without end": PREFACE + SETTINGS + b"\0\0\1\1\0\0\0\0\1\x82" + b"\0\0\1\x09\0\0\0\0\1\x84" * 20_000,
    "window update of 0": PREFACE + SETTINGS + b"\0\0\4\x08\0\0\0\0\0\0\0\0\0",
    "windows above 2^31": PREFACE + SETTINGS + b"\0\0\4\x08\0\0\0\0\0\x7f\xff\xff\xff" * 2,
    "settings with a bad length": PREFACE + b"\0\0\5\4\0\0\0\0\0abcde",
    "settings with bad values": PREFACE + b"\0\0\6\4\0\0\0\0\0\0\4\xff\xff\xff\xff",
    "10,000 settings": PREFACE + SETTINGS * 10_000,
    "10,000 pings": PREFACE + SETTINGS + (b"\0\0\x08\x06\0\0\0\0\0" + bytes(8)) * 10_000,
    "push promise": PREFACE + SETTINGS + b"\0\0\5\5\4\0\0\0\1\0\0\0\2\x82",
    "goaway at once": PREFACE + SETTINGS + b"\0\0\x08\x07\0\0\0\0\0" + bytes(8),
}


@pytest.mark.parametrize("data", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_harms_nobody_else(gateway, client, data):
    ok(client.call(echo_request(text="before")), text="before")
    survives(data, gateway.port)
    ok(client.call(echo_request(text="after")), text="after")


@pytest.mark.parametrize("seed", range(20))
def test_random_frames_harm_nobody_else(gateway, request, seed):
    generator = random.Random(request.config.getoption("--seed") + seed)
    frames = b""
    for _ in range(200):
        payload = generator.randbytes(generator.choice([0, 1, 4, 5, 8, 40]))
        frames += struct.pack(">I", len(payload))[1:] + bytes([generator.randrange(11), generator.choice([0, 1, 4, 5])])
        frames += struct.pack(">I", generator.choice([0, 1, 3, 5])) + payload
    survives(PREFACE + SETTINGS + frames, gateway.port)


def test_a_thousand_resets_at_once(gateway, client):
    """Rapid reset: the connection may be ended for it, others are served."""
    with Client(gateway.port) as attacker:
        try:
            for _ in range(1000):
                attacker.h2.reset_stream(attacker.open(path=f"/{ECHO}/Delay"), 8)
            attacker.flush()
        except (OSError, h2.exceptions.ProtocolError):
            pass
        ok(client.call(echo_request(text="served")), text="served")
