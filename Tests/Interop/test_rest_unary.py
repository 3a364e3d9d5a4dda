"""REST/JSON by google.api.http: what each part of a request becomes, and what comes back."""
import base64
import json

import pytest

from support import http2
from support.schema import Everything, interop
from test_grpc_calls import full_message

FULL = interop.to_dict(full_message())


def test_every_field_there_and_back(rest):
    answer = rest("POST", "/v1/echo", FULL)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert interop.parse(answer.body, Everything()) == full_message()
    assert answer.json == FULL


def test_proto_names_are_read_too(rest):
    names = interop.to_dict(full_message(), preserving_proto_field_name=True)
    assert rest("POST", "/v1/echo", names).json == FULL


def test_the_answer_is_utf8_and_counts_its_bytes(rest):
    answer = rest("POST", "/v1/echo", {"text": "日本 🦊\u0000\u2028\""})
    assert answer.json == {"text": "日本 🦊\u0000\u2028\""}
    assert int(answer.headers["content-length"]) == len(answer.body)


PATHS = [
    ("/v1/echo/plain", {"text": "plain"}),
    ("/v1/echo/a%20b%2Fc%2fd", {"text": "a b/c/d"}),
    ("/v1/echo/%E6%97%A5%F0%9F%A6%8A", {"text": "日🦊"}),
    ("/v1/echo/a+b%2B", {"text": "a+b+"}),
    ("/v1/echo/%2523", {"text": "%23"}),
    ("/v1/echo/x:unknown", {"text": "x:unknown"}),
    ("/v1/echo/a;b=c,d@e!$&'()*", {"text": "a;b=c,d@e!$&'()*"}),
    ("/v1/things/1/parts/2", {"text": "things/1/parts/2"}),
    ("/v1/things/1/parts/2/3/4", {"text": "things/1/parts/2/3/4"}),
    ("/v1/things/a%20b/parts/c%2Fd/e%23f", {"text": "things/a b/parts/c%2Fd/e#f"}),
    ("/v1/things/1/parts", {"text": "things/1/parts"}),
    ("/v1/numbers/-5/18446744073709551615/true/COLOR_RED",
     {"i32": -5, "u64": "18446744073709551615", "flag": True, "color": "COLOR_RED"}),
    ("/v1/numbers/0/0/false/2", {"color": "COLOR_GREEN"}),
]


@pytest.mark.parametrize("path, expected", PATHS, ids=[path for path, _ in PATHS])
def test_path_variables(rest, path, expected):
    answer = rest("GET", path)
    assert answer.status == 200, answer
    assert answer.json == expected


QUERIES = [
    ("text=a", {"text": "a"}),
    ("text=", {}),
    ("text=a%20b+c%2B", {"text": "a b c+"}),
    ("text=%E6%97%A5&i32=-1", {"text": "日", "i32": -1}),
    ("data=AAEC_w", {"data": "AAEC/w=="}),
    ("data=AAEC%2Fw%3D%3D", {"data": "AAEC/w=="}),
    ("flag=true&maybeFlag=false", {"flag": True, "maybeFlag": False}),
    ("maybe_flag=1&maybe_number=0", {"maybeFlag": True, "maybeNumber": 0}),
    ("i64=-9223372036854775808&u64=18446744073709551615",
     {"i64": "-9223372036854775808", "u64": "18446744073709551615"}),
    ("real=1.5e3&single=-Infinity", {"real": 1500.0, "single": "-Infinity"}),
    ("color=COLOR_RED", {"color": "COLOR_RED"}),
    ("color=COLOR_VERDE", {"color": "COLOR_GREEN"}),
    ("color=-1", {"color": "COLOR_NEGATIVE"}),
    ("texts=a&texts=b&texts=", {"texts": ["a", "b", ""]}),
    ("numbers=1", {"numbers": [1]}),
    ("numbers=1&numbers=-2&colors=COLOR_RED&colors=2", {"numbers": [1, -2], "colors": ["COLOR_RED", "COLOR_GREEN"]}),
    ("nested.id=x&nested.count=3&nested.child.child.id=deep&nested.tags=t&nested.tags=u",
     {"nested": {"id": "x", "count": 3, "child": {"child": {"id": "deep"}}, "tags": ["t", "u"]}}),
    ("choiceNumber=5", {"choiceNumber": "5"}),
    ("choice_nested.id=x", {"choiceNested": {"id": "x"}}),
    ("veryOdd=1", {"veryOdd": "1"}),
    ("odd_name_=1", {"veryOdd": "1"}),
    ("at=2026-01-02T03%3A04%3A05.5Z&span=-1.5s", {"at": "2026-01-02T03:04:05.500Z", "span": "-1.500s"}),
    ("at=2026-01-02T03:04:05%2B01:00", {"at": "2026-01-02T02:04:05Z"}),
    ("mask=aB,c.dE", {"mask": "aB,c.dE"}),
    ("textValue=&numberValue=0&flagValue=false", {"textValue": "", "numberValue": "0", "flagValue": False}),
    ("labels%5Bk%5D=v&labels[other]=w", {"labels": {"k": "v", "other": "w"}}),
    ("byFlag[true]=5&byId[7]=COLOR_RED", {"byFlag": {"true": "5"}, "byId": {"7": "COLOR_RED"}}),
    ("", {}),
    ("&&", {}),
]


