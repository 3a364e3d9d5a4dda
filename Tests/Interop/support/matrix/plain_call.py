"""One simple call by each kind of client, for tests in which it is the upstream, or the gateway, that is in question."""
import dataclasses

from .. import http1
from . import axes, transport
from .framing import CODES, NAMES
from .raw_client import RawCall
from .schema import Item, Order

BROKEN = -1
STATUSES = {number: status for number, status in CODES.values()}


@dataclasses.dataclass
class Seen:
    """What a client was told: google.rpc.Code, message, gateway-error or None, and the answers it got. BROKEN for an answer
    that was cut, so that no client takes it for whole."""

    code: int
    message: str
    own: str | None
    items: list
    trailing: dict = dataclasses.field(default_factory=dict)
    details: list = dataclasses.field(default_factory=list)


def by_rest(gateway):
    """GET by google.api.http."""
    answer = http1.request(gateway.port, "GET", "/v1/echo/a", headers={"grpc-timeout": "8S"})
    own = answer.headers.get("gateway-error")
    if answer.status == 200:
        return Seen(0, "", own, [Item(key=answer.json.get("text", ""))])
    assert answer.status == STATUSES[answer.json["code"]] or own, answer
    assert answer.headers["content-type"] == "application/json"
    return Seen(answer.json["code"], answer.json.get("message", ""), own, [], details=answer.json.get("details", []))


class ByCell:
    """A call of the matrix, with an answer of `Item(key="a")`."""

    def __init__(self, protocol, codec, http, kind, coding="identity"):
        self.cell = axes.Cell("raw", protocol, codec, http, kind, coding, "plain", "ok")
        self.is_stream = kind != "unary"
        self.is_passed_through = (protocol, codec) == ("grpc", "proto")

    def __call__(self, gateway):
        call, items = RawCall(Ports(gateway.port), self.cell, timeout=8000, metadata=[]), []
        try:
            call.send(Order(key="a"), end=True)
            while (item := call.next()) is not None:
                items.append(item)
            outcome = call.outcome(items)
        except transport.Broken as error:
            return Seen(BROKEN, str(error), None, items)
        finally:
            call.close()
        number = next(number for number, name in NAMES.items() if name == outcome.code)
        return Seen(number, outcome.message, outcome.gateway_error, items, outcome.trailing, outcome.details)


@dataclasses.dataclass
class Ports:
    """A gateway that a RawCall can find."""

    plain_port: int


by_rest.is_stream = by_rest.is_passed_through = False
CLIENTS = {
    "rest": by_rest,
    "grpc": ByCell("grpc", "proto", "2", "unary", "gzip"),
    "grpc-json": ByCell("grpc", "json", "2", "unary"),
    "grpc stream": ByCell("grpc", "proto", "2", "server-stream", "gzip"),
    "connect": ByCell("connect", "proto", "1.1", "unary"),
    "connect-json h2": ByCell("connect", "json", "2", "unary"),
    "connect get": ByCell("connect-get", "json", "1.1", "unary"),
    "connect stream": ByCell("connect", "proto", "1.1", "server-stream"),
    "connect-json stream h2": ByCell("connect", "json", "2", "server-stream"),
    "grpc-web": ByCell("grpc-web", "proto", "1.1", "unary"),
    "grpc-web stream h2": ByCell("grpc-web", "proto", "2", "server-stream"),
    "grpc-web-json stream": ByCell("grpc-web", "json", "1.1", "server-stream"),
    "grpc-web-text stream": ByCell("grpc-web-text", "proto", "1.1", "server-stream"),
}
