"""A gRPC service config in a file: timeouts, retries, limits and waiting, as gRPC clients have them."""
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import http1
from support.configuration import configuration, run_gateway
from support.echo_server import EchoServer
from support.gateway_process import NotReady
from support.schema import ECHO, INTEROP_SET
from support.scripted_upstream import ScriptedUpstream
from support.upstream_scripts import fine
from support.waiting import eventually

SERVICES = [{"upstream": "echo", "descriptors": {"file": INTEROP_SET}}]


@pytest.fixture
def start(tmp_path):
    processes = []

    def start(target, config, threads=2, **upstream):
        (tmp_path / "service.json").write_text(config if isinstance(config, str) else json.dumps(config))
        upstreams = {"echo": {"target": target, "service_config": "service.json", **upstream}}
        processes.append(run_gateway(tmp_path, configuration("", upstreams=upstreams, services=SERVICES),
                                     "--threads", str(threads)))
        return processes[-1]

    yield start
    for process in processes:
        if process.alive():
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


@pytest.mark.parametrize("connection, count", [({"timeout": "5s"}, 3), ({"max_connections": 2}, 2)])
def test_connections_may_be_more_where_the_section_does_not_say_how_many(start, connection, count):
    """MAX_CONCURRENT_STREAMS 1, and calls that only end once so many are there."""
    together = threading.Barrier(count)

    def meet(call):
        threading.Thread(target=lambda: (together.wait(10), fine(call)), daemon=True).start()

    config = {"connectionScaling": {"maxConnectionsPerSubchannel": 3}}
    with ScriptedUpstream(meet, streams_max=1) as upstream:
        gateway = start(upstream.target, config, threads=1, connection=connection)
        with ThreadPoolExecutor() as pool:
            calls = [pool.submit(http1.request, gateway.port, "GET", "/v1/echo/a") for _ in range(2 * count)]
            assert [each.result().status for each in calls] == [200] * 2 * count
        assert upstream.connections == count


def test_pick_first_shuffles_where_it_is_told_to(start):
    """Each thread has an order of its own: of a hundred starts, not all begin with the same address."""
    servers = [ScriptedUpstream(fine) for _ in range(3)]
    config = {"loadBalancingConfig": [{"pick_first": {"shuffleAddressList": True}}]}
    for _ in range(30):
        gateway = start(",".join(server.target for server in servers), config, threads=1)
        assert http1.request(gateway.port, "GET", "/v1/echo/a").status == 200
        gateway.stop()
        if sum(bool(server.calls) for server in servers) > 1:
            break
    assert sum(bool(server.calls) for server in servers) > 1
    for server in servers:
        server.__exit__()


def test_what_is_wrong_is_told_with_file_and_path(echo, start):
    with pytest.raises(NotReady) as caught:
        start(echo.target, method("Echo", timeout="soon"))
    assert caught.value.code == 1
    assert "service_config: service.json: methodConfig[0].timeout: expected seconds" in caught.value.errors
