"""TLS on the front: ALPN, versions, certificates of both sides, and what comes instead of TLS."""
import json
import re
import socket
import ssl
import subprocess
import time

import grpc
import pytest

from conftest import CHANNEL_OPTIONS, Stub, proxy_arguments
from support import http1, tls
from support.certificates import write
from support.gateway_process import GatewayProcess, NotReady, run
from support.http2 import Client, envelope
from support.schema import INTEROP_SET, Everything
from support.tls import HTTP1, HTTP2, HandMade, SecureConnection, client_context


def server_flags(identity, *more):
    return ["--tls-certificate", identity.chain, "--tls-key", identity.key_file, *more]


class SecureGateway(GatewayProcess):
    """A gateway with TLS; `failures(count)` waits for lines of failed handshakes."""

    def failures(self, count, seconds=5):
        deadline = time.monotonic() + seconds
        with self.changed:
            while True:
                found = [line for line in self.errors if "tls: handshake with " in line]
                if len(found) >= count or not self.changed.wait(max(deadline - time.monotonic(), 0)):
                    return found

    def last_failure(self, before):
        """The one line that came since there were `before`; it names the peer."""
        lines = self.failures(before + 1)
        assert len(lines) == before + 1, lines
        match = re.search(r"tls: handshake with 127\.0\.0\.1:\d+ failed: ([^\x22]*)", lines[-1])
        assert match, lines[-1]
        return match[1]


@pytest.fixture(scope="module")
def start_secure(echo):
    processes = []

    def start(identity, *more):
        processes.append(SecureGateway(*proxy_arguments(echo.target, *server_flags(identity, *more))))
        return processes[-1]

    yield start
    for process in processes:
        if process.alive():
            process.stop()


@pytest.fixture(scope="module")
def secure(start_secure, certificates):
    return start_secure(certificates.server)


@pytest.fixture(scope="module")
def strict(start_secure, certificates):
    """A gateway that wants client certificates."""
    return start_secure(certificates.server, "--tls-client-ca", certificates.authority.file)


@pytest.fixture
def trusting(certificates):
    return client_context(certificates.authority)


@pytest.fixture(autouse=True)
def still_serves(secure, certificates):
    yield
    assert tls.request(secure.port, client_context(certificates.authority), "GET", "/v1/echo/a").status == 200


# Protocols

def test_the_ready_line_says_https(secure):
    assert secure.listeners[0].startswith("https://127.0.0.1:")


@pytest.mark.parametrize("version, flag", [("1.1", "--http1.1"), ("2", "--http2")])
def test_curl(secure, certificates, version, flag):
    result = subprocess.run(
        ["curl", "-sS", flag, "--cacert", certificates.authority.file, "-d", '{"text":"a"}', "-H",
         "content-type: application/json", "-w", "\n%{http_version} %{http_code}",
         f"https://localhost:{secure.port}/v1/echo"], capture_output=True, text=True, timeout=20)
    assert result.returncode == 0, result
    body, said = result.stdout.rsplit("\n", 1)
    assert json.loads(body) == {"text": "a"} and said == f"{version} 200"


def secure_channel(gateway, authority, identity=None):
    credentials = grpc.ssl_channel_credentials(
        authority.pem, identity and identity.key_pem, identity and identity.pem)
    return grpc.secure_channel(gateway.target, credentials, options=CHANNEL_OPTIONS)


def test_grpcio(secure, certificates):
    with secure_channel(secure, certificates.authority) as channel:
        assert Stub(channel).Echo(Everything(text="a"), timeout=10).text == "a"


@pytest.mark.parametrize("offered, chosen", [
    ([HTTP2], HTTP2), ([HTTP1], HTTP1), ([HTTP1, HTTP2], HTTP2), (["foo", HTTP1], HTTP1), ([], None)], ids=str)
def test_alpn(secure, certificates, offered, chosen):
    context = client_context(certificates.authority, protocols=offered)
    with tls.connect(secure.port, context) as connection:
        assert connection.selected_alpn_protocol() == chosen


def test_only_unknown_protocols_are_refused(secure, certificates):
    before = len(secure.failures(0))
    with pytest.raises(ssl.SSLError, match="no.application.protocol"):
        tls.connect(secure.port, client_context(certificates.authority, protocols=["foo"]))
    assert "no application protocol" in secure.last_failure(before)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_versions(secure, certificates, version):
    context = client_context(certificates.authority, newest=version)
    with SecureConnection(secure.port, context) as connection:
        assert connection.socket.version() == version.name.replace("_", ".")
        connection.send(b"GET /v1/echo/a HTTP/1.1\r\nhost: x\r\n\r\n")
        assert connection.response().json == {"text": "a"}


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_versions_are_refused(secure, certificates, version):
    before = len(secure.failures(0))
    with pytest.raises(ssl.SSLError):
        tls.connect(secure.port, client_context(certificates.authority, newest=version))
    assert "unsupported protocol" in secure.last_failure(before)


