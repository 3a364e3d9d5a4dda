"""`gateway proxy` without descriptors: services learned by reflection, from grpcio and from a server with bad manners."""
import threading
import time

import pytest
from google.protobuf import descriptor_pb2
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from support import http1, schema
from support.echo_server import EchoServer
from support.gateway_process import GatewayProcess, NotReady
from support.schema import ECHO
from support.scripted_reflection import (V1, V1ALPHA, Answer, ScriptedReflection, failure, file, files, services)
from support.scripted_upstream import ScriptedUpstream
from test_tls_upstream import server_context

A, B = file("a.proto", "x.proto", service="S"), file("b.proto", service="T")
X, Y = file("x.proto", "y.proto"), file("y.proto")
KNOWN = (A, B, X, Y)


def extend(server):
    reflection.enable_server_reflection([ECHO, reflection.SERVICE_NAME, health.SERVICE_NAME], server,
                                        pool=schema.interop.pool)
    health_pb2_grpc.add_HealthServicer_to_server(health.HealthServicer(), server)


@pytest.fixture
def learn():
    """learn(target, flags…) → the gateway, once it has learned the services of the upstream."""
    started = []

    def start(target, *flags):
        started.append(GatewayProcess("proxy", target, "--listen", "127.0.0.1:0", "--threads", "1", *flags))
        return started[-1]

    yield start
    for process in started:
        process.stop()


def refusal(target, *flags):
    """What the gateway says when it cannot learn the services: exit code 4."""
    with pytest.raises(NotReady) as caught:
        GatewayProcess("proxy", target, "--listen", "127.0.0.1:0", "--threads", "1", *flags)
    assert caught.value.code == 4, caught.value.errors
    return caught.value.errors


def served(gateway):
    """The services that the gateway reports."""
    return sorted(line.strip() for line in gateway.errors if line.startswith("  ") and line[2] != " " and ":" not in line)


# A server as people run it

def test_services_of_grpcio_are_learned_and_called(learn):
    server = EchoServer(extend=extend)
    try:
        gateway = learn(server.target)
        assert served(gateway) == [ECHO]
        assert http1.request(gateway.port, "GET", "/v1/echo/a?i32=5").json == {"text": "a", "i32": 5}
        answer = http1.request(gateway.port, "POST", f"/{ECHO}/Echo", b'{"text":"b"}', {"content-type": "application/json"})
        assert answer.json == {"text": "b"}
        text = "\n".join(gateway.errors)
        assert "grpc.reflection.v1alpha" in text, "grpcio has no v1"
        for part in ("Echo ", "REST GET /v1/echo/{text}", "bidi stream: gRPC, gRPC-Web, Connect", "unary: gRPC, gRPC-Web, Connect"):
            assert part in text, text
    finally:
        server.stop()


def test_error_details_are_known_though_no_service_imports_them(learn):
    demo = GatewayProcess("demo", "--listen", "127.0.0.1:0")
    gateway = learn(demo.lines(r"\s*upstream\s+(\S+)")[0][1])
    answer = http1.request(gateway.port, "POST", "/v1/shelves/classics/books", b"{}", {"content-type": "application/json"})
    assert answer.status == 400
    assert answer.json["details"][0]["fieldViolations"][0]["field"] == "book.title", answer
    demo.stop()


def test_the_upstream_may_come_a_little_later(learn, free_port):
    servers = []
    timer = threading.Timer(1, lambda: servers.append(EchoServer(free_port, extend=extend)))
    timer.start()
    try:
        gateway = learn(f"127.0.0.1:{free_port}")
        assert served(gateway) == [ECHO]
    finally:
        timer.join()
        servers[0].stop()


def test_no_reflection_is_4_and_says_what_helps(echo):
    errors = refusal(echo.target)
    for part in (echo.target, "does not offer reflection", "grpc.reflection.v1: UNIMPLEMENTED",
                 "grpc.reflection.v1alpha: UNIMPLEMENTED", "protoc --include_imports --descriptor_set_out=", "buf build -o",
                 "--descriptors"):
        assert part in errors, errors


def test_nobody_there_is_4_after_the_time(free_port):
    began = time.monotonic()
    errors = refusal(f"127.0.0.1:{free_port}", "--reflection-timeout", "1")
    assert 0.9 < time.monotonic() - began < 5
    assert "refused" in errors and "--reflection-timeout" in errors and str(free_port) in errors


@pytest.mark.parametrize("greet", [lambda s: s.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"), lambda s: s.recv(1 << 20),
                                   lambda s: threading.Event().wait(3)],
                         ids=["HTTP/1.1", "closes", "says nothing"])
