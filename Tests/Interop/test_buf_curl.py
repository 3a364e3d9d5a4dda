"""`buf curl`: another vendor's client, by gRPC over h2c and by Connect, its schema from the committed set."""
import json
import os
import subprocess
import sys

import pytest

from support.schema import ECHO, INTEROP_SET

BUF = os.path.join(os.path.dirname(sys.executable), "buf")
PROTOCOLS = {
    "grpc": ["--protocol", "grpc", "--http2-prior-knowledge"],
    "connect": ["--protocol", "connect"],
    "connect over h2c": ["--protocol", "connect", "--http2-prior-knowledge"],
}


@pytest.fixture(params=PROTOCOLS.values(), ids=PROTOCOLS.keys())
def buf(request, gateway, tmp_path):
    def call(method, message, *more):
        return subprocess.run(
            [BUF, "curl", "--schema", INTEROP_SET, *request.param, *more, "-d", json.dumps(message),
             f"http://127.0.0.1:{gateway.port}/{ECHO}/{method}"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30,
            env=dict(os.environ, HOME=str(tmp_path)), cwd=tmp_path)

    return call


def test_unary(buf):
    message = {"text": "naïve 🦊", "i64": "-5", "nested": {"id": "n"}, "at": "2026-01-02T03:04:05Z", "labels": {"k": "v"}}
    result = buf("Echo", message)
    assert result.returncode == 0, result
    assert json.loads(result.stdout) == message


def test_metadata(buf):
    result = buf("Headers", {}, "-H", "x-one: 1")
    assert json.loads(result.stdout)["metadata"]["x-one"] == "1", result


def test_an_error_with_its_details(buf):
    request = {"code": 5, "message": "no such book", "errorInfo": {"reason": "GONE", "domain": "example.test"}}
    result = buf("Fail", request)
    assert result.returncode == 5 * 8, result
    error = json.loads(result.stderr)
    assert (error["code"], error["message"]) == ("not_found", "no such book")
    assert error["details"][0]["type"] == "google.rpc.ErrorInfo"


def test_streams_by_grpc(gateway, tmp_path):
    items = "".join(json.dumps({"index": i}) for i in range(1, 4))
    for method, data, lines in (("ServerStream", '{"count":3}', 3), ("ClientStream", items, 1), ("Bidi", items, 3)):
        result = subprocess.run(
            [BUF, "curl", "--schema", INTEROP_SET, *PROTOCOLS["grpc"], "-d", data,
             f"http://127.0.0.1:{gateway.port}/{ECHO}/{method}"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30,
            env=dict(os.environ, HOME=str(tmp_path)), cwd=tmp_path)
        assert result.returncode == 0, result
        assert len(result.stdout.split("}\n")) - 1 == lines, result
