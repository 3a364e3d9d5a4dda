"""`gateway run` and `gateway check`: the file, its limits and times, its exit codes, and the log."""
import json
import os
import re
import socket
import time
import uuid

import grpc
import h2.settings
import pytest

from support import http1
from support.configuration import configuration, run_gateway, write
from support.echo_server import EchoServer
from support.gateway_process import GatewayProcess, NotReady, run
from support.http1 import Connection, RawConnection
from support.http2 import Client, envelope
from support.schema import ECHO, INTEROP_SET, ROOT, DelayRequest, Everything
from support.waiting import established, eventually

SET = h2.settings.SettingCodes
CANCEL, ENHANCE_YOUR_CALM = 8, 11
# The id that a GOAWAY names before it is known which stream was the last.
LAST_STREAM = 2**31 - 1
EXAMPLE = os.path.join(ROOT, "config", "gateway.yaml")


@pytest.fixture
def start(echo, tmp_path):
    """start(**sections) → a gateway before the echo server with these sections. Stopped and checked at the end."""
    processes = []

    def start(*more, **sections):
        processes.append(run_gateway(tmp_path, configuration(echo.target, **sections), *more))
        return processes[-1]

    yield start
    for process in processes:
        if process.process.returncode is None:
            process.stop()


def log_lines(process):
    """The log: every line of stderr but the plain ones of the contract."""
    lines = [line for line in process.errors if line != "ready" and not line.startswith("listening ")]
    return [json.loads(line) for line in lines]


def test_a_configured_gateway_serves(start, echo):
    gateway = start()
    assert http1.request(gateway.port, "GET", "/v1/echo/a").json == {"text": "a"}
    with Client(gateway.port) as client:
        assert client.call(envelope(b"")).grpc_status == 0
    gateway.stop()
    assert gateway.errors.count("ready") == 1
    log = log_lines(gateway)
    assert log[0]["message"].startswith("gateway ") and log[0]["message"].endswith(" started")
    assert log[0]["upstreams"] == f"echo={echo.target}" and log[0]["listeners"] == f"http://{gateway.target}"
    assert int(log[0]["methods"]) > 5 and int(log[0]["files"]) > 1
    assert all(line["level"] == "info" and line["logger"] and line["time"].endswith("Z") for line in log), log
    assert log[-1]["message"] == "stopped"


def test_several_listeners_and_a_unix_socket(echo, tmp_path):
    address = f"unix:{tmp_path}/gateway.sock"
    listeners = [{"address": "127.0.0.1:0"}, {"address": address}, {"address": "localhost:0"}]
    gateway = run_gateway(tmp_path, configuration(echo.target, listeners=listeners))
    assert f"listening {address}" in gateway.errors and len(gateway.listeners) == 3
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(f"{tmp_path}/gateway.sock")
        client.sendall(b"GET /v1/echo/a HTTP/1.1\r\nhost: a\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 200")
    gateway.stop()


def test_services_have_their_own_upstreams(echo, start):
    other = EchoServer()
    upstreams = {"first": {"target": echo.target}, "second": {"target": [other.target]}}
    entry = {"descriptors": {"file": INTEROP_SET}}
    services = [{"upstream": "second", "expose": [f"{ECHO}.Delay"], **entry},
                {"upstream": "first", "expose": [f"{ECHO}.Echo", f"{ECHO}.ServerStream"], **entry}]
    gateway = start(upstreams=upstreams, services=services)
    key = uuid.uuid4().hex
    assert http1.request(gateway.port, "GET", f"/v1/delay?time=0s&key={key}").status == 200
    assert other.journal.wait(key, "answered", 5) and not echo.journal.wait(key, "answered", 0)
    other.stop()
    assert http1.request(gateway.port, "GET", "/v1/echo/a").status == 200
    down = http1.request(gateway.port, "GET", "/v1/delay?time=0s")
    assert down.status == 503 and "upstream second cannot be reached" in down.json["message"], down
    assert http1.request(gateway.port, "GET", "/v1/nothing").status == 404, "not exposed"
    gateway.stop()
    warnings = [line for line in log_lines(gateway) if line["level"] == "warning"]
    assert warnings and all("upstream second" in line["message"] for line in warnings)
    assert len(warnings) <= 2, "once per thread, not per call"


def test_options_reach_the_calls(start):
    rules = [{"selector": f"{ECHO}.EchoNested", "post": "/nested", "body": "*"}]
    service = {"upstream": "echo", "descriptors": {"file": INTEROP_SET}, "rules": rules,
               "json": {"names": "proto", "int64": "number", "unknown_fields": "reject", "enums": "number"},
               "rest": {"unknown_query": "ignore", "trailing_slash": "ignore"}}
    gateway = start(services=[service])
    answer = http1.request(gateway.port, "GET", "/v1/echo/a/?nobody=1")
    assert answer.status == 200 and answer.json == {"text": "a"}
    assert http1.request(gateway.port, "POST", "/v1/echo", {"i64": "5"}).json == {"i64": 5}
    assert http1.request(gateway.port, "POST", "/v1/echo", {"nobody": 5}).status == 400
    assert http1.request(gateway.port, "POST", "/nested", {"text": "x"}).status == 200
    assert http1.request(gateway.port, "POST", "/v1/nested", {}).status == 404, "the rule replaces the annotation"


