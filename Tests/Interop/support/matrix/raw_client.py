"""The tests' own client: each protocol over raw HTTP/1.1 and HTTP/2."""
from . import transport
from .framing import metadata_fields, single
from .outcome import Outcome
from .protocols import ConnectGet, protocol
from .schema import REQUEST_METADATA, SERVICE, Item, matrix


def encode(codec, message):
    return message.SerializeToString() if codec == "proto" else matrix.to_json(message, indent=None).encode()


def decode(codec, payload):
    return Item.FromString(payload) if codec == "proto" else matrix.parse(payload, Item())


class RawCall:
    """One call, message by message."""

    def __init__(self, gateway, cell, timeout=None, metadata=REQUEST_METADATA):
        self.cell, self.protocol, self.taken = cell, protocol(cell), 0
        self.path = self.protocol.path(f"/{SERVICE}/{cell.method}")
        port = gateway.tls_port if cell.tls == "tls" else gateway.plain_port
        self.open = lambda path: transport.request(
            cell.http, port, gateway.authority if cell.tls == "tls" else None, self.protocol.method, path,
            [*self.protocol.head_fields(timeout), *metadata_fields(metadata)], streamed=cell.sends_stream)
        # By GET the message is part of the head.
        self.request = None if isinstance(self.protocol, ConnectGet) else self.open(self.path)
        self.has_head = self.has_ended = False

    def send(self, order, end=False):
        payload = encode(self.cell.codec, order)
        if self.request is None:
            self.request = self.open(self.protocol.target(self.path, payload))
            return
        self.request.send(self.protocol.send(payload) + (self.protocol.finish() if end else b""), end)

    def finish(self):
        if self.protocol.method == "POST":
            self.request.send(self.protocol.finish(), end=True)

    def head(self):
        if not self.has_head:
            self.has_head = True
            self.protocol.receive_head(*self.request.head())

    def next(self):
        """The next answer; None once the call has ended."""
        self.head()
        while len(self.protocol.payloads) <= self.taken and not self.has_ended:
            try:
                data = self.request.read()
            except transport.Broken as error:
                self.has_ended = True
                self.protocol.broken(error)
                continue
            if data is None:
                self.has_ended = True
                self.protocol.end(self.request.trailers)
            else:
                self.protocol.receive(data)
        if len(self.protocol.payloads) <= self.taken:
            return None
        self.taken += 1
        return decode(self.cell.codec, self.protocol.payloads[self.taken - 1])

    def cancel(self):
        self.request.cancel()

    def close(self):
        if self.request is not None:
            self.request.close()

    def outcome(self, items):
        found, failure = self.protocol, self.protocol.failure
        # A head that is all there is counts as both.
        pairs = found.trailer_pairs if found.is_trailers_only else [*found.fields, *found.trailer_pairs]
        gateway_error = single(pairs, "gateway-error")
        return Outcome(
            code=failure.code if failure else "ok", message=failure.message if failure else "",
            details=failure.details if failure else [], debug=failure.debug if failure else None, items=items,
            leading=found.leading, trailing=found.trailing, gateway_error=gateway_error, tells_gateway_error=found.tells_gateway_error,
            compressed=found.compressed)


def call(gateway, cell, scenario):
    """Makes the scenario's call: an Outcome."""
    one = RawCall(gateway, cell, scenario.timeout)
    items = []
    try:
        for order in scenario.orders:
            last = order is scenario.orders[-1]
            one.send(order, end=last and not scenario.leaves_open)
            if cell.kind == "bidi" and cell.is_full_duplex and len(items) < scenario.answers_in_turn:
                items.append(one.next())
        if not cell.sends_stream and scenario.leaves_open:
            one.finish()
        if scenario.cancels:
            if cell.answers_stream and not items:
                items.append(one.next())
            if items[-1:] == [None]:
                return one.outcome(items[:-1])  # it ended before it could be cancelled
            scenario.wait_started()
            one.cancel()
            return Outcome(code="canceled", items=items)
        while items[-1:] != [None]:
            items.append(one.next())
        return one.outcome(items[:-1])
    finally:
        one.close()


def refused(gateway, cell, scenario):
    """Makes a call that must be refused: (status, fields, body)."""
    one = RawCall(gateway, cell)
    try:
        one.send(scenario.orders[0], end=not cell.sends_stream)
        status, fields = one.request.head()
        body = b""
        while (data := one.request.read()) is not None:
            body += data
        return status, dict(fields), body
    finally:
        one.close()

