#!/usr/bin/env python3
"""How the cost of a request grows: with connections, active and idle, streams, the size of the document, routes, types, threads.

Every point is measured in turns, as in run.py: round after round, and within a round each gateway at each point.
"""
import argparse
import os
import resource
import socket
import statistics
import sys
import time

import plot
from bench import common_arguments, running
from gateways import BUILT_IN, GATEWAY, Gateway, Kind
from report import short, table
from scenarios import Scenario, data, scenarios

CPU = "CPU µs a request"


def unary(conns=64, streams=1, h2=False):
    return Scenario("", "Echo", "small", path="/v1/echo", conns=conns, streams=streams, h2=h2)


def documents():
    every = scenarios()
    names = {"small": "h1-post", "1k": "h1-1k", "64k": "h1-64k", "1m": "h1-1m"}
    return {len(data(name + ".json")): every[key] for name, key in names.items()}


# name → (title, what x is, x → scenario)
LOADS = {
    "connections": ("HTTP/1.1 JSON POST, all active", "connections",
                    {n: unary(n) for n in (1, 8, 64, 512, 4096, 9900)}),
    "streams": ("h2c JSON POST", "concurrent streams",
                {c * m: unary(c, m, h2=True) for c, m in ((1, 1), (8, 1), (8, 8), (10, 50), (50, 100))}),
    "documents": ("HTTP/1.1 JSON echo", "bytes of JSON", documents()),
}
# name → (what x is, x → how many routes and types the schema has besides its own)
SCHEMAS = {
    "routes": ("routes", {n: (n, 1) for n in (10, 100, 500, 2000)}),
    "types": ("message types", {n: (0, n) for n in (1, 10, 100, 1000)}),
}
IDLE = (1000, 4000, 9900)


def schema(tmp, routes, types):
    """A descriptor set with that many more types of three fields, each with an RPC, and RPCs of the first type with routes."""
    from google.protobuf import descriptor_pb2
    path = os.path.join(tmp, f"schema-{routes}-{types}.pb")
    files = descriptor_pb2.FileDescriptorSet.FromString(data("bench.pb"))
    bench = next(f for f in files.file if f.package == "bench.v1")
    http = next(f for f in files.file if f.name == "google/api/annotations.proto").extension[0].number
    more = files.file.add(name="more.proto", package="more", syntax="proto3", dependency=list(bench.dependency))
    service = more.service.add(name="More")
    for index in range(types):
        message = more.message_type.add(name=f"Type{index}")
        for number, name in enumerate(("name", "title", "body"), 1):
            message.field.add(name=name, number=number, type=9, label=1, json_name=name)
        service.method.add(name=f"Take{index}", input_type=f".more.Type{index}", output_type=f".more.Type{index}")
    for index in range(routes):
        method = service.method.add(name=f"Get{index}", input_type=".more.Type0", output_type=".more.Type0")
        pattern = f"/v1/resource{index}s/{{name}}".encode()
        rule = bytes([0x12, len(pattern)]) + pattern  # HttpRule.get
        tag = http << 3 | 2
        head = b""
        while tag > 127:
            head, tag = head + bytes([tag & 127 | 128]), tag >> 7
        method.options.MergeFromString(head + bytes([tag, len(rule)]) + rule)
    with open(path, "wb") as file:
        file.write(files.SerializeToString())
    return path


def measure(bench, points):
    """points: key → (gateway, scenario). Returns key → CPU us a request, the median of the rounds."""
    runs = {key: [] for key in points}
    for _ in range(bench.opt.rounds):
        for key, (gateway, scenario) in points.items():
            result = bench.measure(gateway, scenario, bench.opt.seconds)
            if result["failed"]:
                sys.exit(f"{gateway.name}: {result['failed']} requests failed at {key}")
            runs[key].append(result["us"])
    return {key: statistics.median(values) for key, values in runs.items()}


def loads(bench, name, gateways):
    title, x_title, points = LOADS[name]
    found = measure(bench, {(g.name, x): (g, s) for x, s in points.items() for g in gateways})
    rows = [[x] + [short(found[g.name, x]) for g in gateways] for x in points]
    print(f"\n## {title}, {CPU}\n\n" + table([x_title] + [g.name for g in gateways], rows), flush=True)
    return title, x_title, CPU, {g.name: [(x, found[g.name, x]) for x in points] for g in gateways}


def schemas(bench, name, values, tmp):
    x_title, points = SCHEMAS[name]
    gateways = {}
    for index, (x, size) in enumerate(points.items()):
        command = GATEWAY.replace("{dir}/out/bench.pb", schema(tmp, *size))
        gateways[x] = Gateway(f"gateway-{x}", Kind(command), 9250 + index, 9250 + index, values)
    for gateway in gateways.values():
        bench.start(gateway, tmp)
    found = measure(bench, {x: (g, unary()) for x, g in gateways.items()})
    for gateway in gateways.values():
        gateway.stop()
    print(f"\n## HTTP/1.1 JSON POST beside other {x_title}, {CPU}\n\n"
          + table([x_title, "gateway"], [[x, short(us)] for x, us in found.items()]), flush=True)
    return f"HTTP/1.1 JSON POST beside other {x_title}", x_title, CPU, {"gateway": list(found.items())}


