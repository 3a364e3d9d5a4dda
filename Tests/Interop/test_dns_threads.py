"""Names are resolved once for the process, whatever the number of its threads."""
import contextlib
import threading
import time
import uuid

import pytest

from support import http1
from support.configuration import configuration, run_gateway
from support.dns_server import DNSServer
from support.echo_server import EchoServer
from support.waiting import eventually
from test_reflection import extend

NAME = "library.test"
THREADS = 4
# Timers may be so much late, and the answer is on its way when the time to the next look-up begins.
TOLERANCE = 0.05


@pytest.fixture
def dns():
    with DNSServer() as server:
        yield server


@contextlib.contextmanager
def gateway_for(folder, target, min_interval, reflection=False):
    content = configuration(target, upstreams={"echo": {"target": target, "dns": {"min_interval": min_interval}}})
    if reflection:
        content["services"][0]["descriptors"] = {"reflection": True}
    gateway = run_gateway(folder, content, "--threads", str(THREADS))
    try:
        yield gateway
    finally:
        gateway.stop()


@contextlib.contextmanager
def connections(gateway):
    """One connection to each thread: every one that is new goes to the thread that has the fewest."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(http1.Connection(gateway.port)) for _ in range(THREADS)]


def statuses(clients):
    return [client.request("GET", "/v1/echo/a").status for client in clients]


def gaps(times):
    return [later - earlier for earlier, later in zip(times, times[1:])]


def test_one_look_up_an_interval(dns, tmp_path):
    """The answer lives a second, and so does the interval."""
    server = EchoServer(host="127.0.0.2")
    dns.names[NAME] = ["127.0.0.2"]
    with gateway_for(tmp_path, dns.target(NAME, server.port), "1s") as gateway, connections(gateway) as clients:
        assert statuses(clients) == [200] * THREADS
        assert eventually(lambda: len(dns.look_ups()) >= 4)
        assert statuses(clients) == [200] * THREADS
        times = dns.look_ups()
    assert all(1 - TOLERANCE < gap < 1.5 for gap in gaps(times)), gaps(times)
    server.stop()


def test_a_change_reaches_every_thread(dns, tmp_path):
    first = EchoServer(host="127.0.0.2")
    second = EchoServer(port=first.port, host="127.0.0.3")
    dns.names[NAME] = ["127.0.0.2"]
    with gateway_for(tmp_path, dns.target(NAME, first.port), "1s") as gateway, connections(gateway) as clients:
        def served_by_second():
            keys = [uuid.uuid4().hex for _ in clients]
            for client, key in zip(clients, keys):
                assert client.request("GET", f"/v1/delay?time=0s&key={key}").status == 200
            return all(key in second.journal.events for key in keys)
        assert not served_by_second()
        dns.names[NAME] = ["127.0.0.3"]
        assert eventually(served_by_second)
    first.stop()
    second.stop()


def test_connections_that_fail_on_every_thread_ask_once_an_interval(dns, tmp_path):
    """The answer would live for long; each thread finds that nobody is there, again and again."""
    server = EchoServer(host="127.0.0.2")
    dns.names[NAME], dns.ttl = ["127.0.0.2"], 300
    with gateway_for(tmp_path, dns.target(NAME, server.port), "2s") as gateway, connections(gateway) as clients:
        assert statuses(clients) == [200] * THREADS
        server.stop()
        assert eventually(lambda: len(dns.look_ups()) >= 3, 20)
        assert set(statuses(clients)) == {503}
        dns.names[NAME] = ["127.0.0.3"]
        moved = EchoServer(port=server.port, host="127.0.0.3")
        assert eventually(lambda: statuses(clients) == [200] * THREADS, 20)
        times = dns.look_ups()
    assert all(gap > 2 - TOLERANCE for gap in gaps(times)), gaps(times)
    moved.stop()


def test_failures_are_repeated_once_an_interval_and_told_to_all(dns, tmp_path):
    with gateway_for(tmp_path, dns.target(NAME, 1), "1s") as gateway, connections(gateway) as clients:
        for client in clients:
            answer = client.request("GET", "/v1/echo/a")
            assert answer.status == 503 and f"{NAME} cannot be resolved" in answer.json["message"], answer
        assert eventually(lambda: len(dns.look_ups()) >= 3)
        times = dns.look_ups()
    assert all(gap > 1 - TOLERANCE for gap in gaps(times)), gaps(times)
    warnings = [line for line in gateway.errors if "cannot be resolved" in line]
    assert len(warnings) == 1, warnings


def test_what_reflection_resolved_serves_the_calls(dns, tmp_path):
    """At the start the upstream is asked what it serves: the name is not looked up again for the threads."""
    server = EchoServer(host="127.0.0.2", extend=extend)
    dns.names[NAME], dns.ttl = ["127.0.0.2"], 300
    target = dns.target(NAME, server.port)
    with gateway_for(tmp_path, target, "30s", reflection=True) as gateway, connections(gateway) as clients:
        assert statuses(clients) == [200] * THREADS
        time.sleep(0.3)  # another look-up would come at once
        assert len(dns.look_ups()) == 1
    server.stop()


def test_a_name_that_comes_late_is_found_by_reflection(dns, tmp_path):
    """Attempts are made four times a second; the name is looked up once an interval."""
    server = EchoServer(host="127.0.0.2", extend=extend)
    dns.delay = 0.4
    content = configuration("", upstreams={"echo": {
        "target": dns.target(NAME, server.port), "dns": {"min_interval": "1s"}}})
    content["services"][0]["descriptors"] = {"reflection": True}
    threading.Timer(1.5, lambda: dns.names.update({NAME: ["127.0.0.2"]})).start()
    gateway = run_gateway(tmp_path, content, "--threads", str(THREADS))
    with connections(gateway) as clients:
        assert statuses(clients) == [200] * THREADS
    assert all(gap > 1 - TOLERANCE for gap in gaps(dns.look_ups())), gaps(dns.look_ups())
    gateway.stop()
    server.stop()
