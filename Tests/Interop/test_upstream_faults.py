"""Upstreams that close, die, reset, speak garbage or break the protocol: each is a clear error for both kinds of client."""
import collections
import concurrent.futures
import json
import socket
import threading

import h2.exceptions
import pytest

from conftest import proxy_arguments
from support import http1
from support.gateway_process import GatewayProcess
from support.matrix.plain_call import BROKEN, CLIENTS
from support.matrix.schema import MATRIX_SET
from support.schema import ECHO
from support.scripted_upstream import ScriptedUpstream
from support.upstream_scripts import GOOD, MESSAGE, SCRIPTS, envelope, fine

BOTH_SETS = ["--descriptors", MATRIX_SET, "--threads", "1"]




def cases(breaks):
    """Every script with every client to whom something is promised then."""
    for name, client in CLIENTS.items():
        for title, script in SCRIPTS.items():
            if script.breaks == breaks and script.codes(client.is_stream, client.is_passed_through):
                yield pytest.param(client, script, id=f"{name}: {title}")


every_client = pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)


@pytest.fixture(scope="module")
def shared_upstream():
    """An upstream that takes its script from each test, and a gateway before it."""
    with ScriptedUpstream(fine) as upstream:
        process = GatewayProcess(*proxy_arguments(upstream.target, *BOTH_SETS))
        yield upstream, process
        process.stop()


@pytest.mark.parametrize("client, script", cases(breaks=False))
def test_what_an_upstream_may_do_to_a_call(shared_upstream, client, script):
    upstream, gateway = shared_upstream
    connections, upstream.script = upstream.connections, script.run
    check(script, client, client(gateway))
    serves_again(upstream, client, gateway)
    assert upstream.connections == max(connections, 1), "the gateway gave up a connection on which only a call had failed"


def serves_again(upstream, client, gateway):
    """Whatever happened to a call, a later one is served."""
    upstream.script = fine
    for _ in range(100):
        seen = client(gateway)
        assert seen.code in (0, 14), seen
        if seen.code == 0:
            assert [item.key for item in seen.items] == ["a"], seen
            return
        with upstream.changed:
            upstream.changed.wait(0.1)  # the gateway waits a moment before it connects anew
    raise AssertionError("the gateway never came back to its upstream")


def check(script, client, seen):
    if seen.code == BROKEN:
        assert script.cuts, seen
        return
    assert seen.code in script.codes(client.is_stream, client.is_passed_through), seen
    assert all(item.key in ("a", "") for item in seen.items), seen
    if seen.code == 0:
        assert seen.own is None, seen
    if client.is_stream and script.items is not None:
        assert len(seen.items) == script.items, seen
    if not client.is_stream and seen.code == 0:
        assert len(seen.items) == 1 or client.is_passed_through, seen


@pytest.mark.parametrize("client, script", cases(breaks=True))
def test_what_an_upstream_may_do_to_a_connection(start_gateway, client, script):
    with ScriptedUpstream(script.run) as upstream:
        gateway = start_gateway(upstream.target, *BOTH_SETS)
        check(script, client, client(gateway))
        serves_again(upstream, client, gateway)


