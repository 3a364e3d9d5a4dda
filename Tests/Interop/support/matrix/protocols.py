"""The client's half of each protocol, written from its specification: what goes into a head, a body, and what comes back.

Every rule that an answer can break is an assertion here."""
import base64
import json
import urllib.parse

from . import framing
from .codings import compress, decompress
from .framing import CODES, Base64Text, Envelopes, envelope, inflate, metadata, single
from .protocol import Protocol
from .rest import REST

CONNECT_TYPES = {"proto": "application/proto", "json": "application/json"}


class ConnectUnary(Protocol):
    """Bodies are bare messages; errors are JSON with an HTTP status of their own."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.body = b""

    def head_fields(self, timeout):
        fields = [("content-type", CONNECT_TYPES[self.codec]), ("connect-protocol-version", "1"),
                  ("accept-encoding", self.coding)]
        if self.coding != "identity":
            fields.append(("content-encoding", self.coding))
        return fields + ([("connect-timeout-ms", str(timeout))] if timeout is not None else [])

    def send(self, payload):
        return compress(self.coding, payload)

    def receive_head(self, status, fields):
        self.status, self.fields = status, fields
        self.check_leaks({"trailer-*"})
        self.leading, self.trailing = metadata(fields), metadata(fields, "trailer-")

    def receive(self, data):
        self.body += data

    def end(self, trailers):
        assert not trailers, trailers
        self.has_ended = True
        length = single(self.fields, "content-length")
        assert length is None or int(length) == len(self.body), self.fields
        body, coding = self.body, single(self.fields, "content-encoding")
        if coding is not None:
            assert coding in ("identity", self.coding), f"{coding} was not offered"
            self.compressed += coding != "identity"
            body = decompress(coding, body) if body else body
        kind = single(self.fields, "content-type")
        if self.status == 200:
            assert kind == CONNECT_TYPES[self.codec], self.fields
            self.payloads.append(body)
            return
        assert kind == "application/json", (self.fields, body)
        self.failure = framing.connect_failure(json.loads(body))
        self.check_status()

    def check_status(self):
        assert self.status == CODES[self.failure.code][1], (self.status, self.failure)


class ConnectGet(ConnectUnary):
    """The message in the query, in URL-safe base64."""

    method = "GET"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.query = None

    def head_fields(self, timeout):
        fields = [("accept-encoding", self.coding)]
        return fields + ([("connect-timeout-ms", str(timeout))] if timeout is not None else [])

    def target(self, path, payload):
        """Path and query, in the order that the specification recommends."""
        query = [("connect", "v1"), ("base64", "1")]
        if self.coding != "identity":
            query.append(("compression", self.coding))
        message = base64.urlsafe_b64encode(compress(self.coding, payload)).decode().rstrip("=")
        return path + "?" + urllib.parse.urlencode([*query, ("encoding", self.codec), ("message", message)])


class ConnectStream(Protocol):
    """Envelopes; the last one says how it ended, always under HTTP 200."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.envelopes = Envelopes()

    def head_fields(self, timeout):
        fields = [("content-type", f"application/connect+{self.codec}"), ("connect-protocol-version", "1"),
                  ("connect-accept-encoding", self.coding), ("accept-encoding", "identity")]
        if self.coding != "identity":
            fields.append(("connect-content-encoding", self.coding))
        return fields + ([("connect-timeout-ms", str(timeout))] if timeout is not None else [])

    def send(self, payload):
        return envelope(compress(self.coding, payload), 0 if self.coding == "identity" else 1)

    def receive_head(self, status, fields):
        self.status, self.fields = status, fields
        assert status == 200, (status, fields)
        assert single(fields, "content-type") == f"application/connect+{self.codec}", fields
        assert single(fields, "content-encoding") in (None, "identity"), fields
        self.answer_coding = single(fields, "connect-content-encoding")
        assert self.answer_coding in (None, "identity", self.coding), fields
        self.check_leaks({"connect-content-encoding", "connect-accept-encoding"})
        self.leading = metadata(fields)

    def receive(self, data):
        self.envelopes.receive(data)
        while (found := self.envelopes.next()) is not None:
            assert not self.has_ended, "an envelope after EndStreamResponse"
            flags, payload = found
            assert flags & ~3 == 0, f"flags {flags:#x}"
            payload = inflate(flags, payload, self.answer_coding)
            self.compressed += flags & 1
            if flags & 2:
                self.has_ended = True
                self.failure, self.trailer_pairs = framing.connect_end(payload)
                self.trailing = metadata(self.trailer_pairs)
            else:
                self.payloads.append(payload)

    def end(self, trailers):
        assert not trailers, trailers
        assert self.has_ended, f"ended without EndStreamResponse, {self.envelopes.buffer!r} left"
        assert not self.envelopes.buffer, "bytes after EndStreamResponse"


