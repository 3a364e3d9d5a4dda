"""The axes, their values, and which client can take which."""
import dataclasses
import itertools

from . import pairwise
from .codings import CODINGS

AXES = {
    "protocol": ["connect", "connect-get", "grpc-web", "grpc-web-text", "grpc", "rest"],
    "codec": ["proto", "json"],
    "http": ["1.1", "2"],
    "kind": ["unary", "client-stream", "server-stream", "bidi"],
    "coding": CODINGS,
    "tls": ["plain", "tls"],
    "outcome": ["ok", "exact", "error", "mid-error", "deadline", "cancel", "oversize", "oversize-answer"],
    "form": ["none", "array", "ndjson", "sse"],
}

# How REST streams stand in bodies. A request is never `sse`: it has its messages one behind the other then, and with `none`.
FORMS = {"unary": ["none"], "client-stream": ["none", "array", "ndjson"], "server-stream": ["array", "ndjson", "sse"],
         "bidi": ["array", "ndjson", "sse"]}


@dataclasses.dataclass(frozen=True)
class Cell:
    """One value of each axis, and the client that makes the call."""

    client: str
    protocol: str
    codec: str
    http: str
    kind: str
    coding: str
    tls: str
    outcome: str
    form: str = "none"

    def __str__(self):
        return "-".join(value for value in dataclasses.astuple(self) if value != "none")

    @property
    def method(self):
        """The method that the call names. By GET all but one of them are refused."""
        if self.protocol == "connect-get" and self.kind == "unary":
            return "Get"
        return {"unary": "Unary", "client-stream": "ClientStream", "server-stream": "ServerStream", "bidi": "Bidi"}[self.kind]

    @property
    def sends_stream(self):
        return self.kind in ("client-stream", "bidi")

    @property
    def answers_stream(self):
        return self.kind in ("server-stream", "bidi")

    @property
    def is_bare(self):
        """Whether bodies are messages without envelopes."""
        return self.protocol in ("connect-get", "rest") or (self.protocol == "connect" and self.kind == "unary")

    @property
    def is_full_duplex(self):
        """Whether the answer may be read before the request has ended."""
        return self.http == "2"


# What each client can do: values of axes it takes; an axis that is not named is taken whole.
CLIENTS = {
    "raw": {},
    "connectrpc": {"protocol": ["connect", "connect-get", "grpc-web", "grpc"]},
    "grpcio": {"protocol": ["grpc"], "codec": ["proto"], "http": ["2"], "coding": ["identity", "gzip"]},
    "buf": {"protocol": ["connect", "grpc-web", "grpc"], "codec": ["proto"], "coding": ["gzip"],
            "outcome": ["ok", "error", "mid-error", "oversize", "oversize-answer"]},
}


def can(cell):
    """Whether this client can make the call at all. Impossible calls are made by `raw` alone, to see how they are refused."""
    values = CLIENTS[cell.client]
    if any(getattr(cell, axis) not in allowed for axis, allowed in values.items()):
        return False
    if cell.form not in (FORMS[cell.kind] if cell.protocol == "rest" else ["none"]):
        return False
    if cell.protocol == "rest" and cell.codec != "json":
        return False
    if cell.client == "buf" and cell.http == "1.1" and (cell.tls == "tls" or cell.kind == "bidi"):
        return False  # it takes what ALPN offers, and HTTP/2 for what may be full-duplex
    if cell.protocol == "connect-get" and cell.coding == "identity" and cell.outcome in ("exact", "oversize"):
        return False  # no URL is that long
    if cell.client == "raw":
        return refusal(cell) is None or cell.outcome == "ok"
    return refusal(cell) is None


def refusal(cell):
    """The HTTP status with which an impossible call is refused; None for one that is possible."""
    if cell.protocol == "grpc" and cell.http == "1.1":
        return 505
    if cell.protocol == "connect-get" and cell.kind != "unary":
        return 405
    return None


def axes(client):
    """The axes of one client, each with what it takes."""
    return {axis: [value for value in values if value in CLIENTS[client].get(axis, values)] for axis, values in AXES.items()}


def cells(client, refused=False):
    """Every possible call of a client, or the impossible ones."""
    for values in itertools.product(*axes(client).values()):
        cell = Cell(client, *values)
        if can(cell) and (refusal(cell) is not None) == refused:
            yield cell


def pairwise_cells():
    """A short list with every pair of values, for each client by itself and for REST, so that no one's axes hide another's."""
    for client, is_rest, refused in itertools.product(CLIENTS, (False, True), (False, True)):
        def possible(row):
            cell = Cell(client, **row)
            return can(cell) and (cell.protocol == "rest", refusal(cell) is not None) == (is_rest, refused)

        for row in pairwise.rows(axes(client), possible):
            yield Cell(client, **row)
