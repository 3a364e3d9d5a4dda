"""HTTP/1.1 that is wrong: each head gets its 4xx or 5xx or a clean close, never an answer to half of it."""
import random
import re

import pytest

from support.http1 import RawConnection

GET = b"GET /v1/echo/a HTTP/1.1\r\n"
HOST = b"Host: x\r\n"
POST = b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
REFUSED = {400, 413, 414, 431, 501, 505}

MALFORMED = {
    "no request line": b"\r\n\r\n\r\n\r\nxx\r\n\r\n",
    "spaces only": b"   \r\n\r\n",
    "nul in the method": b"G\0T / HTTP/1.1\r\n" + HOST + b"\r\n",
    "control character in the method": b"G\x01T / HTTP/1.1\r\n" + HOST + b"\r\n",
    "method with a separator": b"GE(T / HTTP/1.1\r\n" + HOST + b"\r\n",
    "space before the method": b" " + GET + HOST + b"\r\n",
    "method of 10,000 letters": b"G" * 10_000 + b" / HTTP/1.1\r\n" + HOST + b"\r\n",
    "two spaces after the method": b"GET  /v1/echo/a HTTP/1.1\r\n" + HOST + b"\r\n",
    "tab after the method": b"GET\t/v1/echo/a HTTP/1.1\r\n" + HOST + b"\r\n",
    "space in the path": b"GET /v1/echo/a b HTTP/1.1\r\n" + HOST + b"\r\n",
    "nul in the path": b"GET /v1/echo/a\0b HTTP/1.1\r\n" + HOST + b"\r\n",
    "control character in the path": b"GET /v1/echo/a\x1fb HTTP/1.1\r\n" + HOST + b"\r\n",
    "carriage return in the path": b"GET /v1/echo/a\rb HTTP/1.1\r\n" + HOST + b"\r\n",
    "path without a slash": b"GET v1/echo/a HTTP/1.1\r\n" + HOST + b"\r\n",
    "path of 100 KB": b"GET /v1/echo/" + b"a" * 100_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "no version": b"GET /v1/echo/a\r\n" + HOST + b"\r\n",
    "version 9": b"GET /v1/echo/a HTTP/9.9\r\n" + HOST + b"\r\n",
    "version 2.0": b"GET /v1/echo/a HTTP/2.0\r\n" + HOST + b"\r\n",
    "version 1.1.1": b"GET /v1/echo/a HTTP/1.1.1\r\n" + HOST + b"\r\n",
    "version in lower case": b"GET /v1/echo/a http/1.1\r\n" + HOST + b"\r\n",
    "another protocol": b"GET /v1/echo/a RTSP/1.0\r\n" + HOST + b"\r\n",
    "space after the version": b"GET /v1/echo/a HTTP/1.1 \r\n" + HOST + b"\r\n",
    "no host": GET + b"\r\n",
    "two hosts": GET + b"Host: a\r\nHost: b\r\n\r\n",
    "header without a colon": GET + HOST + b"X-Nothing\r\n\r\n",
    "header without a name": GET + HOST + b": value\r\n\r\n",
    "space before the colon": GET + HOST + b"X-Name : value\r\n\r\n",
    "space in a name": GET + HOST + b"X Name: value\r\n\r\n",
    "nul in a name": GET + HOST + b"X\0Name: value\r\n\r\n",
    "nul in a value": GET + HOST + b"X-Name: a\0b\r\n\r\n",
    "control character in a value": GET + HOST + b"X-Name: a\x01b\r\n\r\n",
    "carriage return in a value": GET + HOST + b"X-Name: a\rb\r\n\r\n",
    "folded header": GET + HOST + b"X-Name: a\r\n b\r\n\r\n",
    "first header is folded": GET + b" Host: x\r\n\r\n",
    "non-ASCII name": GET + HOST + b"X-N\xe4me: a\r\n\r\n",
    "1,000 headers": GET + HOST + b"".join(b"X-%d: y\r\n" % i for i in range(1000)) + b"\r\n",
    "header of 100 KB": GET + HOST + b"X-Big: " + b"y" * 100_000 + b"\r\n\r\n",
    "headers of 1 MB": GET + HOST + (b"X-Big: " + b"y" * 1000 + b"\r\n") * 1000 + b"\r\n",
    "length and chunked": POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "two lengths in one": POST + b"Content-Length: 2, 3\r\n\r\n{}",
    "negative length": POST + b"Content-Length: -2\r\n\r\n{}",
    "signed length": POST + b"Content-Length: +2\r\n\r\n{}",
    "length in hexadecimal": POST + b"Content-Length: 0x2\r\n\r\n{}",
    "length with a space inside": POST + b"Content-Length: 1 2\r\n\r\n{}",
    "length that is empty": POST + b"Content-Length:\r\n\r\n{}",
    "length of 2^63": POST + b"Content-Length: 9223372036854775808\r\n\r\n{}",
    "length of 2^64 + 2": POST + b"Content-Length: 18446744073709551618\r\n\r\n{}",
    "length of 100 digits": POST + b"Content-Length: " + b"9" * 100 + b"\r\n\r\n{}",
    "unknown transfer coding": POST + b"Transfer-Encoding: bzip2\r\n\r\n{}",
    "chunked is not last": POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "chunked twice": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunked with a vertical tab": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "chunk size is no number": POST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n",
    "chunk size is negative": POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
    "chunk size with 0x": POST + b"Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n",
    "chunk size of 2^63": POST + b"Transfer-Encoding: chunked\r\n\r\n8000000000000000\r\n{}\r\n0\r\n\r\n",
    "chunk size of 2^64 - 2": POST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffe\r\n{}\r\n0\r\n\r\n",
    "chunk size of 2^64 + 2": POST + b"Transfer-Encoding: chunked\r\n\r\n10000000000000002\r\n{}\r\n0\r\n\r\n",
    "chunk size that is empty": POST + b"Transfer-Encoding: chunked\r\n\r\n\r\n{}\r\n0\r\n\r\n",
    "chunk that is longer than said": POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}{}\r\n0\r\n\r\n",
    "chunk extension of 100 KB": POST + b"Transfer-Encoding: chunked\r\n\r\n2;" + b"e" * 100_000 + b"\r\n{}\r\n0\r\n\r\n",
    "trailers of 1 MB": POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n" + b"X-T: y\r\n" * 120_000 + b"\r\n",
    "upgrade preface in the middle": GET + HOST + b"PRI * HTTP/2.0\r\n\r\n",
    "TLS client hello": bytes.fromhex("16030100c8010000c40303") + bytes(200) + b"\r\n\r\n",
    "zeros": bytes(5000),
    "all bytes": bytes(range(256)) * 40 + b"\r\n\r\n",
    "line feeds only": b"\n" * 100_000,
}


