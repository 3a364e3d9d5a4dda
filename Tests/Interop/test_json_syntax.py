"""Which texts are JSON: ours compared with Python's json made strict, and one way with json-c."""
import random

import pytest

from support import json_c
from support.gateway_process import run
from support.random_json import ATOMS, NEARLY, Refused, near_text, strict
from support.schema import INTEROP_SET


def accepted(texts, name="google.protobuf.Value"):
    """Whether `convert` reads each text (bytes without line feeds)."""
    result = run("convert", "--descriptors", INTEROP_SET, "--type", name, "--from", "json", "--to", "json", "--stream",
                 data=b"".join(text + b"\n" for text in texts), seconds=120)
    lines = result.stdout.split(b"\n")
    assert len(lines) == len(texts) + 1, result.stderr[-2000:]
    return [bool(line) for line in lines[:-1]]


def by_python(data):
    try:
        strict(data.decode())
        return True
    except (Refused, UnicodeDecodeError):
        return False


def judged(texts):
    """Texts on which ours and Python's judgement differ; `null` alone is left out, which is no message."""
    texts = [text for text in texts if text.strip() != b"null"]
    return [(text, ours) for text, ours in zip(texts, accepted(texts)) if ours != by_python(text)]


def test_all_that_is_listed():
    texts = [text.encode("utf-8", "surrogatepass") for text in ATOMS + NEARLY]
    assert judged(texts) == []


def test_everything_around_one_character():
    """Each byte, alone, in a string, after a number and between tokens."""
    bytes_ = [bytes([byte]) for byte in range(256) if byte != 10]
    texts = [form.replace(b"?", byte) for byte in bytes_
             for form in (b"[?]", b'"?"', b'"\\?"', b"1?", b"?1", b"[1?2]", b'{"a"?1}', b'{?"a":1}', b'"a?', b"tru?")]
    assert judged(texts) == []


def test_bytes_of_utf8():
    pieces = [b"\x80", b"\xbf", b"\xc0\x80", b"\xc1\xbf", b"\xc2", b"\xc2\x80", b"\xdf\xbf", b"\xe0\x80\x80", b"\xe0\xa0\x80", b"\xed\x9f\xbf",
              b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xee\x80\x80", b"\xef\xbf\xbf", b"\xf0\x80\x80\x80", b"\xf0\x90\x80\x80", b"\xf4\x8f\xbf\xbf",
              b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xe2\x82", b"\xf0\x9f\xa6", b"\xff", b"\xfe"]
    texts = [b'"' + b"x" * before + piece + b"x" * after + b'"' for piece in pieces for before in (0, 1, 14, 15, 16, 31) for after in (0, 1, 20)]
    assert judged(texts) == []


@pytest.mark.parametrize("part", range(4))
def test_random_texts(request, part):
    source = random.Random(f"{request.config.getoption('--seed')} syntax {part}")
    count = request.config.getoption("--json-messages") * 20
    texts = [near_text(source).encode("utf-8", "surrogatepass") for _ in range(count)]
    assert judged(texts)[:20] == []


def test_what_json_c_refuses_we_refuse(request):
    source = random.Random(f"{request.config.getoption('--seed')} json-c")
    texts = [near_text(source).encode("utf-8", "surrogatepass") for _ in range(request.config.getoption("--json-messages") * 20)]
    refused = [text for text in texts if not json_c.accepts(text)]
    assert len(refused) > len(texts) / 10
    assert [text for text, ours in zip(refused, accepted(refused)) if ours][:20] == []


@pytest.mark.parametrize("opening, closing", [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
def test_nesting(opening, closing):
    """25 levels are read, 200 are not, 100,000 do not overflow a stack."""
    texts = [opening * depth + b"1" + closing * depth for depth in (25, 200, 100_000)] + [opening * 100_000]
    assert accepted(texts) == [True, False, False, False]
    unknown = [b'{"nobody":' + text + b"}" for text in texts]
    assert accepted(unknown, "gatewaytest.interop.v1.Everything") == [True, False, False, False]


@pytest.mark.parametrize("text", [b"", b"null", b"[]", b"1", b'"a"', b"true", b"{}{}", b"{},"])
def test_a_message_is_one_object(text):
    assert accepted([b"{}", text, b"{}"], "gatewaytest.interop.v1.Nested") == [True, False, True]
