"""What upstreams are told of the client and its request, and which metadata passes: by grpcio, h2, curl and TLS clients."""
import hashlib
import json
import re
import socket
import subprocess

import grpc
import pytest
from cryptography.hazmat.primitives import serialization

from support import http1, tls
from support.configuration import configuration, run_gateway
from support.http1 import RawConnection
from support.http2 import Client, envelope
from support.schema import ECHO, INTEROP_SET, HeadersRequest, HeadersResponse

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
CLAIMS = {"x-forwarded-for": "1.1.1.1", "x-forwarded-proto": "https", "x-forwarded-host": "evil.example",
          "x-forwarded-client-cert": "Hash=0", "x-forwarded-port": "443", "x-forwarded-user": "root",
          "forwarded": "for=1.1.1.1", "x-request-id": "mine"}
TRUSTED = {"trusted_proxies": ["127.0.0.0/8"]}


@pytest.fixture
def start(echo, tmp_path):
    """start(metadata=…, **sections) → a gateway before the echo server. Stopped and checked at the end."""
    processes = []

    def start(metadata=None, **sections):
        service = {"upstream": "echo", "descriptors": {"file": INTEROP_SET}, **({"metadata": metadata} if metadata else {})}
        processes.append(run_gateway(tmp_path, configuration(echo.target, services=[service], **sections)))
        return processes[-1]

    yield start
    for process in processes:
        process.stop()


def seen(port, headers=None, body=None):
    """What the server saw of a REST request, and the answer."""
    answer = http1.request(port, "POST", "/v1/headers", body or {}, headers)
    assert answer.status == 200, answer
    return answer.json.get("metadata", {}), answer


def forwarding(metadata):
    return {name: value for name, value in metadata.items() if name in CLAIMS}


# Who calls

