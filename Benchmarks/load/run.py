#!/usr/bin/env python3
"""Measures gRPC transcoding gateways side by side. See README.md.

One backend and one load generator share a CPU, every gateway is pinned to another. The figure to trust is the CPU
time the gateway spends per request: it barely depends on what else runs on the machine. Gateways take turns within
each scenario, so a slow minute hits all of them.
"""
import argparse
import json
import os
import socket
import sys
import time

from bench import common_arguments, running
from gateways import BUILT_IN, Gateway, Kind, spin
from report import report, table
from scenarios import SERVICE, Scenario, data, scenarios


def idle_connections(bench, gateway, tmp, counts):
    """RSS per idle keep-alive HTTP/1.1 connection that has served one request."""
    warm = Scenario("", "Echo", "small", path="/v1/echo")
    body = data("small.json" if gateway.transcodes else "small.grpc")
    head = "POST %s HTTP/1.1\r\nhost: x\r\ncontent-type: %s\r\ncontent-length: %d\r\n\r\n" % (
        ("/v1/echo", "application/json", len(body)) if gateway.transcodes
        else (SERVICE + "Echo", "application/grpc", len(body)))
    bench.start(gateway, tmp)
    socks, rows = [], []
    try:
        bench.load(warm.load_args(gateway), 1)
        base = gateway.memory()
        for count in counts:
            while len(socks) < count:
                s = socket.create_connection(("127.0.0.1", gateway.port), 5)
                s.sendall(head.encode() + body)
                s.settimeout(5)
                if b" 200" not in s.recv(65536)[:20]:
                    raise OSError("request on a new connection failed")
                socks.append(s)
            time.sleep(1)
            rows.append((count, base, gateway.memory()))
    except OSError as e:
        rows.append((len(socks), base, str(e)))
    finally:
        for s in socks:
            s.close()
        gateway.stop()
    return rows


def arguments():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("gateways", nargs="*", help="built in: " + " ".join(BUILT_IN))
    ap.add_argument("--gateway", action="append", default=[], metavar="NAME=CMD",
                    help="a further transcoding gateway; CMD may use {port} {port2} {backend} {dir} {root} {tmp}")
    ap.add_argument("--port", action="append", default=[], metavar="NAME=PORT[,H2PORT]",
                    help="where that gateway listens, if it does not take {port}")
    ap.add_argument("--plain", action="append", default=[], metavar="NAME", help="that gateway does not transcode")
    ap.add_argument("--connect", action="append", default=[], metavar="NAME", help="that gateway speaks Connect")
    ap.add_argument("--events", action="append", default=[], metavar="NAME",
                    help="that gateway sends server streams as SSE and NDJSON")
    ap.add_argument("--tls", action="append", default=[], metavar="NAME", help="that gateway listens with TLS")
    ap.add_argument("--ndjson", action="append", default=[], metavar="NAME",
                    help="that gateway reads JSON streams as newline-delimited messages, not as an array")
    ap.add_argument("--base", default="envoy", help="gateway that the ratio is against")
    ap.add_argument("--scenario", action="append", default=[], help="only these (repeatable, comma-separated)")
    ap.add_argument("--idle", default="", metavar="N,N", help="also RSS at these numbers of idle connections")
    ap.add_argument("--syscalls", action="store_true", help="also system calls a request (root, perf)")
    ap.add_argument("--spin", action="store_true", help="keep both CPUs from halting in the fixed-rate scenarios")
    common_arguments(ap, rounds=5, seconds=2, backend_port=9190)
    ap.add_argument("--json", metavar="FILE", help="also write every run here")
    ap.add_argument("--list", action="store_true", help="list scenarios")
    return ap.parse_args()


