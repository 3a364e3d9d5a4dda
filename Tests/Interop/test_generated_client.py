"""A client as users make it: protoc with the plugins of connectrpc, then plain Python; by each protocol and codec."""
import asyncio
import importlib
import os
import subprocess
import sys

import google.rpc
import pyqwest
import pytest
from connectrpc.codec import proto_binary_codec, proto_json_codec
from connectrpc.errors import ConnectError
from connectrpc.protocol import ProtocolType
from protobuf.wkt import Duration

from support.gateway_process import GatewayProcess
from support.schema import ROOT

BIN = os.path.dirname(sys.executable)
FILES = ["gateway/demo/v1/library.proto", "gateway/demo/v1/ticker.proto", "google/api/annotations.proto",
         "google/api/http.proto", "google/rpc/error_details.proto"]
CODECS = {"proto": proto_binary_codec(), "json": proto_json_codec()}


@pytest.fixture(scope="module")
def made(tmp_path_factory, request):
    """made(name) → a generated module."""
    folder = tmp_path_factory.mktemp("generated")
    out = folder / "made_by_connectrpc"
    out.mkdir()
    common = os.path.dirname(os.path.dirname(list(google.rpc.__path__)[0]))
    plugins = [f"--plugin={os.path.join(BIN, name)}" for name in ("protoc-gen-py", "protoc-gen-connectrpc")]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", f"-I{ROOT}/Protos", f"-I{common}", *plugins, f"--py_out={out}",
                    f"--connectrpc_out={out}", *FILES], check=True, timeout=60)
    sys.path.insert(0, str(folder))
    request.addfinalizer(lambda: sys.path.remove(str(folder)))
    return lambda name: importlib.import_module(f"made_by_connectrpc.{name}")


@pytest.fixture(scope="module")
def demo():
    process = GatewayProcess("demo", "--listen", "127.0.0.1:0", "--upstream-listen", "127.0.0.1:0")
    yield f"http://{process.target}"
    process.stop()


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("protocol, version", [
    (ProtocolType.CONNECT, "HTTP1"), (ProtocolType.CONNECT, "HTTP2"), (ProtocolType.GRPC, "HTTP2"),
    (ProtocolType.GRPC_WEB, "HTTP1"), (ProtocolType.GRPC_WEB, "HTTP2")], ids=str)
def test_a_generated_client(made, demo, protocol, codec, version):
    messages, ticks, details = made("gateway.demo.v1.library_pb"), made("gateway.demo.v1.ticker_pb"), made("google.rpc.error_details_pb")

    async def run():
        transport = pyqwest.HTTPTransport(http_version=getattr(pyqwest.HTTPVersion, version))
        options = {"protocol": protocol, "codec": CODECS[codec], "http_client": pyqwest.Client(transport),
                   "send_compression": None}  # the demo's server takes none
        async with made("gateway.demo.v1.library_connect").LibraryServiceClient(demo, **options) as library:
            for use_get in [False, True] if protocol is ProtocolType.CONNECT else [False]:
                more = {"use_get": True} if use_get else {}
                book = await library.get_book(messages.GetBookRequest(name="shelves/classics/books/moby-dick"), **more)
                assert (book.title, book.isbn, list(book.authors)) == ("Moby-Dick", 9780142437247, ["Herman Melville"])
                assert (book.format.name, book.reading_time.seconds, book.rating.value) == ("PAPERBACK", 88200, 4.25)
            with pytest.raises(ConnectError) as failure:
                await library.create_book(messages.CreateBookRequest(parent="shelves/classics", book=messages.Book(title="")))
            assert failure.value.code.value == "invalid_argument"
            assert failure.value.details[0].value(details.BadRequest).field_violations[0].field == "book.title"
        async with made("gateway.demo.v1.ticker_connect").TickerServiceClient(demo, **options) as ticker:
            assert [tick.sequence async for tick in ticker.watch(ticks.WatchRequest(count=3, interval=Duration()))] == [1, 2, 3]

    asyncio.run(asyncio.wait_for(run(), 50))
