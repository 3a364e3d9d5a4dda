"""The codec may not get dearer: instructions a message, counted by valgrind over `gateway convert --stream`.

A stream of one document again and again, less a short one of the same, so that the start of the process does not count, nor
what only its first messages cost; what reading and writing the stream costs does. Swift's hashes have a fixed seed, without
which the start varies by 100,000 instructions, 3 % of what a stream takes. `-rP` prints the table.
"""
import os
import re
import struct
import subprocess
from concurrent.futures import ThreadPoolExecutor

from support.benchmark_documents import Documents, release_only
from support.gateway_process import BINARY

# Instructions a message, JSON → wire and wire → JSON. To be lowered by whoever makes it cheaper, raised only with a reason.
BUDGET = {
    "small": (5_860, 4_760),
    "order": (10_670, 8_870),
    "1k": (14_010, 10_810),
    "escapes": (448_800, 312_500),
    "numbers": (2_888_700, 2_954_000),
    "nested": (1_196_600, 724_800),
    "maps": (1_671_600, 1_318_600),
    "unknown": (809_800, 387_400),
}
SLACK = 1.05
STREAM_BYTES = 200_000
ENVIRONMENT = {**os.environ, "SWIFT_DETERMINISTIC_HASHING": "1"}

pytestmark = release_only


def instructions(documents, name, source, target):
    """Instructions a message."""
    message = documents.read(f"{name}.{'json' if source == 'json' else 'pb'}")
    frame = message + b"\n" if source == "json" else struct.pack("<I", len(message)) + message
    few = max(1, STREAM_BYTES // 10 // len(message))
    many = few + max(3, STREAM_BYTES // len(message))
    start, end = (run(documents, name, source, target, frame * count) for count in (few, many))
    return (end - start) / (many - few)


def run(documents, name, source, target, data):
    """Instructions of a process that converts `data`."""
    command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", BINARY, "convert",
               "--descriptors", documents.path("bench.pb"), "--type", documents.types[name], "--from", source,
               "--to", target, "--stream"]
    result = subprocess.run(command, input=data, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=120, env=ENVIRONMENT)
    assert result.returncode == 0, result.stderr[-2000:]
    return int(re.search(rb"I +refs: +([\d,]+)", result.stderr)[1].replace(b",", b""))


def test_no_document_costs_more_than_its_budget(tmp_path):
    documents = Documents(str(tmp_path))
    directions = [("json", "binary"), ("binary", "json")]
    work = [(name, *direction) for name in BUDGET for direction in directions]
    with ThreadPoolExecutor(2) as pool:
        found = dict(zip(work, pool.map(lambda one: instructions(documents, *one), work)))
    dear = []
    for name, budget in BUDGET.items():
        size = len(documents.read(f"{name}.json"))
        for direction, limit in zip(directions, budget):
            count = found[name, *direction]
            print(f"{name:8} {direction[0]:6} → {direction[1]:6} {count:10.0f} of {limit:8}, {count / size:6.2f} a byte")
            if count > limit * SLACK:
                dear.append((name, *direction, round(count), limit))
    assert dear == []