GREETINGS = {
    "closes": lambda s: None,
    "resets": lambda s: s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"),
    "HTTP/1.1": lambda s: (s.recv(1000), s.sendall(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")),
    "garbage": lambda s: (s.recv(1000), s.sendall(bytes(range(256)) * 10)),
    "zeros": lambda s: (s.recv(1000), s.sendall(bytes(10_000))),
    "SSH": lambda s: s.sendall(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "goaway": lambda s: (s.recv(1000), s.sendall(b"\0\0\0\4\0\0\0\0\0\0\0\x08\x07\0\0\0\0\0" + bytes(8))),
}


@every_client
@pytest.mark.parametrize("greet", GREETINGS.values(), ids=GREETINGS.keys())
def test_an_upstream_that_speaks_no_http2(start_gateway, client, greet):
    with ScriptedUpstream(greet=greet) as upstream:
        gateway = start_gateway(upstream.target, *BOTH_SETS)
        for _ in range(3):
            seen = client(gateway)
            assert seen.code in (13, 14) and seen.own, seen


def test_an_upstream_that_never_says_a_word(start_gateway):
    hold = []
    with ScriptedUpstream(greet=lambda s: (hold.append(s), s.recv(1), s.settimeout(30), [0 for _ in iter(lambda: s.recv(4096), b"")])) as upstream:
        gateway = start_gateway(upstream.target)
        answer = http1.request(gateway.port, "GET", "/v1/echo/a", headers={"grpc-timeout": "500m"})
        assert answer.status in (503, 504) and answer.json["code"] in (4, 14), answer


def test_a_deadline_resets_the_stream_of_a_silent_upstream(start_gateway):
    with ScriptedUpstream(lambda call: call.head()) as upstream:
        gateway = start_gateway(upstream.target)
        answer = http1.request(gateway.port, "GET", "/v1/echo/a", headers={"grpc-timeout": "300m"})
        assert (answer.status, answer.json["code"]) == (504, 4)
        assert upstream.wait_reset(1) and upstream.resets[0] == 8


@pytest.mark.parametrize("end", [lambda call: call.reset(8), lambda call: call.head({"grpc-status": "1"}, end=True)],
                         ids=["RST_STREAM", "status"])
def test_a_cancellation_that_comes_behind_the_deadline_is_the_deadlines(start_gateway, end):
    """An upstream that sees the deadline pass cancels as well: whichever comes first, the client is told of its deadline."""
    def cancel(call):
        milliseconds = int(call.headers["grpc-timeout"][:-1]) * {"m": 1, "u": 1e-3, "n": 1e-6}[call.headers["grpc-timeout"][-1]]
        # Counted from when it came, and so never before the gateway's own.
        threading.Timer(milliseconds / 1000 + 0.002, lambda: late(call)).start()

    def late(call):
        try:
            end(call)
        except h2.exceptions.ProtocolError:
            pass  # the gateway has reset the stream

    with ScriptedUpstream(cancel) as upstream:
        gateway = start_gateway(upstream.target, "--threads", "1")
        with http1.Connection(gateway.port) as connection:
            answers = [connection.request("GET", "/v1/echo/a", headers={"grpc-timeout": "30m"}) for _ in range(30)]
        assert {(answer.status, answer.json["code"]) for answer in answers} == {(504, 4)}


@pytest.mark.parametrize("text, decoded", [
    ("plain", "plain"), ("a%20b%0d%0aX: y", "a b\r\nX: y"), ("100%", "100%"), ("%zz%4", "%zz%4"), ("%E6%97%A5", "日"),
    ("%ff%fe", None)])
def test_status_messages_are_decoded_leniently(start_gateway, text, decoded):
    with ScriptedUpstream(lambda call: call.head({"grpc-status": "5", "grpc-message": text}, end=True)) as upstream:
        answer = http1.request(start_gateway(upstream.target).port, "GET", "/v1/echo/a")
        assert answer.status == 404 and answer.json["code"] == 5, answer
        assert decoded is None or answer.json["message"] == decoded
        assert "x" not in answer.headers


@pytest.mark.parametrize("wire", [
    b"\x0a\xff\xff\xff\xff\x0f", b"\x0a\x80\x80\x80\x80\x08abc", b"\x0a" + b"\xff" * 9 + b"\x01", b"\x0a\xfe" + b"\xff" * 8 + b"\x01",
    b"\x0a\x05ab", b"\xff" * 11, b"\x0a\x02\xff\xff", b"\x00\x01", b"\x8a\x01" + b"\x01" * 3, b"\x0b", b"\x0c", b"\x09abc",
    b"\x8a\x01\x80", b"\x1a\xff" * 1000],
    ids=["2^32 bytes", "2^31 bytes", "2^64 bytes", "2^64 - 2 bytes", "cut", "endless varint", "no UTF-8", "field 0",
         "bad nested", "open group", "end of no group", "cut fixed64", "cut nested", "many lengths"])
def test_messages_that_are_no_protobuf_are_internal_errors(start_gateway, wire):
    def script(call):
        call.head()
        call.data(envelope(wire))
        call.trailers(GOOD)

    with ScriptedUpstream(script) as upstream:
        gateway = start_gateway(upstream.target)
        answer = http1.request(gateway.port, "GET", "/v1/echo/a")
        assert answer.status in (500, 502) and answer.json["code"] == 13 and "gateway-error" in answer.headers, answer
        upstream.script = fine
        assert http1.request(gateway.port, "GET", "/v1/echo/a").json == {"text": "a"}


def test_what_the_upstream_is_sent(start_gateway):
    with ScriptedUpstream(fine) as upstream:
        gateway = start_gateway(upstream.target)
        http1.request(gateway.port, "POST", "/v1/echo", json.dumps({"text": "a"}), {
            "grpc-timeout": "5S", "x-one": "1", "content-type": "application/json"})
        call = upstream.calls[0]
        assert call.body == MESSAGE
        assert call.headers[":method"] == "POST" and call.headers[":path"] == f"/{ECHO}/Echo"
        assert call.headers["te"] == "trailers"
        assert call.headers["content-type"].startswith("application/grpc")
        assert call.headers["x-one"] == "1"
        assert "content-length" not in call.headers
        value, unit = int(call.headers["grpc-timeout"][:-1]), call.headers["grpc-timeout"][-1]
        assert 4 < value * {"S": 1, "m": 1e-3, "u": 1e-6, "n": 1e-9}[unit] <= 5


def test_calls_share_one_connection(start_gateway):
    with ScriptedUpstream(fine) as upstream:
        gateway = start_gateway(upstream.target, "--threads", "1")
        for _ in range(20):
            assert http1.request(gateway.port, "GET", "/v1/echo/a").status == 200
        assert upstream.connections == 1


@every_client
@pytest.mark.parametrize("where", ["head", "trailers", "trailers alone"])
def test_fields_over_the_limit_are_an_error_not_a_part_of_them(start_gateway, client, where):
    huge = {f"x-{index}": "y" * 4000 for index in range(12)}

    def script(call):
        if where == "trailers alone":
            call.head({**huge, **GOOD}, end=True)
            return
        call.head(huge if where == "head" else None)
        call.data(MESSAGE)
        call.trailers({**huge, **GOOD} if where == "trailers" else GOOD)

    with ScriptedUpstream(script) as upstream:
        gateway = start_gateway(upstream.target, *BOTH_SETS)
        seen = client(gateway)
        assert (seen.code, seen.own) == (8, "upstream_headers_too_large"), seen
        assert huge.keys().isdisjoint(seen.trailing)
        assert huge.keys().isdisjoint(http1.request(gateway.port, "GET", "/v1/echo/a").headers)


def test_calls_whose_time_is_over_do_not_fill_the_queue(start_gateway):
    """An upstream that never becomes ready: far more calls than may wait, but never so many at once."""
    waiting = threading.Event()
    with ScriptedUpstream(greet=lambda accepted: waiting.wait(60)) as upstream:
        gateway = start_gateway(upstream.target, "--threads", "1")

        def run(_):
            statuses = collections.Counter()
            with http1.Connection(gateway.port) as connection:
                for _ in range(750):
                    answer = connection.request("GET", "/v1/echo/a", headers={"grpc-timeout": "1n"})
                    statuses[answer.status] += 1
            return statuses

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            assert sum(pool.map(run, range(16)), collections.Counter()) == {504: 12_000}
        waiting.set()