def exchange(port, data):
    """All that comes back. A peer that waits for more after a second is told that there is none."""
    with RawConnection(port, seconds=1) as connection:
        try:
            connection.send(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it may close before it has read everything
        try:
            return connection.everything()
        except TimeoutError:
            connection.socket.settimeout(10)
        try:
            connection.finish_sending()
        except OSError:
            pass
        return connection.everything()


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_heads_are_refused(gateway, data):
    answer = exchange(gateway.port, data)
    if answer:
        line = answer.split(b"\r\n", 1)[0]
        assert line.startswith(b"HTTP/1.") and int(line.split()[1]) in REFUSED, answer[:500]
        assert len(re.findall(rb"HTTP/1\.1 \d\d\d ", answer)) == 1, "what follows a malformed head is not a request"


@pytest.mark.parametrize("data", [
    b"GET /v1/echo/a HTTP/1.1\nHost: x\n\n",
    POST.replace(b"\r\n", b"\n") + b"Content-Length: 2\n\n{}",
], ids=["head", "head with a body"])
def test_bare_line_feeds_are_refused_or_read_as_line_ends(gateway, data):
    answer = exchange(gateway.port, data)
    assert answer == b"" or answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 400")), answer


@pytest.mark.parametrize("seed", range(40))
def test_random_changes_of_a_good_request(gateway, request, seed):
    generator = random.Random(request.config.getoption("--seed") + seed)
    head = bytearray(POST + b"Content-Length: 12\r\nX-Name: value\r\nConnection: close\r\n\r\n" + b'{"text":"a"}')
    for _ in range(generator.randint(1, 8)):
        at = generator.randrange(len(head))
        head[at:at + generator.randint(0, 3)] = generator.randbytes(generator.randint(0, 3))
    answer = exchange(gateway.port, bytes(head))
    assert not answer or answer.startswith(b"HTTP/1."), answer
