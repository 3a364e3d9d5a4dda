"""`buf curl`, a client on connect-go: a process for each call, messages as JSON on its standard streams."""
import json
import os
import subprocess
import sys
import tempfile

from .framing import NAMES, from_base64, metadata_fields
from .outcome import Outcome
from .schema import MATRIX_SET, REQUEST_METADATA, SERVICE, Item, matrix

BUF = os.path.join(os.path.dirname(sys.executable), "buf")
PROTOCOLS = {"connect": "connect", "grpc-web": "grpcweb", "grpc": "grpc"}


def call(gateway, cell, scenario):
    with tempfile.TemporaryDirectory() as folder:
        secure = cell.tls == "tls"
        address = f"https://localhost:{gateway.tls_port}" if secure else f"http://127.0.0.1:{gateway.plain_port}"
        command = [BUF, "curl", "--schema", MATRIX_SET, "--protocol", PROTOCOLS[cell.protocol], "-d", "@-"]
        # In a file, for on its command line a comma ends a header.
        with open(os.path.join(folder, "headers"), "w") as file:
            file.writelines(f"{name}: {value}\n" for name, value in metadata_fields(REQUEST_METADATA))
        command += ["-H", f"@{file.name}"]
        if secure:
            command += ["--cacert", gateway.authority.file]
        elif cell.http == "2":
            command += ["--http2-prior-knowledge"]
        data = "\n".join(matrix.to_json(order, indent=None) for order in scenario.orders)
        run = subprocess.run([*command, f"{address}/{SERVICE}/{cell.method}"], input=data, text=True, timeout=60,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder, env=dict(os.environ, HOME=folder))
    return outcome(run)


def outcome(run):
    items, decoder, text = [], json.JSONDecoder(), run.stdout.strip()
    while text:
        document, end = decoder.raw_decode(text)
        items.append(matrix.parse(json.dumps(document), Item()))
        text = text[end:].strip()
    found = Outcome(items=items)
    if run.returncode:
        assert run.returncode % 8 == 0, run.stderr
        error = json.loads(run.stderr)
        found.code, found.message = error["code"], error.get("message", "")
        assert NAMES[run.returncode // 8] == found.code, run.stderr
        found.details = [(detail["type"], from_base64(detail["value"])) for detail in error.get("details", [])]
    return found
