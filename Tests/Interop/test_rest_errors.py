"""REST/JSON: each fault is an error of the right shape, told apart by whose fault it is."""
import json

import pytest

from support import http1
from support.schema import FailRequest, interop

# google.rpc.Code → HTTP status
STATUSES = {1: 499, 2: 500, 3: 400, 4: 504, 5: 404, 6: 409, 7: 403, 8: 429, 9: 400, 10: 409, 11: 400, 12: 501, 13: 500,
            14: 503, 15: 500, 16: 401}


def check(answer, status, code, *words, own=True):
    """The shape of every REST error: google.rpc.Status as JSON; `gateway-error` when the gateway made it."""
    assert answer.status == status, answer
    assert answer.headers["content-type"] == "application/json", answer
    assert answer.json["code"] == code, answer
    assert ("gateway-error" in answer.headers) == own, answer
    for word in words:
        assert word in answer.json["message"], (word, answer)


# The upstream's errors

@pytest.mark.parametrize("code", STATUSES)
def test_every_status_of_the_upstream(rest, code):
    answer = rest("POST", "/v1/fail", {"code": code, "message": "naïve 🦊 \"why\"\r\n"})
    check(answer, STATUSES[code], code, own=False)
    assert answer.json["message"] == "naïve 🦊 \"why\"\r\n"


def test_details_are_printed_with_their_types(rest):
    request = FailRequest(code=3, message="bad")
    request.bad_request.field_violations.add(field="book.title", description="must not be empty")
    request.retry_info.retry_delay.FromMilliseconds(1500)
    answer = rest("POST", "/v1/fail", interop.to_dict(request))
    check(answer, 400, 3, own=False)
    assert answer.json["details"] == [
        {"@type": "type.googleapis.com/google.rpc.BadRequest",
         "fieldViolations": [{"field": "book.title", "description": "must not be empty"}]},
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1.500s"}]


def test_a_detail_of_unknown_type_does_not_lose_the_error(rest):
    request = {"code": 9, "message": "kept", "errorInfo": {"reason": "STATE"}, "unknownDetail": True}
    answer = rest("POST", "/v1/fail", request)
    check(answer, 400, 9, "kept", own=False)
    known, unknown = answer.json["details"]
    assert known["reason"] == "STATE"
    assert unknown["@type"] == "type.googleapis.com/nobody.v1.Knows"


def test_a_method_that_the_upstream_lacks(rest):
    check(rest("GET", "/v1/missing"), 501, 12, own=False)


def test_a_status_message_cannot_make_headers(gateway):
    with http1.RawConnection(gateway.port) as connection:
        body = json.dumps({"code": 5, "message": "a\r\nx-evil: 1\r\n\r\n"}).encode()
        connection.send(b"POST /v1/fail HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
                        % len(body) + body)
        answer = connection.response()
    check(answer, 404, 5, own=False)
    assert "x-evil" not in answer.headers and answer.json["message"].endswith("x-evil: 1\r\n\r\n")


# Routes

@pytest.mark.parametrize("path", ["/", "/v1", "/v2/echo", "/v1/echo/a/b", "/v1/echo/", "/v1//echo", "/V1/echo",
                                  "/v1/numbers/1/2/true", "/v1/things/1", "/v1/things//parts/1"])
def test_no_route(rest, path):
    check(rest("GET", path), 404, 5)


@pytest.mark.parametrize("method, path, allow", [
    ("DELETE", "/v1/echo", {"GET", "POST"}), ("GET", "/v1/fail", {"POST"}), ("POST", "/v1/nothing", {"GET"}),
    ("POST", "/v1/echo/x", {"GET", "PUT", "DELETE", "PURGE"}), ("WHATEVER", "/v1/delay", {"GET"})])
def test_a_known_path_with_another_method(rest, method, path, allow):
    answer = rest(method, path, {} if method == "POST" else None)
    check(answer, 405, 12)
    assert allow <= {name.strip() for name in answer.headers["allow"].split(",")} <= allow | {"HEAD", "OPTIONS"}


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "json",
                                          "application/json2"])
