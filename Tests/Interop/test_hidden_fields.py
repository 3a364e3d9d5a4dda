"""Fields of one hop, of HTTP and of the protocols never cross to the other side, whatever the protocol; metadata does."""
import pytest

from support.gateway_process import GatewayProcess
from support.matrix.axes import Cell
from support.matrix.framing import envelope, from_base64
from support.matrix.raw_body import BodyCall, as_sent
from support.matrix.schema import MATRIX_SET, Order
from support.scripted_upstream import ScriptedUpstream
from support.upstream_scripts import MESSAGE, fine

WIRES = [("connect", "1.1", "unary"), ("connect", "2", "unary"), ("connect", "1.1", "server-stream"), ("connect", "2", "bidi"),
         ("grpc-web", "1.1", "unary"), ("grpc-web", "2", "bidi"), ("grpc-web-text", "1.1", "server-stream"), ("grpc", "2", "unary"),
         ("grpc", "2", "bidi")]
every_wire = pytest.mark.parametrize("wire", WIRES, ids=" ".join)
# What only HTTP/1.1 may send; HTTP/2 takes such a head for malformed.
OF_HTTP1 = {"connection": "keep-alive, x-hop", "x-hop": "1", "keep-alive": "timeout=5", "proxy-connection": "keep-alive"}
FROM_CLIENT = {"connect-other": "1", "grpc-status": "5", "grpc-message": "no", "grpc-status-details-bin": "AA", "grpc-other": "1",
               "content-language": "en", "content-location": "/", "expect-ct": "x", "trailer": "x-late", "host-x": "stays",
               "proxy-authorization": "Basic x", "x-server-timeout": "9", "x-ok": "1", "x-ok-bin": "AP8=", "authorization": "Bearer t",
               "cookie": "a=b"}
MUST_PASS = {"x-ok": "1", "host-x": "stays", "authorization": "Bearer t", "cookie": "a=b"}
ALLOWED = {":method", ":scheme", ":path", ":authority", "te", "content-type", "user-agent", "grpc-timeout", "grpc-encoding",
           "grpc-accept-encoding", "x-ok-bin", "x-user-agent", "accept", "expect-ct", "via", "x-forwarded-for", "x-forwarded-proto",
           "x-forwarded-host", "x-request-id", "forwarded", *MUST_PASS}
FROM_UPSTREAM = {"connect-other": "1", "grpc-other": "1", "trailer-connect-x": "1", "content-length": str(len(MESSAGE)),
                 "content-encoding": "identity", "content-range": "bytes 0-1/2", "accept-post": "x", "alt-svc": "h3=\":1\"",
                 "server": "upstream", "gateway-error": "not mine", "keep-alive-x": "stays", "x-ok": "1", "x-ok-bin": "AP8",
                 "cache-control": "no-store", "etag": "\"1\""}


@pytest.fixture(scope="module")
def upstream_and_gateway():
    with ScriptedUpstream(fine) as upstream:
        process = GatewayProcess("proxy", upstream.target, "--descriptors", MATRIX_SET, "--listen", "127.0.0.1:0", "--admin", "off",
                                 "--threads", "1")
        yield upstream, process
        process.stop()


def make_call(port, wire, change=None):
    one = Cell("raw", wire[0], "proto", wire[1], wire[2], "identity", "plain", "ok")
    with BodyCall(port, one, change=change) as call:
        payload = Order(key="a").SerializeToString()
        call.send(payload if one.is_bare else as_sent(one, envelope(payload)), end=True)
        return call.answer()


@every_wire
def test_what_the_upstream_sees_of_a_clients_head(upstream_and_gateway, wire):
    upstream, gateway = upstream_and_gateway
    upstream.script = fine
    fields = FROM_CLIENT | (OF_HTTP1 if wire[1] == "1.1" else {})
    assert make_call(gateway.port, wire, fields).failure is None
    seen = upstream.calls[-1].headers
    assert set(seen) <= ALLOWED, set(seen) - ALLOWED
    assert seen["te"] == "trailers" and seen["content-type"].startswith("application/grpc")
    assert {name: seen.get(name) for name in MUST_PASS} == MUST_PASS
    assert from_base64(seen["x-ok-bin"].rstrip("=")) == b"\0\xff"


@every_wire
@pytest.mark.parametrize("fails", [False, True])
def test_what_a_client_sees_of_an_upstreams_head_and_trailers(upstream_and_gateway, wire, fails):
    upstream, gateway = upstream_and_gateway

    def script(call):
        call.head(FROM_UPSTREAM)
        call.data(MESSAGE)
        call.trailers({**{name: value for name, value in FROM_UPSTREAM.items() if name != "content-length"},
                       "grpc-status": "9" if fails else "0"})

    upstream.script = script
    answer = make_call(gateway.port, wire)
    assert (answer.failure.code if answer.failure else "ok") == ("failed_precondition" if fails else "ok")
    head, trailers = dict(answer.fields), dict(answer.trailer_pairs)
    prefix = "trailer-" if wire[0] == "connect" and wire[2] == "unary" else ""
    end = head if prefix else trailers
    for fields, before in ((head, ""), (end, prefix)):
        for name in ("x-ok", "keep-alive-x", "etag"):
            assert fields[before + name] == FROM_UPSTREAM[name], (name, fields)
        assert fields[before + "x-ok-bin"] == "AP8", fields
        for name in ("connect-other", "grpc-other", "trailer-connect-x", "content-range", "accept-post", "alt-svc", "server",
                     "gateway-error"):
            assert before + name not in fields or name == "server" and fields[name] != "upstream", (name, fields)


@every_wire
def test_values_of_binary_metadata_joined_by_commas(upstream_and_gateway, wire):
    """c.9, d.6: split before they are decoded; padding is taken and not given."""
    upstream, gateway = upstream_and_gateway
    upstream.script = fine
    make_call(gateway.port, wire, {"x-list-bin": "AA==, AP8,/////w=="})
    seen = upstream.calls[-1].headers["x-list-bin"]
    assert [from_base64(part.strip().rstrip("=")) for part in seen.split(",")] == [b"\0", b"\0\xff", b"\xff" * 4]