def test_http2_without_alpn_by_its_preface(secure, trusting):
    client = Client.over(tls.connect(secure.port, trusting))
    with client:
        assert client.call(envelope(Everything(text="a").SerializeToString())).grpc_status == 0


def test_http2_by_alpn_gets_settings_before_it_sends_anything(secure, certificates):
    with tls.connect(secure.port, client_context(certificates.authority, protocols=[HTTP2])) as connection:
        assert connection.recv(9)[3] == 4


def test_an_rsa_certificate(start_secure, certificates, trusting):
    gateway = start_secure(certificates.rsa_server)
    assert tls.request(gateway.port, trusting, "GET", "/v1/echo/a").json == {"text": "a"}


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_resume(strict, certificates, version):
    context = client_context(certificates.authority, certificates.client, newest=version)
    session = None
    for reused in (False, True):
        with SecureConnection(strict.port, context, session=session) as connection:
            assert connection.socket.session_reused is reused
            connection.send(b"GET /v1/echo/a HTTP/1.1\r\nhost: x\r\n\r\n")
            assert connection.response().status == 200
            session = connection.socket.session


def test_a_listener_may_stay_plain(start_secure, certificates, trusting):
    gateway = start_secure(certificates.server, "--listen", "http://127.0.0.1:0")
    assert [url.split(":")[0] for url in gateway.listeners] == ["https", "http"]
    plain = int(gateway.listeners[1].rsplit(":", 1)[1])
    assert http1.request(plain, "GET", "/v1/echo/a").status == 200
    assert tls.request(gateway.port, trusting, "GET", "/v1/echo/a").status == 200


# Certificates

def test_a_client_with_another_authority_refuses(secure, certificates):
    before = len(secure.failures(0))
    with pytest.raises(ssl.SSLCertVerificationError):
        tls.connect(secure.port, client_context(certificates.other_authority))
    assert secure.last_failure(before) == "the peer sent an alert: tlsv1 alert unknown ca"


def test_a_client_with_another_name_refuses(secure, trusting):
    with pytest.raises(ssl.SSLCertVerificationError, match="[Hh]ostname mismatch"):
        tls.connect(secure.port, trusting, name="elsewhere.test")


def test_an_expired_certificate_is_loaded_and_refused_by_clients(start_secure, certificates, trusting):
    gateway = start_secure(certificates.expired)
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        tls.connect(gateway.port, trusting)
    assert "certificate expired" in gateway.last_failure(0)


def test_the_right_client_certificate(strict, certificates):
    context = client_context(certificates.authority, certificates.client)
    assert tls.request(strict.port, context, "GET", "/v1/echo/a").json == {"text": "a"}
    with secure_channel(strict, certificates.authority, certificates.client) as channel:
        assert Stub(channel).Echo(Everything(text="a"), timeout=10).text == "a"


@pytest.mark.parametrize("name, logged", [
    (None, "peer did not return a certificate"),
    ("wrong_client", "the peer's certificate is not accepted: unable to get local issuer certificate"),
    ("expired_client", "the peer's certificate is not accepted: certificate has expired")])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_other_client_certificates(strict, certificates, name, logged, version):
    before = len(strict.failures(0))
    context = client_context(certificates.authority, name and getattr(certificates, name), newest=version)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        # With TLS 1.3 the client learns it only when it reads.
        with tls.connect(strict.port, context) as connection:
            connection.sendall(b"GET /v1/echo/a HTTP/1.1\r\nhost: x\r\n\r\n")
            connection.recv(1)
    assert strict.last_failure(before) == logged


# What is not TLS

def test_plain_http_is_told_so(secure):
    before = len(secure.failures(0))
    answer = http1.request(secure.port, "GET", "/v1/echo/a")
    assert answer.status == 400 and b"TLS" in answer.body
    assert answer.headers["gateway-error"] == "plain_http_on_tls_port"
    assert secure.last_failure(before) == "plain HTTP came instead of TLS"


@pytest.mark.parametrize("data", [
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"\x00" * 600, b"\xff" * 600,
    b"\x16\x03\x01\xff\xff" + b"\x01" * 600, b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03",
    b"\x15\x03\x01\x00\x02\x02\x28", b"\x80\x2e\x01\x00\x02" + b"\x00" * 60, b"\x17\x03\x03\x00\x01\x00"],
    ids=lambda data: data[:8].hex())
def test_garbage_ends_the_connection(secure, data):
    before = len(secure.failures(0))
    with socket.create_connection(("127.0.0.1", secure.port), 10) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        try:
            while connection.recv(4096):
                pass
        except ConnectionResetError:
            pass
    assert secure.last_failure(before)


