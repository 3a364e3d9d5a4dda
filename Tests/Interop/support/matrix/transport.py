"""One HTTP request whose body and answer flow piece by piece, over HTTP/1.1 or HTTP/2, with TLS or without."""
import socket

import h2.exceptions

from .. import tls
from ..http1 import RawConnection
from ..http2 import Client

SECONDS = 40


class Broken(Exception):
    """The answer was cut: `reset` is the HTTP/2 error code, None for a connection that ended."""

    def __init__(self, reset=None):
        super().__init__(f"reset {reset}" if reset is not None else "connection closed")
        self.reset = reset


def connect(port, authority, protocol):
    """A socket to the gateway; `authority`: whom to trust for TLS, None for plain text."""
    if authority is None:
        plain = socket.create_connection(("127.0.0.1", port), SECONDS)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return plain
    secure = tls.connect(port, tls.client_context(authority, protocols=[protocol]), seconds=SECONDS)
    assert secure.selected_alpn_protocol() == protocol
    return secure


class HTTP1Request:
    """Over a connection of its own. The body goes out in chunks when it is `streamed`, else with its length at its end."""

    def __init__(self, port, authority, method, path, fields, streamed):
        self.raw = RawConnection.over(connect(port, authority, tls.HTTP1))
        self.chunked, self.body, self.sent_all = streamed, b"", False
        self.trailers, self.remaining = [], None
        self.lines = [f"{method} {path} HTTP/1.1", "Host: gateway.test", *(f"{name}: {value}" for name, value in fields)]
        if streamed:
            self.raw.send(self._head("Transfer-Encoding: chunked"))
        elif method == "GET":
            self.raw.send(self._head())

    def _head(self, *more):
        return "\r\n".join([*self.lines, *more, "", ""]).encode("latin-1")

    def send(self, data, end=False):
        if self.chunked:
            chunk = b"%x\r\n%b\r\n" % (len(data), data) if data else b""
            self.raw.send(chunk + (b"0\r\n\r\n" if end else b""))
            return
        self.body += data
        if end:
            self.raw.send(self._head(f"Content-Length: {len(self.body)}") + self.body)

    def head(self):
        """Status and fields of the final head; names in lower case."""
        try:
            status, pairs = self.raw.head()
            while status < 200:
                status, pairs = self.raw.head()
        except ConnectionError:
            raise Broken() from None
        self.fields = [(name.lower(), value) for name, value in pairs]
        names = dict(self.fields)
        self.is_chunked = names.get("transfer-encoding") == "chunked"
        if not self.is_chunked:
            assert "content-length" in names, f"no framing: {self.fields}"
            self.remaining = int(names["content-length"])
        return status, self.fields

    def read(self):
        """The next piece of the body; None at its end."""
        try:
            return self._chunk() if self.is_chunked else self._piece()
        except ConnectionError:
            raise Broken() from None

    def _chunk(self):
        size = int(self.raw._until(b"\r\n"), 16)
        if size:
            data = self.raw._exactly(size)
            assert self.raw._exactly(2) == b"\r\n"
            return data
        while line := self.raw._until(b"\r\n"):
            name, _, value = line.decode("latin-1").partition(":")
            self.trailers.append((name.lower(), value.strip()))
        return None

    def _piece(self):
        if self.remaining == 0:
            return None
        data = self.raw._exactly(self.remaining)
        self.remaining = 0
        return data

    def cancel(self):
        """HTTP/1.1 knows one way: the client goes."""
        self.close()

    def close(self):
        self.raw.socket.close()


class HTTP2Request:
    """Over a connection of its own."""

    def __init__(self, port, authority, method, path, fields, streamed):
        self.client = Client.over(connect(port, authority, tls.HTTP2))
        scheme = "http" if authority is None else "https"
        self.stream = self.client.open_raw([
            (":method", method), (":scheme", scheme), (":path", path), (":authority", "gateway.test"), *fields],
            end=method == "GET")
        self.response, self.taken = self.client.responses[self.stream], 0

    def send(self, data, end=False):
        """What the gateway no longer wants, because it has answered or reset the stream, is dropped."""
        try:
            self.client.send(self.stream, data, end)
        except (h2.exceptions.StreamClosedError, ConnectionError):
            assert self.response.ended or self.client.closed

    def head(self):
        self._wait(lambda: self.response.headers)
        self._check_names(self.response.fields)
        return self.response.status, [pair for pair in self.response.fields if not pair[0].startswith(":")]

    def read(self):
        self._wait(lambda: len(self.response.body) > self.taken or self.response.ended)
        if len(self.response.body) > self.taken:
            data, self.taken = self.response.body[self.taken:], len(self.response.body)
            return data
        self._check_names(self.response.trailer_fields)
        return None

    def _wait(self, condition):
        """A reset with NO_ERROR may follow an answer that is whole: the rest of the request is not wanted."""
        if not self.client.wait_for(lambda: condition() or self.response.ended):
            raise Broken()
        if self.response.reset is not None and not (self.response.reset == 0 and self.response.whole):
            raise Broken(self.response.reset)

    @staticmethod
    def _check_names(pairs):
        assert all(name == name.lower() for name, _ in pairs), pairs

    @property
    def trailers(self):
        return self.response.trailer_fields

    def cancel(self):
        self.client.h2.reset_stream(self.stream, 8)
        self.client.flush()

    def close(self):
        self.client.socket.close()


def request(http, *arguments, **options):
    return {"1.1": HTTP1Request, "2": HTTP2Request}[http](*arguments, **options)
