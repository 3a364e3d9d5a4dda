"""A request may not get dearer: user instructions and heap allocations of the gateway, counted by callgrind.

One connection, one call in flight. A run with few requests is taken from one with many, so that the start of the process does
not count. Instructions repeat within 1 % where times do not. `-rP` prints the table.
"""
import socket
from concurrent.futures import ThreadPoolExecutor

from support.benchmark_documents import Documents, release_only
from support.callgrind import Profile
from support.gateway_process import GatewayProcess
from support.http2 import Client, Response
from support.scripted_upstream import ScriptedUpstream

# User instructions a request. To be lowered by whoever makes it cheaper, raised only with a reason.
BUDGET = {
    "rest": 34_500, "rest-get": 36_900, "rest-h2": 43_500, "connect": 34_700, "grpc-web": 26_400, "grpc": 35_900,
}
SLACK = 1.05
FEW, MANY = 40, 340
# Swift's hashes with a fixed seed, so that two starts are alike.
UNDER = ["env", "SWIFT_DETERMINISTIC_HASHING=1", "valgrind", "-q", "--tool=callgrind"]
ALLOCATORS = {"malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc"}

pytestmark = release_only


class HTTP1:
    """Sends one request again and again, each with one write, and reads each answer whole."""

    def __init__(self, port, method, path, content_type, body):
        self.socket = socket.create_connection(("127.0.0.1", port), 30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        entity = f"content-type: {content_type}\r\ncontent-length: {len(body)}\r\n" if body else ""
        self.request = f"{method} {path} HTTP/1.1\r\nhost: gateway.test\r\n{entity}\r\n".encode() + body

    def call(self):
        self.socket.sendall(self.request)
        answer = b""
        while not self._is_whole(answer):
            piece = self.socket.recv(65536)
            assert piece, answer
            answer += piece
        assert answer.startswith(b"HTTP/1.1 200 "), answer

    @staticmethod
    def _is_whole(answer):
        head, end, body = answer.partition(b"\r\n\r\n")
        if b"transfer-encoding: chunked" in head:
            return body.endswith(b"0\r\n\r\n")
        length = [line.split(b": ")[1] for line in head.split(b"\r\n") if line.startswith(b"content-length: ")]
        return bool(end) and len(body) == int(length[0])


class HTTP2:
    """The same on one HTTP/2 connection."""

    def __init__(self, port, path, content_type, body):
        self.client, self.body = Client(port, 30), body
        self.fields = [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "gateway.test"),
                       ("content-type", content_type), ("te", "trailers")]

    def call(self):
        h2 = self.client.h2
        stream = h2.get_next_available_stream_id()
        h2.send_headers(stream, self.fields)
        h2.send_data(stream, self.body, end_stream=True)
        self.client.responses[stream] = Response()
        self.client.flush()
        assert self.client.wait(stream).status == 200


def answer(documents):
    """A script for the upstream: every call is answered by its own message, or by the item, with one write."""
    item = documents.read("item.grpc")

    def script(call):
        body = item if call.headers[":path"].endswith("/GetItem") else call.body
        h2, stream = call.connection.h2, call.stream
        h2.send_headers(stream, [(":status", "200"), ("content-type", "application/grpc")])
        h2.send_data(stream, body)
        h2.send_headers(stream, [("grpc-status", "0")], end_stream=True)
        call.connection.flush()
    return script


def client(row, port, documents):
    rpc = "/bench.v1.BenchService/Echo"
    json, grpc = documents.read("small.json"), documents.read("small.grpc")
    match row:
        case "rest": return HTTP1(port, "POST", "/v1/echo", "application/json", json)
        case "rest-get": return HTTP1(port, "GET", documents.read("item.path").decode(), "", b"")
        case "rest-h2": return HTTP2(port, "/v1/echo", "application/json", json)
        case "connect": return HTTP1(port, "POST", rpc, "application/json", json)
        case "grpc-web": return HTTP1(port, "POST", rpc, "application/grpc-web+proto", grpc)
        case "grpc": return HTTP2(port, rpc, "application/grpc", grpc)


def profile(row, count, documents):
    """The gateway's counts after so many requests."""
    path = documents.path(f"{row}.{count}.callgrind")
    with ScriptedUpstream(answer(documents)) as upstream:
        gateway = GatewayProcess(
            "proxy", upstream.target, "--descriptors", documents.path("bench.pb"), "--listen", "127.0.0.1:0", "--threads", "1",
            "--admin", "off", seconds=120, under=[*UNDER, f"--callgrind-out-file={path}"])
        caller = client(row, gateway.port, documents)
        for _ in range(count):
            caller.call()
        gateway.stop()
    return Profile(path)


def test_no_request_costs_more_than_its_budget(tmp_path):
    documents = Documents(str(tmp_path))
    runs = [(row, count) for row in BUDGET for count in (FEW, MANY)]
    with ThreadPoolExecutor(2) as pool:
        found = dict(zip(runs, pool.map(lambda run: profile(*run, documents), runs)))
    dear = []
    for row, budget in BUDGET.items():
        few, many = found[row, FEW], found[row, MANY]

        def each(count):
            return (count(many) - count(few)) / (MANY - FEW)
        instructions = each(lambda run: run.instructions)
        own = each(lambda run: run.called(ALLOCATORS, lambda caller: caller.endswith("/gateway")))
        nghttp2 = each(lambda run: run.called(ALLOCATORS, lambda caller: "nghttp2" in caller))
        print(f"{row:9} {instructions:8.0f} of {budget:6} instructions, allocations: {own:5.2f}, nghttp2's {nghttp2:5.2f}")
        # A request allocates nothing: what is left are buffers that grow now and then.
        if instructions > budget * SLACK or own > 0.1:
            dear.append((row, round(instructions), budget, own))
    assert dear == []