@pytest.mark.parametrize("query, expected", QUERIES, ids=[query or "empty" for query, _ in QUERIES])
def test_query_parameters(rest, query, expected):
    answer = rest("GET", f"/v1/echo?{query}")
    assert answer.status == 200, answer
    assert answer.json == expected


BODIES = [
    ("PUT", "/v1/echo/t?i32=3", {"id": "n"}, {"text": "t", "i32": 3, "nested": {"id": "n"}}),
    ("PUT", "/v1/items/x?text=q", [{"id": "a"}, {}], {"text": "q", "nested": {"id": "x"}, "items": [{"id": "a"}, {}]}),
    ("PUT", "/v1/items/x", [], {"nested": {"id": "x"}}),
    ("PATCH", "/v1/deep/x", {"id": "n", "child": {"count": 2}},
     {"nested": {"id": "n", "child": {"id": "x", "count": 2}}}),
    ("POST", "/v1/echo/t:shout", {"i32": 1}, {"text": "t", "i32": 1}),
    ("POST", "/v1/echo/t:shout", {"text": "t"}, {"text": "t"}),
    ("POST", "/v1/echo/t:shout", "", {"text": "t"}),
    ("POST", "/v1/echo", "", {}),
    ("POST", "/v1/echo", " {} ", {}),
    ("DELETE", "/v1/echo/t", None, {"text": "t"}),
    ("PURGE", "/v1/echo/t", None, {"text": "t"}),
]


@pytest.mark.parametrize("method, path, body, expected", BODIES)
def test_bodies(rest, method, path, body, expected):
    answer = rest(method, path, body)
    assert answer.status == 200, answer
    assert answer.json == expected


RESPONSE_BODIES = [
    ("POST", "/v1/nested", {"id": "n", "child": {}}, {"id": "n", "child": {}}),
    ("POST", "/v1/texts", ["a", "b"], ["a", "b"]),
    ("POST", "/v1/texts", [], []),
    ("GET", "/v1/total?i64=5", None, "5"),
    ("GET", "/v1/total", None, "0"),
]


@pytest.mark.parametrize("method, path, body, expected", RESPONSE_BODIES)
def test_one_field_of_the_response_as_the_body(rest, method, path, body, expected):
    answer = rest(method, path, body)
    assert answer.status == 200, answer
    assert answer.json == expected


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_content_types_of_json(rest, content_type):
    assert rest("POST", "/v1/echo", '{"text":"a"}', {"content-type": content_type}).json == {"text": "a"}


def test_an_empty_message_is_an_empty_object(rest):
    answer = rest("GET", "/v1/nothing")
    assert (answer.status, answer.body) == (200, b"{}")


def test_head_is_get_without_the_body(rest):
    get, head = rest("GET", "/v1/echo/abc"), rest("HEAD", "/v1/echo/abc")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-type"] == get.headers["content-type"]
    assert int(head.headers["content-length"]) == len(get.body)


