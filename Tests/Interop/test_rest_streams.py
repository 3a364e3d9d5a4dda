"""REST server streams: arrays, NDJSON and Server-Sent Events on both HTTP versions, their ends, and their silence."""
import json
import socket
import time

import pytest

from support import http1, http2
from support.configuration import configuration, run_gateway
from support.schema import INTEROP_SET
from support.scripted_upstream import ScriptedUpstream

STREAM = "/v1/stream?count=3&size=2"
ITEMS = [{"payload": "eHg="}, {"index": 1, "payload": "eHg="}, {"index": 2, "payload": "eHg="}]
FORMS = {"array": "application/json", "ndjson": "application/x-ndjson", "sse": "text/event-stream"}
FAILURE = {"code": 15, "message": "lost", "messagesBefore": 2}


def events(body):
    """The events of a stream as a browser reads them: (type, data, id)."""
    found = []
    for block in body.decode().split("\n\n")[:-1]:
        kind, data, identifier = "message", [], None
        for line in block.split("\n"):
            name, _, value = line.partition(": ")
            if name == "event":
                kind = value
            elif name == "data":
                data.append(value)
            elif name == "id":
                identifier = value
        if data:
            found.append((kind, json.loads("\n".join(data)), identifier))
    return found


def elements(form, body):
    """The messages of a complete body."""
    if form == "array":
        return json.loads(body)
    if form == "ndjson":
        return [json.loads(line) for line in body.decode().splitlines()]
    found = events(body)
    assert found[-1] == ("end", {}, None)
    return [data for kind, data, _ in found[:-1]]


class Call:
    """One answer on either version: head, body, and whether it is complete."""

    def __init__(self, version, port, method, path, accept, body=b"", headers=None):
        headers = {"accept": accept, **(headers or {})}
        if version == "1.1":
            self._over_http1(port, method, path, headers, body)
        else:
            with http2.Client(port) as client:
                stream = client.open(path, {"te": None, "content-type": "application/json", **headers}, method=method,
                                     end=not body)
                if body:
                    client.send(stream, body, end=True)
                response = client.wait(stream)
                self.status, self.headers, self.body = response.status, response.headers, response.body
                self.is_complete, self.reset = response.whole, response.reset
                self.trailers = response.trailers

    def _over_http1(self, port, method, path, headers, body):
        lines = "".join(f"{name}: {value}\r\n" for name, value in {"content-type": "application/json", **headers}.items())
        with socket.create_connection(("127.0.0.1", port), 10) as client:
            client.sendall(f"{method} {path} HTTP/1.1\r\nhost: a\r\ncontent-length: {len(body)}\r\n{lines}\r\n".encode() + body)
            received = b""
            while not self._is_whole(received):
                piece = client.recv(65536)
                if not piece:
                    break
                received += piece
        head, _, rest = received.partition(b"\r\n\r\n")
        first, *fields = head.decode().split("\r\n")
        self.status = int(first.split(" ")[1])
        self.headers = {name.lower(): value for name, _, value in (field.partition(": ") for field in fields)}
        self.is_complete = self._is_whole(received)
        if "content-length" in self.headers:
            self.body = rest
            return
        self.body = b""
        while rest:
            size, _, rest = rest.partition(b"\r\n")
            self.body, rest = self.body + rest[:int(size, 16)], rest[int(size, 16) + 2:]

    @staticmethod
    def _is_whole(received):
        head, separator, rest = received.partition(b"\r\n\r\n")
        for field in head.lower().split(b"\r\n"):
            if field.startswith(b"content-length: "):
                return separator and len(rest) >= int(field[16:])
        return rest.endswith(b"0\r\n\r\n") and (rest == b"0\r\n\r\n" or rest.endswith(b"\r\n0\r\n\r\n"))


versions = pytest.mark.parametrize("version", ["1.1", "2"])
forms = pytest.mark.parametrize("form", FORMS)


@versions
@forms
def test_a_stream_comes_in_each_form(gateway, version, form):
    call = Call(version, gateway.port, "GET", STREAM, FORMS[form])
    assert call.status == 200 and call.is_complete
    assert call.headers["content-type"] == FORMS[form]
    assert call.headers["cache-control"] == "no-store" and call.headers["x-accel-buffering"] == "no"
    assert elements(form, call.body) == ITEMS


