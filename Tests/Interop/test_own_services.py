"""Reflection and health as the gateway and the demo's upstream serve them, to grpcio's clients and to `buf curl`."""
import json
import os
import queue
import subprocess
import sys
import threading

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from conftest import proxy_arguments
from google.protobuf import descriptor_pool
from support.gateway_process import GatewayProcess
from support.schema import DEMO_SET, ECHO, ROOT

BUF = os.path.join(os.path.dirname(sys.executable), "buf")
LOCAL_SET = os.path.join(ROOT, "Protos", "local.binpb")
LIBRARY = "gateway.demo.v1.LibraryService"
OWN = ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"]
DEMO = [f"gateway.demo.v1.{name}Service" for name in ("Chat", "Library", "Ticker", "Upload")]
SERVING, NOT_SERVING, SERVICE_UNKNOWN = 1, 2, 3


@pytest.fixture(scope="module")
def demo():
    process = GatewayProcess("demo", "--listen", "127.0.0.1:0")
    process.upstream = process.lines(r"\s*upstream\s+(\S+)")[0][1]
    yield process
    process.stop()


@pytest.fixture(params=["upstream", "gateway"])
def target(request, demo):
    return demo.target if request.param == "gateway" else demo.upstream


@pytest.fixture
def channel(target):
    with grpc.insecure_channel(target, options=[("grpc.use_local_subchannel_pool", 1)]) as opened:
        yield opened


# Reflection

def test_grpcio_finds_everything(channel):
    database = ProtoReflectionDescriptorDatabase(channel)
    assert sorted(database.get_services()) == DEMO + OWN
    pool = descriptor_pool.DescriptorPool(database)
    service = pool.FindServiceByName(LIBRARY)
    assert {method.name for method in service.methods} >= {"GetBook", "ListBooks"}
    assert pool.FindMessageTypeByName("gateway.demo.v1.Book").fields_by_name["title"]
    for own in OWN:
        assert pool.FindServiceByName(own).methods
    options = pool.FindMessageTypeByName("google.protobuf.MethodOptions")
    assert pool.FindExtensionByNumber(options, 72295728).full_name == "google.api.http"
    assert [each.number for each in pool.FindAllExtensions(options)] == [72295728]
    with pytest.raises(KeyError):
        pool.FindMessageTypeByName("gateway.demo.v1.Nothing")


@pytest.fixture
def ask(channel):
    """ask(field=value) → the answer to one more question on one stream."""
    questions = queue.Queue()
    answers = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter(questions.get, None), timeout=20)

    def call(**question):
        questions.put(reflection_pb2.ServerReflectionRequest(host="here", **question))
        return next(answers)

    yield call
    questions.put(None)
    assert list(answers) == [] and answers.code() == grpc.StatusCode.OK


@pytest.mark.parametrize("question", [
    {"file_by_filename": "no.proto"}, {"file_containing_symbol": "no.Such"}, {"file_containing_symbol": ""},
    {"all_extension_numbers_of_type": "no.Such"},
    {"file_containing_extension": {"containing_type": "no.Such", "extension_number": 1}},
    {"file_containing_extension": {"containing_type": "gateway.demo.v1.Book", "extension_number": 1}}], ids=str)
def test_what_is_not_there_is_not_found_and_the_stream_goes_on(ask, question):
    answer = ask(**question)
    assert answer.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]
    assert answer.original_request == reflection_pb2.ServerReflectionRequest(host="here", **question)
    assert answer.valid_host == "here"
    assert len(ask(list_services="").list_services_response.service) == 7


def test_a_question_that_asks_nothing(ask):
    assert ask().error_response.error_code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert ask(list_services="*").list_services_response.service


def test_imports_come_along_once(ask):
    first = ask(file_containing_symbol=LIBRARY).file_descriptor_response.file_descriptor_proto
    again = ask(file_containing_symbol=LIBRARY).file_descriptor_response.file_descriptor_proto
    assert len(first) > 1 and list(again) == [first[0]]


def test_a_field_leads_to_its_file(ask):
    for symbol in ("gateway.demo.v1.Book.title", f"{LIBRARY}.GetBook"):
        assert ask(file_containing_symbol=symbol).file_descriptor_response.file_descriptor_proto


