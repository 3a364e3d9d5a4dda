"""SRV records: their priorities and weights (RFC 2782), by a DNS server of the test's own."""
import collections
import time

import pytest

from support import http1
from support.configuration import configuration, run_gateway
from support.dns_server import A, AAAA, SRV, DNSServer
from support.echo_server import EchoServer
from support.fleet import load
from support.health_server import NOT_SERVING, SERVING, HealthServer
from support.scripted_upstream import ScriptedUpstream
from support.upstream_scripts import fine
from support.waiting import eventually
from test_dns import answering, call

SERVICE = "_grpc._tcp.library.test"


@pytest.fixture
def dns():
    """Knows host0.test to host3.test."""
    with DNSServer() as server:
        yield server


@pytest.fixture
def start(tmp_path):
    processes = []

    def start(target, threads=2, **options):
        upstream = {"target": target, "dns": {"min_interval": "1s"}, **options}
        content = configuration(target, upstreams={"echo": upstream})
        processes.append(run_gateway(tmp_path, content, "--threads", str(threads)))
        return processes[-1]

    yield start
    for process in processes:
        process.stop()


@pytest.fixture
def four():
    """Four servers, each with a port of its own; as (host, port) in DNS they are one.test to four.test at 127.0.0.1."""
    servers = [EchoServer() for _ in range(4)]
    yield servers
    for server in servers:
        server.stop()


def records(servers, *lines):
    """SRV records: (priority, weight, index of the server)."""
    return [(priority, weight, servers[index].port, f"host{index}.test.") for priority, weight, index in lines]


def test_srv_records_name_hosts_and_ports(dns, four, start):
    dns.names.update({f"host{index}.test": ["127.0.0.1"] for index in range(4)})
    dns.services[SERVICE] = records(four, (10, 60, 0), (10, 40, 1), (20, 100, 2))
    gateway = start(dns.service_target(SERVICE))
    assert eventually(lambda: answering(gateway, four) == {0, 1}), "the group that is most wanted, all of it"
    assert answering(gateway, four, 20) == {0, 1}
    dns.services[SERVICE] = records(four, (20, 1, 2), (30, 1, 0), (20, 1, 3))
    assert eventually(lambda: answering(gateway, four) == {2, 3})
    asked = {(name, kind) for name, kind in dns.questions}
    assert (SERVICE, SRV) in asked and ("host2.test", A) in asked and ("host2.test", AAAA) in asked


def test_the_authority_of_srv_records_is_their_domain(dns, start):
    with ScriptedUpstream(fine) as upstream:
        dns.names["host.test"] = ["127.0.0.1"]
        dns.services[SERVICE] = [(1, 1, upstream.port, "host.test")]
        gateway = start(dns.service_target(SERVICE))
        assert http1.request(gateway.port, "GET", "/v1/echo/a").status == 200
        assert upstream.calls[0].headers[":authority"] == "library.test"


def test_the_next_group_serves_when_no_host_of_the_first_is_known(dns, four, start):
    dns.names["host1.test"] = ["127.0.0.1"]
    dns.services[SERVICE] = records(four, (1, 1, 0), (2, 1, 1))
    gateway = start(dns.service_target(SERVICE))
    assert eventually(lambda: http1.request(gateway.port, "GET", "/v1/echo/a").status == 200)
    assert answering(gateway, four) == {1}


def test_srv_records_come_late_and_go(dns, four, start):
    """What they say last stays while they cannot be had, or say that there is no service."""
    gateway = start(dns.service_target(SERVICE))
    answer = http1.request(gateway.port, "GET", "/v1/echo/a")
    assert answer.status == 503 and f"{SERVICE} cannot be resolved" in answer.json["message"], answer
    dns.services[SERVICE] = [(0, 0, 0, ".")]
    assert eventually(lambda: "name no service" in http1.request(gateway.port, "GET", "/v1/echo/a").json.get("message", ""))
    dns.names["host0.test"] = ["127.0.0.1"]
    dns.services[SERVICE] = records(four, (1, 1, 0))
    assert eventually(lambda: http1.request(gateway.port, "GET", "/v1/echo/a").status == 200, 20)
    for gone in ([(0, 0, 0, ".")], []):
        dns.services[SERVICE] = gone
        dns.wait_for_question()
        dns.wait_for_question()
        assert answering(gateway, four) == {0}


