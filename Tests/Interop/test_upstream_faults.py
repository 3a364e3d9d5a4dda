"""Upstreams that close, die, reset, speak garbage or break the protocol: each is a clear error for both kinds of client."""
import collections
import concurrent.futures
import json
import socket
import threading

import pytest

from support import http1
from support.http2 import Client, envelope
from support.schema import ECHO, Everything
from support.scripted_upstream import ScriptedUpstream
from test_rest_errors import STATUSES

MESSAGE = envelope(Everything(text="a").SerializeToString())
GOOD = {"grpc-status": "0"}


def good(call):
    call.head()
    call.data(MESSAGE)
    call.trailers(GOOD)


def by_rest(port):
    """(code, message, gateway-error or None) of one REST call; code 0 for a right answer."""
    answer = http1.request(port, "GET", "/v1/echo/a", headers={"grpc-timeout": "8S"})
    if answer.status == 200:
        assert answer.json == {"text": "a"}, answer
        return 0, "", None
    code = answer.json["code"]
    assert answer.status == STATUSES[code] or "gateway-error" in answer.headers, answer
    assert answer.headers["content-type"] == "application/json"
    return code, answer.json.get("message", ""), answer.headers.get("gateway-error")


def by_grpc(port):
    with Client(port) as client:
        response = client.call(MESSAGE, headers={"grpc-timeout": "8S"})
        assert response.status == 200 and response.grpc_status is not None, response
        if response.grpc_status == 0:
            assert response.body == MESSAGE, response
        fields = {**response.headers, **response.trailers}
        return response.grpc_status, fields.get("grpc-message", ""), fields.get("gateway-error")


@pytest.fixture(params=[by_rest, by_grpc], ids=["rest", "grpc"])
def call_through(request, start_gateway):
    """call_through(upstream) → (code, message, gateway-error) by each kind of client, on one gateway."""
    gateways = {}

    def call(upstream):
        if upstream not in gateways:
            gateways[upstream] = start_gateway(upstream.target, "--threads", "1")
        assert gateways[upstream].alive()
        return request.param(gateways[upstream].port)

    return call


def scripts():
    """What the upstream does with the call, and the codes that may come of it."""

    def steps(*functions):
        return lambda call: [function(call) for function in functions]

    head, message = (lambda call: call.head()), (lambda call: call.data(MESSAGE))
    table = {
        "right": (good, {0}),
        "informational head first": (steps(lambda call: call.head({":status": "103", "content-type": None}), good), {0}),
        "closes at once": (lambda call: call.close(), {14}),
        "aborts at once": (lambda call: call.abort(), {14}),
        "closes after the head": (steps(head, lambda call: call.close()), {14}),
        "closes in a message": (steps(head, lambda call: call.data(MESSAGE[:-1]), lambda call: call.close()), {14}),
        "closes after the message": (steps(head, message, lambda call: call.close()), {14}),
        "aborts after the message": (steps(head, message, lambda call: call.abort()), {14}),
        "goaway below this stream": (lambda call: (call.goaway(0), call.close()), {14}),
        "goaway with this stream, then the answer": (lambda call: (call.goaway(call.stream), good(call)), {0}),
        "garbage frames": (steps(head, lambda call: call.raw(b"\xff" * 1000)), {13, 14}),
        "frame over the limit": (steps(head, lambda call: call.raw(b"\xff\xff\xff\0\0\0\0\0\1" + bytes(100_000))), {13, 14}),
        "trailers alone": (lambda call: call.head({"grpc-status": "7", "grpc-message": "no"}, end=True), {7}),
        "no grpc-status, no trailers": (steps(head, lambda call: call.data(MESSAGE, end=True)), {13, 2}),
        "trailers without grpc-status": (steps(head, message, lambda call: call.trailers({"x": "y"})), {2, 13}),
        "grpc-status is no number": (steps(head, message, lambda call: call.trailers({"grpc-status": "x"})), {2}),
        "grpc-status of 99": (steps(head, message, lambda call: call.trailers({"grpc-status": "99"})), {2}),
        "OK without a message": (steps(head, lambda call: call.trailers(GOOD)), {12, 13}),
        "two messages": (steps(head, message, message, lambda call: call.trailers(GOOD)), {12, 13}),
        "message cut by trailers": (steps(head, lambda call: call.data(MESSAGE[:-1]), lambda call: call.trailers(GOOD)),
                                    {13, 14}),
        "length of 2^32 - 1": (steps(head, lambda call: call.data(b"\0\xff\xff\xff\xff" + bytes(100))), {8, 13}),
        "unknown flag": (steps(head, lambda call: call.data(b"\x08" + MESSAGE[1:]), lambda call: call.trailers(GOOD)),
                         {13}),
        "compressed without a coding": (steps(head, lambda call: call.data(b"\x01" + MESSAGE[1:]),
                                              lambda call: call.trailers(GOOD)), {13}),
        "web page": (steps(lambda call: call.head({"content-type": "text/html"}),
                           lambda call: call.data(b"<h1>hello</h1>", end=True)), {2}),
    }
    for status, code in {400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 500: 2, 502: 14, 503: 14, 504: 14}.items():
        table[f"HTTP {status}"] = (
            lambda call, status=status: call.head({":status": str(status), "content-type": "text/plain"}, end=True), {code})
    # d.4 of the semantics, where peers differ both are allowed
    resets = {0: {13}, 1: {13}, 2: {13}, 3: {13, 8}, 5: {13, 2}, 7: {14}, 8: {1}, 9: {13}, 11: {8}, 12: {7}, 13: {13},
              99: {2, 13}}
    for error, codes in resets.items():
        table[f"reset {error}"] = (lambda call, error=error: call.reset(error), codes)
        table[f"reset {error} after the head"] = (steps(head, lambda call, error=error: call.reset(error)), codes)
    return table