def chosen_gateways(opt):
    """The gateways in the order of the command line, each with its ports."""
    custom = dict(g.split("=", 1) for g in opt.gateway)
    ports = dict(p.split("=", 1) for p in opt.port)
    values = {"backend": opt.backend_port, "envoy": opt.envoy}
    gateways = []
    for name in (opt.gateways or ([] if custom else ["envoy"])) + list(custom):
        kind = BUILT_IN.get(name)
        if name in custom:
            kind = Kind(custom[name], name not in opt.plain, name in opt.ndjson, name in opt.connect, name in opt.events,
                        name in opt.tls)
        if kind is None:
            sys.exit(f"no gateway {name}; built in: {' '.join(BUILT_IN)}")
        port = 9201 + len(gateways)
        port2 = port + 100 if "{port2}" in kind.command or name == "nginx" else port
        if name in ports:
            port, port2 = (list(map(int, ports[name].split(","))) * 2)[:2]
        gateways.append(Gateway(name, kind, port, port2, values))
    return gateways


def run_scenario(bench, scenario, gateways, tmp):
    """name → list of runs, or what is wrong with the gateway's answer."""
    opt, results = bench.opt, {}
    for g in gateways:
        results[g.name] = bench.probe(g, scenario, tmp)[0] or []
    live = [g for g in gateways if results[g.name] == []]
    spinners = [spin(c) for c in (opt.gateway_cpu, opt.load_cpu)] if scenario.rate and opt.spin else []
    for g in live:
        bench.measure(g, scenario, min(0.5, opt.seconds))
    for i in range(opt.rounds):
        turn = i % max(1, len(live))
        for g in live[turn:] + live[:turn]:
            results[g.name].append(bench.measure(g, scenario, opt.seconds))
    if opt.syscalls:
        for g in live:
            results[g.name][0]["syscalls"] = bench.syscalls(g, scenario, opt.seconds)
    for p in spinners:
        p.kill()
        p.wait()
    return results


def print_memory(gateways, fresh):
    rows = [[g.name] + [f"{x / 1024:.1f}" for x in (fresh[g.name], g.memory(), g.memory("VmHWM"))] for g in gateways]
    print("\n## memory, MB\n\n" + table(["gateway", "RSS fresh", "RSS after", "RSS peak"], rows))


def print_idle(bench, gateways, tmp):
    """Memory per idle connection; returns the table's rows."""
    rows = []
    for g in gateways:
        for count, base, now in idle_connections(bench, g, tmp, list(map(int, bench.opt.idle.split(",")))):
            figures = [now, ""] if isinstance(now, str) else [f"{now / 1024:.1f}", f"{(now - base) / count:.2f}"]
            rows.append([g.name, count, f"{base / 1024:.1f}", *figures])
    print("\n## idle keep-alive HTTP/1.1 connections\n\n"
          + table(["gateway", "connections", "RSS before MB", "RSS MB", "kB/connection"], rows))
    return rows


def main():
    opt = arguments()
    every = scenarios()
    if opt.list:
        print("\n".join(f"{k:13} {s.title}" for k, s in every.items()))
        return
    wanted = ",".join(opt.scenario).split(",") if opt.scenario else list(every)
    if unknown := set(wanted) - set(every):
        sys.exit(f"no scenario {' '.join(sorted(unknown))}; see --list")
    gateways, everything = chosen_gateways(opt), {}
    with running(opt) as (bench, tmp):
        for g in gateways:
            bench.start(g, tmp)
        fresh = {g.name: g.memory() for g in gateways}
        print(f"# load average {os.getloadavg()[0]:.1f}, {opt.rounds} rounds of {opt.seconds:g} s, nice {opt.nice}", flush=True)
        for key in wanted:
            s = every[key]
            everything[key] = run_scenario(bench, s, gateways, tmp)
            rate = f" ({opt.rate:g}/s)" if s.rate else ""
            print(f"\n## {key}: {s.title}{rate}\n\n" + report(s, everything[key], opt.base), flush=True)
        print_memory(gateways, fresh)
        for g in gateways:
            g.stop()
        if opt.idle:
            everything["idle"] = print_idle(bench, gateways, tmp)
    if opt.json:
        with open(opt.json, "w") as f:
            json.dump(everything, f)


if __name__ == "__main__":
    main()
