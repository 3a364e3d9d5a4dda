"""REST options of the configuration: of a service, of methods and of rules."""
import json

import pytest

from support import http1, http2
from support.configuration import configuration, run_gateway, write
from support.gateway_process import run
from support.schema import ECHO, INTEROP_SET

FAIL, HEADERS = f"{ECHO}.Fail", f"{ECHO}.Headers"


def service(**keys):
    return {"upstream": "echo", "descriptors": {"file": INTEROP_SET}, **keys}


RULES = [
    {"selector": f"{ECHO}.Echo", "append": True, "patch": "/v1/patched/{nested.id}", "body": "nested",
     "rest": {"patch_mask": True}},
    {"selector": f"{ECHO}.Echo", "append": True, "post": "/v1/created", "body": "*",
     "rest": {"success_status": 201}, "json": {"names": "proto", "defaults": "omit", "unknown_fields": "reject"}},
    {"selector": f"{ECHO}.Echo", "append": True, "get": "/v1/lenient",
     "rest": {"unknown_query": "ignore", "trailing_slash": "ignore"}},
    {"selector": f"{ECHO}.Echo", "append": True, "get": "/v1/list", "rest": {"ignore_query": ["key", "utm_*"]}},
    {"selector": f"{ECHO}.Echo", "append": True, "post": "/v1/form", "body": "*", "rest": {"content_type": "ignore"}},
    {"selector": f"{ECHO}.Echo", "append": True, "get": "/v1/all/{text=**}", "rest": {"unescape": "all"}},
    {"selector": f"{ECHO}.Echo", "append": True, "get": "/v1/reserved/{text=**}", "rest": {"unescape": "except_reserved"}},
    {"selector": f"{ECHO}.Echo", "append": True, "get": "/v1/tail/{text=**}/end"},
    {"selector": f"{ECHO}.Echo", "append": True, "custom": {"kind": "*", "path": "/v1/any"}},
    {"selector": f"{ECHO}.Echo", "append": True, "custom": {"kind": "OPTIONS", "path": "/v1/opts"}},
    {"selector": f"{ECHO}.Delay", "get": "/v1/other-delay"},
]
METHODS = [
    {"selector": f"{ECHO}.*", "json": {"defaults": "omit"}},
    {"selector": f"{ECHO}.Nothing", "rest": {"empty_status": 204}},
    {"selector": HEADERS, "rest": {"status_metadata": "x-http-code", "error_format": "aip193"}},
    {"selector": FAIL, "rest": {"challenge": "Bearer realm=\"library\"", "error_format": "aip193"}},
    {"selector": f"{ECHO}.EchoNested", "json": {"defaults": "emit", "int64": "number"}},
    {"selector": f"{ECHO}.Delay", "timeout": {"default": "300ms", "max": "600ms"}},
]


@pytest.fixture(scope="module")
def gateway(echo, tmp_path_factory):
    folder = tmp_path_factory.mktemp("rest")
    process = run_gateway(folder, configuration(echo.target, services=[service(rules=RULES, methods=METHODS)]))
    yield process
    process.stop()


@pytest.fixture
def rest(gateway):
    def call(method, path, body=None, headers=None):
        return http1.request(gateway.port, method, path, body, headers)

    return call


def h2(gateway, method, path, body=b"", **headers):
    with http2.Client(gateway.port) as client:
        return client.call(body, method=method, path=path, headers={"content-type": None, "te": None, **headers})


# Statuses

def test_success_by_option(rest):
    answer = rest("POST", "/v1/created", {"text": "a", "maybe_number": 0})
    assert (answer.status, answer.json) == (201, {"text": "a", "maybe_number": 0})
    assert rest("POST", "/v1/echo", {"maybeNumber": 0}).json == {"maybeNumber": 0}


def test_an_empty_answer_by_option_has_no_body(rest, gateway):
    answer = rest("GET", "/v1/nothing")
    assert (answer.status, answer.body) == (204, b"")
    assert "content-type" not in answer.headers and "content-length" not in answer.headers
    answer = h2(gateway, "GET", "/v1/nothing")
    assert (answer.status, answer.body) == (204, b"")
    assert "content-type" not in answer.headers and "content-length" not in answer.headers