@versions
@forms
def test_an_empty_stream_is_empty(gateway, version, form):
    call = Call(version, gateway.port, "GET", "/v1/stream", FORMS[form])
    assert (call.status, call.is_complete, elements(form, call.body)) == (200, True, [])


@versions
@forms
def test_an_error_amid_a_stream_is_seen(gateway, version, form):
    call = Call(version, gateway.port, "POST", "/v1/fail-stream", FORMS[form], json.dumps(FAILURE).encode())
    error = {"code": 15, "message": "lost"}
    assert call.status == 200
    if form == "sse":
        assert call.is_complete
        assert events(call.body)[2:] == [("rpc-error", error, None)]
        return
    assert not call.is_complete
    if version == "2":
        assert call.reset == 2  # INTERNAL_ERROR
    if form == "array":
        assert json.loads(call.body + b"]") == [{}, {"index": 1}, {"error": error}]
    else:
        assert [json.loads(line) for line in call.body.splitlines()] == [{}, {"index": 1}, {"error": error}]


@versions
@forms
def test_an_error_before_the_first_message_has_its_status(gateway, version, form):
    body = json.dumps({"code": 5, "message": "none"}).encode()
    call = Call(version, gateway.port, "POST", "/v1/fail-stream", FORMS[form], body)
    assert (call.status, call.is_complete) == (404, True)
    assert call.headers["content-type"] == "application/json"
    assert json.loads(call.body) == {"code": 5, "message": "none"}


@versions
@forms
def test_head_is_answered_without_the_stream(gateway, echo, version, form):
    key = f"head-{version}-{form}"
    with http1.Connection(gateway.port) if version == "1.1" else http2.Client(gateway.port) as client:
        path = f"/v1/stream?count=1000000&size=10&interval=0.05s&key={key}"
        if version == "1.1":
            answer = client.request("HEAD", path, headers={"accept": FORMS[form]})
        else:
            stream = client.open(path, {"te": None, "content-type": None, "accept": FORMS[form]}, method="HEAD", end=True)
            answer = client.wait(stream)
        assert answer.status == 200 and answer.headers["content-type"] == FORMS[form] and answer.body == b""
    assert echo.journal.wait(key, "cancelled", 10)


def test_messages_leave_one_by_one(gateway):
    with socket.create_connection(("127.0.0.1", gateway.port), 10) as client:
        client.sendall(b"GET /v1/stream?count=3&interval=0.3s HTTP/1.1\r\nhost: a\r\naccept: application/x-ndjson\r\n\r\n")
        began, received, times = time.monotonic(), b"", []
        while not received.endswith(b"0\r\n\r\n"):
            received += client.recv(65536)
            times.append(time.monotonic() - began)
    assert times[0] < 0.25 and times[-1] > 0.5 and len(times) >= 3


@versions
def test_a_client_that_leaves_ends_the_call(gateway, echo, version):
    key = f"leaves-{version}"
    path = f"/v1/stream?count=1000000&interval=0.05s&key={key}"
    if version == "1.1":
        with socket.create_connection(("127.0.0.1", gateway.port), 10) as client:
            client.sendall(f"GET {path} HTTP/1.1\r\nhost: a\r\naccept: text/event-stream\r\n\r\n".encode())
            client.recv(100)
    else:
        with http2.Client(gateway.port) as client:
            stream = client.open(path, {"te": None, "content-type": None}, method="GET", end=True)
            client.wait_for(lambda: client.responses[stream].body)
    assert echo.journal.wait(key, "cancelled", 10)


@pytest.fixture(scope="module")
def quiet(echo, tmp_path_factory):
    """Silence is short, and events have ids."""
    services = [{"upstream": "echo", "descriptors": {"file": INTEROP_SET}, "stream": {"open_after": "200ms"},
                 "sse": {"heartbeat": "250ms", "id_field": "index", "retry": "3s", "last_event_id_field": "count"},
                 "rest": {"stream": "ndjson", "stream_envelope": True}}]
    gateway = run_gateway(tmp_path_factory.mktemp("quiet"), configuration(echo.target, services=services))
    yield gateway
    gateway.stop()


def read_until(client, what, seconds=5):
    client.settimeout(seconds)
    received = b""
    while what not in received:
        piece = client.recv(65536)
        assert piece, received
        received += piece
    return received


