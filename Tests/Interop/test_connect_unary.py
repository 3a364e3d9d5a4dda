"""Connect, unary POST with JSON and with protobuf bodies."""
import base64
import json

import pytest

from support import http1
from support.schema import ECHO, DelayResponse, Everything, FailRequest, HeadersRequest, HeadersResponse, interop
from test_grpc_calls import full_message

JSON, PROTO = "application/json", "application/proto"

# name → (google.rpc.Code, HTTP status)
CODES = {
    "canceled": (1, 499), "unknown": (2, 500), "invalid_argument": (3, 400), "deadline_exceeded": (4, 504),
    "not_found": (5, 404), "already_exists": (6, 409), "permission_denied": (7, 403), "resource_exhausted": (8, 429),
    "failed_precondition": (9, 400), "aborted": (10, 409), "out_of_range": (11, 400), "unimplemented": (12, 501),
    "internal": (13, 500), "unavailable": (14, 503), "data_loss": (15, 500), "unauthenticated": (16, 401),
}


@pytest.fixture
def connect(rest):
    """connect(method, message, codec, headers={}) → Answer"""

    def call(method, message, codec, headers=None):
        body = message
        if not isinstance(message, (bytes, str)):
            body = message.SerializeToString() if codec == PROTO else interop.to_json(message)
        return rest("POST", f"/{ECHO}/{method}", body,
                    {"content-type": codec, "connect-protocol-version": "1", **(headers or {})})

    return call


def decode(answer, codec, message):
    return message.FromString(answer.body) if codec == PROTO else interop.parse(answer.body, message())


@pytest.mark.parametrize("codec", [JSON, PROTO])
def test_echo_of_every_field(connect, codec):
    answer = connect("Echo", full_message(), codec)
    assert answer.status == 200, answer
    assert answer.headers["content-type"] == codec
    assert decode(answer, codec, Everything) == full_message()


@pytest.mark.parametrize("codec, body", [(PROTO, b""), (JSON, b"{}")])
def test_empty_messages(connect, codec, body):
    answer = connect("Echo", body, codec)
    assert (answer.status, answer.body) == (200, body)


def test_the_version_header_is_not_needed(rest):
    answer = rest("POST", f"/{ECHO}/Echo", {"text": "curl"})
    assert (answer.status, answer.json) == (200, {"text": "curl"})


def test_json_may_name_its_character_set(connect):
    assert connect("Echo", '{"text":"a"}', JSON + "; charset=utf-8").json == {"text": "a"}


def test_unknown_fields_are_ignored(connect):
    assert connect("Echo", '{"nobody":1,"text":"a"}', JSON).json == {"text": "a"}


@pytest.mark.parametrize("codec", [JSON, PROTO])
@pytest.mark.parametrize("name", CODES)
def test_every_status_of_the_upstream(connect, name, codec):
    code, status = CODES[name]
    answer = connect("Fail", FailRequest(code=code, message="naïve \"why\""), codec)
    assert answer.status == status, answer
    assert answer.headers["content-type"] == JSON
    assert answer.json["code"] == name
    assert answer.json["message"] == "naïve \"why\""
    assert "gateway-error" not in answer.headers


def test_details_are_unpadded_base64_without_the_type_prefix(connect):
    request = FailRequest(code=3, message="bad", unknown_detail=True)
    request.bad_request.field_violations.add(field="title", description="empty")
    violation, unknown = connect("Fail", request, JSON).json["details"]
    assert violation["type"] == "google.rpc.BadRequest"
    assert "=" not in violation["value"]
    raw = base64.b64decode(violation["value"] + "=" * (-len(violation["value"]) % 4))
    assert raw == request.bad_request.SerializeToString()
    assert unknown["type"] == "nobody.v1.Knows"


@pytest.mark.parametrize("codec", [JSON, PROTO])
@pytest.mark.parametrize("code", [0, 5])
def test_metadata_of_the_response(connect, codec, code):
    request = HeadersRequest(leading={"x-lead": "l"}, trailing={"x-trail": "t"}, trailing_binary={"x-trail-bin": b"\0\xff"},
                             code=code)
    answer = connect("Headers", request, codec)
    assert answer.status == (404 if code else 200)
    assert answer.headers["x-lead"] == "l"
    assert answer.headers["trailer-x-trail"] == "t"
    assert base64.b64decode(answer.headers["trailer-x-trail-bin"] + "==") == b"\0\xff"