@pytest.mark.parametrize("value, status", [("201", 201), ("204", 204), ("303", 303), ("500", 200), ("x", 200)])
def test_the_upstream_chooses_the_status(rest, gateway, value, status):
    request = {"leading": {"x-http-code": value, "location": "/v1/elsewhere"}}
    for answer in (rest("POST", "/v1/headers", request),
                   h2(gateway, "POST", "/v1/headers", json.dumps(request).encode(), **{"content-type": "application/json"})):
        assert answer.status == status, answer
        assert answer.headers["location"] == "/v1/elsewhere" and "x-http-code" not in answer.headers
        assert (answer.body == b"") == (status == 204)


def test_the_upstream_does_not_choose_the_status_of_an_error(rest):
    answer = rest("POST", "/v1/headers", {"leading": {"x-http-code": "201"}, "code": 5})
    assert answer.status == 404 and answer.json["error"]["status"] == "NOT_FOUND"


# Errors

@pytest.mark.parametrize("code, status, name", [(1, 499, "CANCELLED"), (5, 404, "NOT_FOUND"), (16, 401, "UNAUTHENTICATED")])
def test_errors_in_the_envelope_of_aip_193(rest, code, status, name):
    answer = rest("POST", "/v1/fail", {"code": code, "message": "why", "errorInfo": {"reason": "R"}})
    assert (answer.status, answer.headers["content-type"]) == (status, "application/json")
    assert answer.json == {"error": {"code": status, "message": "why", "status": name, "details": [
        {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "R"}]}}
    assert answer.headers.get("www-authenticate") == ("Bearer realm=\"library\"" if status == 401 else None)


def test_the_gateways_own_errors_take_the_routes_format(rest):
    answer = rest("POST", "/v1/fail", '{"code":"x"}')
    assert answer.json["error"]["status"] == "INVALID_ARGUMENT"
    assert answer.json["error"]["details"][0]["fieldViolations"][0]["field"] == "code"
    assert rest("GET", "/nowhere").json["code"] == 5


def test_what_belongs_to_no_route_has_the_format_that_all_services_have(echo, tmp_path):
    process = run_gateway(tmp_path, configuration(echo.target, services=[service(rest={"error_format": "aip193"})]))
    for method, path, status in (("GET", "/nowhere", 404), ("PUT", "/v1/fail", 405), ("GET", "/v1/echo/x%2", 400)):
        answer = http1.request(process.port, method, path)
        assert answer.status == status and answer.json["error"]["code"] == status, answer
    process.stop()


@pytest.mark.parametrize("code, delay, seconds", [
    (14, "5s", "5"), (14, "0.001s", "1"), (8, "60.5s", "61"), (8, "0s", "0"), (14, "-1s", None), (5, "5s", None)])
def test_retry_after(rest, code, delay, seconds):
    answer = rest("POST", "/v1/fail", {"code": code, "message": "later", "retryInfo": {"retryDelay": delay}})
    assert answer.headers.get("retry-after") == seconds


@pytest.mark.parametrize("method, path, field, types", [
    ("POST", "/v1/echo", "accept-post", "application/json"),
    ("PATCH", "/v1/patched/x", "accept-patch", "application/json, application/merge-patch+json"),
    ("PUT", "/v1/echo/x", "accept", "application/json")])
def test_415_says_what_is_taken(rest, method, path, field, types):
    answer = rest(method, path, "a=b", {"content-type": "application/x-www-form-urlencoded"})
    assert (answer.status, answer.headers[field]) == (415, types)


VIOLATIONS = [
    ("POST", "/v1/echo", '{"items":[{},{"count":"x"}]}', "items[1].count"), ("POST", "/v1/echo", "{", None),
    ("GET", "/v1/echo?i32=x", None, "i32"), ("GET", "/v1/echo?nobody=1", None, "nobody"),
    ("GET", "/v1/echo?labels[a]=1&labels[a]=2", None, "labels[a]"), ("GET", "/v1/echo?nested.count=x", None, "nested.count"),
    ("GET", "/v1/numbers/1/-1/true/0", None, "u64"), ("PATCH", "/v1/deep/%ff", "{}", "nested.child.id"),
    ("POST", "/v1/echo/path:shout", '{"text":"body"}', "text"), ("POST", "/v1/created", '{"nobody":1}', "nobody"),
]


@pytest.mark.parametrize("method, path, body, field", VIOLATIONS, ids=[f"{row[0]} {row[1]}" for row in VIOLATIONS])
def test_bad_requests_name_their_field(rest, method, path, body, field):
    answer = rest(method, path, body)
    assert (answer.status, answer.json["code"]) == (400, 3), answer
    detail, = answer.json["details"]
    assert detail["@type"] == "type.googleapis.com/google.rpc.BadRequest"
    violation, = detail["fieldViolations"]
    assert violation.get("field") == field and violation["description"]
    assert violation["description"] in answer.json["message"]


