"""Connect by GET: unary calls without side effects, their message in the query."""
import base64
import json
import urllib.parse

import pytest

from support import http1
from support.matrix.codings import compress
from support.matrix.schema import SERVICE, Item, Order, matrix

PATH = f"/{SERVICE}/Get"
JSON = '{"key":"naïve 🦊 %+&=","index":7}'


@pytest.fixture
def get(served):
    """get(query, headers={}, path=…) → Answer. The query is text that is sent as it is, or pairs."""

    def call(query, headers=None, path=PATH, method="GET", body=None):
        text = query if isinstance(query, str) else urllib.parse.urlencode(query)
        return http1.request(served.plain_port, method, f"{path}?{text}", body, headers)

    yield call
    assert served.process.alive(), "\n".join(served.process.errors)


def message(**fields):
    order = Order(key="k", **fields)
    return order.SerializeToString()


def safe(data, padded=False):
    text = base64.urlsafe_b64encode(data).decode()
    return text if padded else text.rstrip("=")


def is_echo(answer, key="naïve 🦊 %+&="):
    assert answer.status == 200, answer
    assert answer.headers["content-type"] == "application/json", answer
    assert answer.json["key"] == key, answer


def test_json_as_text(get):
    is_echo(get([("connect", "v1"), ("encoding", "json"), ("message", JSON)]))


def test_json_percent_encoded_as_encodeuricomponent_does(get):
    is_echo(get("encoding=json&message=" + urllib.parse.quote(JSON, safe="!~*'()")))


def test_json_in_base64(get):
    is_echo(get([("base64", "1"), ("encoding", "json"), ("message", safe(JSON.encode()))]))


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("data", [b"", b"\xff", b"\xfb\xff\xfe", b"ab", b"abc"])
def test_proto_in_base64(get, padded, data):
    answer = get([("base64", "1"), ("encoding", "proto"), ("message", safe(message(data=data), padded))])
    assert answer.status == 200 and answer.headers["content-type"] == "application/proto", answer
    assert Item.FromString(answer.body).data == data


def test_an_empty_proto_message(get):
    answer = get("base64=1&encoding=proto&message=")
    assert answer.status == 200, answer
    assert Item.FromString(answer.body).key == ""


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "identity"])
def test_compressed(get, coding):
    query = [("base64", "1"), ("compression", coding), ("encoding", "json"), ("message", safe(compress(coding, JSON.encode())))]
    is_echo(get(query))


def test_nothing_needs_no_inflating(get):
    assert get("base64=1&compression=gzip&encoding=proto&message=").status == 200


def test_any_order_and_unknown_keys(get):
    is_echo(get([("message", JSON), ("utm_source", "x"), ("encoding", "json"), ("", ""), ("connect", "v1")]))


def test_another_value_of_base64_is_none(get):
    is_echo(get([("base64", "0"), ("encoding", "json"), ("message", JSON)]))


def check(answer, status, code):
    assert answer.status == status, answer
    assert answer.headers["content-type"] == "application/json" and answer.json["code"] == code, answer
    assert "gateway-error" in answer.headers, answer


@pytest.mark.parametrize("query", [
    "", "message=%7B%7D", "encoding=json", "connect=v2&encoding=json&message=%7B%7D", "connect=1&encoding=json&message=%7B%7D",
    "encoding=json&message=%7B", "encoding=json&message=", "encoding=json&message=%zz", "encoding=json&message=%7B%7",
    "encoding=json&message=%22%ff%22", "base64=1&encoding=proto&message=*", "base64=1&encoding=proto&message=A",
    "base64=1&encoding=proto&message=AA=A",
    "base64=1&compression=gzip&encoding=json&message=e30"])
def test_bad_queries(get, query):
    check(get(query), 400, "invalid_argument")


def test_an_unknown_coding(get):
    check(get("base64=1&compression=snappy&encoding=json&message=e30"), 501, "unimplemented")


def test_an_unknown_codec(get):
    answer = get("encoding=xml&message=%7B%7D")
    assert answer.status == 415, answer


@pytest.mark.parametrize("method", ["Unary", "ServerStream", "ClientStream", "Bidi"])
def test_only_what_has_no_side_effects(get, method):
    answer = get("encoding=json&message=%7B%7D", path=f"/{SERVICE}/{method}")
    assert (answer.status, answer.headers["allow"]) == (405, "POST"), answer


def test_other_methods_are_told_both(get):
    answer = get("encoding=json&message=%7B%7D", method="PUT")
    assert answer.status == 405, answer
    assert {part.strip() for part in answer.headers["allow"].split(",")} >= {"GET", "POST"}


def test_post_to_the_same_path(served):
    answer = http1.request(served.plain_port, "POST", PATH, {"key": "naïve 🦊 %+&="})
    is_echo(answer)


def test_a_body_is_refused(get):
    answer = get("encoding=json&message=%7B%7D", body=b"{}", headers={"content-type": "application/json"})
    assert answer.status in (400, 415), answer


def test_caches_are_told_what_the_answer_depends_on(get):
    answer = get([("encoding", "json"), ("message", JSON)])
    assert "accept-encoding" in answer.headers["vary"].lower(), answer


def test_the_upstreams_cache_control_reaches_the_client(get):
    """Metadata of the answer is its header: what the server says of caching holds."""
    query = [("encoding", "json"), ("message", json.dumps({"key": "k", "plan": {"headFirst": True}}))]
    assert get(query).headers["x-lead"] == "first ~!"


def test_errors(get):
    query = [("encoding", "json"), ("message", matrix.to_json(Order(plan={"code": 5}), indent=None))]
    answer = get(query)
    assert (answer.status, answer.json["code"]) == (404, "not_found"), answer
    assert "gateway-error" not in answer.headers


def test_the_timeout_is_a_header(get):
    query = [("encoding", "json"), ("message", matrix.to_json(Order(plan={"hold": True}), indent=None))]
    answer = get(query, {"connect-timeout-ms": "200"})
    check(answer, 504, "deadline_exceeded")
