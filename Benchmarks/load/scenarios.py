"""Kinds of request: what is sent, by which protocol, and how the answer is checked byte by byte."""
import json
import os

DIR = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(DIR, "out")
SERVICE = "/bench.v1.BenchService/"

CONTENT_TYPES = {
    "grpc": "application/grpc", "web": "application/grpc-web+proto", "connect-json": "application/json",
    "connect-proto": "application/proto",
}
BODIES = {"grpc": ".grpc", "web": ".grpc", "connect-json": ".json", "connect-proto": ".pb"}


def data(name):
    with open(os.path.join(OUT, name), "rb") as f:
        return f.read()


class Scenario:
    """One kind of request. `body` names files in out/: NAME.json for transcoders, NAME.grpc for plain proxies."""

    def __init__(self, title, rpc, body, kind="json", path=None, h2=False, conns=64, streams=1, units=1, rate=0,
                 tls=False, accept=None):
        self.tls, self.title, self.rpc, self.body, self.kind, self.path, self.h2 = tls, title, rpc, body, kind, path, h2
        self.accept = accept
        self.conns, self.streams, self.units, self.rate = conns, streams, units, rate

    def refused_by(self, gateway):
        """Why this gateway cannot take part; None if it can."""
        if self.tls != gateway.tls:
            return "needs a gateway with TLS" if self.tls else "listens with TLS only"
        if self.accept and not gateway.events:
            return "has no " + self.accept
        if self.kind == "web" and not gateway.transcodes:
            return "a plain proxy, see grpc"
        if self.kind.startswith("connect") and not gateway.connect:
            return "speaks no Connect"
        return None

    def load_args(self, gateway):
        """Arguments of out/load, less duration and rate."""
        kind = self.kind if gateway.transcodes else "grpc"
        file = lambda suffix: os.path.join(OUT, self.body + suffix)
        args = ["-2"] * self.h2 + ["-t"] * self.tls + ["-c", str(self.conns), "-m", str(self.streams)]
        if kind != "json":
            args += ["-X", "POST", "-b", file(BODIES[kind]), "-H", "te: trailers", "-H",
                     "content-type: " + CONTENT_TYPES[kind]]
            path = SERVICE + self.rpc
        elif self.path.startswith("GET "):
            path = self.path[4:]
        else:
            body = file(".ndjson") if gateway.ndjson and self.body == "many" else file(".json")
            args += ["-X", "POST", "-b", body, "-H", "content-type: application/json"]
            path = self.path
        if self.accept:
            args += ["-H", "accept: " + self.accept]
        return args + [str(gateway.port2 if self.h2 else gateway.port), path]

    def check(self, gateway, body):
        """None if `body` answers the request, else what is wrong with it."""
        kind = self.kind if gateway.transcodes else "grpc"
        begin = repr(body[:60])
        if self.rpc == "StreamItems":
            n = body.count(b'"payload"') if kind == "json" else body.count(b"x" * 32)
            return None if n == 1000 else f"{n} of 1000 messages: {begin}"
        if self.rpc == "Collect":
            n = body.count(b'"100"') if kind == "json" else body.count(b"\x08\x64\x10")
            return None if n == 1 else begin
        if kind in ("grpc", "connect-proto"):
            return None if body == data(self.body + BODIES[kind]) else begin
        if kind == "web":
            ended = b"grpc-status:0" in body.replace(b" ", b"").lower()
            return None if body.startswith(data(self.body + ".grpc")) and ended else begin
        if self.rpc == "Chat":
            n = body.count(b'"displayName"')
            return None if n == 100 else f"{n} of 100 messages: {begin}"
        try:
            return None if json.loads(body) == json.loads(data(self.body + ".json")) else "other JSON: " + begin
        except ValueError:
            return "no JSON: " + begin