# Requests

def test_json_options_of_a_method(rest):
    assert rest("POST", "/v1/nested", {"id": "n"}).json == {"id": "n", "count": 0, "tags": []}
    assert rest("GET", "/v1/total?i64=9007199254740993").body == b"9007199254740993"
    assert rest("GET", "/v1/echo?i64=9007199254740993").json == {"i64": "9007199254740993"}


def test_json_options_of_a_rule_are_not_the_methods(rest):
    assert rest("POST", "/v1/created", {"nobody": 1}).status == 400
    assert rest("POST", "/v1/echo", {"nobody": 1}).status == 200


@pytest.mark.parametrize("body, mask", [
    ({"count": 3}, "count"), ({"tags": ["a"], "child": {"count": 1, "tags": None}}, "tags,child.count,child.tags"),
    ({"child": {}}, "child"), ({}, None), ({"nobody": 1, "count": 0}, "count")])
def test_a_patch_gets_its_mask(rest, body, mask):
    answer = rest("PATCH", "/v1/patched/x", body)
    assert (answer.status, answer.json.get("mask")) == (200, mask), answer
    assert rest("PATCH", "/v1/patched/x?mask=tags", body).json["mask"] == "tags"
    assert "mask" not in rest("PATCH", "/v1/deep/x", body).json


def test_unknown_parameters_by_option(rest):
    assert rest("GET", "/v1/lenient?nobody=1&text=a&x.y=z").json == {"text": "a"}
    assert rest("GET", "/v1/list?key=1&utm_source=x&text=a").json == {"text": "a"}
    assert rest("GET", "/v1/list?keys=1").status == 400


def test_trailing_slashes_by_option(rest):
    assert [rest("GET", f"/v1/{path}").status for path in ("lenient", "lenient/", "lenient//", "list", "list/")] == [
        200, 200, 200, 200, 404]


def test_other_content_types_by_option(rest):
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert rest("POST", "/v1/form", '{"text":"a"}', headers).json == {"text": "a"}


@pytest.mark.parametrize("path, text", [
    ("/v1/all/%2f%23/%20%2523", "/#/ %23"), ("/v1/reserved/%2f%23/%20%2523", "%2f%23/ %23"),
    ("/v1/things/1/parts/%2f%23/%20%2523", "things/1/parts/%2f#/ %23"),
    ("/v1/tail/a/b/end", "a/b"), ("/v1/tail/end", None)])
def test_multi_segment_captures(rest, path, text):
    assert rest("GET", path).json.get("text") == text


def test_any_method(rest):
    for method in ("GET", "POST", "DELETE", "OPTIONS", "BREW"):
        assert rest(method, "/v1/any?text=a").json == {"text": "a"}
    assert rest("OPTIONS", "/v1/opts?text=a").json == {"text": "a"}
    assert rest("OPTIONS", "/v1/echo").status == 405


@pytest.mark.parametrize("query, expected", [
    ("object=%7B%22a%22%3A%5B1%2Cnull%5D%7D", {"object": {"a": [1.0, None]}}), ("value=null", {"value": None}),
    ("value=%22a+b%22", {"value": "a b"}), ("list=[true]", {"list": [True]}),
    ("at.seconds=5", {"at": "1970-01-01T00:00:05Z"})])
def test_json_text_in_a_query(rest, query, expected):
    assert rest("GET", f"/v1/echo?{query}").json == expected


@pytest.mark.parametrize("query", ["object=1", "object=", "value={", "at.seconds=5&at=1970-01-01T00:00:05Z",
                                   "numberValue=1&numberValue.value=1", "value=1&value.numberValue=1"])
def test_json_text_that_does_not_fit(rest, query):
    assert rest("GET", f"/v1/echo?{query}").status == 400


def test_a_rule_without_append_replaces_and_a_method_has_its_own_time(rest):
    assert rest("GET", "/v1/delay?time=0s").status == 404
    remaining = float(rest("GET", "/v1/other-delay?time=0s").json["deadline"].rstrip("s"))
    assert 0 < remaining <= 0.305
    remaining = float(rest("GET", "/v1/other-delay?time=0s", headers={"Grpc-Timeout": "9S"}).json["deadline"].rstrip("s"))
    assert 0.305 < remaining <= 0.605
    assert rest("GET", "/v1/other-delay?time=5s").status == 504


# routes and explain

