"""TLS by a configuration file, on both sides; the files' paths are relative to it."""
import os
import shutil

import pytest

from support import http1, tls
from support.configuration import configuration, run_gateway, write
from support.gateway_process import run
from test_tls_upstream import start_upstream  # noqa: F401
from support.tls import client_context


def copied(folder, **files):
    """Copies files into the folder under names of their own."""
    for name, path in files.items():
        shutil.copy(path, os.path.join(folder, name + ".pem"))


def test_tls_on_both_sides(start_upstream, certificates, tmp_path):  # noqa: F811
    upstream = start_upstream(certificates.server)
    server, authority = certificates.server, certificates.authority
    copied(tmp_path, server=server.chain, key=server.key_file, ca=authority.file)
    content = configuration(
        upstream.target,
        listeners=[{"address": "127.0.0.1:0", "tls": {"certificate": "server.pem", "key": "key.pem"}},
                   {"address": "127.0.0.1:0"}],
        upstreams={"echo": {"target": upstream.target, "tls": {"ca": "ca.pem", "server_name": "localhost"}}})
    result = run("check", write(tmp_path, content))
    assert result.returncode == 0 and b"  https://127.0.0.1:0\n  http://127.0.0.1:0\n" in result.stdout, result
    assert b", TLS, timeout 15s" in result.stdout, result
    gateway = run_gateway(tmp_path, content)
    assert [url.split(":")[0] for url in gateway.listeners] == ["https", "http"]
    answer = tls.request(gateway.port, client_context(authority), "GET", "/v1/echo/a")
    assert answer.status == 200 and answer.json == {"text": "a"}
    plain = int(gateway.listeners[1].rsplit(":", 1)[1])
    assert http1.request(plain, "GET", "/v1/echo/a").status == 200
    gateway.stop()


def test_a_wrong_server_name_is_refused(start_upstream, certificates, tmp_path):  # noqa: F811
    upstream = start_upstream(certificates.server)
    security = {"ca": certificates.authority.file, "server_name": "elsewhere.test"}
    content = configuration(upstream.target, upstreams={"echo": {"target": upstream.target, "tls": security}})
    gateway = run_gateway(tmp_path, content)
    answer = http1.request(gateway.port, "GET", "/v1/echo/a")
    assert answer.status == 503 and "mismatch" in answer.json["message"], answer
    gateway.stop()


def test_client_certificates_are_required(echo, certificates, tmp_path):
    server, authority = certificates.server, certificates.authority
    security = {"certificate": server.chain, "key": server.key_file, "client_ca": authority.file}
    content = configuration(echo.target, listeners=[{"address": "127.0.0.1:0", "tls": security}])
    gateway = run_gateway(tmp_path, content)
    with pytest.raises(OSError):
        tls.request(gateway.port, client_context(authority), "GET", "/v1/echo/a")
    context = client_context(authority, certificates.client)
    assert tls.request(gateway.port, context, "GET", "/v1/echo/a").status == 200
    gateway.stop()


def test_files_that_cannot_be_used_are_told_with_their_places(echo, certificates, tmp_path):
    (tmp_path / "empty.pem").write_text("")
    copied(tmp_path, server=certificates.server.chain, other=certificates.authority.key_file)
    text = f"""\
listeners:
  - address: 127.0.0.1:0
    tls: {{certificate: empty.pem, key: none.pem}}
  - address: 127.0.0.1:0
    tls:
      certificate: server.pem
      key: other.pem
upstreams:
  echo: {{target: "{echo.target}", tls: {{ca: none.pem}}}}
services:
  - {{upstream: echo, descriptors: {{file: none.binpb}}}}
"""
    path = write(tmp_path, text)
    upstream = text.splitlines()[8].index("none.pem") + 1
    result = run("check", path)
    assert result.returncode == 1, result
    places = [line.removeprefix(path + ":").split(": ")[:2] for line in result.stderr.decode().splitlines()[:-1]]
    assert places == [["3:24", "listeners[0].tls"], ["7:12", "listeners[1].tls"],
                      [f"9:{upstream}", "upstreams.echo.tls"],
                      ["11:42", "services[0].descriptors.file"]], result.stderr.decode()
