"""Upstreams by name: resolved in the loop by a DNS server of the test's own, whose answers change as it runs."""
import concurrent.futures
import time
import uuid

import pytest

from support import http1
from support.configuration import configuration, run_gateway
from support.dns_server import SERVFAIL, DNSServer
from support.echo_server import EchoServer
from support.fleet import load
from support.waiting import eventually

NAME = "library.test"


@pytest.fixture
def dns():
    with DNSServer() as server:
        yield server


@pytest.fixture
def pair():
    """Two servers with one port at two addresses."""
    first = EchoServer(host="127.0.0.2")
    second = EchoServer(port=first.port, host="127.0.0.3")
    yield first, second
    first.stop()
    second.stop()


@pytest.fixture
def start(tmp_path):
    processes = []

    def start(target):
        upstream = {"target": target, "dns": {"min_interval": "1s"}}
        processes.append(run_gateway(tmp_path, configuration(target, upstreams={"echo": upstream})))
        return processes[-1]

    yield start
    for process in processes:
        if process.process.returncode is None:
            process.stop()


def call(gateway, seconds="0s"):
    """One call: its status, and the key by which servers note it."""
    key = uuid.uuid4().hex
    return http1.request(gateway.port, "GET", f"/v1/delay?time={seconds}&key={key}").status, key


def answering(gateway, servers, calls=12):
    """Which servers answered some calls, all of which succeed."""
    found = set()
    for _ in range(calls):
        status, key = call(gateway)
        assert status == 200
        found |= {index for index, server in enumerate(servers) if server.journal.wait(key, "started", 0)}
    return found


def test_a_name_stands_for_all_its_addresses(dns, pair, start):
    dns.names[NAME] = ["127.0.0.2", "127.0.0.3"]
    gateway = start(dns.target(NAME, pair[0].port))
    assert eventually(lambda: answering(gateway, pair) == {0, 1})
    assert {name for name, _ in dns.questions} == {NAME}


def test_addresses_come_and_go(dns, pair, start):
    dns.names[NAME] = ["127.0.0.2"]
    gateway = start(dns.target(NAME, pair[0].port))
    assert answering(gateway, pair) == {0}
    dns.names[NAME] = ["127.0.0.2", "127.0.0.3"]
    assert eventually(lambda: answering(gateway, pair) == {0, 1})
    dns.names[NAME] = ["127.0.0.3"]
    assert eventually(lambda: answering(gateway, pair) == {1})


def test_a_name_that_changes_under_load_costs_no_call(dns, pair, start):
    """Old addresses go and new ones come, all the time."""
    turns = [["127.0.0.2"], ["127.0.0.2", "127.0.0.3"], ["127.0.0.3"]]
    dns.names[NAME] = turns[0]
    gateway = start(dns.target(NAME, pair[0].port))
    assert answering(gateway, pair) == {0}
    with load(gateway) as statuses:
        for turn in turns[1:] + turns[::-1]:
            dns.names[NAME] = turn
            served = [len(server.journal.events) for server in pair]
            fitting = [f"127.0.0.{index + 2}" in turn for index in range(2)]
            assert eventually(lambda: [len(server.journal.events) > before + 100 for server, before in zip(pair, served)
                                       if fitting[pair.index(server)]] == [True] * sum(fitting))
    assert set(statuses) == {200} and len(statuses) > 400, len(statuses)


def test_calls_in_flight_outlive_their_address(dns, pair, start):
    dns.names[NAME] = ["127.0.0.2"]
    gateway = start(dns.target(NAME, pair[0].port))
    key = uuid.uuid4().hex
    with concurrent.futures.ThreadPoolExecutor() as pool:
        slow = pool.submit(http1.request, gateway.port, "GET", f"/v1/delay?time=5s&key={key}")
        assert pair[0].journal.wait(key, "started", 10)
        dns.names[NAME] = ["127.0.0.3"]
        assert eventually(lambda: answering(gateway, pair) == {1})
        assert not slow.done()
        assert slow.result(15).status == 200
    assert pair[0].journal.wait(key, "answered", 1)