@pytest.fixture(scope="module")
def file(echo, tmp_path_factory):
    return write(tmp_path_factory.mktemp("explain"),
                 configuration(echo.target, services=[service(rules=RULES, methods=METHODS)]))


def explain(file, *arguments, data=None):
    result = run("explain", *arguments, "-c", file, data=data)
    return result.returncode, result.stdout.decode(), result.stderr.decode()


def test_routes_are_printed_in_the_order_of_matching(file):
    result = run("routes", "-c", file)
    assert result.returncode == 0, result
    lines = [line.split() for line in result.stdout.decode().splitlines()]
    order = [f"{line[0]} {line[1]}" for line in lines]
    assert order.index("POST /v1/echo/{text}:shout") < order.index("GET /v1/echo/{text}")
    assert order.index("GET /v1/echo") < order.index("GET /v1/echo/{text}")
    assert order.index("GET /v1/tail/{text=**}/end") > order.index("GET /v1/lenient")
    created = next(line for line in lines if line[1] == "/v1/created")
    assert created[2] == f"{ECHO}.Echo" and created[3].startswith(file + ":")
    assert next(line for line in lines if line[1] == "/v1/fail")[3] == "google.api.http"
    assert not any(line[1] == "/v1/delay" for line in lines)
    assert ["POST", f"/{ECHO}/Echo", "unary:"] in [line[:3] for line in lines]


def test_explain_a_request_that_is_served(file, gateway):
    code, text, _ = explain(file, "GET", "/v1/numbers/-5/7/true/COLOR_RED?nested.id=a%20b&text=c+d")
    assert code == 0, text
    for line in ["route     GET /v1/numbers/{i32}/{u64}/{flag}/{color}", f"rpc       {ECHO}.Echo (unary)", "upstream  echo",
                 "from      google.api.http", "path      i32 = -5", "path      color = COLOR_RED",
                 "query     nested.id = a b", "query     text = c d", "body      none", "answer    200, the whole message"]:
        assert line in text.splitlines(), (line, text)
    message = json.loads(next(line for line in text.splitlines() if line.startswith("message")).split(None, 1)[1])
    assert message == http1.request(gateway.port, "GET", "/v1/numbers/-5/7/true/COLOR_RED?nested.id=a%20b&text=c+d").json


def test_explain_a_body(file):
    code, text, _ = explain(file, "PATCH", "/v1/patched/x?utm=1", "--body", '{"count":1}')
    assert code == 1 and "400       query parameter \"utm\"" in text
    code, text, _ = explain(file, "PATCH", "/v1/patched/x", "--body", "-", data=b'{"count":1}')
    assert code == 0 and '"mask":"count"' in text and "body      the field nested" in text
    code, text, _ = explain(file, "POST", "/v1/created", "--body", '{"i32":"x"}')
    assert code == 1 and "400       i32:" in text
    code, text, _ = explain(file, "POST", "/v1/created", "--body", "a=b", "--content-type", "text/plain")
    assert code == 1 and "415 " in text
    code, text, _ = explain(file, "GET", "/v1/list?key=secret&textValue=x")
    assert code == 0 and "query     key → ignored" in text and "query     textValue → text_value = x" in text


@pytest.mark.parametrize("method, target, first, reason", [
    ("GET", "/v1/eco", "404       no route has this path", "GET   /v1/echo  "),
    ("GET", "/v1/fail", "405       this path does not take GET; it takes POST", "it takes POST"),
    ("POST", "/v1/echo/x:shot", "405       this path does not take POST; it takes GET, HEAD, PUT, DELETE, PURGE",
     "the path does not end in ':shout'"),
    ("GET", "/v1/echo/%zz", "400       the path has a malformed percent-encoding at offset 9", ""),
    ("GET", "/v1/list/", "404       no route has this path", "the path ends in a slash")])
def test_explain_a_request_that_no_route_takes(file, method, target, first, reason):
    code, text, _ = explain(file, method, target)
    assert code == 1 and text.splitlines()[0] == first, text
    assert reason in text, text


@pytest.mark.parametrize("arguments", [["explain"], ["explain", "GET", "x", "--descriptors", INTEROP_SET], ["explain", "GET", "/"],
                                       ["routes"], ["routes", "-c", "x", "--descriptors", "y"]], ids=" ".join)
def test_wrong_usage(arguments):
    assert run(*arguments).returncode == 2


def test_explain_with_descriptors_alone():
    result = run("explain", "GET", "/v1/echo/a", "--descriptors", INTEROP_SET)
    assert result.returncode == 0 and b'message   {"text":"a"}' in result.stdout, result