@pytest.mark.parametrize("version", ["grpc-v1", "grpc-v1alpha"])
def test_buf_curl_by_reflection(target, version, tmp_path):
    result = subprocess.run(
        [BUF, "curl", "--reflect", "--reflect-protocol", version, "--protocol", "grpc", "--http2-prior-knowledge",
         "-d", '{"name":"shelves/classics"}', f"http://{target}/{LIBRARY}/GetShelf"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30, env=dict(os.environ, HOME=str(tmp_path)),
        cwd=tmp_path)
    assert result.returncode == 0, result
    assert json.loads(result.stdout)["name"] == "shelves/classics"


def test_only_what_is_exposed_is_listed(gateway):
    with grpc.insecure_channel(gateway.target) as channel:
        assert sorted(ProtoReflectionDescriptorDatabase(channel).get_services()) == [ECHO] + OWN


# Health

@pytest.fixture
def health(channel):
    return health_pb2_grpc.HealthStub(channel)


@pytest.mark.parametrize("service", ["", LIBRARY, *OWN])
def test_what_is_exposed_serves(health, service):
    request = health_pb2.HealthCheckRequest(service=service)
    assert health.Check(request, timeout=10).status == SERVING
    watch = health.Watch(request, timeout=10)
    assert next(watch).status == SERVING
    told = queue.Queue()
    threading.Thread(target=follow, args=(watch, told)).start()
    with pytest.raises(queue.Empty):
        told.get(timeout=0.2)
    watch.cancel()
    assert told.get(timeout=10) == grpc.StatusCode.CANCELLED


def follow(watch, told):
    """Tells what else comes, and how it ends."""
    try:
        for answer in watch:
            told.put(answer)
    except grpc.RpcError as error:
        told.put(error.code())


@pytest.mark.parametrize("service", ["no.Such", "gateway.demo.v1", f"{LIBRARY}.GetBook"])
def test_what_is_not_exposed_is_unknown(health, service):
    request = health_pb2.HealthCheckRequest(service=service)
    with pytest.raises(grpc.RpcError) as caught:
        health.Check(request, timeout=10)
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND
    watch = health.Watch(request, timeout=10)
    assert next(watch).status == SERVICE_UNKNOWN
    watch.cancel()


def test_a_watch_ends_with_the_gateway(echo, start_gateway):
    """It is told that the gateway stops, and does not hold it up."""
    gateway = start_gateway(echo.target)
    with grpc.insecure_channel(gateway.target) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=20)
        assert next(watch).status == SERVING
        gateway.terminate()
        assert next(watch).status == NOT_SERVING
        with pytest.raises(grpc.RpcError) as caught:
            next(watch)
        assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
        assert gateway.wait(8) == 0


def test_a_deadline_ends_a_watch(health):
    watch = health.Watch(health_pb2.HealthCheckRequest(), timeout=0.5)
    assert next(watch).status == SERVING
    with pytest.raises(grpc.RpcError) as caught:
        next(watch)
    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED


def test_own_services_of_a_descriptor_file_are_not_proxied(echo, start_gateway):
    gateway = start_gateway(echo.target, "--descriptors", LOCAL_SET)
    for service in OWN:
        assert any(f"not served: {service}" in line and "itself" in line for line in gateway.errors), gateway.errors
    with grpc.insecure_channel(gateway.target) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        assert stub.Check(health_pb2.HealthCheckRequest(service=ECHO), timeout=10).status == SERVING


def test_a_malformed_request_is_an_error(channel):
    check = channel.unary_unary("/grpc.health.v1.Health/Check", lambda data: data, bytes)
    with pytest.raises(grpc.RpcError) as caught:
        check(b"\xff\xff", timeout=10)
    assert caught.value.code() == grpc.StatusCode.INTERNAL


def test_descriptors_of_the_demo_are_still_the_committed_ones(channel):
    """What reflection sends is byte for byte what was compiled."""
    with open(DEMO_SET, "rb") as opened:
        data = opened.read()
    answers = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(
        iter([reflection_pb2.ServerReflectionRequest(file_containing_symbol=LIBRARY)]), timeout=10)
    assert next(answers).file_descriptor_response.file_descriptor_proto[0] in data
