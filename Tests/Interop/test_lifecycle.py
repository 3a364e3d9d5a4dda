"""SIGTERM: calls in flight are finished, new connections refused, idle ones closed, exit code 0."""
import concurrent.futures
import socket
import threading
import time
import uuid

import grpc
import pytest

from support import http1
from support.http1 import Connection, RawConnection
from support.http2 import Client, envelope
from support.schema import ECHO, DelayRequest, StreamItem
from support.waiting import eventually

# The id that a GOAWAY names before it is known which stream was the last.
LAST_STREAM = 2**31 - 1


@pytest.fixture
def key():
    return uuid.uuid4().hex


def test_an_idle_gateway_stops_at_once(echo, start_gateway):
    gateway = start_gateway(echo.target)
    http1.request(gateway.port, "GET", "/v1/echo/a")
    began = time.monotonic()
    gateway.stop()
    assert time.monotonic() - began < 3


def test_idle_connections_do_not_hold_it_up(echo, start_gateway):
    gateway = start_gateway(echo.target)
    with Connection(gateway.port) as first, RawConnection(gateway.port) as second, Client(gateway.port) as third:
        assert first.request("GET", "/v1/echo/a").status == 200
        second.send(b"GET /v1/ec")
        assert third.call(envelope(b"")).grpc_status == 0
        began = time.monotonic()
        gateway.terminate()
        third.wait_for(lambda: False)
        assert third.goaways == [(LAST_STREAM, 0), (1, 0)]
        assert gateway.wait(10) == 0
        assert time.monotonic() - began < 8


def test_a_call_that_was_on_its_way_is_served_while_it_drains(echo, start_gateway):
    """The client opens a stream when the gateway has said that it will stop, and before the client could know."""
    gateway = start_gateway(echo.target)
    with Client(gateway.port) as client:
        assert client.call(envelope(b"")).grpc_status == 0
        gateway.terminate()
        # Nothing is read here, so that nothing is acknowledged.
        assert eventually(lambda: not listens(gateway.port))
        late = client.open()
        client.send(late, envelope(b""), end=True)
        assert client.wait(late).grpc_status == 0
        client.wait_for(lambda: False)
        assert client.goaways == [(LAST_STREAM, 0), (late, 0)]
    assert gateway.wait() == 0


def test_a_client_that_never_answers_does_not_hold_it_up(echo, start_gateway):
    gateway = start_gateway(echo.target)
    with Client(gateway.port) as client:
        assert client.call(envelope(b"")).grpc_status == 0
        began = time.monotonic()
        gateway.terminate()
        assert gateway.wait(10) == 0
        assert time.monotonic() - began < 8


def test_a_rest_call_in_flight_is_finished(echo, start_gateway, key):
    gateway = start_gateway(echo.target)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        answer = pool.submit(http1.request, gateway.port, "GET", f"/v1/delay?time=1.5s&key={key}")
        assert echo.journal.wait(key, "started", 5)
        gateway.terminate()
        assert answer.result(10).status == 200
        assert gateway.wait() == 0
    assert echo.journal.wait(key, "answered", 1)


def test_a_grpc_call_in_flight_is_finished(echo, start_gateway, key):
    gateway = start_gateway(echo.target)
    request = DelayRequest(key=key)
    request.time.FromMilliseconds(1500)
    with grpc.insecure_channel(gateway.target) as channel:
        delay = channel.unary_unary(f"/{ECHO}/Delay", lambda message: message.SerializeToString(), bytes)
        call = delay.future(request, timeout=20)
        assert echo.journal.wait(key, "started", 5)
        gateway.terminate()
        assert call.code() == grpc.StatusCode.OK
        assert gateway.wait() == 0


def test_a_stream_in_flight_goes_on_until_it_ends(echo, start_gateway, key):
    gateway = start_gateway(echo.target)
    more = threading.Event()

    def items():
        yield StreamItem(index=1, key=key)
        more.wait(10)
        yield StreamItem(index=2, key=key)

    with grpc.insecure_channel(gateway.target) as channel:
        bidi = channel.stream_stream(f"/{ECHO}/Bidi", lambda message: message.SerializeToString(), StreamItem.FromString)
        answers = bidi(items(), timeout=20)
        assert next(answers).index == 1
        gateway.terminate()
        assert eventually(lambda: not listens(gateway.port))
        more.set()
        assert [item.index for item in answers] == [2]
    assert gateway.wait() == 0


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def test_new_connections_are_refused_while_it_drains(echo, start_gateway, key):
    gateway = start_gateway(echo.target)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        answer = pool.submit(http1.request, gateway.port, "GET", f"/v1/delay?time=3s&key={key}")
        assert echo.journal.wait(key, "started", 5)
        gateway.terminate()
        assert eventually(lambda: not listens(gateway.port), 2), "still accepts connections 2 s after SIGTERM"
        assert answer.result(10).status == 200
    assert gateway.wait() == 0


def test_a_keep_alive_connection_is_told_to_close_while_it_drains(echo, start_gateway, key):
    gateway = start_gateway(echo.target)
    with RawConnection(gateway.port) as connection:
        connection.send(f"GET /v1/delay?time=1s&key={key} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
        assert echo.journal.wait(key, "started", 5)
        gateway.terminate()
        answer = connection.response()
        assert (answer.status, answer.headers.get("connection", "").lower()) == (200, "close")
        assert connection.at_end()
    assert gateway.wait() == 0


def test_the_upstream_may_come_later(start_gateway, free_port):
    from support.echo_server import EchoServer
    gateway = start_gateway(f"127.0.0.1:{free_port}")
    assert http1.request(gateway.port, "GET", "/v1/echo/a").status == 503
    server = EchoServer(free_port)
    try:
        assert eventually(lambda: http1.request(gateway.port, "GET", "/v1/echo/a").status == 200)
    finally:
        server.stop()
    assert eventually(lambda: http1.request(gateway.port, "GET", "/v1/echo/a").status == 503)
