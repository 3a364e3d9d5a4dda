"""The documents of the benchmarks, for tests that count what they cost."""
import os
import subprocess
import sys

import pytest

from .gateway_process import BINARY
from .schema import ROOT

GENERATOR = os.path.join(ROOT, "Benchmarks", "load", "gen.py")

release_only = pytest.mark.skipif(BINARY != os.path.join(ROOT, ".build", "release", "gateway"),
                                  reason="the budget is that of the release build")


class Documents:
    """What Benchmarks/load/gen.py writes: the schema bench.pb, and NAME.json, NAME.pb and NAME.grpc."""

    def __init__(self, folder):
        self.folder = folder
        subprocess.run([sys.executable, GENERATOR, folder], check=True, stdout=subprocess.DEVNULL)
        self.types = {"small": "bench.v1.EchoMessage", "1k": "bench.v1.Batch"}
        self.types.update(line.split() for line in self.read("codec.txt").decode().splitlines())

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()
