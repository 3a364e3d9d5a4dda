"""REST entities that are no JSON: google.api.HttpBody in and out."""
import pytest

from conftest import proxy_arguments
from support import http1, http2
from support.body_server import BODIES_SET, BodyServer
from support.gateway_process import GatewayProcess
from support.schema import INTEROP_SET


@pytest.fixture(scope="module")
def bodies():
    server = BodyServer()
    arguments = proxy_arguments(server.target)
    arguments[arguments.index(INTEROP_SET)] = BODIES_SET
    gateway = GatewayProcess(*arguments)
    yield gateway
    gateway.stop()
    server.stop()


EVERY_BYTE = bytes(range(256))


@pytest.mark.parametrize("content_type", ["image/png", "application/json", "text/plain; charset=latin-1", "multipart/mixed; boundary=x"])
@pytest.mark.parametrize("data", [b"", b"{", EVERY_BYTE, EVERY_BYTE * 4096], ids=["empty", "brace", "all", "mebibyte"])
def test_an_entity_goes_through_as_it_is(bodies, content_type, data):
    answer = http1.request(bodies.port, "POST", "/v1/mirror", data, {"content-type": content_type})
    assert (answer.status, answer.body) == (200, data)
    assert answer.headers["content-type"] == content_type


def test_an_entity_without_a_type(bodies):
    with http1.RawConnection(bodies.port) as connection:
        connection.send(b"POST /v1/mirror HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nhi")
        answer = connection.response()
    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, b"hi", "application/octet-stream")


def test_a_field_takes_the_entity_and_path_and_query_the_rest(bodies):
    answer = http1.request(bodies.port, "PUT", "/v1/files/a/b%20c.bin?overwrite=true", EVERY_BYTE, {"content-type": "image/png"})
    assert answer.status == 200, answer
    assert {name: answer.json[name] for name in ("name", "overwrite", "contentType", "size")} == {
        "name": "a/b c.bin", "overwrite": True, "contentType": "image/png", "size": "256"}


def test_a_field_of_the_answer_is_the_entity(bodies):
    answer = http1.request(bodies.port, "POST", "/v1/files/a:echo", EVERY_BYTE, {"content-type": "image/png"})
    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, EVERY_BYTE, "image/png")


def test_a_query_cannot_set_what_the_entity_is(bodies):
    answer = http1.request(bodies.port, "PUT", "/v1/files/a?content.content_type=x/y", b"x", {"content-type": "image/png"})
    assert answer.status == 400 and "content.content_type" in answer.json["message"]


def test_http2_too(bodies):
    with http2.Client(bodies.port) as client:
        answer = client.call(EVERY_BYTE, path="/v1/mirror", headers={"content-type": "image/png", "te": None})
    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, EVERY_BYTE, "image/png")