SCRIPTS = scripts()
# Two messages and none are the business of a native client.
REST_ONLY = {"OK without a message", "two messages"}


@pytest.mark.parametrize("name", SCRIPTS)
def test_what_an_upstream_may_do_to_a_call(call_through, request, name):
    script, codes = SCRIPTS[name]
    with ScriptedUpstream(script) as upstream:
        code, message, own = call_through(upstream)
        if name in REST_ONLY and "grpc" in request.node.callspec.id.split("-"):
            assert code in codes | {0}
        else:
            assert code in codes, (code, message, own)
        # Whatever happened to that call, the next one is served by the same gateway.
        upstream.script = good
        codes = {0, 14}
        for _ in range(100):
            code, *_ = call_through(upstream)
            assert code in codes
            if code == 0:
                return
            upstream.changed.acquire()
            upstream.changed.wait(0.1)  # the gateway waits a moment before it connects anew
            upstream.changed.release()
        raise AssertionError("the gateway never came back to its upstream")


GREETINGS = {
    "closes": lambda s: None,
    "resets": lambda s: s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"),
    "HTTP/1.1": lambda s: (s.recv(1000), s.sendall(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")),
    "garbage": lambda s: (s.recv(1000), s.sendall(bytes(range(256)) * 10)),
    "zeros": lambda s: (s.recv(1000), s.sendall(bytes(10_000))),
    "SSH": lambda s: s.sendall(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "goaway": lambda s: (s.recv(1000), s.sendall(b"\0\0\0\4\0\0\0\0\0\0\0\x08\x07\0\0\0\0\0" + bytes(8))),
}


@pytest.mark.parametrize("greet", GREETINGS.values(), ids=GREETINGS.keys())
def test_an_upstream_that_speaks_no_http2(call_through, greet):
    with ScriptedUpstream(greet=greet) as upstream:
        for _ in range(3):
            code, _, own = call_through(upstream)
            assert code in (13, 14) and own, (code, own)


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
        upstream.script = good
        assert http1.request(gateway.port, "GET", "/v1/echo/a").json == {"text": "a"}


def test_what_the_upstream_is_sent(start_gateway):
    with ScriptedUpstream(good) as upstream:
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
    with ScriptedUpstream(good) as upstream:
        gateway = start_gateway(upstream.target, "--threads", "1")
        for _ in range(20):
            assert http1.request(gateway.port, "GET", "/v1/echo/a").status == 200
        assert upstream.connections == 1


@pytest.mark.parametrize("where", ["head", "trailers", "trailers alone"])
def test_fields_over_the_limit_are_an_error_not_a_part_of_them(call_through, where):
    huge = {f"x-{index}": "y" * 4000 for index in range(12)}

    def script(call):
        if where == "trailers alone":
            call.head({**huge, **GOOD}, end=True)
            return
        call.head(huge if where == "head" else None)
        call.data(MESSAGE)
        call.trailers({**huge, **GOOD} if where == "trailers" else GOOD)

    with ScriptedUpstream(script) as upstream:
        code, message, reason = call_through(upstream)
    assert (code, reason) == (8, "upstream_headers_too_large"), message


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
