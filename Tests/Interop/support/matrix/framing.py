"""How bytes on the wire hold messages, written from the specifications alone: envelopes, base64, metadata, errors."""
import base64
import json
import struct
import urllib.parse

from google.rpc import status_pb2

from .codings import decompress

# name → (number, HTTP status), from connectrpc.com/docs/protocol
CODES = {
    "canceled": (1, 499), "unknown": (2, 500), "invalid_argument": (3, 400), "deadline_exceeded": (4, 504),
    "not_found": (5, 404), "already_exists": (6, 409), "permission_denied": (7, 403), "resource_exhausted": (8, 429),
    "failed_precondition": (9, 400), "aborted": (10, 409), "out_of_range": (11, 400), "unimplemented": (12, 501),
    "internal": (13, 500), "unavailable": (14, 503), "data_loss": (15, 500), "unauthenticated": (16, 401),
}
NAMES = {0: "ok", **{number: name for name, (number, _) in CODES.items()}}


def envelope(payload, flags=0, length=None):
    """One message with its prefix; `length` lies about it."""
    return struct.pack(">BI", flags, len(payload) if length is None else length) + payload


class Envelopes:
    """Cuts a body into (flags, payload)."""

    def __init__(self):
        self.buffer = b""

    def receive(self, data):
        self.buffer += data

    def next(self):
        """The next one that is whole, or None."""
        if len(self.buffer) < 5:
            return None
        flags, length = struct.unpack_from(">BI", self.buffer)
        if len(self.buffer) < 5 + length:
            return None
        payload, self.buffer = self.buffer[5:5 + length], self.buffer[5 + length:]
        return flags, payload


class Base64Text:
    """grpc-web-text: a run of base64 pieces, each with padding or without, cut anywhere."""

    def __init__(self):
        self.rest = b""

    def receive(self, text):
        """Bytes of all groups of four that are whole by now."""
        self.rest += text
        whole = len(self.rest) // 4 * 4
        groups, self.rest = self.rest[:whole], self.rest[whole:]
        return b"".join(base64.b64decode(groups[at:at + 4], validate=True) for at in range(0, whole, 4))


def unpadded(data):
    return base64.b64encode(data).decode().rstrip("=")


def from_base64(text):
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


def metadata(pairs, prefix=""):
    """name → values of all fields that begin with `x-` behind the prefix; values of `-bin` names as bytes."""
    found = {}
    for name, value in pairs:
        if not name.startswith(prefix + "x-"):
            continue
        name = name[len(prefix):]
        if name.endswith("-bin"):
            assert "=" not in value, f"{name} is padded: {value}"
            found.setdefault(name, []).extend(from_base64(part.strip()) for part in value.split(","))
        else:
            found.setdefault(name, []).append(value)
    return found


def metadata_fields(pairs):
    """Metadata as header fields: `-bin` values in unpadded base64."""
    return [(name, unpadded(value) if isinstance(value, bytes) else value) for name, value in pairs]


def single(pairs, name):
    """The value of a field that may be there once."""
    values = [value for key, value in pairs if key == name]
    assert len(values) <= 1, f"{name}: {values}"
    return values[0] if values else None


class Failure:
    """An error as the protocol carries it: `code` by its Connect name, details as (type name, bytes)."""

    def __init__(self, code, message="", details=(), debug=None):
        self.code, self.message, self.details, self.debug = code, message, list(details), debug

    def __repr__(self):
        return f"<{self.code}: {self.message!r} {self.details}>"


def connect_failure(document):
    """A Failure from Connect's error JSON, checked member by member."""
    assert document["code"] in CODES, document
    assert set(document) <= {"code", "message", "details"}, document
    details, debug = [], []
    for detail in document.get("details", []):
        assert "/" not in detail["type"] and "=" not in detail["value"], detail
        details.append((detail["type"], from_base64(detail["value"])))
        debug.append(detail.get("debug"))
    return Failure(document["code"], document.get("message", ""), details, debug)


def connect_end(payload):
    """(Failure or None, pairs of metadata) of an EndStreamResponse."""
    document = json.loads(payload)
    assert set(document) <= {"error", "metadata"}, document
    failure = None
    if "error" in document:
        assert document["error"], "null and {} are no errors"
        failure = connect_failure(document["error"])
    pairs = []
    for name, values in document.get("metadata", {}).items():
        assert isinstance(values, list) and name == name.lower(), document
        pairs.extend((name, value) for value in values)
    return failure, pairs


def grpc_failure(pairs):
    """A Failure, or None for OK, from gRPC's trailers."""
    text = single(pairs, "grpc-status")
    assert text is not None and text == str(int(text)), f"grpc-status {text!r} in {pairs}"
    message = single(pairs, "grpc-message") or ""
    assert all(0x20 <= ord(character) <= 0x7e for character in message), message
    encoded = single(pairs, "grpc-status-details-bin")
    details = []
    if encoded is not None:
        assert "=" not in encoded, encoded
        status = status_pb2.Status.FromString(from_base64(encoded))
        assert status.code == int(text), (status, text)
        details = [(detail.type_url.rpartition("/")[2], detail.value) for detail in status.details]
    if int(text) == 0:
        return None
    return Failure(NAMES[int(text)], urllib.parse.unquote(message, errors="strict"), details)


def web_trailers(payload):
    """The pairs of a gRPC-Web trailers frame."""
    pairs = []
    for line in payload.decode("ascii").removesuffix("\r\n").split("\r\n"):
        name, colon, value = line.partition(":")
        assert colon and name == name.lower().strip(), f"trailer line {line!r}"
        pairs.append((name, value.strip(" ")))
    return pairs


def inflate(flags, payload, coding):
    """The message of an envelope whose bit 0 says whether it is compressed."""
    if not flags & 1:
        return payload
    assert coding not in (None, "identity"), "compressed, but no coding was named"
    return decompress(coding, payload) if payload else payload