def test_the_time_to_live_of_srv_records_counts(dns, four, start):
    """The addresses of their hosts would live longer."""
    dns.names["host0.test"] = ["127.0.0.1"]
    dns.services[SERVICE], dns.ttl = records(four, (1, 1, 0)), 2
    dns.address_ttl = 300
    gateway = start(dns.service_target(SERVICE))
    assert answering(gateway, four, 2) == {0}
    asked = len(dns.questions)
    assert eventually(lambda: (SERVICE, SRV) in dns.questions[asked:], 10)


def test_many_srv_records(dns, four, start):
    """An answer that takes TCP, and more records than count."""
    dns.names["host0.test"] = ["127.0.0.1"]
    dns.services[SERVICE] = [(1, 1000, four[0].port, "host0.test")] + [
        (1, 1, 1, f"nowhere{index}.test") for index in range(100)]
    gateway = start(dns.service_target(SERVICE))
    assert answering(gateway, four, 3) == {0}
    names = {name for name, _ in dns.questions}
    assert len(names) == 1 + 64, "64 hosts and the service itself"


# Priorities

# A server of grpcio that is stopped cancels the calls that it has.
RETRY = {"codes": ["UNAVAILABLE", "CANCELLED"], "max_attempts": 4}


def known(dns, servers, *lines):
    """DNS knows all hosts, and these records."""
    dns.names.update({f"host{index}.test": ["127.0.0.1"] for index in range(4)})
    dns.services[SERVICE], dns.ttl = records(servers, *lines), 300


@pytest.mark.parametrize("balance", ["round_robin", "least_request", "pick_first"])
def test_fail_over_and_return(dns, four, start, balance):
    """The hosts of the first priority end, one after the other, and one comes back, while DNS says the same all the time."""
    known(dns, four, (10, 1, 0), (10, 1, 1), (20, 1, 2), (30, 1, 3))
    gateway = start(dns.service_target(SERVICE), balance=balance, retry=RETRY)
    first = {0, 1}
    assert eventually(lambda: answering(gateway, four) <= first)
    with load(gateway) as statuses:
        four[0].stop()
        assert answering(gateway, four, 20) == {1}, "the other one of the same priority"
        four[1].stop()
        assert eventually(lambda: answering(gateway, four, 20) == {2})
        again = EchoServer(port=four[1].port)
        assert eventually(lambda: answering(gateway, [*four[:1], again, *four[2:]], 20) == {1}, 20)
    assert set(statuses) == {200}, collections.Counter(statuses)
    assert not four[3].journal.events, "nobody needed the last one"
    again.stop()
    gateway.stop()
    lines = [line for line in gateway.errors if "of priority" in line]
    assert any("priority 2 of 3" in line for line in lines) and any("priority 1 of 3" in line for line in lines), lines


def test_every_priority_in_turn_until_none_is_left(dns, four, start):
    known(dns, four, (1, 1, 0), (2, 1, 1), (3, 1, 2))
    gateway = start(dns.service_target(SERVICE), threads=1)
    for index in range(3):
        assert eventually(lambda: call(gateway)[0] == 200)
        assert answering(gateway, four) == {index}
        four[index].stop()
    assert eventually(lambda: call(gateway)[0] == 503)
    message = http1.request(gateway.port, "GET", "/v1/echo/a").json["message"]
    assert all(str(server.port) in message for server in four[:3]), message


