"""What the gateway tells of its upstreams in the log, at SIGUSR1."""
import json
import signal

from .waiting import eventually

PREFIX = "gateway_upstream_"


def report(fleet):
    """The counters without the prefix of their names, and what is said of each address."""
    def told():
        return [json.loads(line) for line in fleet.gateway.errors if PREFIX in line]

    before = len(told())
    fleet.gateway.process.send_signal(signal.SIGUSR1)
    count = before + 1 + len(fleet.upstreams)
    assert eventually(lambda: len(told()) == count), fleet.gateway.errors
    upstream, *addresses = told()[before:]
    assert upstream["message"] == "upstream echo"

    def short(line, prefix):
        return {name[len(prefix):]: value for name, value in line.items() if name.startswith(prefix)}

    by_target = {line["message"].split("(")[1].rstrip(")"): short(line, PREFIX + "endpoint_") for line in addresses}
    counters = {name: int(value) for name, value in short(upstream, PREFIX).items()}
    return counters, [by_target[upstream.target] for upstream in fleet.upstreams]


def nonzero(counters):
    return {name.removesuffix("_total"): value for name, value in counters.items() if value}
