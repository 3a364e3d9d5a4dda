"""grpcio, the reference client of gRPC for Python."""
import threading

import grpc
from google.rpc import status_pb2

from .framing import NAMES
from .outcome import Outcome
from .schema import REQUEST_METADATA, SERVICE, Item, Order

COMPRESSION = {"identity": grpc.Compression.NoCompression, "gzip": grpc.Compression.Gzip}


def call(gateway, cell, scenario):
    options = [("grpc.use_local_subchannel_pool", 1)]
    if cell.tls == "tls":
        credentials = grpc.ssl_channel_credentials(gateway.authority.pem)
        channel = grpc.secure_channel(f"localhost:{gateway.tls_port}", credentials, options)
    else:
        channel = grpc.insecure_channel(f"127.0.0.1:{gateway.plain_port}", options)
    with channel:
        return Call(channel, cell, scenario).outcome()


class Call:
    def __init__(self, channel, cell, scenario):
        self.cell, self.scenario, self.items = cell, scenario, []
        self.changed, self.has_ended = threading.Condition(), False
        shape = ("stream" if cell.sends_stream else "unary") + "_" + ("stream" if cell.answers_stream else "unary")
        start = getattr(channel, shape)(f"/{SERVICE}/{cell.method}", request_serializer=Order.SerializeToString,
                                        response_deserializer=Item.FromString)
        if not cell.answers_stream:
            start = start.future
        timeout = scenario.timeout / 1000 if scenario.timeout else None
        self.call = start(self._orders() if cell.sends_stream else scenario.orders[0], timeout=timeout,
                          metadata=REQUEST_METADATA, compression=COMPRESSION[cell.coding])

    def _orders(self):
        """The messages; in a bidi call each after the answer to the one before, as long as there are answers."""
        for index, order in enumerate(self.scenario.orders):
            if self.cell.kind == "bidi":
                self._wait_for(lambda: len(self.items) >= min(index, self.scenario.answers_in_turn))
            yield order
        if self.scenario.leaves_open:
            self._wait_for(lambda: False)

    def _wait_for(self, condition):
        with self.changed:
            self.changed.wait_for(lambda: condition() or self.has_ended, 40)

    def outcome(self):
        if not self.cell.answers_stream:
            self.call.add_done_callback(lambda _: self._ended())
        elif not self.call.add_callback(self._ended):
            self._ended()
        if self.scenario.cancels:
            if self.cell.answers_stream:
                self.items.append(next(self.call))
            self.scenario.wait_started()
            self.call.cancel()
        try:
            self._read()
            found = Outcome()
        except (grpc.RpcError, grpc.FutureCancelledError):
            found = Outcome(code=NAMES[self.call.code().value[0]], message=self.call.details() or "")
        found.items = self.items
        found.leading, found.trailing = group(self.call.initial_metadata()), group(self.call.trailing_metadata())
        for value in found.trailing.get("grpc-status-details-bin", []):
            status = status_pb2.Status.FromString(value)
            found.details = [(detail.type_url.rpartition("/")[2], detail.value) for detail in status.details]
        found.gateway_error = (found.trailing.get("gateway-error") or found.leading.get("gateway-error") or [None])[0]
        # grpcio watches the clock too, and may be the first.
        found.tells_gateway_error = self.cell.outcome != "deadline"
        for metadata in (found.leading, found.trailing):
            for name in [name for name in metadata if not name.startswith("x-")]:
                del metadata[name]
        return found

    def _read(self):
        if not self.cell.answers_stream:
            self.items.append(self.call.result(40))
            return
        for item in self.call:
            with self.changed:
                self.items.append(item)
                self.changed.notify_all()

    def _ended(self):
        with self.changed:
            self.has_ended = True
            self.changed.notify_all()


def group(pairs):
    found = {}
    for name, value in pairs or ():
        found.setdefault(name, []).append(value)
    return found