def test_the_client_is_told_of_by_default(gateway):
    metadata, answer = seen(gateway.port)
    assert metadata["x-forwarded-for"] == "127.0.0.1"
    assert metadata["x-forwarded-proto"] == "http"
    assert metadata["x-forwarded-host"] == f"127.0.0.1:{gateway.port}"
    assert UUID.fullmatch(metadata["x-request-id"])
    assert answer.headers["x-request-id"] == metadata["x-request-id"]
    assert set(forwarding(metadata)) == {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-request-id"}


def test_every_call_has_its_own_id(gateway):
    assert len({seen(gateway.port)[1].headers["x-request-id"] for _ in range(20)}) == 20


def test_a_client_cannot_pretend(gateway):
    metadata, answer = seen(gateway.port, CLAIMS)
    assert (metadata["x-forwarded-for"], metadata["x-forwarded-proto"]) == ("127.0.0.1", "http")
    assert metadata["x-forwarded-host"] == f"127.0.0.1:{gateway.port}"
    assert UUID.fullmatch(metadata["x-request-id"]) and answer.headers["x-request-id"] == metadata["x-request-id"]
    assert set(forwarding(metadata)) == {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-request-id"}


def test_a_client_cannot_strip_what_is_told_of_it(gateway):
    """Fields named by `connection` are hop-by-hop, but those of the gateway are its own."""
    with RawConnection(gateway.port) as connection:
        connection.send(b"POST /v1/headers HTTP/1.1\r\nhost: a.example\r\nconnection: x-forwarded-for, x-request-id, x-mine\r\n"
                        b"x-mine: 1\r\nx-other: 2\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")
        metadata = connection.response().json["metadata"]
    assert metadata["x-forwarded-for"] == "127.0.0.1" and "x-request-id" in metadata
    assert metadata["x-forwarded-host"] == "a.example"
    assert "x-mine" not in metadata and metadata["x-other"] == "2"


def test_a_trusted_proxy_is_believed(start):
    gateway = start(**TRUSTED)
    metadata, answer = seen(gateway.port, CLAIMS)
    assert forwarding(metadata) == {**CLAIMS, "x-forwarded-for": "1.1.1.1, 127.0.0.1"}
    assert answer.headers["x-request-id"] == "mine"


def test_a_trusted_proxy_that_says_nothing(start):
    metadata, answer = seen(start(**TRUSTED).port)
    assert metadata["x-forwarded-for"] == "127.0.0.1" and UUID.fullmatch(metadata["x-request-id"])


def test_another_network_is_not_trusted(start):
    metadata, _ = seen(start(trusted_proxies=["10.0.0.0/8", "::/0"]).port, CLAIMS)
    assert metadata["x-forwarded-for"] == "127.0.0.1"


@pytest.mark.parametrize("trusted", [False, True])
def test_a_unix_socket(start, tmp_path, trusted):
    path = tmp_path / "gateway.sock"
    gateway = start(listeners=[{"address": "127.0.0.1:0"}, {"address": f"unix:{path}"}],
                    trusted_proxies=["unix"] if trusted else [])
    result = subprocess.run(["curl", "-sS", "--max-time", "10", "--unix-socket", str(path), "http://u.example/v1/headers",
                             "--json", "{}", "-H", "x-forwarded-for: 1.1.1.1"], capture_output=True, check=True)
    metadata = json.loads(result.stdout)["metadata"]
    assert metadata.get("x-forwarded-for") == ("1.1.1.1" if trusted else None)
    assert metadata["x-forwarded-host"] == "u.example"
    assert gateway.alive()


@pytest.mark.parametrize("code", [0, 7])
def test_grpc_calls_are_told_of_alike(gateway, code):
    with grpc.insecure_channel(gateway.target) as channel:
        headers = channel.unary_unary(f"/{ECHO}/Headers", lambda message: message.SerializeToString(), HeadersResponse.FromString)
        call = headers.future(HeadersRequest(code=code), metadata=[("x-request-id", "mine"), ("x-forwarded-for", "1.1.1.1")],
                              timeout=10)
        assert call.code().value[0] == code
        known = dict(call.initial_metadata())
        assert UUID.fullmatch(known["x-request-id"]), known
        if code == 0:
            metadata = call.result().metadata
            assert metadata["x-forwarded-for"] == "127.0.0.1"
            assert metadata["x-request-id"] == known["x-request-id"]


def test_http2_by_hand(gateway):
    with Client(gateway.port) as client:
        response = client.call(envelope(b""), path=f"/{ECHO}/Headers", headers={":authority": "two.example", **CLAIMS})
        assert response.grpc_status == 0
        metadata = HeadersResponse.FromString(response.body[5:]).metadata
        assert (metadata["x-forwarded-host"], metadata["x-forwarded-for"]) == ("two.example", "127.0.0.1")
        assert response.headers["x-request-id"] == metadata["x-request-id"] != "mine"
        assert set(forwarding(metadata)) == {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-request-id"}


@pytest.mark.parametrize("path, status", [("/nowhere", 404), ("/v1/echo/%zz", 400)])
def test_errors_of_the_gateway_have_an_id_too(gateway, path, status):
    answer = http1.request(gateway.port, "GET", path)
    assert answer.status == status and UUID.fullmatch(answer.headers["x-request-id"])


# Client certificates

@pytest.fixture
def secure(start, certificates):
    listener = {"address": "127.0.0.1:0", "tls": {"certificate": certificates.server.chain, "key": certificates.server.key_file,
                                                  "client_ca": certificates.authority.file}}

    def secure(**sections):
        return start(listeners=[listener], **sections)

    return secure


def element(identity, names=""):
    der = identity.certificate.public_bytes(serialization.Encoding.DER)
    subject = identity.certificate.subject.rfc4514_string()
    return f'Hash={hashlib.sha256(der).hexdigest()};Subject="{subject}"{names}'


def told(gateway, certificates, identity, headers=None):
    context = tls.client_context(certificates.authority, identity)
    answer = tls.request(gateway.port, context, "POST", "/v1/headers", {}, headers)
    assert answer.status == 200, answer
    return answer.json["metadata"]


def test_a_client_certificate_is_told_of(secure, certificates):
    metadata = told(secure(), certificates, certificates.client, {"x-forwarded-client-cert": "Hash=0"})
    assert metadata["x-forwarded-client-cert"] == element(certificates.client, ";DNS=client.test")
    assert metadata["x-forwarded-proto"] == "https"


def test_a_trusted_proxys_certificate_is_added_to_what_it_says(secure, certificates):
    metadata = told(secure(**TRUSTED), certificates, certificates.client, {"x-forwarded-client-cert": "Hash=0"})
    assert metadata["x-forwarded-client-cert"] == "Hash=0," + element(certificates.client, ";DNS=client.test")


def test_what_a_certificate_says_cannot_be_mistaken_for_more(secure, certificates):
    names = ["spiffe://test/a;DNS=evil,Hash=1", "spiffe://test/b", "one.test", 'two";x.test']
    identity = certificates.authority.issue('evil",Hash="2', names=names)
    value = told(secure(), certificates, identity)["x-forwarded-client-cert"]
    assert value.startswith("Hash=" + element(identity)[5:69] + ';Subject="CN=evil\\"\\,Hash')
    assert value.endswith(';URI="spiffe://test/a;DNS=evil,Hash=1";URI=spiffe://test/b;DNS=one.test;DNS="two\\";x.test"')
    # Outside of quotes there is one element, and one hash.
    bare = re.sub(r'"(\\.|[^"\\])*"', '""', value)
    assert "," not in bare and bare.count("Hash=") == 1


def test_http2_over_tls_has_the_certificate_too(secure, certificates):
    context = tls.client_context(certificates.authority, certificates.client, [tls.HTTP2])
    with Client.over(tls.connect(secure().port, context)) as client:
        response = client.call(envelope(b""), path=f"/{ECHO}/Headers")
        metadata = HeadersResponse.FromString(response.body[5:]).metadata
    assert metadata["x-forwarded-client-cert"] == element(certificates.client, ";DNS=client.test")


# What passes

def test_metadata_that_is_denied(start):
    port = start({"deny": ["x-internal-*", "cookie"]}).port
    metadata, answer = seen(port, {"x-internal-a": "1", "x-intern": "2", "Cookie": "3"},
                            {"leading": {"x-internal-b": "4", "x-b": "5"}, "trailing": {"x-internal-c": "6", "x-c": "7"}})
    assert metadata["x-intern"] == "2" and not {"x-internal-a", "cookie"} & set(metadata)
    assert answer.headers["x-b"] == "5" and not any("x-internal" in name for name in answer.headers)
    assert any(name.endswith("x-c") for name in answer.headers), "trailing metadata passes"


def test_metadata_that_is_allowed(start):
    port = start({"request": {"allow": ["authorization", "x-a*"]}, "response": {"allow": "x-b"}}).port
    metadata, answer = seen(port, {"Authorization": "t", "x-a": "1", "x-ab": "2", "x-b": "3", "accept": "*/*"},
                            {"leading": {"x-b": "4", "x-c": "5"}})
    assert (metadata["authorization"], metadata["x-a"], metadata["x-ab"]) == ("t", "1", "2")
    assert not {"x-b", "accept"} & set(metadata)
    assert "x-forwarded-for" in metadata, "what the gateway says itself needs no leave"
    assert answer.headers["x-b"] == "4" and "x-c" not in answer.headers and "x-request-id" in answer.headers


def test_metadata_that_is_renamed(start):
    gateway = start({"request": {"rename": {"x-user": "user", "x-request-id": "trace"}}, "response": {"rename": {"x-b": "x-c"}}})
    with grpc.insecure_channel(gateway.target) as channel:
        headers = channel.unary_unary(f"/{ECHO}/Headers", lambda message: message.SerializeToString(), HeadersResponse.FromString)
        request = HeadersRequest(leading={"x-b": "1", "x-c": "2"}, trailing={"x-b": "3"})
        response, call = headers.with_call(request, metadata=[("x-user", "me"), ("user", "root")], timeout=10)
    assert response.metadata["user"] == "me" and "x-user" not in response.metadata
    assert UUID.fullmatch(response.metadata["trace"]) and "x-request-id" not in response.metadata
    leading, trailing = dict(call.initial_metadata()), dict(call.trailing_metadata())
    assert leading["x-c"] == "1" and "x-b" not in leading and trailing["x-c"] == "3"


def test_what_the_gateway_says_can_be_denied(start):
    metadata, answer = seen(start({"deny": ["x-forwarded-*", "x-request-id"]}).port)
    assert not forwarding(metadata) and "x-request-id" not in answer.headers


def test_errors_of_the_upstream_keep_to_the_rules_too(start):
    gateway = start({"response": {"deny": ["x-secret"]}})
    body = {"leading": {"x-secret": "1"}, "trailing": {"x-secret": "2", "x-open": "3"}, "code": 7}
    answer = http1.request(gateway.port, "POST", "/v1/headers", body)
    assert answer.status == 403 and not any("x-secret" in name for name in answer.headers)
    with Client(gateway.port) as client:
        request = HeadersRequest(leading={"x-secret": "1"}, trailing={"x-secret": "2", "x-open": "3"}, code=7)
        response = client.call(envelope(request.SerializeToString()), path=f"/{ECHO}/Headers")
    assert response.grpc_status == 7 and "x-secret" not in {**response.headers, **response.trailers}
    assert {**response.headers, **response.trailers}["x-open"] == "3"


def test_protocol_fields_never_leak_either_way(start):
    """Nothing of one side's HTTP is the other side's."""
    gateway = start(**TRUSTED)
    hops = {"te": "trailers", "keep-alive": "5", "proxy-connection": "x", "proxy-authorization": "Basic eA==", "upgrade": "h3",
            "http2-settings": "AAMAAABk", "trailer": "x", "grpc-accept-encoding": "gzip", "grpc-encoding": "identity",
            "connect-protocol-version": "1", "connect-whatever": "1", "grpc-whatever": "1", "x-grpc-web": "1",
            "content-language": "en", "date": "now"}
    metadata, answer = seen(gateway.port, hops, {"leading": {"server": "s", "alt-svc": "h3", "x-fine": "1", "x-request-id": "u",
                                                             "gateway-error": "fake", "date": "then"}})
    assert not set(hops) & set(metadata), metadata
    assert not {"host", "connection", "content-type", "content-length", "accept-encoding"} & set(metadata), metadata
    assert answer.headers["x-fine"] == "1" and not {"server", "alt-svc", "gateway-error"} & set(answer.headers), answer
    assert answer.headers["x-request-id"] != "u" and answer.headers.get("date") != "then"


def test_a_request_without_a_host(gateway):
    """HTTP/1.0 without a host: nothing is told of it."""
    with socket.create_connection(("127.0.0.1", gateway.port), 10) as connection:
        connection.sendall(b"POST /v1/headers HTTP/1.0\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")
        data = b""
        while piece := connection.recv(65536):
            data += piece
    metadata = json.loads(data.split(b"\r\n\r\n", 1)[1])["metadata"]
    assert "x-forwarded-host" not in metadata and metadata["x-forwarded-for"] == "127.0.0.1"
