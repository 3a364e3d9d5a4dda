"""How a head decides the protocol, its form and its refusal: content types, methods, paths, versions, `accept`."""
import pytest

from support import http1
from support.matrix.axes import Cell
from support.matrix.framing import envelope
from support.matrix.protocols import GRPCWeb, GRPCWebText
from support.matrix.raw_body import BodyCall, as_sent, ask
from support.matrix.raw_client import encode
from support.matrix.schema import SERVICE, Order


def cell(protocol, http, kind="unary", codec="json"):
    return Cell("raw", protocol, codec, http, kind, "identity", "plain", "ok")


def body(one):
    message = Order(key="k")
    message.plan.answers, message.plan.head_first = 1, True
    payload = encode(one.codec, message)
    return payload if one.is_bare else as_sent(one, envelope(payload))


WIRES = [("connect", "1.1", "unary"), ("connect", "2", "unary"), ("connect", "1.1", "server-stream"), ("connect", "2", "bidi"),
         ("grpc-web", "1.1", "unary"), ("grpc-web", "2", "bidi"), ("grpc-web-text", "1.1", "server-stream"), ("grpc", "2", "unary"),
         ("grpc", "2", "bidi")]
every_wire = pytest.mark.parametrize("wire", WIRES, ids=" ".join)


@every_wire
@pytest.mark.parametrize("suffix", ["; charset=utf-8", ";charset=UTF-8", " ; a=\"b;c\""])
@pytest.mark.parametrize("case", [str.lower, str.upper])
def test_parameters_and_case_of_the_content_type_do_not_matter(port, wire, suffix, case):
    one = cell(*wire)
    with BodyCall(port, one) as plain:
        content_type = dict(plain.protocol.head_fields(None))["content-type"]
    code, items, answer = ask(port, one, body(one), change={"content-type": case(content_type) + suffix})
    assert (code, [item.key for item in items]) == ("ok", ["k"]), answer.failure


@every_wire
def test_an_unknown_codec(port, wire):
    """415 with the codecs that there are; gRPC may say so in a status."""
    one = cell(*wire)
    with BodyCall(port, one) as plain:
        content_type = dict(plain.protocol.head_fields(None))["content-type"].replace("json", "xml")
    with BodyCall(port, one, change={"content-type": content_type}) as call:
        call.send(body(one), end=True)
        status, fields, _ = call.plain_answer()
        if one.protocol == "grpc" and status == 200:
            assert fields["grpc-status"] in ("3", "12", "13"), fields
            return
        assert status == 415, fields
        known = fields["accept-post"]
        assert "application/json" in known and "application/proto" in known or "application/connect+json" in known, fields
        assert "gateway-error" in fields, fields


@pytest.mark.parametrize("http", ["1.1", "2"])
@pytest.mark.parametrize("kind, content_type", [
    ("unary", "application/connect+json"), ("unary", "application/connect+proto"), ("server-stream", "application/json"),
    ("client-stream", "application/proto"), ("bidi", "application/json")])
def test_connect_unary_and_streams_have_content_types_of_their_own(port, http, kind, content_type):
    one = cell("connect", http, kind)
    with BodyCall(port, one, change={"content-type": content_type}) as call:
        call.send(body(one), end=True)
        status, fields, _ = call.plain_answer()
        assert status == 415, (status, fields)
        assert content_type not in fields["accept-post"], fields


@every_wire
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_other_methods(port, wire, method):
    one = cell(*wire)
    with BodyCall(port, one, method=method) as call:
        call.send(body(one), end=True)
        status, fields, _ = call.plain_answer()
        assert status == 405, (status, fields)
        assert "POST" in fields["allow"], fields


@every_wire
@pytest.mark.parametrize("path", [f"/{SERVICE}/Nothing", "/no.such.Service/Unary", f"/{SERVICE}/unary", f"/{SERVICE}/Unary/"])
def test_a_method_that_nobody_has(port, wire, path):
    """unimplemented: by HTTP 404, from which Connect's clients read it, or by gRPC's own status."""
    one = cell(*wire)
    with BodyCall(port, one, path=path) as call:
        call.send(body(one), end=True)
        status, fields, _ = call.plain_answer()
        if one.protocol.startswith("grpc") and status == 200:
            assert fields["grpc-status"] == "12", fields
        else:
            assert status == 404, (status, fields)


@pytest.mark.parametrize("wire", [wire for wire in WIRES if wire[0] == "connect"], ids=" ".join)
@pytest.mark.parametrize("version", ["2", "0", "", "1.0", "one"])
def test_another_version_of_connect(port, wire, version):
    one = cell(*wire)
    code, _, answer = ask(port, one, body(one), change={"connect-protocol-version": version})
    assert code == "invalid_argument", answer.failure


@pytest.mark.parametrize("wire", [wire for wire in WIRES if wire[0] == "connect"], ids=" ".join)
def test_connect_without_its_version(port, wire):
    one = cell(*wire)
    assert ask(port, one, body(one), change={"connect-protocol-version": None})[0] == "ok"


@pytest.mark.parametrize("http", ["1.1", "2"])
@pytest.mark.parametrize("sent, accept, expected", [
    ("grpc-web", "application/grpc-web-text", GRPCWebText), ("grpc-web", "application/grpc-web-text+json", GRPCWebText),
    ("grpc-web-text", "application/grpc-web", GRPCWeb), ("grpc-web-text", "application/grpc-web+json", GRPCWeb),
    ("grpc-web", "*/*", GRPCWeb), ("grpc-web-text", "*/*", GRPCWebText), ("grpc-web", "application/json", GRPCWeb),
    ("grpc-web-text", None, GRPCWebText), ("grpc-web", None, GRPCWeb)])
def test_accept_chooses_between_text_and_binary(port, http, sent, accept, expected):
    one = cell(sent, http)
    with BodyCall(port, one, change={"accept": accept}) as call:
        call.send(body(one), end=True)
        call.protocol = expected("json", "identity", True)
        assert call.answer().failure is None
        assert [item.key for item in call.items()] == ["k"]


def test_grpc_over_http1_is_refused(port):
    answer = http1.request(port, "POST", f"/{SERVICE}/Unary", b"", {"content-type": "application/grpc", "te": "trailers"})
    assert answer.status == 505 and answer.headers["gateway-error"] == "http2_required", answer


@pytest.mark.parametrize("content_type", ["application/grpc-websocket", "application/grpc-web-textual", "application/grpcweb",
                                          "application/grpc+", "application/connect+", "application/connect"])
def test_what_only_begins_like_a_protocol(port, content_type):
    answer = http1.request(port, "POST", f"/{SERVICE}/Unary", b"{}", {"content-type": content_type})
    assert answer.status == 415, answer
