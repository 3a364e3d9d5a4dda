"""A hundred thousand random messages and more, both ways, against Python's json_format: nothing may differ.

The deliberate differences stand in docs/json.md; the generator makes no messages that only show those.
"""
import json
import os
import subprocess
import sys

from support.schema import ROOT

ALL_SET = os.path.join(ROOT, "Protos", "test", "all.binpb")
PACKAGES = ["gatewaytest.proto2.v1", "gatewaytest.proto3.v1", "gatewaytest.edition2023.v1"]


def start(package, seed, count):
    return subprocess.Popen([sys.executable, "-m", "support.differential", ALL_SET, package, str(seed), str(count)],
                            cwd=os.path.dirname(__file__), stdout=subprocess.PIPE)


def test_many_messages_are_as_python_has_them(request):
    """Each package is shared by as many processes as there are cores, at most two."""
    seed, count = request.config.getoption("--seed"), request.config.getoption("--json-many")
    workers = min(2, os.cpu_count())
    total, odd, skipped = 0, 0, 0
    for package in PACKAGES:
        running = [start(package, f"{seed} {worker}", count // len(PACKAGES) // workers) for worker in range(workers)]
        reports = [json.loads(process.communicate(timeout=240)[0]) for process in running]
        assert [report["differences"] for report in reports] == [[]] * workers
        total += sum(report["messages"] for report in reports)
        odd += sum(report["odd"] for report in reports)
        skipped += sum(report["skipped"] for report in reports)
    assert total >= count * 0.95 and odd >= count * 0.2 and skipped <= count * 0.05, (total, odd, skipped)
