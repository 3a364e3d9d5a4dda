"""The demo's own services by grpcio: straight to the embedded server, and through the gateway before it."""
import queue
import random
import zlib

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from support import schema
from support.gateway_process import GatewayProcess

PACKAGE = "gateway.demo.v1"
demo_schema = schema.Schema(schema.DEMO_SET)


@pytest.fixture(scope="module")
def demo():
    process = GatewayProcess("demo", "--listen", "127.0.0.1:0")
    yield process
    process.stop()


@pytest.fixture(params=["direct", "gateway"])
def call(request, demo):
    """call(method, request or iterator, …) as grpcio has it; messages are dicts on the way in."""
    upstream = demo.lines(r"\s*upstream\s+(\S+)")[0][1]
    target = upstream if request.param == "direct" else demo.target
    with grpc.insecure_channel(target, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        yield lambda method, message, **options: start(channel, method, message, **options)


def start(channel, name, message, **options):
    service, name = name.split(".")
    method = demo_schema.service(f"{PACKAGE}.{service}").methods_by_name[name]
    kind = ("stream" if method.client_streaming else "unary") + "_" + ("stream" if method.server_streaming else "unary")
    request = demo_schema.message(method.input_type.full_name)
    response = demo_schema.message(method.output_type.full_name)
    multi = getattr(channel, kind)(f"/{PACKAGE}.{service}/{name}", response_deserializer=response.FromString,
                                   request_serializer=lambda fields: request(**fields).SerializeToString())
    return multi(message, **{"timeout": 20, **options})


def failure(body):
    with pytest.raises(grpc.RpcError) as caught:
        body()
    return caught.value


def test_errors_have_details(call):
    error = failure(lambda: call("LibraryService.CreateBook", {"parent": "shelves/classics"}))
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    status = status_pb2.Status.FromString(dict(error.trailing_metadata())["grpc-status-details-bin"])
    detail = error_details_pb2.BadRequest()
    assert status.code == 3 and status.details[0].Unpack(detail) and detail.field_violations[0].field == "book.title"


def test_pages_cover_the_library(call):
    names, token = [], ""
    while True:
        page = call("LibraryService.ListBooks", {"page_size": 3, "page_token": token})
        names += [book.name for book in page.books]
        token = page.next_page_token
        if not token:
            break
    assert len(names) == page.total_size >= 8 and names == sorted(names)


@pytest.mark.parametrize("count, interval", [(1000, {"seconds": 0}), (20_000, {"seconds": 0}), (300, {"nanos": 1_000_000})])
def test_ticks_come_in_order(call, count, interval):
    ticks = call("TickerService.Watch", {"count": count, "interval": interval, "symbol": "ABC"})
    assert [tick.sequence for tick in ticks] == list(range(1, count + 1))


def test_an_endless_stream_ends_by_deadline_and_by_cancellation(call):
    error = failure(lambda: list(call("TickerService.Watch", {}, timeout=0.3)))
    assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    ticks = call("TickerService.Watch", {"interval": {"seconds": 0}})
    for _ in range(5000):
        next(ticks)
    ticks.cancel()
    assert failure(lambda: list(ticks)).code() == grpc.StatusCode.CANCELLED
    assert call("LibraryService.ListShelves", {}).shelves


def test_ten_megabytes_are_uploaded(call):
    data = random.Random(1).randbytes(10 << 20)
    pieces = ({"file_name": "a.bin", "data": data[at:at + (64 << 10)]} for at in range(0, len(data), 64 << 10))
    summary = call("UploadService.Send", pieces)
    assert (summary.file_name, summary.bytes, summary.chunks) == ("a.bin", len(data), 160)
    assert summary.crc32 == zlib.crc32(data)


def enter(call, nickname):
    said = queue.Queue()
    said.put({"enter": {"room": "test", "nickname": nickname}})
    return said, call("ChatService.Join", iter(said.get, None))


def test_everyone_in_a_room_hears_everyone(call):
    ann_says, ann = enter(call, "ann")
    assert next(ann).nickname == "ann"
    bob_says, bob = enter(call, "bob")
    assert (next(ann).nickname, next(bob).nickname) == ("bob", "bob")
    for number in range(200):
        bob_says.put({"say": str(number)})
    for hearer in (ann, bob):
        assert [next(hearer).text for _ in range(200)] == [str(number) for number in range(200)]
    bob_says.put(None)
    assert list(bob) == [] and bob.code() == grpc.StatusCode.OK
    left = next(ann)
    assert (left.kind, left.nickname) == (3, "bob")
    ann_says.put(None)
    assert list(ann) == []


def test_one_who_does_not_listen_leaves_the_room(call):
    _, deaf = enter(call, "deaf")
    next(deaf)
    says, speaker = enter(call, "speaker")
    events = iter(speaker)
    next(events)
    for _ in range(3000):
        says.put({"say": "x" * (16 << 10)})
        event = next(events)
        if event.kind == 3:
            break
    assert (event.kind, event.nickname) == (3, "deaf")
    assert failure(lambda: list(deaf)).code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    says.put(None)