class GRPC(Protocol):
    """Envelopes; the status in HTTP trailers, or in a head that is all there is."""

    content_type = "application/grpc"
    uses_http_trailers = True
    FIELDS = {"grpc-encoding", "grpc-accept-encoding"}
    STATUS_FIELDS = {"grpc-status", "grpc-message", "grpc-status-details-bin"}

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.envelopes = Envelopes()

    def head_fields(self, timeout):
        fields = [("grpc-timeout", f"{timeout}m")] if timeout is not None else []
        fields += [("content-type", f"{self.content_type}+{self.codec}"), *self.own_fields(),
                   ("grpc-accept-encoding", self.coding)]
        return fields + ([("grpc-encoding", self.coding)] if self.coding != "identity" else [])

    def own_fields(self):
        return [("te", "trailers")]

    def send(self, payload):
        return envelope(compress(self.coding, payload), 0 if self.coding == "identity" else 1)

    def receive_head(self, status, fields):
        self.status, self.fields = status, fields
        assert status == 200, (status, fields)
        kinds = [f"{self.content_type}+{self.codec}"] + ([self.content_type] if self.codec == "proto" else [])
        assert single(fields, "content-type") in kinds, fields
        self.answer_coding = single(fields, "grpc-encoding")
        assert self.answer_coding in (None, "identity", self.coding), fields
        self.is_trailers_only = single(fields, "grpc-status") is not None
        self.check_leaks(self.FIELDS | (self.STATUS_FIELDS if self.is_trailers_only else set()))
        if self.is_trailers_only:
            self.end_with(fields)
        else:
            self.leading = metadata(fields)

    def receive(self, data):
        assert not self.is_trailers_only, data
        self.envelopes.receive(data)
        while (found := self.envelopes.next()) is not None:
            flags, payload = found
            assert flags & ~1 == 0, f"flags {flags:#x}"
            self.compressed += flags & 1
            self.payloads.append(inflate(flags, payload, self.answer_coding))

    def end(self, trailers):
        if self.is_trailers_only:
            assert not trailers, trailers
            return
        self.end_with(trailers)
        assert self.failure or not self.envelopes.buffer, "OK, but the end cut an envelope"

    def end_with(self, pairs):
        self.has_ended = True
        self.trailer_pairs = pairs
        self.failure, self.trailing = framing.grpc_failure(pairs), metadata(pairs)


class GRPCWeb(GRPC):
    """The same, its trailers in a last frame of the body."""

    content_type = "application/grpc-web"
    uses_http_trailers = False

    def own_fields(self):
        return [("x-grpc-web", "1"), ("x-user-agent", "interop/1.0"), ("accept", self.content_type)]

    def receive(self, data):
        assert not self.is_trailers_only or not data, data
        self.envelopes.receive(data)
        while (found := self.envelopes.next()) is not None:
            assert not self.has_ended, "a frame after the trailers"
            flags, payload = found
            assert flags & ~0x81 == 0, f"flags {flags:#x}"
            payload = inflate(flags, payload, self.answer_coding)
            self.compressed += flags & 1
            if flags & 0x80:
                self.end_with(framing.web_trailers(payload))
            else:
                self.payloads.append(payload)

    def end(self, trailers):
        assert not trailers, trailers
        assert self.has_ended, f"ended without trailers, {self.envelopes.buffer!r} left"
        assert not self.envelopes.buffer, f"{self.envelopes.buffer!r} after the trailers"


class GRPCWebText(GRPCWeb):
    """The same in base64."""

    content_type = "application/grpc-web-text"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.text = Base64Text()

    def send(self, payload):
        # Each frame by itself, as browsers' clients do: padding comes up in the middle.
        return base64.b64encode(super().send(payload))

    def receive(self, data):
        super().receive(self.text.receive(data))

    def end(self, trailers):
        assert not self.text.rest, f"base64 cut: {self.text.rest!r}"
        super().end(trailers)


def protocol(cell):
    """The protocol object of a cell."""
    if cell.protocol == "rest":
        return REST(cell)
    kinds = {"connect": ConnectUnary if cell.is_bare else ConnectStream, "connect-get": ConnectGet, "grpc-web": GRPCWeb,
             "grpc-web-text": GRPCWebText, "grpc": GRPC}
    return kinds[cell.protocol](cell.codec, cell.coding, not cell.is_bare)

