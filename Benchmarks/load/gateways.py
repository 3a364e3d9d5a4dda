"""The gateways under test: how each is started and stopped, and what it has used."""
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass

from scenarios import DIR, OUT, data

ROOT = os.path.dirname(os.path.dirname(DIR))


@dataclass
class Kind:
    """A gateway that can be started: a command with {port} {port2} {backend} {dir} {root} {tmp} {conf:FILE}."""

    command: str
    transcodes: bool = True  # JSON by google.api.http, and gRPC-Web
    ndjson: bool = False  # reads JSON streams newline-delimited, not as an array
    connect: bool = False
    events: bool = False  # sends server streams as SSE and NDJSON
    tls: bool = False  # listens with TLS: takes part in the tls- scenarios, and in no others


ENVOY = "{envoy} -c {conf:%s} --concurrency 1 --disable-hot-restart -l error"
GATEWAY = ("{root}/.build/release/gateway proxy 127.0.0.1:{backend} --descriptors {dir}/out/bench.pb"
           " --listen 127.0.0.1:{port} --threads 1 --admin off")
BUILT_IN = {
    "gateway": Kind(GATEWAY, connect=True, events=True),
    "gateway-tls": Kind(GATEWAY + " --tls-certificate {dir}/out/tls.pem --tls-key {dir}/out/tls.key", connect=True, tls=True),
    "envoy": Kind(ENVOY % "envoy.yaml"),
    "envoy-plain": Kind(ENVOY % "envoy-plain.yaml", transcodes=False),
    "nghttpx": Kind("nghttpx --conf={conf:nghttpx.conf}", transcodes=False),
    "nghttpx-tls": Kind("nghttpx --conf={conf:nghttpx-tls.conf} {dir}/out/tls.key {dir}/out/tls.pem", transcodes=False,
                        tls=True),
    "nginx": Kind("nginx -p {tmp} -c {conf:nginx.conf}", transcodes=False),
    "floor": Kind(os.path.join(OUT, "floor") + " {port} {backend}", transcodes=False),
    # no gateway at all, h2c only
    "bare": Kind(os.path.join(OUT, "backend") + " {port}", transcodes=False),
}


class Gateway:
    """One process under test, listening on `port` (HTTP/1.1) and `port2` (h2c, often the same)."""

    def __init__(self, name, kind, port, port2, values):
        self.name, self.command = name, kind.command
        self.transcodes, self.ndjson, self.connect, self.tls = kind.transcodes, kind.ndjson, kind.connect, kind.tls
        self.events = kind.events
        self.port, self.port2, self.values, self.process = port, port2, values, None

    def render(self, tmp):
        v = dict(self.values, port=self.port, port2=self.port2, tmp=tmp, dir=DIR, root=ROOT)
        command = self.command
        while "{conf:" in command:
            name = command.split("{conf:")[1].split("}")[0]
            text = data(os.path.join("..", "conf", name)).decode()
            for k, x in v.items():
                text = text.replace(f"@{k.upper()}@", str(x))
            target = os.path.join(tmp, f"{self.name}-{name}")
            with open(target, "w") as f:
                f.write(text)
            command = command.replace("{conf:" + name + "}", target)
        for k, x in v.items():
            command = command.replace("{" + k + "}", str(x))
        return shlex.split(command)

    def start(self, tmp, prefix, nice):
        self.log = open(os.path.join(tmp, self.name + ".log"), "ab")
        env = dict(os.environ, GOMAXPROCS="1")
        self.process = subprocess.Popen(prefix + self.render(tmp), stdout=self.log, stderr=self.log, env=env,
                                        start_new_session=True)
        renice(self.process, nice)
        for port in {self.port, self.port2}:
            wait_port(port, self.process, self.log.name)
        time.sleep(0.5)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                for pid in tree(self.process.pid):
                    os.kill(pid, signal.SIGKILL)
                self.process.wait()
        self.process = None

    def cpu(self):
        """CPU seconds used so far by all threads of all processes (the scheduler's nanosecond counters), and the
        clock ticks of it in user and kernel mode (a coarse split)."""
        user = system = 0
        for pid in tree(self.process.pid):
            with open(f"/proc/{pid}/stat") as f:
                fields = f.read().rsplit(")", 1)[1].split()
            user, system = user + int(fields[11]), system + int(fields[12])
        return sum(self.threads().values()), user, system

    def threads(self):
        """Thread → the CPU seconds it has used."""
        found = {}
        for pid in tree(self.process.pid):
            for task in os.listdir(f"/proc/{pid}/task"):
                try:
                    with open(f"/proc/{pid}/task/{task}/schedstat") as f:
                        found[task] = int(f.read().split()[0]) / 1e9
                except OSError:
                    pass
        return found

    def memory(self, key="VmRSS"):
        """kB, summed over the processes."""
        total = 0
        for pid in tree(self.process.pid):
            with open(f"/proc/{pid}/status") as f:
                total += sum(int(line.split()[1]) for line in f if line.startswith(key + ":"))
        return total


def tree(pid):
    """pid and its descendants."""
    parents = {}
    for p in os.listdir("/proc"):
        if p.isdigit():
            try:
                with open(f"/proc/{p}/stat") as f:
                    parents[int(p)] = int(f.read().rsplit(")", 1)[1].split()[1])
            except OSError:
                pass
    found, grew = {pid}, True
    while grew:
        new = {p for p, q in parents.items() if q in found} - found
        found |= new
        grew = bool(new)
    return found


def wait_port(port, process, log):
    for _ in range(200):
        if process.poll() is not None:
            sys.exit(f"process ended: see {log}\n" + open(log, errors="replace").read()[-2000:])
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"nothing listens on port {port}: see {log}")


def renice(process, nice):
    """Niceness of a process that leads a session; with autogroups the scheduler looks at that of the session."""
    if nice:
        os.setpriority(os.PRIO_PROCESS, process.pid, nice)
        try:
            with open(f"/proc/{process.pid}/autogroup", "w") as f:
                f.write(str(nice))
        except OSError:
            pass


def spin(cpu):
    """Keeps a CPU from halting, at the lowest priority there is. Waking a halted virtual CPU can cost more than a
    request, which would hide the gateways in latency measurements."""
    code = ("import os; os.sched_setaffinity(0, {%d}); os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))\n"
            "while os.getppid() == %d: sum(range(100000))" % (cpu, os.getpid()))
    process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    renice(process, 19)
    return process
