"""Bytes over TLS: records of all sizes, big bodies, slow readers, ends in order and not."""
import contextlib
import json
import select
import socket
import ssl
import threading
import time

import grpc
import pytest

from support import tls
from support.http2 import Client, envelope
from support.schema import ECHO, Everything, StreamItem, StreamRequest
from support.tls import HTTP2, HandMade, SecureConnection, client_context
from test_tls import secure, secure_channel, start_secure  # noqa: F401  (fixtures)

MEGABYTE = 1 << 20
# Around one record, around what one turn reads, and well above both.
SIZES = [0, 1, 16383, 16384, 16385, 32768, 49151, 49152, 49153, 65535, 65536, 65537, 131072, 500_000, 3 * MEGABYTE]


@pytest.fixture
def trusting(certificates):
    return client_context(certificates.authority)


def head(body, path="/v1/echo", more=""):
    return (f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{more}"
            f"content-length: {len(body)}\r\n\r\n").encode()


@pytest.mark.parametrize("size", SIZES)
def test_json_bodies_of_all_sizes_both_ways(secure, trusting, size):
    text = "x" * size
    with SecureConnection(secure.port, trusting) as connection:
        for _ in range(2):
            body = json.dumps({"text": text}).encode()
            connection.send(head(body) + body)
            answer = connection.response()
            assert answer.status == 200 and answer.json.get("text", "") == text


@pytest.mark.parametrize("size", [1, 7, 100, 16384])
def test_requests_in_records_of_any_size(secure, trusting, size):
    body = json.dumps({"text": "x" * 5000}).encode()
    with HandMade(secure.port, trusting) as client:
        client.shake_hands()
        # The last message of the handshake and all of the request come at once.
        client.socket.sendall(client.last + client.records(head(body) + body, size))
        assert b'"}' in client.read_until(b'"}')


def test_many_requests_in_one_record(secure, trusting):
    with SecureConnection(secure.port, trusting) as connection:
        connection.send(b"".join(f"GET /v1/echo/{index} HTTP/1.1\r\nhost: x\r\n\r\n".encode() for index in range(200)))
        for index in range(200):
            assert connection.response().json == {"text": str(index)}


def test_pipelined_bodies_beyond_what_one_turn_reads(secure, trusting):
    body = json.dumps({"text": "x" * 60_000}).encode()
    with SecureConnection(secure.port, trusting) as connection:
        # One thread sends and receives by turns: OpenSSL's connections are not for two.
        unsent = memoryview((head(body) + body) * 20)
        connection.socket.setblocking(False)
        while unsent:
            try:
                unsent = unsent[connection.socket.send(unsent):]
            except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
                assert any(select.select([connection.socket], [connection.socket], [], 10))
            with contextlib.suppress(ssl.SSLWantReadError):
                connection.buffer += connection.socket.recv(65536)
        connection.socket.setblocking(True)
        for _ in range(20):
            assert len(connection.response().json["text"]) == 60_000


@pytest.mark.parametrize("size", SIZES[1:])
def test_grpc_messages_of_all_sizes_both_ways(secure, certificates, size):
    with secure_channel(secure, certificates.authority) as channel:
        echo = channel.unary_unary(f"/{ECHO}/Echo", Everything.SerializeToString, Everything.FromString)
        message = Everything(text="x" * size)
        assert echo(message, timeout=20) == message


def test_streams_both_ways_at_once(secure, certificates):
    with secure_channel(secure, certificates.authority) as channel:
        bidi = channel.stream_stream(f"/{ECHO}/Bidi", StreamItem.SerializeToString, StreamItem.FromString)
        items = [StreamItem(index=index, payload=b"x" * 100_000) for index in range(100)]
        assert list(bidi(iter(items), timeout=40)) == items


def test_a_slow_reader_gets_everything(secure, certificates):
    """The gateway's writes are split: the socket takes part of what is to be sent, again and again."""
    context = client_context(certificates.authority, protocols=[HTTP2])
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    plain.settimeout(20)
    plain.connect(("127.0.0.1", secure.port))
    client = Client.over(context.wrap_socket(plain, server_hostname="localhost"))
    with client:
        request = StreamRequest(count=40, size=100_000, key="slow")
        stream = client.open(f"/{ECHO}/ServerStream")
        client.send(stream, envelope(request.SerializeToString()), end=True)
        response = client.responses[stream]
        while not response.ended:
            time.sleep(0.001)
            assert client.receive()
        assert response.grpc_status == 0 and len(response.body) > 40 * 100_000


def test_a_slow_reader_of_http1_gets_everything(secure, trusting):
    body = json.dumps({"text": "x" * 3 * MEGABYTE}).encode()
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    plain.settimeout(20)
    plain.connect(("127.0.0.1", secure.port))
    with trusting.wrap_socket(plain, server_hostname="localhost") as connection:
        connection.sendall(head(body, more="connection: close\r\n") + body)
        received = b""
        while piece := connection.recv(4096):
            received += piece
        assert json.loads(received.split(b"\r\n\r\n", 1)[1])["text"] == "x" * 3 * MEGABYTE


# Ends

def test_the_gateway_ends_a_connection_in_order(secure, trusting):
    """close_notify comes: Python raises SSLEOFError where it does not."""
    with SecureConnection(secure.port, trusting) as connection:
        connection.send(b"GET /v1/echo/a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        assert connection.response().status == 200
        assert connection.at_end()


def test_an_early_refusal_arrives_and_ends_in_order(secure, trusting):
    with SecureConnection(secure.port, trusting) as connection:
        connection.send(head(b"x" * (6 * MEGABYTE)) + b"{" * (5 * MEGABYTE))
        answer = connection.response()
        assert answer.status == 413
        assert connection.at_end()


def test_close_notify_behind_a_request_is_noticed_without_fin(secure, trusting):
    """It is read together with the request; nothing else will wake the gateway."""
    with HandMade(secure.port, trusting) as client:
        client.shake_hands()
        request = client.records(b"GET /v1/delay?time=20s HTTP/1.1\r\nhost: x\r\n\r\n", 16384)
        client.socket.sendall(client.last + request + client.end())
        began = time.monotonic()
        while client.socket.recv(65536):
            pass
        assert time.monotonic() - began < 5


def test_a_fin_without_close_notify_ends_the_call(secure, trusting, echo):
    with HandMade(secure.port, trusting) as client:
        client.shake_hands()
        client.socket.sendall(client.last + client.records(
            b"GET /v1/delay?time=20s&key=ragged HTTP/1.1\r\nhost: x\r\n\r\n", 16384))
        assert echo.journal.wait("ragged", "started", 5)
        client.socket.shutdown(socket.SHUT_WR)
        assert echo.journal.wait("ragged", "cancelled", 2)


def test_many_connections_at_once(secure, trusting):
    failures = []

    def call(index):
        answer = tls.request(secure.port, trusting, "POST", "/v1/echo", {"text": "x" * (index * 1000)})
        if answer.status != 200 or len(answer.json.get("text", "")) != index * 1000:
            failures.append(answer)

    threads = [threading.Thread(target=call, args=(index,)) for index in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_grpcio_reuses_one_connection_for_many_calls(secure, certificates):
    with secure_channel(secure, certificates.authority) as channel:
        echo = channel.unary_unary(f"/{ECHO}/Echo", Everything.SerializeToString, Everything.FromString)
        calls = [echo.future(Everything(i32=index), timeout=20) for index in range(500)]
        assert [call.result().i32 for call in calls] == list(range(500))
        assert all(call.code() is grpc.StatusCode.OK for call in calls)
