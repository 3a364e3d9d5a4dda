"""HTTP/1.1 clients: http.client for what is well formed, a raw socket for the rest."""
import http.client
import json
import socket


class Answer:
    """Status, headers (names in lower case, values joined with ", ") and body of one response."""

    def __init__(self, status, headers, body):
        self.status, self.body = status, body
        self.headers = {}
        for name, value in headers:
            name = name.lower()
            self.headers[name] = f"{self.headers[name]}, {value}" if name in self.headers else value

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:300]!r}>"


def request(port, method, path, body=None, headers=None, seconds=15):
    """One request on a connection of its own. A dict or list as body is sent as JSON."""
    with Connection(port, seconds) as connection:
        return connection.request(method, path, body, headers)


class Connection:
    """A keep-alive connection by Python's http.client."""

    def __init__(self, port, seconds=15):
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.http.close()

    def request(self, method, path, body=None, headers=None):
        headers = dict(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        if body is not None and "content-type" not in {name.lower() for name in headers}:
            headers["content-type"] = "application/json"
        self.http.request(method, path, body, headers)
        response = self.http.getresponse()
        return Answer(response.status, response.getheaders(), response.read())


class RawConnection:
    """A socket that sends what it is told and reads responses one at a time."""

    def __init__(self, port, seconds=10):
        self.socket = socket.create_connection(("127.0.0.1", port), seconds)
        self.buffer = b""

    @classmethod
    def over(cls, connection):
        """On a socket that is connected already."""
        raw = cls.__new__(cls)
        raw.socket, raw.buffer = connection, b""
        return raw

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def finish_sending(self):
        self.socket.shutdown(socket.SHUT_WR)

    def _fill(self):
        piece = self.socket.recv(65536)
        self.buffer += piece
        return bool(piece)

    def _until(self, mark):
        while mark not in self.buffer:
            if not self._fill():
                raise ConnectionError(f"closed after {self.buffer!r}")
        line, self.buffer = self.buffer.split(mark, 1)
        return line

    def _exactly(self, count):
        while len(self.buffer) < count:
            if not self._fill():
                raise ConnectionError(f"closed after {len(self.buffer)} of {count} bytes")
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def head(self):
        """Status and header pairs of the next response, informational ones too."""
        lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        pairs = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]
        assert lines[0].startswith("HTTP/1.1 "), lines[0]
        return int(lines[0].split()[1]), pairs

    def response(self, bodyless=False):
        """The next final response, its body read by its framing."""
        status, pairs = self.head()
        while status < 200:
            status, pairs = self.head()
        names = {name.lower(): value for name, value in pairs}
        if bodyless or status in (204, 304):
            body = b""
        elif names.get("transfer-encoding", "").lower() == "chunked":
            body = self._chunks()
        else:
            body = self._exactly(int(names["content-length"]))
        return Answer(status, pairs, body)

    def _chunks(self):
        body = b""
        while True:
            size = int(self._until(b"\r\n").split(b";")[0], 16)
            if size == 0:
                while self._until(b"\r\n"):
                    pass
                return body
            body += self._exactly(size)
            assert self._exactly(2) == b"\r\n"

    def at_end(self):
        """Whether the peer closes without another byte."""
        try:
            return not self.buffer and not self._fill()
        except ConnectionResetError:
            return not self.buffer

    def everything(self):
        """All that comes until the peer closes."""
        try:
            while self._fill():
                pass
        except ConnectionResetError:
            pass
        return self.buffer