def test_a_silent_stream_is_opened_and_kept_alive(quiet):
    with socket.create_connection(("127.0.0.1", quiet.port), 10) as client:
        began = time.monotonic()
        client.sendall(b"GET /v1/stream?count=2&interval=1.2s HTTP/1.1\r\nhost: a\r\naccept: text/event-stream\r\n\r\n")
        received = read_until(client, b"event: end")
        body = received.replace(b"\r\n", b"\n")
        assert body.count(b": ping\n\n") >= 3
        assert body.index(b"retry: 3000") < body.index(b"data:")
        # proto3 leaves out an index of 0: that event has no id.
        assert b"id: 1\n" in body and b"id: 0" not in body
        assert time.monotonic() - began > 1.1


def test_heads_leave_before_an_upstream_that_says_nothing(tmp_path):
    """A listener that accepts and then says nothing stands for an upstream that hangs."""
    with socket.create_server(("127.0.0.1", 0)) as hung:
        services = [{"upstream": "echo", "descriptors": {"file": INTEROP_SET}, "stream": {"open_after": "300ms"},
                     "sse": {"heartbeat": "200ms"}}]
        gateway = run_gateway(tmp_path, configuration(f"127.0.0.1:{hung.getsockname()[1]}", services=services))
        try:
            with socket.create_connection(("127.0.0.1", gateway.port), 10) as client:
                began = time.monotonic()
                client.sendall(b"GET /v1/stream HTTP/1.1\r\nhost: a\r\naccept: text/event-stream\r\nx-server-timeout: 2\r\n\r\n")
                head = read_until(client, b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 200 OK") and time.monotonic() - began > 0.25
                body = head + read_until(client, b"\r\n0\r\n\r\n")
                assert body.count(b": ping") >= 3
                assert b'event: rpc-error\ndata: {"code":4' in body
        finally:
            gateway.stop()


def test_an_early_error_keeps_its_status_until_then(quiet):
    answer = http1.request(quiet.port, "POST", "/v1/fail-stream", {"code": 7, "message": "no"}, {"accept": "text/event-stream"})
    assert answer.status == 403 and answer.json == {"code": 7, "message": "no"}


def test_what_is_configured_is_what_anyone_gets(quiet):
    answer = http1.request(quiet.port, "GET", "/v1/stream?count=2")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.body == b'{"result":{}}\n{"result":{"index":1}}\n'


def test_the_last_event_counts_more_than_the_query(quiet):
    path = "/v1/stream?count=1"
    answer = http1.request(quiet.port, "GET", path, headers={"accept": "text/event-stream", "last-event-id": "4"})
    assert [data["result"] if "result" in data else data for kind, data, _ in events(answer.body) if kind == "message"] == [
        {}, {"index": 1}, {"index": 2}, {"index": 3}]
    answer = http1.request(quiet.port, "GET", path, headers={"accept": "text/event-stream", "last-event-id": "x y"})
    assert answer.status == 400 and "last-event-id" in answer.json["message"]


@pytest.mark.parametrize("version", ["1.1", "2"])
def test_a_slow_reader_slows_the_upstream(gateway, echo, version):
    key = f"slow-{version}"
    path = f"/v1/stream?count=100000&size=10000&key={key}"
    if version == "1.1":
        with socket.create_connection(("127.0.0.1", gateway.port), 10) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            client.sendall(f"GET {path} HTTP/1.1\r\nhost: a\r\n\r\n".encode())
            sent = echo.journal.wait_stalled(key, 1, 20)
    else:
        with http2.Client(gateway.port) as client:
            client.open(path, {"te": None, "content-type": None}, method="GET", end=True)
            sent = echo.journal.wait_stalled(key, 1, 20)
    assert sent < 2000, f"{sent * 10000 / 1e6} MB were taken"


def test_leading_metadata_is_no_trailer_of_a_stream_that_the_gateway_ends(tmp_path):
    """Its deadline passes behind the upstream's head: there are no trailers, and the head was none."""
    def script(call):
        call.head({"x-note": "1"})
        call.data(http2.envelope(b""))

    with ScriptedUpstream(script) as upstream:
        gateway = run_gateway(tmp_path, configuration(upstream.target))
        try:
            call = Call("2", gateway.port, "GET", STREAM, FORMS["sse"], headers={"x-server-timeout": "0.5"})
            assert call.status == 200 and call.headers["x-note"] == "1"
            assert events(call.body)[-1][0] == "rpc-error"
            assert call.trailers == {}
        finally:
            gateway.stop()
