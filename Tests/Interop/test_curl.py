"""curl, as people use it: every form of REST streams, errors, uploads and downloads, over each HTTP version, by TLS or not."""
import json
import subprocess

import pytest

from support.body_server import BODIES_SET, BodyServer
from support.configuration import configuration, run_gateway
from support.schema import ECHO, INTEROP_SET
from test_rest_streams import FAILURE, FORMS, ITEMS, STREAM, elements, events

WIRES = {"http1": ["--http1.1"], "h2c": ["--http2-prior-knowledge"], "tls": ["--http2", "-k"], "tls1": ["--http1.1", "-k"]}
# What curl ends with when a body is cut off (PARTIAL_FILE, HTTP2_STREAM).
CUT = {"http1": 18, "h2c": 92, "tls": 92, "tls1": 18}


class Curl:
    """curl(path, flags…) → (exit code, body, HTTP status) over one wire."""

    def __init__(self, wire, process):
        tls, plain = (url.rstrip("/") for url in process.listeners)
        self.wire, self.base = wire, tls if wire.startswith("tls") else plain

    def __call__(self, path, *flags, data=None):
        result = subprocess.run(
            ["curl", "-sSN", "-m", "20", "-w", "%{stderr}%{http_code} %{http_version}", *WIRES[self.wire], *flags, self.base + path],
            input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30)
        status, version = result.stderr.decode().splitlines()[-1].split()[-2:]
        assert version == ("1.1" if self.wire in ("http1", "tls1") else "2"), result
        return result.returncode, result.stdout, int(status)


@pytest.fixture(scope="module")
def served_by_curl(echo, certificates, tmp_path_factory):
    files, identity = BodyServer(), certificates.server
    process = run_gateway(tmp_path_factory.mktemp("curl"), configuration(
        echo.target,
        listeners=[{"address": "127.0.0.1:0", "tls": {"certificate": identity.chain, "key": identity.key_file}},
                   {"address": "127.0.0.1:0"}],
        upstreams={"echo": {"target": echo.target}, "files": {"target": files.target}},
        services=[{"upstream": "echo", "descriptors": {"file": INTEROP_SET}},
                  {"upstream": "files", "descriptors": {"file": BODIES_SET}}]))
    yield process
    process.stop()
    files.stop()


@pytest.fixture(params=WIRES)
def curl(served_by_curl, request):
    return Curl(request.param, served_by_curl)


@pytest.mark.parametrize("flags", [[], ["--compressed"]], ids=["plain", "compressed"])
@pytest.mark.parametrize("form", FORMS)
def test_a_server_stream(curl, form, flags):
    code, body, status = curl(STREAM, "-H", f"accept: {FORMS[form]}", *flags)
    assert (code, status, elements(form, body)) == (0, 200, ITEMS)


@pytest.mark.parametrize("flags", [[], ["--compressed"]], ids=["plain", "compressed"])
@pytest.mark.parametrize("form", FORMS)
def test_an_error_amid_a_stream(curl, form, flags):
    code, body, status = curl("/v1/fail-stream", "--json", json.dumps(FAILURE), *flags,
                              "-H", f"accept: {FORMS[form]}")
    error = {"code": 15, "message": "lost"}
    assert status == 200
    assert code == (0 if form == "sse" else CUT[curl.wire])
    if form == "array":
        assert json.loads(body + b"]") == [{}, {"index": 1}, {"error": error}]
    elif form == "ndjson":
        assert [json.loads(line) for line in body.splitlines()] == [{}, {"index": 1}, {"error": error}]
    else:
        assert events(body)[-1] == ("rpc-error", error, None)


def test_an_error_before_a_stream_has_its_status(curl):
    code, body, status = curl("/v1/fail-stream", "-f", "--json", '{"code":7,"message":"no"}')
    assert (code, status) == (22, 403)


@pytest.mark.parametrize("data, content_type", [
    (b'{"index":1,"payload":"eHg="} {"payload":"eHh4"}', "application/json"),
    (b'[{"index":1,"payload":"eHg="},\n{"payload":"eHh4"}]', "application/json"),
    (b'{"index":1,"payload":"eHg="}\n{"payload":"eHh4"}\n', "application/x-ndjson")])
@pytest.mark.parametrize("flags", [["--data-binary", "@-"], ["-X", "POST", "-T", "-"]], ids=["length", "chunks"])
def test_a_client_stream(curl, data, content_type, flags):
    code, body, status = curl("/v1/client-stream", *flags, "-H", f"content-type: {content_type}", data=data)
    assert (code, status, json.loads(body)) == (0, 200, {"messages": "2", "bytes": "5"})


@pytest.mark.parametrize("form", FORMS)
def test_a_conversation(curl, form):
    code, body, status = curl("/v1/bidi", "--json", '{"index":1}{"index":2}', "-H", f"accept: {FORMS[form]}")
    assert (code, status, elements(form, body)) == (0, 200, [{"index": 1}, {"index": 2}])


@pytest.mark.parametrize("flags", [["--data-binary", "@-"], ["-X", "POST", "-T", "-"], ["--data-binary", "@-", "-H", "expect: 100-continue"]],
                         ids=["length", "chunks", "expect"])
def test_a_file_up(curl, flags):
    data = bytes(range(256)) * 20_000
    code, body, status = curl("/v1/store/a/b", *flags, "-H", "content-type: video/mp4", data=data)
    assert (code, status) == (0, 200)
    stored = json.loads(body)
    assert (stored["name"], stored["contentType"], stored["size"]) == ("a/b", "video/mp4", str(len(data)))


@pytest.mark.parametrize("flags", [[], ["--compressed"]], ids=["plain", "compressed"])
def test_a_file_down(curl, flags):
    code, body, status = curl("/v1/download?pieces=3&size=1000000&contentType=text/csv", *flags)
    assert (code, status) == (0, 200)
    assert body == b"a" * 1_000_000 + b"b" * 1_000_000 + b"c" * 1_000_000


def test_a_file_down_that_breaks(curl):
    code, body, status = curl("/v1/download?pieces=2&size=10&code=15")
    assert (code, body, status) == (CUT[curl.wire], b"a" * 10 + b"b" * 10, 200)


def test_connect_unary(curl):
    code, body, status = curl(f"/{ECHO}/Echo", "--json", '{"text":"hi"}')
    assert (code, body, status) == (0, b'{"text":"hi"}', 200)
