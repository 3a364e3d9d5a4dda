"""The command line: exit codes, ready lines, `routes`, `convert`, `version` and the demo."""
import json
import os
import re
import socket
import struct
import subprocess
import sys

import pytest

from conftest import proxy_arguments
from support import http1
from support.gateway_process import GatewayProcess, NotReady, run
from support.schema import DEMO_SET, INTEROP_SET, ROOT, Everything, interop

EVERYTHING = ["convert", "--descriptors", INTEROP_SET, "--type", "gatewaytest.interop.v1.Everything"]


def test_version():
    result = run("version")
    assert result.returncode == 0 and re.search(rb"\d+\.\d+", result.stdout), result


@pytest.mark.parametrize("arguments", [
    ["bogus"], ["proxy"], ["proxy", "--listen", "127.0.0.1:0"], ["proxy", "127.0.0.1:1", "--bogus"],
    ["proxy", "127.0.0.1:1", "--threads", "many"], ["convert", "--from", "xml"], ["routes", "--bogus"]],
    ids=" ".join)
def test_wrong_usage_is_2(arguments):
    result = run(*arguments)
    assert result.returncode == 2, result
    assert result.stderr and not result.stdout


def test_a_port_that_is_taken_is_3(echo, start_gateway):
    first = start_gateway(echo.target)
    arguments = proxy_arguments(echo.target)
    arguments[arguments.index("--listen") + 1] = f"127.0.0.1:{first.port}"
    with pytest.raises(NotReady) as failure:
        GatewayProcess(*arguments)
    assert failure.value.code == 3 and str(first.port) in failure.value.errors
    assert http1.request(first.port, "GET", "/v1/echo/a").status == 200


def test_descriptors_that_are_not_there_are_4_or_1(echo):
    result = run("proxy", echo.target, "--descriptors", "no/such/file.binpb", "--listen", "127.0.0.1:0")
    assert result.returncode in (1, 4) and b"no/such/file.binpb" in result.stderr


@pytest.mark.parametrize("data", [b"\xff\xff\xff", b"not descriptors", b"\x0a\x05ab"])
def test_broken_descriptors_are_1(echo, tmp_path, data):
    file = tmp_path / "broken.binpb"
    file.write_bytes(data)
    result = run("proxy", echo.target, "--descriptors", str(file), "--listen", "127.0.0.1:0")
    assert result.returncode == 1 and b"broken.binpb" in result.stderr, result


def test_several_listeners(echo):
    gateway = GatewayProcess(*proxy_arguments(echo.target, "--listen", "127.0.0.1:0"))
    assert len(gateway.listeners) == 2 and gateway.errors[-1] == "ready"
    for url in gateway.listeners:
        assert http1.request(int(url.rsplit(":", 1)[1].rstrip("/")), "GET", "/v1/echo/a").status == 200
    gateway.stop()


def test_routes():
    result = run("routes", "--descriptors", INTEROP_SET)
    text = result.stdout.decode()
    assert result.returncode == 0, result
    for part in ("GET", "PURGE", "/v1/echo/{text}:shout", "/v1/{text=things/*/parts/**}", "gatewaytest.interop.v1.EchoService"):
        assert part in text, part


# convert

def convert(text, *more, source="json", target="json"):
    return run(*EVERYTHING, "--from", source, "--to", target, *more, data=text)


def test_convert_both_ways():
    message = Everything(text="a", i64=5, texts=["x"])
    wire = convert(interop.to_json(message).encode(), target="binary")
    assert (wire.returncode, wire.stdout) == (0, message.SerializeToString()), wire
    text = convert(wire.stdout, source="binary")
    assert text.returncode == 0 and interop.parse(text.stdout, Everything()) == message


@pytest.mark.parametrize("flags, expected", [
    (["--names", "proto"], '{"maybe_number":0,"odd_name_":"x"}'), (["--names", "json"], '{"maybeNumber":0,"veryOdd":"x"}')])
def test_convert_names(flags, expected):
    assert convert(b'{"maybeNumber":0,"veryOdd":"x"}', *flags).stdout.decode().strip() == expected


@pytest.mark.parametrize("flags, expected", [
    (["--enums", "name"], '{"color":"COLOR_RED"}'), (["--enums", "number"], '{"color":1}'),
    (["--enums", "stripped"], '{"color":"RED"}')])
def test_convert_enums(flags, expected):
    assert convert(b'{"color":1}', *flags).stdout.decode().strip() == expected


@pytest.mark.parametrize("flags, expected", [(["--int64", "string"], '{"i64":"5"}'), (["--int64", "number"], '{"i64":5}')])
def test_convert_int64(flags, expected):
    assert convert(b'{"i64":5}', *flags).stdout.decode().strip() == expected


def test_convert_refuses_bad_input_with_1():
    for text in (b'{"i32":"x"}', b"{", b""):
        result = convert(text, target="binary")
        assert result.returncode == 1 and result.stderr and not result.stdout, result