def test_metadata_of_the_request(connect):
    answer = connect("Headers", HeadersRequest(), PROTO,
                     {"X-One": "1", "X-Data-Bin": "AP8", "Connect-Timeout-Ms": "5000", "Accept-Encoding": "identity"})
    seen = HeadersResponse.FromString(answer.body).metadata
    assert (seen["x-one"], seen["x-data-bin"]) == ("1", "AP8=")
    assert not [name for name in seen if name.startswith(("connect-", "content-", "accept-encoding"))], seen


def test_the_timeout_header_is_the_deadline(connect):
    answer = connect("Delay", b"", PROTO, {"connect-timeout-ms": "5000"})
    seen = DelayResponse.FromString(answer.body).deadline.ToMicroseconds() / 1e6
    assert 4 < seen <= 5.005


def test_a_passed_deadline(connect, echo):
    answer = connect("Delay", '{"time":"30s","key":"connect-late"}', JSON, {"connect-timeout-ms": "200"})
    assert (answer.status, answer.json["code"]) == (504, "deadline_exceeded")
    assert echo.journal.wait("connect-late", "cancelled", 1)


def check(answer, status, code, *words):
    """The shape of an error that the gateway makes."""
    assert answer.status == status, answer
    assert answer.headers["content-type"] == JSON, answer
    assert answer.json["code"] == code, answer
    assert "gateway-error" in answer.headers, answer
    for word in words:
        assert word in answer.json["message"], (word, answer)


@pytest.mark.parametrize("value", ["0x10", "-1", "12345678901", "1.5", "soon"])
def test_bad_timeouts(connect, value):
    check(connect("Echo", "{}", JSON, {"connect-timeout-ms": value}), 400, "invalid_argument")


def test_another_version_of_the_protocol(connect):
    check(connect("Echo", "{}", JSON, {"connect-protocol-version": "2"}), 400, "invalid_argument")


@pytest.mark.parametrize("body, word", [
    ('{"i32":"x"}', "i32"), ('{"nested":{"child":{"count":1.5}}}', "nested.child.count"), ("{", ""), ("[]", ""), ("", ""),
    ('{"text":"a","text":"b"}', "text"), (b'{"text":"\xff"}', "text")])
def test_bad_json(connect, body, word):
    check(connect("Echo", body, JSON), 400, "invalid_argument", word)


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/jsonx"])
def test_another_content_type(connect, content_type):
    answer = connect("Echo", "{}", content_type)
    assert answer.status == 415, answer
    assert "application/json" in answer.headers["accept-post"]
    assert "application/proto" in answer.headers["accept-post"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_another_method(rest, method):
    answer = rest(method, f"/{ECHO}/Echo", {})
    assert answer.status == 405, answer
    assert "POST" in answer.headers["allow"]


@pytest.mark.parametrize("path", [f"/{ECHO}/Unknown", "/no.such.Service/Echo", f"/{ECHO}/echo", f"/{ECHO}/Echo/"])
def test_an_unknown_procedure(rest, path):
    assert rest("POST", path, {}).status == 404


def test_a_procedure_that_the_upstream_lacks(connect):
    answer = connect("Missing", "{}", JSON)
    assert (answer.status, answer.json["code"]) == (501, "unimplemented")


@pytest.mark.parametrize("codec", [JSON, PROTO])
def test_a_message_over_the_limit(echo, start_gateway, codec):
    gateway = start_gateway(echo.target, "--max-message-bytes", "1000")
    message = Everything(text="x" * 2000)
    body = message.SerializeToString() if codec == PROTO else interop.to_json(message).encode()
    answer = http1.request(gateway.port, "POST", f"/{ECHO}/Echo", body, {"content-type": codec})
    assert answer.json["code"] == "resource_exhausted", answer
    assert answer.status in (413, 429)


def test_no_upstream(start_gateway, free_port):
    gateway = start_gateway(f"127.0.0.1:{free_port}")
    answer = http1.request(gateway.port, "POST", f"/{ECHO}/Echo", b"", {"content-type": PROTO})
    check(answer, 503, "unavailable")


@pytest.mark.parametrize("raw", [b"\xff", b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", b"\x0a\x05ab", b"\x00"])
def test_protobuf_bytes_go_through_as_they_are(connect, raw):
    """The gateway does not decode them: whatever is wrong with them is the upstream's to say."""
    answer = connect("Echo", raw, PROTO)
    assert answer.status in (400, 500), answer
    assert json.loads(answer.body)["code"] in ("internal", "invalid_argument", "unknown")
