"""HTTP/1.1 clients that do not read, send too much or go on after an error: bounded memory, and no answer lost."""
import socket
import threading

import pytest

from support import http1
from support.http1 import RawConnection
from support.waiting import established, eventually
from test_http1_connection import post


@pytest.fixture
def raw(gateway):
    with RawConnection(gateway.port) as connection:
        yield connection


@pytest.mark.parametrize("line, status", [
    ("GET /nowhere", 404), ("DELETE /v1/echo", 405), ("GET /v1/echo/%zz", 400), ("HEAD /nowhere", 404)])
def test_an_error_without_a_body_to_wait_for_keeps_the_connection(raw, line, status):
    for _ in range(3):
        raw.send(f"{line} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        answer = raw.response(bodyless=line.startswith("HEAD"))
        assert (answer.status, answer.headers.get("connection")) == (status, None)
    raw.send(post("/v1/echo", {"text": "on"}))
    assert raw.response().json == {"text": "on"}


def test_errors_and_answers_may_be_pipelined(raw):
    get = "GET {} HTTP/1.1\r\nHost: x\r\n\r\n"
    raw.send("".join(get.format(path) for path in ["/v1/echo/a", "/nowhere", "/v1/echo/b", "/nowhere"] * 20).encode())
    for _ in range(20):
        assert [raw.response().status for _ in range(4)] == [200, 404, 200, 404]


def test_a_client_that_pipelines_and_does_not_read_has_to_wait(echo, start_gateway):
    gateway = start_gateway(echo.target)
    count, request = 100_000, b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"
    http1.request(gateway.port, "GET", "/nowhere")
    before = gateway.resident_kilobytes()
    with RawConnection(gateway.port, seconds=60) as connection:
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        sender = threading.Thread(target=connection.send, args=(request * count,), daemon=True)
        sender.start()
        sender.join(4)
        assert gateway.resident_kilobytes() - before < 8 << 10
        assert all(connection.response().status == 404 for _ in range(count))


def test_an_answer_that_the_client_has_not_taken_yet_survives_sigterm(echo, start_gateway):
    gateway = start_gateway(echo.target)
    text = "x" * 4_000_000
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(20)
        client.connect(("127.0.0.1", gateway.port))
        client.sendall(post("/v1/echo", {"text": text}))
        received = client.recv(100)
        assert eventually(lambda: any(established(gateway.port))), "most of the answer is still in the gateway"
        gateway.terminate()
        gateway.lines(".*draining")
        while piece := client.recv(1 << 20):
            received += piece
    assert len(received.split(b"\r\n\r\n", 1)[1]) == len(text) + len('{"text":""}')
    assert gateway.wait() == 0


def test_bytes_behind_the_last_request_do_not_destroy_its_answer(raw):
    raw.socket.setblocking(True)
    data = post("/v1/echo", {"text": "last"}, "Connection: close") + b"x" * 600_000
    sender = threading.Thread(target=lambda: try_send(raw, data), daemon=True)
    sender.start()
    sender.join(10)
    assert not sender.is_alive(), "the bytes behind the request are not read"
    answer = raw.response()
    assert (answer.status, answer.json) == (200, {"text": "last"})


def try_send(connection, data):
    try:
        connection.send(data)
    except OSError:
        pass
