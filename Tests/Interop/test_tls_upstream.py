"""TLS to the upstream: verification, client certificates, ALPN, and what the caller is told when it fails."""
import socket
import ssl

import grpc
import pytest

from support import http1
from support.echo_server import EchoServer
from support.gateway_process import run
from support.schema import ECHO, INTEROP_SET, Everything, StreamItem
from support.scripted_upstream import ScriptedUpstream

MEGABYTE = 1 << 20


def credentials(identity, client_authority=None):
    with open(identity.chain, "rb") as file:
        pair = (identity.key_pem, file.read())
    return grpc.ssl_server_credentials([pair], client_authority and client_authority.pem, client_authority is not None)


@pytest.fixture
def start_upstream():
    """start_upstream(identity, client_authority=None): a grpcio server with TLS."""
    servers = []

    def start(identity, client_authority=None):
        servers.append(EchoServer(credentials=credentials(identity, client_authority)))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def server_context(identity, protocols=("h2",), newest=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.chain, identity.key_file)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    if newest:
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = newest
    return context


def refusal(gateway):
    """What a caller is told: 503 and why."""
    answer = http1.request(gateway.port, "GET", "/v1/echo/a")
    assert answer.status == 503 and answer.json["code"] == 14, answer
    return answer.json["message"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_grpcio_server(start_upstream, start_gateway, certificates, host):
    upstream = start_upstream(certificates.server)
    gateway = start_gateway(f"https://{host}:{upstream.port}", "--upstream-ca", certificates.authority.file)
    assert http1.request(gateway.port, "GET", "/v1/echo/a").json == {"text": "a"}


def test_big_bodies_both_ways(start_upstream, start_gateway, certificates):
    upstream = start_upstream(certificates.rsa_server)
    gateway = start_gateway(f"https://localhost:{upstream.port}", "--upstream-ca", certificates.authority.file)
    for size in (16384, 65536, 3 * MEGABYTE):
        answer = http1.request(gateway.port, "POST", "/v1/echo", {"text": "x" * size})
        assert answer.status == 200 and len(answer.json["text"]) == size
    with grpc.insecure_channel(gateway.target) as channel:
        bidi = channel.stream_stream(f"/{ECHO}/Bidi", StreamItem.SerializeToString, StreamItem.FromString)
        items = [StreamItem(index=index, payload=b"x" * 100_000) for index in range(100)]
        assert list(bidi(iter(items), timeout=40)) == items


def test_many_calls_at_once(start_upstream, start_gateway, certificates):
    upstream = start_upstream(certificates.server)
    gateway = start_gateway(f"https://localhost:{upstream.port}", "--upstream-ca", certificates.authority.file)
    with grpc.insecure_channel(gateway.target) as channel:
        echo = channel.unary_unary(f"/{ECHO}/Echo", Everything.SerializeToString, Everything.FromString)
        calls = [echo.future(Everything(i32=index), timeout=20) for index in range(500)]
        assert [call.result().i32 for call in calls] == list(range(500))


def test_the_scheme_is_https(start_gateway, certificates):
    def answer(call):
        call.head()
        call.data(b"\0\0\0\0\0")
        call.trailers({"grpc-status": "0"})

    with ScriptedUpstream(answer, tls=server_context(certificates.server)) as upstream:
        gateway = start_gateway(f"https://localhost:{upstream.port}", "--upstream-ca", certificates.authority.file)
        assert http1.request(gateway.port, "GET", "/v1/echo/a").status == 200
        headers = upstream.calls[0].headers
        assert (headers[":scheme"], headers[":authority"]) == ("https", f"localhost:{upstream.port}")


@pytest.mark.parametrize("identity, authority, expected", [
    ("server", "other_authority", "the peer's certificate is not accepted: "),
    ("server", None, "the peer's certificate is not accepted: "),
    ("elsewhere", "authority", "certificate is not accepted: hostname mismatch, it is not for 'localhost'"),
    ("expired", "authority", "the peer's certificate is not accepted: certificate has expired")])
def test_certificates_that_are_not_accepted(start_upstream, start_gateway, certificates, identity, authority, expected):
    upstream = start_upstream(getattr(certificates, identity))
    flags = ["--upstream-ca", getattr(certificates, authority).file] if authority else []
    gateway = start_gateway(f"https://localhost:{upstream.port}", *flags)
    message = refusal(gateway)
    assert "TLS handshake failed" in message and expected in message, message
    for _ in range(10):
        assert expected in refusal(gateway)
    assert sum("TLS handshake failed" in line for line in gateway.errors) <= 2, "once a reactor, not once a call"


def test_an_address_that_is_not_in_the_certificate(start_upstream, start_gateway, certificates):
    upstream = start_upstream(certificates.elsewhere)
    gateway = start_gateway(f"https://127.0.0.1:{upstream.port}", "--upstream-ca", certificates.authority.file)
    assert "IP address mismatch, it is not for '127.0.0.1'" in refusal(gateway)


def test_our_certificate_where_the_upstream_wants_one(start_upstream, start_gateway, certificates):
    upstream = start_upstream(certificates.server, certificates.authority)
    trust = ["--upstream-ca", certificates.authority.file]

    def start(identity):
        more = ["--upstream-certificate", identity.chain, "--upstream-key", identity.key_file] if identity else []
        return start_gateway(f"https://localhost:{upstream.port}", *trust, *more)

    assert http1.request(start(certificates.client).port, "GET", "/v1/echo/a").json == {"text": "a"}
    for identity in (None, certificates.wrong_client):
        message = refusal(start(identity))
        assert "TLS: " in message or "closed" in message or "reset" in message, message


@pytest.mark.parametrize("protocols", [(), ("http/1.1",)], ids=str)
def test_an_upstream_without_http2_by_alpn(start_gateway, certificates, protocols):
    with ScriptedUpstream(tls=server_context(certificates.server, protocols)) as upstream:
        gateway = start_gateway(f"https://localhost:{upstream.port}", "--upstream-ca", certificates.authority.file)
        assert "TLS: the upstream does not offer HTTP/2 (ALPN h2)" in refusal(gateway)


def test_an_upstream_with_tls_1_1_only(start_gateway, certificates):
    context = server_context(certificates.server, newest=ssl.TLSVersion.TLSv1_1)
    with ScriptedUpstream(tls=context) as upstream:
        gateway = start_gateway(f"https://localhost:{upstream.port}", "--upstream-ca", certificates.authority.file)
        assert "TLS handshake failed" in refusal(gateway)


def greet_plain(accepted):
    accepted.sendall(b"\0\0\0\4\0\0\0\0\0")
    accepted.recv(4096)


def greet_http1(accepted):
    accepted.recv(4096)
    accepted.sendall(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")


@pytest.mark.parametrize("greet, expected", [
    (greet_plain, "does not speak TLS"), (greet_http1, "does not speak TLS"),
    (lambda accepted: accepted.shutdown(socket.SHUT_RDWR), "TLS handshake failed: ")])
def test_an_upstream_that_does_not_speak_tls(start_gateway, certificates, greet, expected):
    with ScriptedUpstream(greet=greet) as upstream:
        gateway = start_gateway(f"https://localhost:{upstream.port}", "--upstream-ca", certificates.authority.file)
        assert expected in refusal(gateway)


@pytest.mark.parametrize("target", ["https://", "https://:50051", "https://host:1/path", "http://host:1"])
def test_targets_that_are_none(target):
    result = run("proxy", target, "--descriptors", INTEROP_SET, "--listen", "127.0.0.1:0")
    assert result.returncode == 2 and target.encode() in result.stderr, result


def test_files_that_cannot_be_loaded_are_named_with_the_reason(certificates):
    for flags, message in [
            (["--upstream-ca", "none.pem"], b"none.pem: No such file or directory"),
            (["--upstream-ca", certificates.server.key_file], b"server.key: holds no PEM certificate"),
            (["--upstream-certificate", certificates.client.file, "--upstream-key", certificates.server.key_file],
             b"server.key: does not match the certificate in ")]:
        result = run("proxy", "https://localhost:1", "--descriptors", INTEROP_SET, "--listen", "127.0.0.1:0", *flags)
        assert result.returncode == 1 and message in result.stderr, result
