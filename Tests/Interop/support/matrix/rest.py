"""The client's half of REST: JSON bodies, streams in each form, errors with a status of their own or amid the body."""
import base64
import codecs
import json

from google.protobuf import json_format
from google.rpc import error_details_pb2

from .codings import Deflater, Inflater, compress, decompress
from .framing import CODES, NAMES, Failure, metadata, single
from .protocol import Protocol

TYPES = {"none": "application/json", "array": "application/json", "ndjson": "application/x-ndjson", "sse": "text/event-stream"}
INTERNAL_ERROR = 2
KNOWN_DETAILS = {"google.rpc.BadRequest": error_details_pb2.BadRequest}


def failure(document):
    """A Failure from the JSON of google.rpc.Status."""
    assert set(document) <= {"code", "message", "details"}, document
    details = []
    for detail in document.get("details", []):
        detail = dict(detail)
        name = detail.pop("@type").rpartition("/")[2]
        if name in KNOWN_DETAILS:
            value = json_format.ParseDict(detail, KNOWN_DETAILS[name]()).SerializeToString()
        else:
            assert set(detail) == {"@value"}, detail
            value = base64.b64decode(detail["@value"], validate=True)
        details.append((name, value))
    return Failure(NAMES[document["code"]], document["message"], details)


class REST(Protocol):
    """POST by google.api.http, body `*`."""

    def __init__(self, cell):
        super().__init__(cell.codec, cell.coding, cell.answers_stream)
        self.form, self.http, self.sends_stream = cell.form, cell.http, cell.sends_stream
        self.sent, self.deflater = 0, Deflater(cell.coding)
        self.body, self.text, self.count = b"", "", 0
        self.decoder = codecs.getincrementaldecoder("utf-8")()

    def path(self, path):
        return "/v1/" + path.rpartition("/")[2]

    # The request

    def head_fields(self, timeout):
        sent = TYPES["ndjson" if self.sends_stream and self.form == "ndjson" else "none"]
        fields = [("content-type", sent), ("accept", TYPES[self.form if self.is_stream else "none"]),
                  ("accept-encoding", self.coding)]
        if self.coding != "identity":
            fields.append(("content-encoding", self.coding))
        return fields + ([("x-server-timeout", str(timeout / 1000))] if timeout is not None else [])

    def send(self, payload):
        if not self.sends_stream:
            return compress(self.coding, payload)
        self.sent += 1
        if self.form == "array":
            payload = (b"[" if self.sent == 1 else b",") + payload
        elif self.form == "ndjson":
            payload += b"\n"
        return self.deflater.piece(payload)

    def finish(self):
        if not self.sends_stream:
            return b""
        return (self.deflater.piece(b"]") if self.form == "array" else b"") + self.deflater.end()

    # The answer

    def receive_head(self, status, fields):
        self.status, self.fields = status, fields
        self.check_leaks({name for name, _ in fields if name.startswith("grpc-trailer-")})
        self.leading, self.trailing = metadata(fields), metadata(fields, "grpc-trailer-")
        coding = single(fields, "content-encoding") or "identity"
        assert coding in ("identity", self.coding), f"{coding} was not offered"
        self.compressed = int(coding != "identity")
        self.answer_coding = coding
        self.is_streamed = self.is_stream and status == 200
        assert single(fields, "content-type") == TYPES[self.form if self.is_streamed else "none"], fields
        if self.is_streamed:
            self.inflater = Inflater(coding)
            assert single(fields, "cache-control") == "no-store", fields
            assert self.leading.pop("x-accel-buffering") == ["no"]

    def receive(self, data):
        if not self.is_streamed:
            self.body += data
            return
        self.text += self.decoder.decode(self.inflater.piece(data))
        {"array": self._take_array, "ndjson": self._take_lines, "sse": self._take_events}[self.form]()

    def end(self, trailers):
        if self.is_streamed:
            self._end_stream(trailers)
            return
        assert not trailers, trailers
        self.has_ended = True
        body = decompress(self.answer_coding, self.body) if self.body else self.body
        if self.status == 200:
            self.payloads.append(body)
            return
        self.failure = failure(json.loads(body))
        own = single(self.fields, "gateway-error")
        assert own or self.status == CODES[self.failure.code][1], (self.status, self.failure)

    # Streams

    def _take_array(self):
        while self.text:
            closing = "]" if self.count else "[]"
            if self.text.startswith(closing):
                self.has_ended, self.text = True, self.text[len(closing):]
                assert not self.text, f"{self.text!r} behind the array"
                return
            assert self.text[0] == ("," if self.count else "["), self.text[:100]
            try:
                _, end = json.JSONDecoder().raw_decode(self.text, 1)
            except json.JSONDecodeError:
                return
            self._take(self.text[1:end])
            self.text = self.text[end:]

    def _take_lines(self):
        *lines, self.text = self.text.split("\n")
        for line in lines:
            self._take(line)

    def _take_events(self):
        *blocks, self.text = self.text.split("\n\n")
        for block in blocks:
            event = {}
            for line in block.split("\n"):
                name, colon, value = line.partition(": ")
                assert colon and name in ("", "data", "event", "id", "retry") and name not in event, block
                event[name] = value
            kind = event.get("event", "message")
            if "data" not in event:
                continue  # a heartbeat
            if kind == "message":
                self._take(event["data"])
                continue
            assert not self.has_ended and kind in ("end", "rpc-error"), block
            self.has_ended = True
            document = json.loads(event["data"])
            if kind == "rpc-error":
                self._fail(document)
            else:
                assert set(document) <= {"metadata"}, document
                self.trailing = metadata([(name, value) for name, values in document.get("metadata", {}).items() for value in values])

    def _take(self, element):
        assert not self.has_ended and self.failure is None, f"{element} behind the end"
        self.count += 1
        document = json.loads(element)
        if self.form != "sse" and set(document) == {"error"}:
            self._fail(document["error"])
        else:
            self.payloads.append(element.encode())

    def _fail(self, document):
        # A field of the head cannot be added any more.
        self.tells_gateway_error = False
        self.failure, self.trailing = failure(document), None

    def _end_stream(self, trailers):
        self.inflater.check_end()
        assert not self.text, f"{self.text!r} at the end"
        assert self.form == "sse" or self.failure is None, "an error, but the body is whole"
        assert self.form == "ndjson" or self.has_ended, "the body ends without its end"
        self.has_ended = True
        assert all(name.startswith("grpc-trailer-") for name, _ in trailers), trailers
        if self.http == "2":
            found = metadata(trailers, "grpc-trailer-")
            assert self.form != "sse" or self.failure or found == self.trailing, (found, self.trailing)
            self.trailing = found
        elif self.form != "sse":
            assert not trailers, trailers
            self.trailing = None

    def broken(self, error):
        """So an error ends arrays and lines, which must have told it."""
        if not self.is_streamed or self.form == "sse" or self.failure is None:
            raise error
        assert error.reset == (INTERNAL_ERROR if self.http == "2" else None), error
        assert not self.text, f"{self.text!r} behind the error"
        self.has_ended = True
