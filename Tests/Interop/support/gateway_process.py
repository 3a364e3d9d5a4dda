"""The real binary: started, watched until it is ready, stopped."""
import os
import re
import signal
import subprocess
import threading
import time

from .schema import ROOT

BINARY = os.environ.get("GATEWAY_BIN") or os.path.join(ROOT, ".build", "release", "gateway")
# What a sanitizer or a trap writes; a test that passes with this on stderr has not passed.
CRASH = re.compile(r"Fatal error|AddressSanitizer|ThreadSanitizer|UndefinedBehavior|stack smashing")


class NotReady(Exception):
    """The process ended before it said `ready`. `code` is its exit code, `errors` its stderr."""

    def __init__(self, code, errors):
        super().__init__(f"gateway ended with {code} before it was ready:\n{errors}")
        self.code, self.errors = code, errors


class GatewayProcess:
    """`gateway` with the given arguments, once it is ready. Its first listener is at `port`. `under`: a program that runs it."""

    def __init__(self, *arguments, seconds=20, under=()):
        self.process = subprocess.Popen([*under, BINARY, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, errors="replace")
        self.changed = threading.Condition()
        self.errors, self.output = [], []
        self.readers = [threading.Thread(target=self._read, args=pair, daemon=True)
                        for pair in ((self.process.stderr, self.errors), (self.process.stdout, self.output))]
        for reader in self.readers:
            reader.start()
        self._wait_ready(seconds)
        self.listeners = [line.split()[1] for line in self.errors if line.startswith("listening ")]
        first = re.fullmatch(r"https?://(.*):(\d+)/?", self.listeners[0])
        self.host, self.port = first[1].strip("[]"), int(first[2])
        self.target = f"{first[1]}:{self.port}"

    def _read(self, stream, lines):
        for line in stream:
            with self.changed:
                lines.append(line.rstrip("\n"))
                self.changed.notify_all()

    def _wait_ready(self, seconds):
        deadline = time.monotonic() + seconds
        with self.changed:
            while "ready" not in self.errors:
                if self.process.poll() is not None:
                    break
                if time.monotonic() > deadline:
                    self.process.kill()
                    raise AssertionError("not ready in time:\n" + "\n".join(self.errors))
                self.changed.wait(0.02)
        if self.process.poll() is not None:
            for reader in self.readers:
                reader.join(5)
            raise NotReady(self.process.returncode, "\n".join(self.errors))

    def lines(self, pattern, seconds=5):
        """Matches of all lines it printed, on either stream, once there is one."""
        deadline = time.monotonic() + seconds
        with self.changed:
            while time.monotonic() < deadline:
                found = [match for match in map(re.compile(pattern).match, self.output + self.errors) if match]
                if found:
                    return found
                self.changed.wait(0.1)
        raise AssertionError(f"no line like {pattern}:\n" + "\n".join(self.output + self.errors))

    def alive(self):
        return self.process.poll() is None

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def wait(self, seconds=15):
        """The exit code, once the process has ended."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"still running {seconds} s after SIGTERM:\n" + "\n".join(self.errors)) from None
        for reader in self.readers:
            reader.join(5)
        return code

    def stop(self):
        """Stops it as an operator would and checks that it left in order."""
        if self.alive():
            self.terminate()
        code = self.wait()
        errors = "\n".join(self.errors)
        assert code == 0, f"exit code {code}:\n{errors}"
        assert not CRASH.search(errors), errors

    def resident_kilobytes(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


def run(*arguments, data=None, seconds=30):
    """One run of the binary to its end: a CompletedProcess with bytes."""
    return subprocess.run([BINARY, *arguments], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=seconds)