@pytest.mark.parametrize("code", [SERVFAIL, None], ids=["refused", "name gone"])
def test_a_failure_keeps_the_last_addresses(dns, pair, start, code):
    dns.names[NAME] = ["127.0.0.2"]
    gateway = start(dns.target(NAME, pair[0].port))
    assert answering(gateway, pair, 1) == {0}
    dns.code = code
    del dns.names[NAME]
    for _ in range(3):
        dns.wait_for_question()
    assert answering(gateway, pair) == {0}


def test_a_call_waits_for_the_first_answer(dns, pair, start):
    dns.names[NAME], dns.delay = ["127.0.0.2"], 0.5
    gateway = start(dns.target(NAME, pair[0].port))
    assert answering(gateway, pair, 1) == {0}


def test_a_name_that_is_not_there_is_an_error_until_it_is(dns, pair, start):
    gateway = start(dns.target(NAME, pair[0].port))
    answer = http1.request(gateway.port, "GET", "/v1/echo/a")
    assert answer.status == 503 and answer.headers["gateway-error"] == "upstream_unreachable", answer
    assert f"{NAME} cannot be resolved" in answer.json["message"], answer
    dns.names[NAME] = ["127.0.0.2"]
    assert eventually(lambda: http1.request(gateway.port, "GET", "/v1/echo/a").status == 200)
    gateway.stop()
    warnings = [line for line in gateway.errors if "cannot be resolved" in line]
    assert len(warnings) == 1, "once, not per look-up nor per thread"


def test_a_server_that_does_not_answer_holds_nothing_up(dns, pair, start):
    dns.silent = True
    gateway = start(dns.target(NAME, pair[0].port))
    answer = http1.request(gateway.port, "GET", "/v1/echo/a", headers={"grpc-timeout": "300m"})
    assert answer.status == 504, answer
    began = time.monotonic()
    gateway.stop()
    assert time.monotonic() - began < 3


def test_a_broken_answer_is_a_failure(dns, pair, start):
    dns._answer = lambda packet, name, kind, end: packet[:2] + b"\x81\x80" + b"\xff" * 40
    gateway = start(dns.target(NAME, pair[0].port))
    assert http1.request(gateway.port, "GET", "/v1/echo/a", headers={"grpc-timeout": "1S"}).status in (503, 504)


def test_ip6_answers(dns, start):
    try:
        server = EchoServer(host="[::1]")
    except RuntimeError:
        return  # a machine without IPv6
    dns.names[NAME] = ["::1"]
    gateway = start(dns.target(NAME, server.port))
    assert answering(gateway, [server], 2) == {0}
    server.stop()


def test_a_moved_server_is_found_before_the_answer_is_old(dns, pair, start):
    """A connection that fails asks again, although the answer would live for a long time."""
    dns.names[NAME], dns.ttl = ["127.0.0.2"], 300
    gateway = start(dns.target(NAME, pair[0].port))
    assert answering(gateway, pair, 1) == {0}
    dns.names[NAME] = ["127.0.0.3"]
    # What was asked less than a second ago is not asked again.
    asked = len(dns.questions)
    pair[0].stop()
    assert eventually(lambda: call(gateway)[0] == 200 and len(dns.questions) > asked, 20)
    assert answering(gateway, pair) == {1}


def test_names_of_the_system(echo, start):
    """No server given: /etc/hosts knows localhost, whatever the resolver's configuration is."""
    gateway = start(f"localhost:{echo.port}")
    assert http1.request(gateway.port, "GET", "/v1/echo/a").status == 200


def test_a_list_of_names_and_addresses(dns, pair, start):
    dns.names[NAME] = ["127.0.0.3"]
    gateway = start(f"127.0.0.2:{pair[0].port},{dns.target(NAME, pair[0].port)}")
    assert eventually(lambda: answering(gateway, pair) == {0, 1})