def idle(bench, gateways):
    """64 active connections, with idle ones beside them: those of a gateway are opened before its run and closed after it."""
    found = {(g.name, count): [] for g in gateways for count in (0, *IDLE)}
    for _ in range(bench.opt.rounds):
        for gateway in gateways:
            open_now = []
            for count in (0, *IDLE):
                open_now += [socket.create_connection(("127.0.0.1", gateway.port), 5) for _ in range(count - len(open_now))]
                time.sleep(0.5)
                found[gateway.name, count].append(bench.measure(gateway, unary(), bench.opt.seconds)["us"])
            for connection in open_now:
                connection.close()
            time.sleep(0.5)
    median = {key: statistics.median(runs) for key, runs in found.items()}
    rows = [[count] + [f"{short(median[g.name, count])} ({median[g.name, count] / median[g.name, 0]:.2f})" for g in gateways]
            for count in (0, *IDLE)]
    title = "HTTP/1.1 JSON POST, 64 active, others idle"
    print(f"\n## {title}, {CPU} (and against none idle)\n\n"
          + table(["idle"] + [g.name for g in gateways], rows), flush=True)
    return title, "connections", CPU, {g.name: [(64 + count, median[g.name, count]) for count in (0, *IDLE)] for g in gateways}


def threads(bench, names, values, tmp):
    """One reactor, and two on both CPUs (of which backend and load generator take one): CPU a request, and who does the work."""
    cpus = f"{bench.opt.gateway_cpu},{bench.opt.load_cpu}"
    commands = {"gateway": GATEWAY.replace("--threads 1", "--threads {threads}"),
                "nghttpx": BUILT_IN["nghttpx"].command + " --workers={threads}"}
    found, runs, busiest = {}, {}, {}
    for name in filter(names.__contains__, commands):
        for count in (1, 2):
            kind = Kind(commands[name].replace("{threads}", str(count)), BUILT_IN[name].transcodes)
            port = 9260 + len(found)
            found[name, count] = Gateway(f"{name}-{count}", kind, port, port, values)
            runs[name, count], busiest[name, count] = [], []
            bench.start(found[name, count], tmp, cpus)
    for _ in range(bench.opt.rounds):
        for key, gateway in found.items():
            before = gateway.threads()
            runs[key].append(bench.measure(gateway, unary(), bench.opt.seconds)["us"])
            used = [after - before.get(thread, 0) for thread, after in gateway.threads().items()]
            busiest[key].append(max(used) / sum(used))
    rows = []
    for (name, count), gateway in found.items():
        gateway.stop()
        us = statistics.median(runs[name, count])
        share = statistics.median(busiest[name, count])
        rows.append([f"{name}, {count}", short(us), f"{us / statistics.median(runs[name, 1]):.2f}", f"{100 * share:.0f} %"])
    print(f"\n## HTTP/1.1 JSON POST, 64 connections, {CPU}\n\n"
          + table(["threads", "CPU µs", "against one", "the busiest thread's share"], rows), flush=True)


def arguments():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("gateways", nargs="*", default=["gateway", "nghttpx", "floor"])
    ap.add_argument("--only", default=",".join([*LOADS, "idle", *SCHEMAS, "threads"]), help="comma-separated, of: %(default)s")
    ap.add_argument("--svg", metavar="FILE", help="draw the plots there")
    common_arguments(ap, rounds=3, seconds=1, backend_port=9290)
    return ap.parse_args()


def main():
    opt = arguments()
    resource.setrlimit(resource.RLIMIT_NOFILE, (20_000, 20_000))
    panels, wanted = [], opt.only.split(",")
    values = {"backend": opt.backend_port, "envoy": opt.envoy}
    gateways = [Gateway(name, BUILT_IN[name], 9241 + index, 9241 + index, values) for index, name in enumerate(opt.gateways)]
    with running(opt) as (bench, tmp):
        for gateway in gateways:
            bench.start(gateway, tmp)
        panels += [loads(bench, name, gateways) for name in LOADS if name in wanted]
        if "idle" in wanted:
            panels.append(idle(bench, gateways))
        for gateway in gateways:
            gateway.stop()
        panels += [schemas(bench, name, values, tmp) for name in SCHEMAS if name in wanted]
        if "threads" in wanted:
            threads(bench, opt.gateways, values, tmp)
    if opt.svg:
        plot.write(opt.svg, panels)


if __name__ == "__main__":
    main()
