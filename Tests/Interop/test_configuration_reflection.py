"""`descriptors: { reflection: true }` in a configuration file: learned at the start, and kept fresh."""
import threading
import time

import pytest
from grpc_reflection.v1alpha import reflection

from support import http1, schema
from support.configuration import configuration, run_gateway, write
from support.echo_server import EchoServer
from support.gateway_process import NotReady, run
from support.schema import ECHO, INTEROP_SET
from support.scripted_reflection import ScriptedReflection, file
from support.waiting import eventually

LEARNED = {"upstream": "echo", "descriptors": {"reflection": True}}
KNOWN = (file("a.proto", "x.proto", service="S"), file("b.proto", service="T"), file("x.proto"))


def extend(server):
    reflection.enable_server_reflection([ECHO, reflection.SERVICE_NAME], server, pool=schema.interop.pool)


@pytest.fixture(scope="module")
def reflecting():
    """The echo server with reflection."""
    server = EchoServer(extend=extend)
    yield server
    server.stop()


@pytest.fixture
def start(tmp_path):
    """start(target, services, **sections) → a gateway that has learned what it serves. Stopped and checked at the end."""
    processes = []

    def start(target, services, **sections):
        processes.append(run_gateway(tmp_path, configuration(target, services=services, **sections)))
        return processes[-1]

    yield start
    for process in processes:
        process.stop()


def refusal(folder, content):
    """Exit code and messages of a gateway that does not start."""
    with pytest.raises(NotReady) as caught:
        run_gateway(folder, content)
    return caught.value.code, caught.value.errors


def test_services_are_learned_and_called(reflecting, start):
    rule = {"selector": f"{ECHO}.Echo", "post": "/ruled", "body": "*"}
    gateway = start(reflecting.target, [{**LEARNED, "expose": [f"{ECHO}.*"], "rules": [rule]}])
    assert http1.request(gateway.port, "POST", "/ruled", {"text": "a"}).json == {"text": "a"}
    assert http1.request(gateway.port, "GET", "/v1/delay?time=0s").status == 200, "annotations are learned too"
    assert gateway.lines(".*upstream echo: services known by reflection.*")


def test_entries_of_one_upstream_share_one_fetch(start):
    with ScriptedReflection(*KNOWN) as upstream:
        gateway = start(upstream.target, [{**LEARNED, "expose": ["a.S"]}, {**LEARNED, "expose": ["b.T"]}])
        assert upstream.asked.count("list") == 1
        for path in ("/a.S/Call", "/b.T/Call"):
            answer = http1.request(gateway.port, "POST", path, {})
            assert answer.status != 404, answer


def test_upstreams_are_asked_at_the_same_time(start):
    """Each waits until the other has been asked."""
    both = threading.Barrier(2, timeout=10)

    def react(call, question, answers):
        if question == "list":
            both.wait()
        return answers

    with ScriptedReflection(KNOWN[1], react=react) as first, ScriptedReflection(file("c.proto", service="U"), react=react) as second:
        upstreams = {"echo": {"target": first.target}, "other": {"target": second.target}}
        gateway = start("", [LEARNED, {**LEARNED, "upstream": "other"}], upstreams=upstreams)
        assert all(http1.request(gateway.port, "POST", path, {}).status != 404 for path in ("/b.T/Call", "/c.U/Call"))


def test_learned_services_and_a_file_side_by_side(echo, start):
    with ScriptedReflection(KNOWN[1]) as upstream:
        upstreams = {"echo": {"target": upstream.target}, "file": {"target": echo.target}}
        gateway = start("", [LEARNED, {"upstream": "file", "descriptors": {"file": INTEROP_SET}}], upstreams=upstreams)
        assert http1.request(gateway.port, "GET", "/v1/echo/a").json == {"text": "a"}
        assert http1.request(gateway.port, "POST", "/b.T/Call", {}).status != 404