def test_a_host_that_says_nothing_is_passed_over_after_its_time(dns, start):
    """It takes connections, and that is all."""
    hold = []
    with ScriptedUpstream(greet=lambda accepted: (hold.append(accepted), accepted.settimeout(30), accepted.recv(1),
                                                  [0 for _ in iter(lambda: accepted.recv(4096), b"")])) as silent:
        with ScriptedUpstream(fine) as other:
            dns.names["host.test"] = ["127.0.0.1"]
            dns.services[SERVICE] = [(1, 1, silent.port, "host.test"), (2, 1, other.port, "host.test")]
            began = time.monotonic()
            gateway = start(dns.service_target(SERVICE), connection={"timeout": "1s"})
            assert http1.request(gateway.port, "GET", "/v1/echo/a").status == 200
            assert time.monotonic() - began < 4
            began = time.monotonic()
            assert all(http1.request(gateway.port, "GET", "/v1/echo/a").status == 200 for _ in range(20))
            assert time.monotonic() - began < 1, "further attempts hold nobody up"


def test_what_is_less_wanted_has_no_connection(dns, start):
    with ScriptedUpstream(fine) as wanted, ScriptedUpstream(fine) as other:
        dns.names["host.test"] = ["127.0.0.1"]
        dns.services[SERVICE] = [(1, 1, wanted.port, "host.test"), (2, 1, other.port, "host.test")]
        gateway = start(dns.service_target(SERVICE))
        for _ in range(10):
            assert http1.request(gateway.port, "GET", "/v1/echo/a").status == 200
        assert len(wanted.calls) == 10 and not other.connections


def test_a_priority_that_health_checks_find_wanting_is_left(dns, start):
    """Its server is there, and says that it does not serve."""
    servers = [HealthServer(), HealthServer()]
    known(dns, servers, (1, 1, 0), (2, 1, 1))
    gateway = start(dns.service_target(SERVICE), health={})

    def served_by():
        before = [len(server.calls) for server in servers]
        assert all(http1.request(gateway.port, "GET", "/v1/echo/a").status == 200 for _ in range(8))
        return [index for index, server in enumerate(servers) if len(server.calls) > before[index]]

    assert served_by() == [0]
    servers[0].set(NOT_SERVING)
    assert eventually(lambda: served_by() == [1])
    servers[0].set(SERVING)
    assert eventually(lambda: served_by() == [0])
    for server in servers:
        server.stop()


# Weights

def shares(gateway, servers, calls):
    """How many of the calls each server got."""
    counts = collections.Counter()
    for _ in range(calls):
        status, key = call(gateway)
        assert status == 200
        counts.update(index for index, server in enumerate(servers) if server.journal.wait(key, "started", 0))
    return [counts[index] for index in range(len(servers))]


def test_weights_are_shares_of_the_calls(dns, four, start):
    known(dns, four, (1, 30, 0), (1, 10, 1), (1, 10, 2), (1, 0, 3))
    gateway = start(dns.service_target(SERVICE), threads=1)
    assert eventually(lambda: {0, 1, 2} <= answering(gateway, four))
    counts = shares(gateway, four, 100)
    assert abs(counts[0] - 60) <= 2 and abs(counts[1] - 20) <= 2 and abs(counts[2] - 20) <= 2, counts
    # What ends leaves its share to the others.
    four[0].stop()
    assert eventually(lambda: call(gateway)[0] == 200)
    counts = shares(gateway, four, 40)
    assert abs(counts[1] - counts[2]) <= 2 and counts[3] <= 1, counts


def test_weights_say_which_one_pick_first_takes(dns, four, start):
    """Beside a weight of 60000, one of 0 is as good as never the first."""
    known(dns, four, (1, 0, 0), (1, 60000, 1), (1, 0, 2))
    for _ in range(3):
        gateway = start(dns.service_target(SERVICE), balance="pick_first")
        assert answering(gateway, four) == {1}
        gateway.stop()