def test_the_limit_of_messages_and_heads(start):
    gateway = start(limits={"message": "1KiB", "headers": "2KiB"})
    assert http1.request(gateway.port, "POST", "/v1/echo", {"text": "x" * 900}).status == 200
    assert http1.request(gateway.port, "POST", "/v1/echo", {"text": "x" * 1100}).status == 413
    assert http1.request(gateway.port, "GET", "/v1/echo/a", headers={"x": "y" * 1500}).status == 200
    assert http1.request(gateway.port, "GET", "/v1/echo/a", headers={"x": "y" * 2100}).status == 431
    with Client(gateway.port) as client:
        assert client.call(envelope(b""), headers={"x": "y" * 2100}).grpc_status != 0
        assert client.call(envelope(b"")).grpc_status == 0


def test_the_limits_of_connections(start):
    gateway = start(limits={"connections": 2, "idle": "1s", "request_headers": "1s", "streams_per_connection": 3})
    with Client(gateway.port) as client, Connection(gateway.port) as second:
        assert client.call(envelope(b"")).grpc_status == 0
        assert client.h2.remote_settings.max_concurrent_streams == 3
        assert second.request("GET", "/v1/echo/a").status == 200
        with socket.create_connection(("127.0.0.1", gateway.port), 10) as third:
            assert third.recv(1) == b"", "one connection too many"
        began = time.monotonic()
        client.wait_for(lambda: False)
        assert client.goaways == [(LAST_STREAM, 0), (1, 0)] and time.monotonic() - began < 8
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with RawConnection(gateway.port) as slow:
            slow.send(b"GET / HT")
            slow.socket.settimeout(8)
            began = time.monotonic()
            assert slow.socket.recv(1) == b""
            if time.monotonic() - began > 0.5:
                return
    raise AssertionError("the connections were not closed, or not counted down")


def test_the_time_for_a_head_on_http2(start):
    gateway = start(limits={"request_headers": "1s", "idle": "1h"})
    with Client(gateway.port) as client:
        assert client.call(envelope(b"")).grpc_status == 0
        client.frame(1, 1, 3, b"\x82")  # HEADERS without END_HEADERS: `:method GET`
        began = time.monotonic()
        client.wait_for(lambda: False)
        assert client.goaway == ENHANCE_YOUR_CALM and 0.9 < time.monotonic() - began < 8


def test_an_answer_that_nobody_takes_on_http2(start):
    gateway = start(limits={"stalled": "1s", "idle": "1h"})
    with Client(gateway.port, settings={SET.INITIAL_WINDOW_SIZE: 10}) as client:
        client.automatic_windows = False
        request = envelope(Everything(text="x" * 100).SerializeToString())
        stuck = client.open()
        client.send(stuck, request, end=True)
        began = time.monotonic()
        response = client.wait(stuck)
        assert (len(response.body), response.reset) == (10, CANCEL), response
        assert 0.9 < time.monotonic() - began < 8
        client.h2.update_settings({SET.INITIAL_WINDOW_SIZE: 65535})
        client.flush()
        assert client.call(request).grpc_status == 0, "the connection goes on"


def test_an_answer_that_nobody_takes_on_http1(start):
    gateway = start(limits={"stalled": "1s", "idle": "1h", "message": "16MiB"})
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(20)
        client.connect(("127.0.0.1", gateway.port))
        body = json.dumps({"text": "x" * 12_000_000}).encode()
        client.sendall(b"POST /v1/echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
                       % len(body) + body)
        assert client.recv(1), "the answer has begun"
        assert eventually(lambda: not established(gateway.port)), "the connection is still there"


def survives_resets(port, count):
    """Whether a connection that opens and aborts so many streams is still served."""
    try:
        with Client(port) as client:
            for _ in range(count):
                stream = client.open()
                client.h2.reset_stream(stream, 8)
                client.flush()
            client.h2.ping(b"12345678")
            client.flush()
            return client.wait_for(lambda: client.pings) and client.goaway is None
    except ConnectionError:
        return False


def test_the_limit_of_resets(start):
    assert not survives_resets(start(limits={"resets_per_second": 1}).port, 100)
    assert survives_resets(start().port, 100)


def test_timeouts(echo, start):
    upstreams = {"echo": {"target": echo.target, "timeout": {"default": "300ms", "max": "1s"}}}
    gateway = start(upstreams=upstreams)
    began = time.monotonic()
    assert http1.request(gateway.port, "GET", "/v1/delay?time=5s").status == 504
    assert 0.2 < time.monotonic() - began < 0.9
    began = time.monotonic()
    assert http1.request(gateway.port, "GET", "/v1/delay?time=5s", headers={"grpc-timeout": "30S"}).status == 504
    assert 0.9 < time.monotonic() - began < 4
    request = DelayRequest()
    request.time.FromSeconds(5)
    with grpc.insecure_channel(gateway.target) as channel:
        delay = channel.unary_unary(f"/{ECHO}/Delay", lambda message: message.SerializeToString(), bytes)
        with pytest.raises(grpc.RpcError) as failure:
            delay(request, timeout=20)
    assert failure.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED


