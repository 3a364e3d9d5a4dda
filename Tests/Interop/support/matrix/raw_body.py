"""Calls whose head and body are written by the test, byte by byte; what comes back is read by the protocol's rules."""
import base64

from . import transport
from .protocols import protocol
from .raw_client import decode
from .schema import SERVICE


class BodyCall:
    """A call of `cell` in which `change` replaces fields of the head ({name: value, or None to leave it out})."""

    def __init__(self, port, cell, change=None, method=None, timeout=20_000, path=None):
        self.cell, self.protocol = cell, protocol(cell)
        fields = dict(self.protocol.head_fields(timeout))
        for name, value in (change or {}).items():
            fields.pop(name, None)
            if value is not None:
                fields[name] = value
        self.request = transport.request(cell.http, port, None, method or self.protocol.method,
                                         path or f"/{SERVICE}/{cell.method}", list(fields.items()), streamed=not cell.is_bare)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.request.close()

    def send(self, data, end=False):
        self.request.send(data, end)

    def answer(self):
        """The protocol object, once the answer has ended: its `failure`, its `payloads`."""
        self.protocol.receive_head(*self.request.head())
        while (data := self.request.read()) is not None:
            self.protocol.receive(data)
        self.protocol.end(self.request.trailers)
        return self.protocol

    def items(self):
        return [decode(self.cell.codec, payload) for payload in self.protocol.payloads]

    def plain_answer(self):
        """(status, fields, body) of an answer that is of no protocol."""
        status, fields = self.request.head()
        body = b""
        while (data := self.request.read()) is not None:
            body += data
        return status, dict(fields), body


def as_sent(cell, data):
    """Envelopes as the protocol has them on the wire."""
    return base64.b64encode(data) if cell.protocol == "grpc-web-text" else data


def ask(port, cell, *pieces, **options):
    """One call with a body of these pieces: (code, items, protocol)."""
    with BodyCall(port, cell, **options) as call:
        for piece in pieces:
            call.send(piece)
        call.send(b"", end=True)
        answer = call.answer()
        return (answer.failure.code if answer.failure else "ok"), call.items(), answer