def scenarios():
    """name → Scenario, in the order of the report."""
    item = "GET " + data("item.path").decode()
    h2 = {"h2": True, "conns": 8, "streams": 8}
    return {
        "h1-post": Scenario("HTTP/1.1 JSON POST, small unary", "Echo", "small", path="/v1/echo"),
        "h1-get": Scenario("HTTP/1.1 GET, path + query parameters", "GetItem", "item", path=item),
        "h2-post": Scenario("h2c JSON POST, small unary", "Echo", "small", path="/v1/echo", **h2),
        "web-h1": Scenario("gRPC-Web binary over HTTP/1.1, small unary", "Echo", "small", kind="web"),
        "web-h2": Scenario("gRPC-Web binary over h2c, small unary", "Echo", "small", kind="web", **h2),
        "connect-json": Scenario("Connect JSON over HTTP/1.1, small unary", "Echo", "small", kind="connect-json"),
        "connect-proto": Scenario("Connect protobuf over HTTP/1.1, small unary", "Echo", "small", kind="connect-proto"),
        "grpc": Scenario("native gRPC over h2c, small unary", "Echo", "small", kind="grpc", **h2),
        "tls-h1": Scenario("HTTP/1.1 JSON POST by TLS, small unary", "Echo", "small", path="/v1/echo", tls=True),
        "tls-h2": Scenario("HTTP/2 JSON POST by TLS, small unary", "Echo", "small", path="/v1/echo", tls=True, **h2),
        "h1-1k": Scenario("HTTP/1.1 JSON POST, 1 KB batch", "EchoBatch", "1k", path="/v1/batch"),
        "h1-64k": Scenario("HTTP/1.1 JSON POST, 64 KB batch", "EchoBatch", "64k", path="/v1/batch", conns=8),
        "h1-1m": Scenario("HTTP/1.1 JSON POST, 1 MB batch", "EchoBatch", "1m", path="/v1/batch", conns=2),
        "grpc-1m": Scenario("native gRPC, 1 MB batch (0.6 MB protobuf)", "EchoBatch", "1m", kind="grpc", h2=True,
                            conns=2),
        "sstream": Scenario("HTTP/1.1 JSON server stream, per message of 1000", "StreamItems", "stream",
                            path="GET /v1/stream?count=1000&size=32", conns=8, units=1000),
        "sstream-h2": Scenario("h2c JSON server stream, per message of 1000", "StreamItems", "stream",
                               path="GET /v1/stream?count=1000&size=32", h2=True, conns=4, streams=2, units=1000),
        "sstream-sse": Scenario("HTTP/1.1 Server-Sent Events, per message of 1000", "StreamItems", "stream",
                                path="GET /v1/stream?count=1000&size=32", conns=8, units=1000, accept="text/event-stream"),
        "sstream-ndjson": Scenario("HTTP/1.1 NDJSON server stream, per message of 1000", "StreamItems", "stream",
                                   path="GET /v1/stream?count=1000&size=32", conns=8, units=1000,
                                   accept="application/x-ndjson"),
        "cstream": Scenario("HTTP/1.1 JSON client stream, per message of 100", "Collect", "many", path="/v1/collect",
                            conns=8, units=100),
        "bidi": Scenario("h2c JSON bidi stream, per message of 100", "Chat", "many", path="/v1/chat", h2=True, conns=4,
                         streams=2, units=100),
        "grpc-bidi": Scenario("native gRPC bidi stream, per message of 100", "Chat", "many", kind="grpc", h2=True,
                              conns=4, streams=2, units=100),
        "rate-h1": Scenario("HTTP/1.1 JSON POST, small unary, fixed rate", "Echo", "small", path="/v1/echo", rate=1000),
        "rate-h2": Scenario("h2c JSON POST, small unary, fixed rate", "Echo", "small", path="/v1/echo", rate=1000, **h2),
        "rate-grpc": Scenario("native gRPC, small unary, fixed rate", "Echo", "small", kind="grpc", rate=1000, **h2),
    }