def test_a_body_of_another_type(rest, content_type):
    check(rest("POST", "/v1/echo", '{"text":"a"}', {"content-type": content_type}), 415, 3)


# JSON: text, a word of the message that says where or what

BAD_JSON = [
    ('{"i32":"x"}', "i32"), ('{"i32":1.5}', "i32"), ('{"i32":2147483648}', "i32"), ('{"i32":true}', "i32"),
    ('{"i32":[1]}', "i32"), ('{"u32":-1}', "u32"), ('{"u64":18446744073709551616}', "u64"),
    ('{"i64":"9223372036854775808"}', "i64"), ('{"i64":" 1"}', "i64"), ('{"i64":""}', "i64"), ('{"i32":1e99999999}', "i32"),
    ('{"i32":01}', ""), ('{"i32":+1}', ""), ('{"single":3.5e38}', "single"), ('{"real":1.9e308}', "real"),
    ('{"real":NaN}', ""), ('{"real":"nan"}', "real"), ('{"flag":"true"}', "flag"), ('{"flag":1}', "flag"),
    ('{"text":1}', "text"), ('{"text":{}}', "text"), ('{"text":"\\ud800"}', "text"), ('{"text":"\\x"}', ""),
    ('{"text":"a\nb"}', ""), ('{"data":"%%%"}', "data"), ('{"color":1.5}', "color"),
    ('{"color":["COLOR_RED"]}', "color"), ('{"nested":"x"}', "nested"), ('{"nested":[]}', "nested"),
    ('{"nested":{"child":{"count":"x"}}}', "nested.child.count"), ('{"items":{}}', "items"), ('{"items":[1]}', "items[0]"),
    ('{"items":[{},{"id":1}]}', "items[1].id"), ('{"items":[null]}', "items[0]"), ('{"texts":"a"}', "texts"),
    ('{"labels":[]}', "labels"), ('{"labels":{"a":1}}', "labels"), ('{"byNumber":{"x":{}}}', "byNumber"),
    ('{"byFlag":{"1":"2"}}', "byFlag"), ('{"labels":{"a":"1","a":"2"}}', "labels"), ('{"labels":{"a":null}}', "labels"),
    ('{"text":"a","text":"b"}', "text"), ('{"maybeText":"a","maybe_text":"b"}', "maybe"),
    ('{"choiceText":"a","choiceNumber":1}', "choice"), ('{"at":"2026-13-01T00:00:00Z"}', "at"), ('{"at":0}', "at"),
    ('{"at":"2026-01-01 00:00:00Z"}', "at"), ('{"at":"10000-01-01T00:00:00Z"}', "at"), ('{"span":"1"}', "span"),
    ('{"span":"315576000001s"}', "span"), ('{"mask":"a_b"}', "mask"), ('{"any":{"@type":"no.such/Type"}}', "any"),
    ('{"any":{"id":"x"}}', "any"), ('{"object":1}', "object"), ('{"textValue":1}', "textValue"),
    ('{', ""), ('{"text"', ""), ('{"text":', ""), ('{"text":"a', ""), ('{"text":"a"', ""), ('[]', ""), ('null', ""),
    ('1', ""), ('"x"', ""), ('{}{}', ""), ('{} x', ""), ('{"text":"a",}', ""), ("{'text':'a'}", ""), ('{text:1}', ""),
    ('// c\n{}', ""), ('{"text":tru}', ""), ('\ufeff{}', ""), ('{"numbers":[1,]}', ""), ('{"numbers":[1 2]}', ""),
]


@pytest.mark.parametrize("text, word", BAD_JSON, ids=[text for text, _ in BAD_JSON])
def test_bad_json(rest, text, word):
    check(rest("POST", "/v1/echo", text), 400, 3, word)


@pytest.mark.parametrize("raw", [b'{"text":"\xff"}', b'{"text":"\xc0\x80"}', b'{"text":"\xed\xa0\x80"}',
                                 b'{"text":"\xf4\x90\x80\x80"}', b'{"text":"\xe2\x82"}', b'{"te\xffxt":"a"}', b'{"text":"\0"}',
                                 b"\xfe\xff\0{\0}", b"\0", b"{}\0"])