def test_head_is_get_without_the_body_by_http2(gateway):
    with http2.Client(gateway.port) as client:
        get, head = (client.call(b"", method=method, path="/v1/echo/abc", headers={"content-type": None, "te": None})
                     for method in ("GET", "HEAD"))
    assert (head.status, head.body, get.body) == (200, b"", b'{"text":"abc"}')
    assert head.headers["content-type"] == get.headers["content-type"]
    assert int(head.headers["content-length"]) == int(get.headers["content-length"]) == len(get.body)


def test_unknown_json_fields_are_ignored(rest):
    body = {"nobody": {"knows": [1, {"this": None}]}, "text": "a", "nested": {"what": 1}}
    assert rest("POST", "/v1/echo", body).json == {"text": "a", "nested": {}}


def test_unknown_enum_names_are_ignored_too(rest):
    body = {"color": "COLOR_BLUE", "colors": ["COLOR_RED", "COLOR_BLUE"], "byId": {"1": "COLOR_BLUE", "2": "COLOR_RED"}}
    assert rest("POST", "/v1/echo", body).json == {"colors": ["COLOR_RED"], "byId": {"2": "COLOR_RED"}}


@pytest.mark.parametrize("flags, expected", [
    (["--defaults", "emit"], {"id": "", "count": 0, "tags": []}),
    (["--defaults", "omit"], {}),
])
def test_defaults_are_printed_when_told_to(echo, start_gateway, flags, expected):
    from support import http1
    answer = http1.request(start_gateway(echo.target, *flags).port, "POST", "/v1/nested", {"id": ""})
    assert answer.json == expected


# Metadata

def test_headers_become_metadata_and_hop_by_hop_ones_do_not(rest):
    headers = {"X-One": "1", "Authorization": "Bearer t", "X-Data-Bin": base64.b64encode(b"\0\xff").decode(),
               "Connection": "keep-alive, X-Private", "X-Private": "p", "Keep-Alive": "5", "Upgrade": "foo",
               "TE": "deflate", "Proxy-Authorization": "secret", "Grpc-Status": "5"}
    seen = rest("POST", "/v1/headers", {}, headers).json["metadata"]
    assert seen["x-one"] == "1" and seen["authorization"] == "Bearer t"
    assert seen["x-data-bin"] == base64.b64encode(b"\0\xff").decode()
    for name in ("connection", "x-private", "keep-alive", "upgrade", "te", "proxy-authorization", "grpc-status", "host"):
        assert name not in seen, name


def test_leading_metadata_become_headers(rest):
    answer = rest("POST", "/v1/headers", {"leading": {"x-lead": "l"}, "leadingBinary": {"x-lead-bin": "AP8="}})
    assert answer.headers["x-lead"] == "l"
    assert base64.b64decode(answer.headers["x-lead-bin"] + "==") == b"\0\xff"


@pytest.mark.parametrize("name, value", [
    ("Grpc-Timeout", "5S"), ("X-Server-Timeout", "5"), ("X-Server-Timeout", "5.0"), ("Connect-Timeout-Ms", "5000")])
def test_a_client_may_set_the_deadline(rest, name, value):
    seen = float(rest("GET", "/v1/delay?time=0s", headers={name: value}).json["deadline"].rstrip("s"))
    assert 4 < seen <= 5.005  # the server counts in milliseconds


def test_a_passed_deadline_is_504_and_ends_the_upstream_call(rest, echo):
    answer = rest("GET", "/v1/delay?time=30s&key=rest-late", headers={"Grpc-Timeout": "200m"})
    assert (answer.status, answer.json["code"]) == (504, 4)
    assert echo.journal.wait("rest-late", "cancelled", 1)


def test_a_client_that_leaves_cancels_the_upstream_call(gateway, echo):
    from support.http1 import RawConnection
    with RawConnection(gateway.port) as connection:
        connection.send(b"GET /v1/delay?time=30s&key=rest-gone HTTP/1.1\r\nhost: x\r\n\r\n")
        assert echo.journal.wait("rest-gone", "started", 5)
    assert echo.journal.wait("rest-gone", "cancelled", 1)


@pytest.mark.parametrize("size", [1, 1000, 65_536, 1 << 20, 3 << 20])
def test_documents_of_any_size(rest, size):
    text = ("naïve \" 🦊\n" * (size // 10 + 1))[:size // 2 + 1]
    assert rest("POST", "/v1/echo", json.dumps({"text": text}, ensure_ascii=False)).json == {"text": text}
