"""The client of the package `connectrpc`, by Connect, gRPC and gRPC-Web, on pyqwest."""
import asyncio

import pyqwest
from connectrpc.client import ConnectClient, ResponseMetadata
from connectrpc.codec import Codec
from connectrpc.compression.brotli import BrotliCompression
from connectrpc.compression.gzip import GzipCompression
from connectrpc.compression.zstd import ZstdCompression
from connectrpc.errors import ConnectError
from connectrpc.method import IdempotencyLevel, MethodInfo, StreamType
from connectrpc.protocol import ProtocolType
from connectrpc.request import Headers

from .framing import metadata, metadata_fields
from .outcome import Outcome
from .raw_client import decode, encode
from .schema import REQUEST_METADATA, SERVICE, Item, Order

CODINGS = {"identity": None, "gzip": GzipCompression(), "br": BrotliCompression(), "zstd": ZstdCompression()}
PROTOCOLS = {"connect": ProtocolType.CONNECT, "connect-get": ProtocolType.CONNECT, "grpc": ProtocolType.GRPC,
             "grpc-web": ProtocolType.GRPC_WEB}
SHAPES = {"unary": StreamType.UNARY, "client-stream": StreamType.CLIENT_STREAM, "server-stream": StreamType.SERVER_STREAM,
          "bidi": StreamType.BIDI_STREAM}


class PythonCodec(Codec):
    """Messages of Python's protobuf, as the other clients have them."""

    def __init__(self, name):
        self._name = name

    def name(self):
        return self._name

    def encode(self, message):
        return encode(self._name, message)

    def decode(self, data, message_class):
        return decode(self._name, bytes(data))


def call(gateway, cell, scenario):
    return asyncio.run(Call(gateway, cell, scenario).run())


class Call:
    def __init__(self, gateway, cell, scenario):
        self.gateway, self.cell, self.scenario = gateway, cell, scenario
        self.items, self.response = [], ResponseMetadata()
        self.answered = asyncio.Event()

    async def run(self):
        coding = CODINGS[self.cell.coding]
        secure = self.cell.tls == "tls"
        address = f"https://localhost:{self.gateway.tls_port}" if secure else f"http://127.0.0.1:{self.gateway.plain_port}"
        version = pyqwest.HTTPVersion.HTTP1 if self.cell.http == "1.1" else pyqwest.HTTPVersion.HTTP2
        authority = self.gateway.authority.pem if secure else None
        async with pyqwest.HTTPTransport(http_version=version, tls_ca_cert=authority) as transport:
            async with ConnectClient(
                    address, codec=PythonCodec(self.cell.codec), protocol=PROTOCOLS[self.cell.protocol],
                    accept_compression=[coding] if coding else [], send_compression=coding,
                    http_client=pyqwest.Client(transport)) as client:
                return await self._outcome(client)

    async def _outcome(self, client):
        try:
            with self.response:
                await (self._cancelled(client) if self.scenario.cancels else asyncio.wait_for(self._exchange(client), 40))
        except asyncio.CancelledError:
            return Outcome(code="canceled", items=self.items)
        except ConnectError as error:
            return self._told(Outcome(code=error.code.value, message=error.message,
                                      details=[(detail.type_name, detail.message_bytes) for detail in error.details]))
        return self._told(Outcome())

    def _told(self, outcome):
        outcome.items = self.items
        leading, trailing = list(self.response.headers.allitems()), list(self.response.trailers.allitems())
        outcome.leading, outcome.trailing = metadata(leading), metadata(trailing)
        if self.cell.protocol in ("grpc", "grpc-web") and not outcome.trailing:
            outcome.trailing = outcome.leading  # trailers only
        return outcome

    async def _cancelled(self, client):
        task = asyncio.ensure_future(self._exchange(client))
        await asyncio.to_thread(self.scenario.wait_started)
        while self.cell.answers_stream and not self.items and not task.done():
            self.answered.clear()
            await asyncio.wait([task, asyncio.ensure_future(self.answered.wait())], return_when=asyncio.FIRST_COMPLETED)
        task.cancel()
        await task

    async def _exchange(self, client):
        headers = Headers(metadata_fields(REQUEST_METADATA))
        if self.scenario.timeout is not None:
            # By hand, so that it is the gateway who watches the clock.
            name, unit = ("connect-timeout-ms", "") if self.cell.protocol.startswith("connect") else ("grpc-timeout", "m")
            headers[name] = f"{self.scenario.timeout}{unit}"
        method = MethodInfo(
            name=self.cell.method, service_name=SERVICE, input=Order, output=Item, stream_type=SHAPES[self.cell.kind],
            idempotency_level=IdempotencyLevel.NO_SIDE_EFFECTS if self.cell.method == "Get" else IdempotencyLevel.UNKNOWN)
        options = {"method": method, "headers": headers}
        if self.cell.kind == "unary":
            self.items.append(await client.execute_unary(
                request=self.scenario.orders[0], use_get=self.cell.protocol == "connect-get", **options))
        elif self.cell.kind == "client-stream":
            self.items.append(await client.execute_client_stream(request=self._orders(), **options))
        else:
            answers = (client.execute_server_stream(request=self.scenario.orders[0], **options)
                       if self.cell.kind == "server-stream" else client.execute_bidi_stream(request=self._orders(), **options))
            async for item in answers:
                self.items.append(item)
                self.answered.set()

    async def _orders(self):
        """The messages; in full duplex each after the answer to the one before, as long as there are answers."""
        for index, order in enumerate(self.scenario.orders):
            if self.cell.kind == "bidi" and self.cell.is_full_duplex:
                while len(self.items) < min(index, self.scenario.answers_in_turn):
                    self.answered.clear()
                    await self.answered.wait()
            yield order
        if self.scenario.leaves_open:
            await asyncio.sleep(40)