def test_the_time_for_draining(echo, start):
    gateway = start(drain={"timeout": "500ms"})
    key = uuid.uuid4().hex
    with Client(gateway.port) as client:
        message = DelayRequest(key=key)
        message.time.FromSeconds(20)
        client.send(client.open(path=f"/{ECHO}/Delay"), envelope(message.SerializeToString()), end=True)
        assert echo.journal.wait(key, "started", 5)
        began = time.monotonic()
        gateway.terminate()
        assert gateway.wait(10) == 0 and time.monotonic() - began < 5


def test_environment_and_files(echo, tmp_path, monkeypatch):
    monkeypatch.setenv("GATEWAY_TEST_PORT", str(echo.port))
    (tmp_path / "level").write_text("error\n")
    content = configuration("127.0.0.1:${GATEWAY_TEST_PORT}", log={"level": "${file:level}"})
    gateway = run_gateway(tmp_path, content)
    assert http1.request(gateway.port, "GET", "/v1/echo/a").status == 200
    gateway.stop()
    assert log_lines(gateway) == []


def test_check_says_what_would_be_served(echo, tmp_path):
    result = run("check", write(tmp_path, configuration(echo.target)))
    assert result.returncode == 0 and not result.stderr, result
    text = result.stdout.decode()
    assert f"  echo  {echo.target}, timeout 15s\n" in text and f"  {ECHO} → echo: " in text, text


def test_check_says_all_that_is_wrong_at_once(tmp_path):
    path = write(tmp_path, "listners: []\nlimits: {mesage: 4MB}\nadmin: {}\n")
    for arguments in (["check", path], ["run", "-c", path]):
        result = run(*arguments)
        assert result.returncode == 1 and not result.stdout, result
        assert result.stderr.decode().splitlines() == [
            f"{path}:1:1: 'listeners' is missing",
            f"{path}:1:1: 'upstreams' is missing",
            f"{path}:1:1: 'services' is missing",
            f"{path}:1:1: unknown key 'listners' (did you mean 'listeners'?)",
            f"{path}:2:10: limits: unknown key 'mesage' (did you mean 'message'?)",
            f"{path}:3:1: admin: not supported yet",
            f"gateway: {path}: 6 errors"]


@pytest.mark.parametrize("arguments, code", [
    (["run"], 2), (["check"], 2), (["run", "-c"], 2), (["run", "-c", "no-such-file"], 1), (["check", "no-such-file"], 1),
    (["check", ROOT], 1), (["run", "-c", EXAMPLE, "--threads", "0"], 2)], ids=str)
def test_exit_codes(arguments, code):
    result = run(*arguments)
    assert result.returncode == code and result.stderr and not result.stdout, result


def test_a_port_that_is_taken_is_3(echo, start, tmp_path):
    first = start()
    content = configuration(echo.target, listeners=[{"address": first.target}])
    with pytest.raises(NotReady) as failure:
        run_gateway(tmp_path, content)
    assert failure.value.code == 3 and first.target in failure.value.errors


def test_the_example_is_checked():
    result = run("check", EXAMPLE)
    assert result.returncode == 0 and b"127.0.0.1:50051" in result.stdout, result


def test_every_key_of_the_example_is_documented():
    with open(EXAMPLE, encoding="utf-8") as file:
        keys = set(re.findall(r"^(?: |-)*(\w+):(?: |$)", file.read(), re.MULTILINE)) - {"demo"}
    with open(os.path.join(ROOT, "docs", "configuration.md"), encoding="utf-8") as file:
        words = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", file.read()))))
    assert len(keys) > 30 and keys <= words, keys - words


def test_the_example_serves_the_demo(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        upstream = f"127.0.0.1:{probe.getsockname()[1]}"
    demo = GatewayProcess("demo", "--listen", "127.0.0.1:0", "--upstream-listen", upstream)
    with open(EXAMPLE, encoding="utf-8") as file:
        text = file.read()
    text = text.replace("127.0.0.1:50051", upstream).replace("127.0.0.1:8081", "127.0.0.1:0")
    gateway = run_gateway(tmp_path, text.replace("../Protos", os.path.join(ROOT, "Protos")))
    book = http1.request(gateway.port, "GET", "/v1/shelves/classics/books/moby-dick")
    assert book.status == 200 and book.json["title"] == "Moby-Dick", book
    assert http1.request(gateway.port, "GET", "/v1/library/shelves").json["shelves"]
    gateway.stop()
    demo.stop()


def test_a_demo_whose_upstream_port_is_taken_is_3(echo):
    with pytest.raises(NotReady) as failure:
        GatewayProcess("demo", "--listen", "127.0.0.1:0", "--upstream-listen", echo.target)
    assert failure.value.code == 3 and echo.target in failure.value.errors