def test_what_is_no_grpc_server_is_4(greet):
    with ScriptedUpstream(greet=greet) as upstream:
        assert "cannot learn the services" in refusal(upstream.target, "--reflection-timeout", "1")


@pytest.mark.parametrize("fields", [{":status": "404", "content-type": "text/plain"}, {"content-type": "text/html"}])
def test_a_web_server_is_4(fields):
    """It speaks HTTP/2, and not gRPC."""
    answered = set()

    def piece(call):
        if call.stream not in answered:
            answered.add(call.stream)
            call.head(fields, end=True)

    with ScriptedUpstream(script=lambda call: None, piece=piece) as upstream:
        assert "cannot learn the services" in refusal(upstream.target)


def test_a_name_that_cannot_be_resolved_is_4():
    errors = refusal("no-such-host.invalid:50051", "--reflection-timeout", "1")
    assert "no-such-host.invalid" in errors and "--reflection-timeout" in errors


def test_over_tls(learn, certificates):
    with ScriptedReflection(*KNOWN, tls=server_context(certificates.server)) as upstream:
        gateway = learn(f"https://localhost:{upstream.port}", "--upstream-ca", certificates.authority.file)
        assert served(gateway) == ["a.S", "b.T"]
        headers = next(iter(upstream.begun)).headers
        assert (headers[":scheme"], headers[":authority"]) == ("https", f"localhost:{upstream.port}")


def test_a_certificate_that_is_not_accepted_is_4(certificates):
    with ScriptedReflection(*KNOWN, tls=server_context(certificates.server)) as upstream:
        errors = refusal(f"https://localhost:{upstream.port}", "--upstream-ca", certificates.other_authority.file,
                         "--reflection-timeout", "1")
        assert "TLS handshake failed" in errors


# A server with manners of its own

@pytest.mark.parametrize("paths, opened", [((V1, V1ALPHA), [V1]), ((V1ALPHA,), [V1, V1ALPHA]), ((V1,), [V1])])
def test_v1_then_v1alpha(learn, paths, opened):
    with ScriptedReflection(*KNOWN, paths=paths) as upstream:
        assert served(learn(upstream.target)) == ["a.S", "b.T"]
        assert upstream.opened == opened


def test_missing_imports_are_asked_for_once(learn):
    with ScriptedReflection(*KNOWN) as upstream:
        learn(upstream.target)
        assert sorted(upstream.asked) == ["a.S", "b.T", "list", "x.proto", "y.proto"]


def test_imports_that_come_along_are_not_asked_for(learn):
    def react(call, question, answers):
        return [files(A, X, Y)] if question == "a.S" else answers

    with ScriptedReflection(*KNOWN, react=react) as upstream:
        assert served(learn(upstream.target)) == ["a.S", "b.T"]
        assert sorted(upstream.asked) == ["a.S", "b.T", "list"]


@pytest.mark.parametrize("echo", [True, False])
@pytest.mark.parametrize("times", [1, 2, 5])
def test_answers_that_come_several_times(learn, times, echo):
    def react(call, question, answers):
        # Without the request in them, answers can only be told by their order.
        return answers * (times if echo or question == "y.proto" else 1)

    with ScriptedReflection(*KNOWN, react=react, echo=echo) as upstream:
        assert served(learn(upstream.target)) == ["a.S", "b.T"]


def test_answers_that_come_late(learn):
    def react(call, question, answers):
        time.sleep(0.3)
        return answers

    with ScriptedReflection(*KNOWN, react=react) as upstream:
        assert served(learn(upstream.target)) == ["a.S", "b.T"]


def test_an_import_that_comes_after_the_next_answers(learn):
    held = []

    def react(call, question, answers):
        if question == "a.S":
            held.append(answers[0])
            answers[0].original_request.file_containing_symbol = "a.S"
            return []
        return answers + held if question == "b.T" else answers

    upstream = ScriptedReflection(*KNOWN, react=react)
    send = upstream.send
    upstream.send = lambda call, answer, request: send(call, answer, None if answer in held else request)
    with upstream:
        assert served(learn(upstream.target)) == ["a.S", "b.T"]


@pytest.mark.parametrize("answer", [failure(5, "lost"), files(Y), services("a.S"), Answer()],
                         ids=["an error", "another file", "something else", "nothing"])
