"""Native gRPC by grpcio: the four kinds of call, metadata, statuses."""
import queue

import grpc
import pytest
from google.rpc import status_pb2

from support.schema import (ECHO, Everything, FailRequest, HeadersRequest, StreamItem, StreamRequest, interop)

pytestmark = pytest.mark.native

CODES = [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK]
MESSAGES = ["", "plain", "percent % and %41", "naïve – 日本 🦊", "two\r\nlines\tand a tab", "x" * 2000]


def full_message():
    """A message with something in every kind of field."""
    message = Everything(
        text="naïve 🦊", data=bytes(range(256)), flag=True, i32=-(2**31), s32=-1, u32=2**32 - 1, f32=7, sf32=-7,
        i64=-(2**63), s64=-(2**40), u64=2**64 - 1, f64=2**63, sf64=-5, single=0.1, real=1e-300, color=2,
        texts=["", "a", "b"], numbers=[0, -1, 2**31 - 1], reals=[0.5, -0.0], colors=[0, 1, 2, -1],
        blobs=[b"", b"\0\xff"], choice_text="", maybe_number=0, maybe_text="", maybe_flag=False)
    message.nested.child.child.id = "deep"
    message.items.add(id="one", tags=["x", "y"])
    message.items.add()
    message.labels["k"] = "v"
    message.by_number[-3].id = "three"
    message.by_flag[True] = -9
    message.by_id[2**64 - 1] = 1
    message.at.FromJsonString("2026-01-02T03:04:05.006Z")
    message.span.FromJsonString("-1.5s")
    message.mask.paths.extend(["a.b_c", "d"])
    message.object.update({"a": [1, "two", None, True, {"b": 0.5}]})
    message.value.null_value = 0
    message.any.type_url = "type.googleapis.com/gatewaytest.interop.v1.Nested"
    message.any.value = b"\x0a\x02id"
    message.text_value.value = ""
    message.number_value.value = 2**53 + 1
    return message


def test_unary_echo_of_every_field(stub):
    message = full_message()
    assert stub.Echo(message, timeout=10) == message


def test_empty_messages(stub):
    assert stub.Echo(Everything(), timeout=10) == Everything()
    assert stub.Nothing(interop.message("google.protobuf.Empty")(), timeout=10).ByteSize() == 0


@pytest.mark.parametrize("count", [0, 1, 3, 1000])
def test_server_stream(stub, count):
    items = list(stub.ServerStream(StreamRequest(count=count, size=10), timeout=20))
    assert [item.index for item in items] == list(range(count))
    assert all(item.payload == b"x" * 10 for item in items)


@pytest.mark.parametrize("count", [0, 1, 1000])
def test_client_stream(stub, count):
    summary = stub.ClientStream((StreamItem(index=i, payload=b"ab") for i in range(count)), timeout=20)
    assert (summary.messages, summary.bytes) == (count, 2 * count)


def test_bidi_answers_each_message_before_the_next_is_sent(stub):
    requests = queue.Queue()
    answers = stub.Bidi(iter(requests.get, None), timeout=20)
    for index in range(50):
        requests.put(StreamItem(index=index, payload=b"p" * index))
        assert next(answers).index == index
    requests.put(None)
    assert list(answers) == []


def test_bidi_of_many_messages_in_flight(stub):
    answers = stub.Bidi((StreamItem(index=i, payload=b"y" * 100) for i in range(5000)), timeout=30)
    assert [item.index for item in answers] == list(range(5000))


@pytest.mark.parametrize("code", CODES, ids=lambda code: code.name)
def test_every_status_code(stub, code):
    with pytest.raises(grpc.RpcError) as failure:
        stub.Fail(FailRequest(code=code.value[0], message="why not"), timeout=10)
    assert failure.value.code() is code
    assert failure.value.details() == "why not"


@pytest.mark.parametrize("text", MESSAGES)
def test_status_messages_arrive_as_sent(stub, text):
    with pytest.raises(grpc.RpcError) as failure:
        stub.Fail(FailRequest(code=9, message=text), timeout=10)
    assert failure.value.details() == text


def test_status_details_arrive_as_sent(stub):
    request = FailRequest(code=3, message="bad", trailing={"x-trailing": "t"})
    request.bad_request.field_violations.add(field="book.title", description="must not be empty")
    request.retry_info.retry_delay.seconds = 7
    request.details.add(type_url="example.test/unknown.Type", value=b"\1\2\3")
    with pytest.raises(grpc.RpcError) as failure:
        stub.Fail(request, timeout=10)
    trailing = dict(failure.value.trailing_metadata())
    assert trailing["x-trailing"] == "t"
    status = status_pb2.Status.FromString(trailing["grpc-status-details-bin"])
    assert (status.code, status.message) == (3, "bad")
    assert [detail.type_url.split("/")[1] for detail in status.details] == [
        "google.rpc.BadRequest", "google.rpc.RetryInfo", "unknown.Type"]
    assert status.details[2].value == b"\1\2\3"


@pytest.mark.parametrize("before", [0, 1, 5])
def test_a_stream_fails_after_some_messages(stub, before):
    call = stub.FailStream(FailRequest(code=5, message="gone", messages_before=before), timeout=10)
    seen = []
    with pytest.raises(grpc.RpcError) as failure:
        for item in call:
            seen.append(item.index)
    assert seen == list(range(before))
    assert failure.value.code() is grpc.StatusCode.NOT_FOUND


def test_request_metadata_reaches_the_server(stub):
    metadata = [("x-one", "1"), ("x-many", "a"), ("x-many", "b"), ("x-data-bin", bytes(range(256))),
                ("authorization", "Bearer token")]
    seen = stub.Headers(HeadersRequest(), metadata=metadata, timeout=10).metadata
    assert seen["x-one"] == "1"
    assert seen["x-many"] == "a, b"
    assert seen["authorization"] == "Bearer token"
    assert seen["x-data-bin"].startswith("AAECAwQF")


@pytest.mark.parametrize("code", [0, 7])
def test_response_metadata_reaches_the_client(stub, code):
    request = HeadersRequest(leading={"x-lead": "l"}, trailing={"x-trail": "t"}, leading_binary={"x-lead-bin": b"\0\1"},
                             trailing_binary={"x-trail-bin": b"\xfe\xff"}, code=code)
    call = stub.Headers.future(request, timeout=10)
    leading, trailing = dict(call.initial_metadata()), dict(call.trailing_metadata())
    assert call.code().value[0] == code
    assert (leading["x-lead"], leading["x-lead-bin"]) == ("l", b"\0\1")
    assert (trailing["x-trail"], trailing["x-trail-bin"]) == ("t", b"\xfe\xff")


@pytest.mark.parametrize("path", [f"/{ECHO}/Missing", f"/{ECHO}/Unknown", "/no.such.Service/Method"])
def test_a_method_that_nobody_has_is_unimplemented(stub, path):
    call = stub.channel.unary_unary(path)
    with pytest.raises(grpc.RpcError) as failure:
        call(b"", timeout=10)
    assert failure.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_metadata_of_many_kilobytes(stub):
    metadata = [(f"x-part-{i}", "v" * 500) for i in range(12)]
    seen = stub.Headers(HeadersRequest(), metadata=metadata, timeout=10).metadata
    assert all(seen[f"x-part-{i}"] == "v" * 500 for i in range(12))
