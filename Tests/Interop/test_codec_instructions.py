"""The codec may not get dearer: instructions a message, counted by valgrind over `gateway convert --stream`.

A stream of one document again and again, less an empty one, so that the start of the process does not count; what reading and
writing the stream costs does. Instructions repeat within a per mille where times do not. `-rP` prints the table.
"""
import os
import re
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.gateway_process import BINARY
from support.schema import ROOT

# Instructions a message, JSON → wire and wire → JSON. To be lowered by whoever makes it cheaper, raised only with a reason:
# printing takes 3 % more since REST streams call it too, though nothing in it changed; the optimizer lays it out anew.
BUDGET = {
    "small": (6_350, 5_860),
    "order": (11_600, 10_430),
    "1k": (15_330, 13_650),
    "escapes": (532_000, 467_900),
    "numbers": (2_957_000, 2_907_000),
    "nested": (1_225_000, 906_800),
    "maps": (1_907_500, 1_855_200),
    "unknown": (976_600, 435_100),
}
SLACK = 1.05
STREAM_BYTES = 200_000
GENERATOR = os.path.join(ROOT, "Benchmarks", "load", "gen.py")

pytestmark = pytest.mark.skipif(BINARY != os.path.join(ROOT, ".build", "release", "gateway"),
                                reason="the budget is that of the release build")


class Documents:
    """What Benchmarks/load/gen.py writes: NAME.json and NAME.pb, and the type of each."""

    def __init__(self, folder):
        self.folder = folder
        subprocess.run([sys.executable, GENERATOR, folder], check=True, stdout=subprocess.DEVNULL)
        self.types = {"small": "bench.v1.EchoMessage", "1k": "bench.v1.Batch"}
        self.types.update(line.split() for line in self._read("codec.txt").decode().splitlines())

    def _read(self, name):
        with open(os.path.join(self.folder, name), "rb") as file:
            return file.read()

    def start(self, source, target):
        """Instructions of a process that converts nothing."""
        return self._run("small", source, target, b"")

    def instructions(self, start, name, source, target):
        """Instructions a message."""
        message = self._read(f"{name}.{'json' if source == 'json' else 'pb'}")
        frame = message + b"\n" if source == "json" else struct.pack("<I", len(message)) + message
        count = max(3, STREAM_BYTES // len(message))
        return (self._run(name, source, target, frame * count) - start) / count

    def _run(self, name, source, target, data):
        command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", BINARY, "convert",
                   "--descriptors", os.path.join(self.folder, "bench.pb"), "--type", self.types[name], "--from", source,
                   "--to", target, "--stream"]
        result = subprocess.run(command, input=data, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=120)
        assert result.returncode == 0, result.stderr[-2000:]
        return int(re.search(rb"I +refs: +([\d,]+)", result.stderr)[1].replace(b",", b""))

    def size(self, name):
        return len(self._read(f"{name}.json"))


def test_no_document_costs_more_than_its_budget(tmp_path):
    documents = Documents(str(tmp_path))
    directions = [("json", "binary"), ("binary", "json")]
    work = [(name, *direction) for name in BUDGET for direction in directions]
    with ThreadPoolExecutor(2) as pool:
        starts = dict(zip(directions, pool.map(lambda one: documents.start(*one), directions)))
        found = dict(zip(work, pool.map(lambda one: documents.instructions(starts[one[1:]], *one), work)))
    dear = []
    for name, budget in BUDGET.items():
        for direction, limit in zip(directions, budget):
            count = found[name, *direction]
            print(f"{name:8} {direction[0]:6} → {direction[1]:6} {count:10.0f} of {limit:8}, {count / documents.size(name):6.2f} a byte")
            if count > limit * SLACK:
                dear.append((name, *direction, round(count), limit))
    assert dear == []
