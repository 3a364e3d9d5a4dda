#!/usr/bin/env python3
"""How the cost of a request grows: with connections, idle ones, streams, the size of the document, routes and types.

Every point is measured in turns, as in run.py: round after round, and within a round each gateway at each point.
"""
import argparse
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import plot
from gateways import BUILT_IN, GATEWAY, Gateway, Kind, renice, wait_port
from report import short, table
from run import Bench, default_envoy
from scenarios import OUT, Scenario, data, scenarios


def unary(conns=64, streams=1, h2=False):
    return Scenario("", "Echo", "small", path="/v1/echo", conns=conns, streams=streams, h2=h2)


def documents():
    every = scenarios()
    names = {"small": "h1-post", "1k": "h1-1k", "64k": "h1-64k", "1m": "h1-1m"}
    return {len(data(name + ".json")): every[key] for name, key in names.items()}


# name → (title, what x is, x → scenario)
SWEEPS = {
    "connections": ("HTTP/1.1 JSON POST, all connections active", "connections",
                    {n: unary(n) for n in (1, 8, 64, 512, 4096)}),
    "streams": ("h2c JSON POST", "concurrent streams",
                {c * m: unary(c, m, h2=True) for c, m in ((1, 1), (8, 1), (8, 8), (10, 50), (50, 100))}),
    "documents": ("HTTP/1.1 JSON echo", "bytes of JSON", documents()),
}


def with_routes(count, tmp):
    """A descriptor set with `count` more routes, each of an RPC with a type of its own."""
    from google.protobuf import descriptor_pb2
    path = os.path.join(tmp, f"routes-{count}.pb")
    files = descriptor_pb2.FileDescriptorSet.FromString(data("bench.pb"))
    bench = next(f for f in files.file if f.package == "bench.v1")
    http = next(f for f in files.file if f.name == "google/api/annotations.proto").extension[0].number
    more = files.file.add(name="routes.proto", package="routes", syntax="proto3", dependency=list(bench.dependency))
    service = more.service.add(name="Routes")
    for index in range(count):
        message = more.message_type.add(name=f"Type{index}")
        for number, name in enumerate(("name", "title", "body"), 1):
            message.field.add(name=name, number=number, type=9, label=1, json_name=name)
        method = service.method.add(name=f"Get{index}", input_type=f".routes.Type{index}", output_type=f".routes.Type{index}")
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


def measure(bench, points, rounds, seconds):
    """points: key → (gateway, scenario). Returns key → CPU us a request, the median of the rounds."""
    runs = {key: [] for key in points}
    for _ in range(rounds):
        for key, (gateway, scenario) in points.items():
            result = bench.measure(gateway, scenario, seconds)
            if result["failed"]:
                sys.exit(f"{gateway.name}: {result['failed']} requests failed at {key}")
            runs[key].append(result["us"])
    return {key: statistics.median(values) for key, values in runs.items()}


def with_idle(bench, gateway, count, opt):
    """CPU us a request at 64 connections, without and with `count` idle ones beside them."""
    quiet, loaded, idle = [], [], []
    for _ in range(opt.rounds):
        quiet.append(bench.measure(gateway, unary(), opt.seconds)["us"])
        idle = [socket.create_connection(("127.0.0.1", gateway.port), 5) for _ in range(count)]
        time.sleep(0.5)
        loaded.append(bench.measure(gateway, unary(), opt.seconds)["us"])
        for connection in idle:
            connection.close()
        time.sleep(0.5)
    return statistics.median(quiet), statistics.median(loaded), statistics.median(b / a for a, b in zip(quiet, loaded))


def arguments():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("gateways", nargs="*", default=["gateway", "nghttpx", "floor"])
    ap.add_argument("--only", default="connections,streams,documents,routes,idle")
    ap.add_argument("--seconds", type=float, default=1)
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--idle", type=int, default=9000, help="idle connections beside 64 active ones")
    ap.add_argument("--svg", metavar="FILE", help="draw the plots there")
    ap.add_argument("--gateway-cpu", type=int, default=0)
    ap.add_argument("--load-cpu", type=int, default=1)
    ap.add_argument("--nice", type=int, default=0)
    ap.add_argument("--backend-port", type=int, default=9290)
    return ap.parse_args()


def sweep(bench, name, gateways, opt):
    title, x_title, points = SWEEPS[name]
    found = measure(bench, {(g.name, x): (g, s) for x, s in points.items() for g in gateways}, opt.rounds, opt.seconds)
    rows = [[x] + [short(found[g.name, x]) for g in gateways] for x in points]
    print(f"\n## {title}, CPU us a request\n\n" + table([x_title] + [g.name for g in gateways], rows), flush=True)
    return (title, x_title, "CPU µs a request", {g.name: [(x, found[g.name, x]) for x in points] for g in gateways})


def routes(bench, values, opt, tmp):
    gateways = {}
    for index, count in enumerate((10, 100, 500, 2000)):
        command = GATEWAY.replace("{dir}/out/bench.pb", with_routes(count, tmp))
        gateways[count] = Gateway(f"gateway-{count}", Kind(command), 9250 + index, 9250 + index, values)
    try:
        for gateway in gateways.values():
            gateway.start(tmp, bench)
        found = measure(bench, {count: (g, unary()) for count, g in gateways.items()}, opt.rounds, opt.seconds)
    finally:
        for gateway in gateways.values():
            gateway.stop()
    print("\n## Routes and message types, HTTP/1.1 JSON POST, CPU us a request\n\n"
          + table(["routes and types", "gateway"], [[count, short(us)] for count, us in found.items()]), flush=True)
    return ("HTTP/1.1 JSON POST", "routes and message types", "CPU µs a request", {"gateway": list(found.items())})


def main():
    opt = arguments()
    resource.setrlimit(resource.RLIMIT_NOFILE, (20_000, 20_000))
    bench, panels = Bench(opt), []
    values = {"backend": opt.backend_port, "envoy": default_envoy()}
    gateways = [Gateway(name, BUILT_IN[name], 9241 + index, 9241 + index, values) for index, name in enumerate(opt.gateways)]
    wanted = opt.only.split(",")
    with tempfile.TemporaryDirectory(prefix="bench-") as tmp:
        backend = subprocess.Popen(bench.load_prefix + [os.path.join(OUT, "backend"), str(opt.backend_port)],
                                   start_new_session=True)
        renice(backend, opt.nice)
        try:
            wait_port(opt.backend_port, backend, os.devnull)
            for gateway in gateways:
                gateway.start(tmp, bench)
            for name in filter(SWEEPS.__contains__, wanted):
                panels.append(sweep(bench, name, gateways, opt))
            if "idle" in wanted:
                rows = [[g.name] + [f"{x:.3g}" for x in with_idle(bench, g, opt.idle, opt)] for g in gateways]
                print(f"\n## 64 active connections, CPU us a request\n\n"
                      + table(["gateway", "alone", f"beside {opt.idle} idle", "ratio"], rows), flush=True)
            if "routes" in wanted:
                panels.append(routes(bench, values, opt, tmp))
        finally:
            for gateway in gateways:
                gateway.stop()
            backend.terminate()
            backend.wait()
    if opt.svg:
        plot.write(opt.svg, panels)


if __name__ == "__main__":
    main()