def test_garbage_after_the_handshake_ends_the_connection(secure, trusting):
    with HandMade(secure.port, trusting) as client:
        client.shake_hands()
        client.socket.sendall(client.last + b"\x17\x03\x03\x00\x20" + b"\x00" * 32)
        client.socket.settimeout(5)
        try:
            while client.socket.recv(4096):
                pass
        except ConnectionResetError:
            pass


def test_a_client_that_only_looks_is_not_logged(secure):
    before = len(secure.failures(0))
    socket.create_connection(("127.0.0.1", secure.port), 5).close()
    with socket.create_connection(("127.0.0.1", secure.port), 5) as connection:
        connection.sendall(b"\x16\x03")
    assert "closed the connection" in secure.last_failure(before)


# Time

def test_a_handshake_byte_by_byte(secure, trusting):
    def drip(data):
        for index in range(len(data)):
            client.socket.sendall(data[index:index + 1])

    with HandMade(secure.port, trusting) as client:
        client.shake_hands(drip)
        drip(client.last + client.records(b"GET /v1/echo/a HTTP/1.1\r\nhost: x\r\n\r\n", 1))
        assert b'{"text":"a"}' in client.read_until(b"}")


@pytest.mark.parametrize("count", [1, 100])
def test_a_handshake_that_stalls_is_ended_after_the_limit_for_heads(secure, trusting, count):
    before = len(secure.failures(0))
    with HandMade(secure.port, trusting, seconds=15) as client:
        client.socket.sendall(client.begin()[:count])
        began = time.monotonic()
        assert client.socket.recv(1) == b""
        assert 8 < time.monotonic() - began < 13
    assert secure.last_failure(before) == "it took too long"


def test_shutdown_does_not_wait_for_handshakes(start_secure, certificates, trusting):
    gateway = start_secure(certificates.server)
    with HandMade(gateway.port, trusting) as client, SecureConnection(gateway.port, trusting) as idle:
        client.socket.sendall(client.begin()[:50])
        idle.send(b"GET /v1/echo/a HTTP/1.1\r\nhost: x\r\n\r\n")
        assert idle.response().status == 200
        began = time.monotonic()
        gateway.stop()
        assert time.monotonic() - began < 3
        assert idle.at_end()


# What cannot be loaded

def file_cases(certificates, folder):
    server, rsa_server = certificates.server, certificates.rsa_server
    text = write(str(folder / "text.pem"), b"not PEM at all\n")
    broken = write(str(folder / "broken.pem"), server.pem.replace(b"M", b"\x01"))
    missing = str(folder / "missing.pem")
    none = "No such file or directory"
    return [
        (missing, server.key_file, None, f"{missing}: {none}"),
        (server.chain, missing, None, f"{missing}: {none}"),
        (server.chain, server.key_file, missing, f"{missing}: {none}"),
        (text, server.key_file, None, f"{text}: holds no PEM certificate"),
        (server.chain, text, None, f"{text}: holds no PEM private key"),
        (server.chain, server.chain, None, f"{server.chain}: holds no PEM private key"),
        (server.chain, server.key_file, text, f"{text}: holds no PEM certificate"),
        (server.key_file, server.key_file, None, f"{server.key_file}: holds no PEM certificate"),
        (broken, server.key_file, None, f"{broken}: "),
        (server.chain, certificates.client.key_file, None,
         f"{certificates.client.key_file}: does not match the certificate in {server.chain}"),
        (server.chain, rsa_server.key_file, None,
         f"{rsa_server.key_file}: does not match the certificate in {server.chain}"),
        (server.chain, certificates.encrypted_key(), None, "encrypted.key: the key is encrypted"),
        (str(folder), server.key_file, None, f"{folder}: holds no PEM certificate"),
    ]


def test_files_that_cannot_be_loaded_are_named_with_the_reason(echo, certificates, tmp_path):
    for certificate, key, authority, message in file_cases(certificates, tmp_path):
        flags = ["--tls-certificate", certificate, "--tls-key", key]
        flags += ["--tls-client-ca", authority] if authority else []
        with pytest.raises(NotReady) as failure:
            GatewayProcess(*proxy_arguments(echo.target, *flags))
        assert failure.value.code == 1 and message in failure.value.errors, (message, failure.value.errors)


@pytest.mark.parametrize("flags", [
    ["--tls-certificate", "a.pem"], ["--tls-key", "a.key"], ["--tls-client-ca", "a.pem"],
    ["--listen", "https://127.0.0.1:0"], ["--upstream-ca", "a.pem"]], ids=" ".join)
def test_flags_that_do_not_go_together_are_2(flags):
    result = run("proxy", "127.0.0.1:1", "--descriptors", INTEROP_SET, *flags)
    assert result.returncode == 2 and flags[0].encode() in result.stderr, result
