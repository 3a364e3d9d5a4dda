"""Native gRPC by grpcio: deadlines, cancellation, sizes and flow control."""
import concurrent.futures
import uuid

import grpc
import pytest

from support.schema import DelayRequest, Everything, StreamItem, StreamRequest

pytestmark = pytest.mark.native


@pytest.fixture
def key():
    return uuid.uuid4().hex


def delay(seconds, key=""):
    request = DelayRequest(key=key)
    request.time.FromMicroseconds(int(seconds * 1e6))
    return request


def stream(count, size, key, interval=0.0):
    request = StreamRequest(count=count, size=size, key=key)
    request.interval.FromMicroseconds(int(interval * 1e6))
    return request


def test_the_server_sees_what_remains_of_the_deadline(stub):
    seen = stub.Delay(delay(0), timeout=20).deadline.ToMicroseconds() / 1e6
    assert 18 < seen <= 20.25  # grpcio itself may round what it sends up by a percent


def test_no_deadline_stays_none(stub):
    assert not stub.Delay(delay(0)).HasField("deadline")


def test_a_passed_deadline_ends_both_sides(stub, echo, key):
    with pytest.raises(grpc.RpcError) as failure:
        stub.Delay(delay(20, key), timeout=0.3)
    assert failure.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert echo.journal.wait(key, "cancelled", 1)


def test_a_cancelled_unary_call_is_cancelled_upstream(stub, echo, key):
    call = stub.Delay.future(delay(30, key))
    assert echo.journal.wait(key, "started", 5)
    call.cancel()
    assert echo.journal.wait(key, "cancelled", 1)


def test_a_cancelled_stream_is_cancelled_upstream(stub, echo, key):
    call = stub.ServerStream(stream(1000, 10, key, interval=0.05))
    assert next(call).index == 0
    call.cancel()
    assert echo.journal.wait(key, "cancelled", 1)


def test_a_dropped_connection_cancels_its_calls(native_target, echo, key):
    with grpc.insecure_channel(native_target, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        call = channel.unary_stream("/gatewaytest.interop.v1.EchoService/ServerStream")(
            stream(1000, 10, key, interval=0.05).SerializeToString())
        assert echo.journal.wait(key, "started", 5), call
    assert echo.journal.wait(key, "cancelled", 1)


@pytest.mark.parametrize("size", [1, 16_379, 16_384, 65_535, 65_536, 1 << 20, 3 << 20])
def test_messages_of_any_size(stub, size):
    message = Everything(data=bytes(size))
    assert stub.Echo(message, timeout=30) == message


def test_streams_of_big_messages_both_ways(stub):
    items = [StreamItem(index=i, payload=bytes([i]) * (1 << 20)) for i in range(8)]
    assert list(stub.Bidi(iter(items), timeout=30)) == items


def test_a_slow_reader_stops_the_server(stub, echo, key):
    count = 1000
    call = stub.ServerStream(stream(count, 64 << 10, key), timeout=50)
    assert next(call).index == 0
    stalled = echo.journal.wait_stalled(key, quiet=0.4, seconds=20)
    assert stalled < count / 2, "62 MiB went somewhere that nobody read"
    assert sum(1 for _ in call) == count - 1


def test_a_slow_reader_holds_up_nobody_else(stub, echo, key):
    slow = stub.ServerStream(stream(1000, 64 << 10, key), timeout=50)
    assert next(slow).index == 0
    echo.journal.wait_stalled(key, quiet=0.4, seconds=20)
    for size in (10, 1 << 20):
        assert len(stub.Echo(Everything(data=bytes(size)), timeout=10).data) == size
    slow.cancel()


def test_many_calls_at_once_on_one_connection(stub):
    calls = [stub.Echo.future(Everything(i32=i), timeout=30) for i in range(500)]
    assert [call.result().i32 for call in calls] == list(range(500))


def test_many_connections_at_once(native_target):
    def one(index):
        with grpc.insecure_channel(native_target, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
            echo = channel.unary_unary("/gatewaytest.interop.v1.EchoService/Echo")
            return all(echo(Everything(i32=i).SerializeToString(), timeout=20) is not None for i in range(5))

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert all(pool.map(one, range(64)))