def test_bytes_that_are_no_text(rest, raw):
    check(rest("POST", "/v1/echo", raw), 400, 3)


@pytest.mark.parametrize("depth, status", [(30, 200), (500, 400), (100_000, 400)])
@pytest.mark.parametrize("opening, closing", [('{"child":', "}"), ('{"unknown":[', "]}")])
def test_nesting_has_a_limit(rest, depth, status, opening, closing):
    answer = rest("POST", "/v1/echo", '{"nested":' + opening * depth + "{}" + closing * depth + "}")
    if status == 200:
        assert answer.status == 200, answer
    else:
        check(answer, 400, 3)


def test_numbers_of_a_million_digits_are_refused(rest):
    check(rest("POST", "/v1/echo", '{"i32":' + "1" * 1_000_000 + "}"), 400, 3, "i32")


# Paths and queries

@pytest.mark.parametrize("target, word", [
    ("/v1/numbers/x/1/true/COLOR_RED", "i32"), ("/v1/numbers/2147483648/1/true/COLOR_RED", "i32"),
    ("/v1/numbers/1/-1/true/COLOR_RED", "u64"), ("/v1/numbers/1/1/yes/COLOR_RED", "flag"),
    ("/v1/numbers/1/1/true/COLOR_BLUE", "color"), ("/v1/echo/%ff", "text"), ("/v1/echo/%zz", ""), ("/v1/echo/a%2", ""),
    ("/v1/echo?nobody=1", "nobody"), ("/v1/echo?nested.nobody=1", "nested.nobody"), ("/v1/echo?i32=x", "i32"),
    ("/v1/echo?i32=", "i32"), ("/v1/echo?i32=1&i32=2", "i32"), ("/v1/echo?items.id=x", "items"), ("/v1/echo?nested=x", "nested"),
    ("/v1/echo?choiceText=a&choiceNumber=1", "choice"), ("/v1/echo?at=yesterday", "at"), ("/v1/echo?text=%zz", "text"),
    ("/v1/echo?text=%ff", "text"), ("/v1/echo/x?text=y", "text"), ("/v1/echo?color=COLOR_BLUE", "color"),
    ("/v1/echo?flag=yes", "flag"), ("/v1/echo?data=*", "data"), ("/v1/echo?byNumber[x]=1", "byNumber"),
])
def test_bad_paths_and_queries(rest, target, word):
    check(rest("GET", target), 400, 3, word)


def test_a_query_parameter_where_the_body_is_everything(rest):
    check(rest("POST", "/v1/echo?text=a", {}), 400, 3, "text")


def test_a_path_that_contradicts_the_body(rest):
    check(rest("POST", "/v1/echo/path:shout", {"text": "body"}), 400, 3, "text")


# Limits and the upstream's absence

@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit(echo, start_gateway, chunked):
    gateway = start_gateway(echo.target, "--max-message-bytes", "1000")
    body = json.dumps({"text": "x" * 2000}).encode()
    headers = {"content-type": "application/json"}
    answer = http1.request(gateway.port, "POST", "/v1/echo", iter([body]) if chunked else body, headers)
    check(answer, 413, 8)
    assert http1.request(gateway.port, "POST", "/v1/echo", {"text": "x" * 100}).status == 200


def test_unknown_fields_and_enum_names_are_refused_when_told_to(echo, start_gateway):
    gateway = start_gateway(echo.target, "--unknown-fields", "reject")
    check(http1.request(gateway.port, "POST", "/v1/echo", {"nested": {"nobody": 1}}), 400, 3, "nested.nobody")
    check(http1.request(gateway.port, "POST", "/v1/echo", {"colors": ["COLOR_BLUE"]}), 400, 3, "colors[0]")


def test_no_upstream(start_gateway, free_port):
    gateway = start_gateway(f"127.0.0.1:{free_port}")
    for _ in range(3):
        check(http1.request(gateway.port, "GET", "/v1/echo/x"), 503, 14)
    check(http1.request(gateway.port, "GET", "/nowhere"), 404, 5)
