"""HTTP/1.1 carries one direction after the other: bidi calls are answered once the client has sent all, and a client that
shuts its sending side down is gone, unless the configuration says otherwise."""
import socket

import pytest

from support import http1
from support.configuration import configuration, run_gateway

DELAYED = b"GET /v1/delay?time=0.4s HTTP/1.1\r\nhost: a\r\n\r\n"


def call_and_finish(port):
    """What comes back when the client sends FIN right behind its request."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(DELAYED)
        client.shutdown(socket.SHUT_WR)
        received = b""
        while piece := client.recv(65536):
            received += piece
        return received


@pytest.mark.parametrize("allows", [False, True])
def test_a_half_closed_client_is_gone_unless_that_is_allowed(echo, tmp_path, allows):
    gateway = run_gateway(tmp_path, configuration(echo.target, http1={"allow_half_close": allows}))
    try:
        received = call_and_finish(gateway.port)
        if allows:
            assert received.startswith(b"HTTP/1.1 200 OK\r\n"), received
            assert received.endswith(b"}")
        else:
            assert received == b""
        assert http1.request(gateway.port, "GET", "/v1/echo/after").status == 200
    finally:
        gateway.stop()


def envelope(text):
    return b"\0" + len(text).to_bytes(4, "big") + text


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def test_a_bidi_call_is_answered_after_its_last_message(gateway):
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as client:
        client.sendall(b"POST /gatewaytest.interop.v1.EchoService/Bidi HTTP/1.1\r\nhost: a\r\n"
                       b"content-type: application/connect+json\r\ntransfer-encoding: chunked\r\n\r\n")
        for number in range(3):
            client.sendall(chunk(envelope(b'{"index": %d}' % number)))
        client.settimeout(0.5)
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.settimeout(20)
        client.sendall(b"0\r\n\r\n")
        received = b""
        while not received.endswith(b"0\r\n\r\n"):
            piece = client.recv(65536)
            assert piece, received
            received += piece
        assert received.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"connection: close" not in received
        # The connection serves the next request.
        client.sendall(b"GET /v1/echo/after HTTP/1.1\r\nhost: a\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")


def test_what_follows_an_early_answer_gets_no_second_one(gateway):
    """The upstream may answer before the request's last chunk; a broken rest then only ends the connection."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as client:
        client.sendall(b"POST /gatewaytest.interop.v1.EchoService/ServerStream HTTP/1.1\r\nhost: a\r\n"
                       b"content-type: application/connect+json\r\ntransfer-encoding: chunked\r\n\r\n"
                       + chunk(envelope(b'{"count": 2}')))
        received = b""
        while not received.endswith(b"0\r\n\r\n"):
            piece = client.recv(65536)
            assert piece, received
            received += piece
        assert received.startswith(b"HTTP/1.1 200 OK\r\n")
        client.sendall(b"no chunk\r\n")
        assert client.recv(65536) == b""
