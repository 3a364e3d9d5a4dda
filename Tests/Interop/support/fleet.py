"""Several equal upstreams that note which of them served a call."""
import collections
import contextlib
import threading
import uuid

from . import http1
from .configuration import configuration, run_gateway
from .scripted_upstream import ScriptedUpstream
from .upstream_scripts import fine


class Fleet:
    """Upstreams, or so many of them, behind one gateway, whose upstream has the keys `options`."""

    def __init__(self, folder, upstreams, threads=1, methods=(), **options):
        self.upstreams = ([ScriptedUpstream(fine) for _ in range(upstreams)] if isinstance(upstreams, int)
                          else upstreams)
        target = ",".join(upstream.target for upstream in self.upstreams)
        content = configuration(target, upstreams={"echo": {"target": target, **options}})
        if methods:
            content["services"][0]["methods"] = list(methods)
        self.gateway = run_gateway(folder, content, "--threads", str(threads))

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        for upstream in self.upstreams:
            upstream.__exit__()
        if self.gateway.alive():
            self.gateway.stop()

    def call(self, **headers):
        return http1.request(self.gateway.port, "GET", "/v1/echo/a",
                             headers={name.replace("_", "-"): value for name, value in headers.items()})

    def calls(self, count):
        """The HTTP statuses of so many calls, one after the other."""
        return collections.Counter(self.call().status for _ in range(count))

    def at_once(self, clients, calls):
        """The HTTP statuses of `calls` calls by each of so many connections."""
        statuses, lock = collections.Counter(), threading.Lock()

        def run():
            seen = collections.Counter()
            with http1.Connection(self.gateway.port) as connection:
                for _ in range(calls):
                    seen[connection.request("GET", "/v1/echo/a").status] += 1
            with lock:
                statuses.update(seen)

        threads = [threading.Thread(target=run) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return statuses

    @property
    def served(self):
        """How many calls each upstream has seen."""
        return [len(upstream.calls) for upstream in self.upstreams]


@contextlib.contextmanager
def load(gateway, clients=16):
    """Calls of a few milliseconds by so many connections, one after the other, meanwhile: the list of their statuses."""
    done, statuses = threading.Event(), []

    def run():
        with http1.Connection(gateway.port) as connection:
            while not done.is_set():
                path = f"/v1/delay?time=0.005s&key={uuid.uuid4().hex}"
                statuses.append(connection.request("GET", path).status)

    threads = [threading.Thread(target=run) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield statuses
    finally:
        done.set()
        for thread in threads:
            thread.join()