def test_a_wrong_import_takes_out_what_needs_it(learn, answer):
    def react(call, question, answers):
        return [answer] if question == "x.proto" else answers

    with ScriptedReflection(*KNOWN, react=react) as upstream:
        gateway = learn(upstream.target)
        assert served(gateway) == ["b.T"]
        reason = next(line for line in gateway.errors if "not served" in line)
        assert "a.S" in reason and "a.proto" in reason and '"x.proto"' in reason
        if answer.HasField("error_response"):
            assert "NOT_FOUND: lost" in reason


def test_a_service_without_descriptor_is_left_out(learn):
    def react(call, question, answers):
        return [services("a.S", "no.Such", "b.T")] if question == "list" else answers

    with ScriptedReflection(*KNOWN, react=react) as upstream:
        gateway = learn(upstream.target)
        assert served(gateway) == ["a.S", "b.T"]
        assert any("not served: no.Such" in line and "NOT_FOUND" in line for line in gateway.errors)


def test_a_service_that_is_not_listed_is_not_served(learn):
    both = file("c.proto", service="Listed")
    both.service.add(name="Hidden").method.add(name="Call", input_type=".c.M", output_type=".c.M")

    def react(call, question, answers):
        return [services("c.Listed")] if question == "list" else answers

    with ScriptedReflection(both, react=react) as upstream:
        gateway = learn(upstream.target)
        assert served(gateway) == ["c.Listed"]
        answer = http1.request(gateway.port, "POST", "/c.Hidden/Call", b"{}", {"content-type": "application/json"})
        assert answer.status == 404


def test_an_answer_that_never_comes_is_4():
    def react(call, question, answers):
        return [] if question == "y.proto" else answers

    with ScriptedReflection(*KNOWN, react=react) as upstream:
        errors = refusal(upstream.target, "--reflection-timeout", "1")
        assert 'no answer to the file "y.proto"' in errors and "--reflection-timeout" in errors


def test_two_files_of_one_name_are_4():
    def react(call, question, answers):
        return [files(B, file("x.proto", message="Other"))] if question == "b.T" else answers

    with ScriptedReflection(*KNOWN, react=react) as upstream:
        errors = refusal(upstream.target)
        assert '"x.proto"' in errors and "different content" in errors


def test_comments_are_no_difference(learn):
    commented = descriptor_pb2.FileDescriptorProto.FromString(X.SerializeToString())
    commented.source_code_info.location.add(leading_comments="A comment")

    def react(call, question, answers):
        return [files(B, commented)] if question == "b.T" else answers

    with ScriptedReflection(*KNOWN, react=react) as upstream:
        assert served(learn(upstream.target)) == ["a.S", "b.T"]


@pytest.mark.parametrize("data", [b"\0\0\0\0\x02\xff\xff", b"\x01\0\0\0\0", b"\0\xff\xff\xff\xff",
                                  b"\0\0\0\0\x05\x22\x03\x0a\x01\xff"],
                         ids=["no message", "compressed", "huge", "no file"])
def test_answers_that_make_no_sense_are_4(data):
    def react(call, question, answers):
        if question == "b.T":
            call.data(data)
            return []
        return answers

    with ScriptedReflection(*KNOWN, react=react) as upstream:
        assert "cannot learn the services" in refusal(upstream.target)


def test_files_that_do_not_fit_together_are_4():
    broken = file("c.proto", service="S")
    broken.service[0].method[0].input_type = ".no.Such"
    with ScriptedReflection(broken) as upstream:
        errors = refusal(upstream.target)
        assert "c.proto" in errors and "no.Such" in errors


@pytest.mark.parametrize("listed", [(), ("grpc.reflection.v1.ServerReflection", "grpc.health.v1.Health")])
def test_nothing_to_serve_is_4(listed):
    with ScriptedReflection(react=lambda call, question, answers: [services(*listed)]) as upstream:
        assert "lists no services" in refusal(upstream.target)


def test_a_refusal_is_4():
    def piece(call):
        if not call.ended:
            call.ended = True
            call.head({"grpc-status": "7", "grpc-message": "not for you"}, end=True)

    with ScriptedUpstream(script=lambda call: None, piece=piece) as upstream:
        assert "PERMISSION_DENIED: not for you" in refusal(upstream.target)


def test_an_upstream_that_is_not_ready_is_asked_again(learn):
    answers_left = [2]

    def react(call, question, answers):
        if question == "a.S" and answers_left[0]:
            answers_left[0] -= 1
            if answers_left[0]:
                call.trailers({"grpc-status": "14", "grpc-message": "starting"})
            else:
                call.close()
            return []
        return answers

    with ScriptedReflection(*KNOWN, react=react) as upstream:
        assert served(learn(upstream.target)) == ["a.S", "b.T"]
        assert upstream.opened == [V1] * 3
