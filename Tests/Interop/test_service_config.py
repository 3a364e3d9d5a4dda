"""A gRPC service config in a file: timeouts, retries, limits and waiting, as gRPC clients have them."""
import json
import threading
import time

import pytest

from support import http1
from support.configuration import configuration, run_gateway
from support.echo_server import EchoServer
from support.gateway_process import NotReady
from support.schema import ECHO, INTEROP_SET
from support.waiting import eventually

SERVICES = [{"upstream": "echo", "descriptors": {"file": INTEROP_SET}}]


@pytest.fixture
def start(tmp_path):
    processes = []

    def start(target, config, **upstream):
        (tmp_path / "service.json").write_text(config if isinstance(config, str) else json.dumps(config))
        upstreams = {"echo": {"target": target, "service_config": "service.json", **upstream}}
        processes.append(run_gateway(tmp_path, configuration("", upstreams=upstreams, services=SERVICES)))
        return processes[-1]

    yield start
    for process in processes:
        process.stop()


def method(name, **more):
    return {"methodConfig": [{"name": [{"service": ECHO, "method": name}], **more}]}


def test_a_timeout_holds_for_streams_too(echo, start):
    config = {"methodConfig": [{"name": [{"service": ECHO, "method": "ServerStream"}, {"service": ECHO, "method": "Delay"}],
                                "timeout": "0.5s"}]}
    gateway = start(echo.target, config)
    began = time.monotonic()
    assert http1.request(gateway.port, "GET", "/v1/delay?time=5s", headers={"x-server-timeout": "9"}).status == 504
    answer = http1.request(gateway.port, "GET", "/v1/stream?count=9&interval=1s", headers={"accept": "text/event-stream"})
    assert b'rpc-error\ndata: {"code":4' in answer.body
    assert time.monotonic() - began < 4
    assert http1.request(gateway.port, "GET", "/v1/echo/a").status == 200


def test_messages_have_the_methods_limits(echo, start):
    gateway = start(echo.target, method("Echo", maxRequestMessageBytes=1000))
    assert http1.request(gateway.port, "POST", "/v1/echo", {"text": "a" * 900}).status == 200
    assert http1.request(gateway.port, "POST", "/v1/echo", {"text": "a" * 1100}).status == 413
    gateway = start(echo.target, method("ServerStream", maxResponseMessageBytes=100))
    assert http1.request(gateway.port, "GET", "/v1/stream?count=1&size=10").status == 200
    assert b"upstream's message" in http1.request(
        gateway.port, "GET", "/v1/stream?count=1&size=200", headers={"accept": "text/event-stream"}).body


def test_a_call_that_waits_for_ready_is_served_when_the_upstream_comes(start, free_port):
    gateway = start(f"127.0.0.1:{free_port}", method("Echo", waitForReady=True))
    assert eventually(lambda: http1.request(gateway.port, "GET", "/v1/delay?time=0s").status == 503), "the others are refused"
    servers = []
    timer = threading.Timer(1, lambda: servers.append(EchoServer(free_port)))
    timer.start()
    try:
        began = time.monotonic()
        answer = http1.request(gateway.port, "GET", "/v1/echo/a")
        assert answer.json == {"text": "a"} and time.monotonic() - began > 0.5
    finally:
        timer.join()
        for server in servers:
            server.stop()


def test_a_call_that_waits_for_ready_ends_with_its_deadline(start, free_port):
    gateway = start(f"127.0.0.1:{free_port}", method("Echo", waitForReady=True))
    began = time.monotonic()
    assert http1.request(gateway.port, "GET", "/v1/echo/a", headers={"x-server-timeout": "1"}).status == 504
    assert 0.8 < time.monotonic() - began < 3


def test_what_is_wrong_is_told_with_file_and_path(echo, start):
    with pytest.raises(NotReady) as caught:
        start(echo.target, method("Echo", timeout="soon"))
    assert caught.value.code == 1
    assert "service_config: service.json: methodConfig[0].timeout: expected seconds" in caught.value.errors