def test_convert_refuses_unknown_fields_when_told_to():
    assert convert(b'{"nobody":1}').returncode == 0
    result = convert(b'{"nested":{"nobody":1}}', "--unknown-fields", "reject")
    assert result.returncode == 1 and b"nested.nobody" in result.stderr


def test_convert_of_an_unknown_type():
    result = run("convert", "--descriptors", INTEROP_SET, "--type", "no.such.Type", "--from", "json", "--to", "binary", data=b"{}")
    assert result.returncode == 1 and b"no.such.Type" in result.stderr


def test_convert_a_stream_with_a_refused_message_in_the_middle():
    wire = convert(b'{"i32":1}\n{"i32":"x"}\n{"i32":2}\n', "--stream", target="binary")
    assert wire.stdout == b"".join([struct.pack("<I", 2), b"\x20\x01", b"\xff\xff\xff\xff", struct.pack("<I", 2), b"\x20\x02"])
    assert b"i32" in wire.stderr
    text = convert(wire.stdout.replace(b"\xff\xff\xff\xff", struct.pack("<I", 1) + b"\x20"), "--stream", source="binary")
    assert text.stdout == b'{"i32":1}\n\n{"i32":2}\n' and text.stderr


# The demo, as a newcomer runs it

@pytest.fixture(scope="module")
def demo():
    process = GatewayProcess("demo", "--listen", "127.0.0.1:0")
    yield process
    process.stop()


def test_the_demo_serves_its_library(demo):
    def rest(*arguments):
        return http1.request(demo.port, *arguments)

    shelves = rest("GET", "/v1/shelves").json["shelves"]
    assert shelves
    books = rest("GET", f"/v1/{shelves[0]['name']}/books?page_size=1")
    assert books.status == 200 and len(books.json["books"]) == 1
    made = rest("POST", f"/v1/{shelves[0]['name']}/books?book_id=tested", {"title": "Tested", "isbn": "9780000000001"})
    assert made.status == 200 and made.json["isbn"] == "9780000000001"
    name = made.json["name"]
    assert rest("PATCH", f"/v1/{name}?update_mask=pageCount", {"pageCount": 5}).json["pageCount"] == 5
    assert rest("GET", f"/v1/{name}").json["title"] == "Tested"
    assert rest("DELETE", f"/v1/{name}").json == {}
    assert rest("GET", f"/v1/{name}").status == 404


def test_the_demo_prints_curl_lines_that_work(demo):
    for line in [match[1] for match in demo.lines(r"\W*(curl .*)")]:
        result = subprocess.run(["bash", "-c", line.replace("curl ", "curl -m 20 --fail-with-body ", 1)],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
        assert result.returncode == 0 and result.stdout, (line, result)


def readme_lines():
    """The command lines of the README that a newcomer tries against the demo."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        lines = [line.strip() for line in file if line.startswith(("curl ", ".venv/bin/buf curl "))]
    assert len(lines) >= 5
    return lines


@pytest.mark.parametrize("line", readme_lines())
def test_the_lines_of_the_readme_work(demo, line, tmp_path):
    line = line.replace("127.0.0.1:8080", f"127.0.0.1:{demo.port}")
    line = line.replace(".venv/bin/", os.path.dirname(sys.executable) + "/")
    result = subprocess.run(["bash", "-c", line], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
                            timeout=30, env=dict(os.environ, HOME=str(tmp_path)))
    assert result.returncode == 0, result
    if " -i " in line:
        assert result.stdout.startswith("HTTP/1.1 400") and "gateway-error" in result.stdout.lower(), result
        assert "pageCount" in result.stdout, result
    elif "text/event-stream" in line:
        assert result.stdout.count("data: {") == 4 and "event: end" in result.stdout, result
    else:
        answer = json.loads(result.stdout)
        assert answer and "code" not in answer, result


def test_the_demos_descriptor_set_is_the_committed_one():
    """`routes` of the embedded set and of the file are the same."""
    with open(DEMO_SET, "rb") as file:
        assert b"gateway.demo.v1" in file.read()
    text = run("routes", "--descriptors", DEMO_SET).stdout.decode()
    assert "/v1/{name=shelves/*/books/*}:move" in text


def test_two_demos_on_one_port_are_3(demo):
    with pytest.raises(NotReady) as failure:
        GatewayProcess("demo", "--listen", f"127.0.0.1:{demo.port}")
    assert failure.value.code == 3


def test_a_port_outside_of_the_range_is_refused(echo):
    result = run("proxy", echo.target, "--descriptors", INTEROP_SET, "--listen", "127.0.0.1:99999")
    assert result.returncode in (1, 2, 3) and result.stderr


def test_addresses_of_other_families(echo):
    if not socket.has_ipv6:
        return
    arguments = proxy_arguments(echo.target)
    arguments[arguments.index("--listen") + 1] = "[::1]:0"
    try:
        gateway = GatewayProcess(*arguments)
    except NotReady as failure:
        assert failure.code == 3, "a machine without IPv6"
        return
    assert gateway.listeners[0].startswith("http://[::1]:")
    gateway.stop()