def test_check_connects_nothing(tmp_path, free_port):
    path = write(tmp_path, configuration(f"127.0.0.1:{free_port}", services=[{**LEARNED, "expose": ["pkg.Unknown"]}]))
    result = run("check", path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.decode().splitlines()[-1] == "  what echo tells by reflection when the gateway starts"


def test_the_upstream_may_start_a_little_later(tmp_path, free_port, start):
    servers = []
    timer = threading.Timer(1, lambda: servers.append(EchoServer(free_port, extend=extend)))
    timer.start()
    try:
        gateway = start(f"127.0.0.1:{free_port}", [LEARNED])
        assert http1.request(gateway.port, "GET", "/v1/echo/a").json == {"text": "a"}
    finally:
        timer.join()
        for server in servers:
            server.stop()


def test_an_upstream_that_cannot_be_reached_ends_the_start(tmp_path, free_port):
    upstream = {"target": f"127.0.0.1:{free_port}", "reflection": {"timeout": "1s"}}
    began = time.monotonic()
    code, errors = refusal(tmp_path, configuration("", upstreams={"echo": upstream}, services=[LEARNED]))
    assert code == 4 and time.monotonic() - began < 8
    assert f"cannot learn the services of upstream 'echo' (127.0.0.1:{free_port}): " in errors
    assert "tried for 1 s (upstreams.echo.reflection.timeout)" in errors


def test_every_upstream_that_fails_is_named(tmp_path, free_port, echo):
    """One is not there, one has no reflection."""
    upstreams = {"gone": {"target": f"127.0.0.1:{free_port}", "reflection": {"timeout": "1s"}}, "echo": {"target": echo.target}}
    code, errors = refusal(tmp_path, configuration("", upstreams=upstreams, services=[LEARNED, {**LEARNED, "upstream": "gone"}]))
    assert code == 4
    assert "upstream 'gone'" in errors and f"upstream 'echo' ({echo.target}): it does not offer reflection" in errors
    assert "descriptors: { file: api.binpb }" in errors


def test_what_does_not_fit_the_learned_services_is_an_error_of_the_file(tmp_path):
    with ScriptedReflection(*KNOWN) as upstream:
        code, errors = refusal(tmp_path, configuration(upstream.target, services=[{**LEARNED, "expose": ["a.Q"]}]))
    assert code == 1
    assert "services[0].expose: 'a.Q' fits no method of the reflection of upstream 'echo' (did you mean 'a.S'?)" in errors


def serves(gateway, path, seconds=15):
    """Whether the gateway comes to know the method."""
    return eventually(lambda: http1.request(gateway.port, "POST", path, {}).status != 404, seconds)


def gone(gateway, path, seconds=15):
    return eventually(lambda: http1.request(gateway.port, "POST", path, {}).status == 404, seconds)


def known(upstream, *files):
    """From now on the upstream tells these files."""
    upstream.known = {each.name: each for each in files}
    upstream.symbols = {f"{each.package}.{service.name}": each for each in files for service in each.service}


def test_what_changes_is_served_without_a_restart(start):
    with ScriptedReflection(KNOWN[1]) as upstream:
        gateway = start("", [LEARNED], upstreams={"echo": {"target": upstream.target, "reflection": {"interval": "1s"}}})
        assert serves(gateway, "/b.T/Call") and not serves(gateway, "/c.U/Call", 0.1)
        known(upstream, file("c.proto", service="U"))
        assert serves(gateway, "/c.U/Call") and gone(gateway, "/b.T/Call")
        assert gateway.lines(".*its services changed.*added.*c.U.Call.*removed.*b.T.Call.*")


def test_what_does_not_link_is_not_served_and_the_last_good_stays(start):
    with ScriptedReflection(KNOWN[1]) as upstream:
        gateway = start("", [LEARNED], upstreams={"echo": {"target": upstream.target, "reflection": {"interval": "1s"}}})
        broken = file("b.proto", service="T")
        broken.message_type[0].field.add(name="a", number=1, label=1, type=11, type_name=".nowhere.Nothing")
        known(upstream, broken)
        assert gateway.lines(".*cannot be served, so they stay.*", 15)
        assert serves(gateway, "/b.T/Call", 1)
        known(upstream, file("b.proto", service="T"), file("c.proto", service="U"))
        assert serves(gateway, "/c.U/Call") and serves(gateway, "/b.T/Call", 1)


def test_incompatible_changes_are_called_out(start):
    def typed(kind):
        made = file("b.proto", service="T")
        made.message_type[0].field.add(name="a", number=1, label=1, type=kind)
        return made

    with ScriptedReflection(typed(5)) as upstream:
        gateway = start("", [LEARNED], upstreams={"echo": {"target": upstream.target, "reflection": {"interval": "1s"}}})
        known(upstream, typed(9))
        assert gateway.lines(r".*misunderstand each other.*b\.M\.a \(1\) is string, was int32.*", 15)


def test_types_of_one_name_change_upstream_by_upstream(start):
    """Both have b.proto with b.M; one of them changes it."""
    def typed(service, kind):
        made = file("b.proto", service=service)
        made.message_type[0].field.add(name="a", number=1, label=1, type=kind)
        return made

    with ScriptedReflection(typed("T", 5)) as first, ScriptedReflection(typed("U", 9)) as second:
        gateway = start("", [LEARNED, {**LEARNED, "upstream": "other"}], upstreams={
            "echo": {"target": first.target, "reflection": {"interval": "1s"}}, "other": {"target": second.target}})

        def takes(path, value):
            return http1.request(gateway.port, "POST", path, {"a": value}).status != 400

        assert takes("/b.T/Call", 1) and not takes("/b.T/Call", "x")
        assert takes("/b.U/Call", "x") and not takes("/b.U/Call", 1)
        known(first, typed("T", 8))
        assert eventually(lambda: takes("/b.T/Call", True) and not takes("/b.T/Call", 1), 15)
        assert takes("/b.U/Call", "x") and not takes("/b.U/Call", True)


def test_one_of_two_upstreams_may_be_down_at_the_start(echo, start, free_port):
    port = free_port
    upstreams = {"echo": {"target": echo.target},
                 "late": {"target": f"127.0.0.1:{port}", "reflection": {"timeout": "1s"}}}
    services = [{"upstream": "echo", "descriptors": {"file": INTEROP_SET}}, {**LEARNED, "upstream": "late"}]
    gateway = start("", services, upstreams=upstreams)
    assert http1.request(gateway.port, "GET", "/v1/echo/a").json == {"text": "a"}
    assert gateway.lines(".*cannot learn the services of upstream 'late'.*")
    with ScriptedReflection(KNOWN[1], port=port):
        assert serves(gateway, "/b.T/Call", 30)


def test_calls_in_flight_keep_what_they_began_with(reflecting, start):
    """A stream goes on while the schema is swapped under it."""
    with ScriptedReflection(KNOWN[1]) as other:
        upstreams = {"echo": {"target": reflecting.target},
                     "other": {"target": other.target, "reflection": {"interval": "1s"}}}
        gateway = start("", [{**LEARNED, "expose": [f"{ECHO}.*"]}, {**LEARNED, "upstream": "other"}], upstreams=upstreams)
        answers = []
        thread = threading.Thread(target=lambda: answers.append(
            http1.request(gateway.port, "GET", "/v1/stream?count=40&interval=0.1s&key=kept", headers={"accept": "application/x-ndjson"})))
        thread.start()
        assert reflecting.journal.wait("kept", "started", 10)
        known(other, file("c.proto", service="U"))
        assert serves(gateway, "/c.U/Call")
        assert thread.is_alive()
        thread.join(20)
        assert answers[0].body.count(b"\n") == 40
