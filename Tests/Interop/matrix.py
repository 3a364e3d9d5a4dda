#!/usr/bin/env python3
"""Makes every call of the matrix and prints what came of it. Exits 1 if any went wrong.

usage: matrix.py [--only TEXT]… [--workers N] [--list]
"""
import argparse
import collections
import concurrent.futures
import dataclasses
import os
import random
import sys
import tempfile
import time
import traceback

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from support.certificates import Certificates  # noqa: E402
from support.matrix import axes  # noqa: E402
from support.matrix.run import check_cell, matrix_gateway  # noqa: E402


def chosen(only):
    cells = [cell for client in axes.CLIENTS for refused in (False, True) for cell in axes.cells(client, refused)]
    return [cell for cell in cells if all(text in dataclasses.astuple(cell) for text in only)]


def attempt(served, cell):
    """None, or what went wrong."""
    try:
        check_cell(served, cell)
    except Exception as error:  # whatever it is, it is this cell's result
        place = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {error} ({os.path.basename(place.filename)}:{place.lineno})"
    return None


def table(results):
    """One line a client, protocol and HTTP version; passed of all for each outcome."""
    outcomes = axes.AXES["outcome"]
    counts = collections.defaultdict(lambda: [0, 0])
    for cell, error in results.items():
        outcome = cell.outcome if axes.refusal(cell) is None else "refused"
        for count in (counts[cell.client, cell.protocol, cell.http, outcome], counts[outcome], counts["all"]):
            count[0] += error is None
            count[1] += 1
    head = ["client", "protocol", "HTTP", *outcomes, "refused"]
    rows = [[*key, *(counts.get((*key, outcome)) for outcome in [*outcomes, "refused"])]
            for key in dict.fromkeys((cell.client, cell.protocol, cell.http) for cell in results)]
    rows.append(["all", "", "", *(counts.get(outcome) for outcome in [*outcomes, "refused"])])
    text = [head] + [["" if value is None else value if isinstance(value, str) else f"{value[0]}/{value[1]}"
                      for value in row] for row in rows]
    widths = [max(len(row[index]) for row in text) for index in range(len(head))]
    lines = ["  ".join(value.ljust(width) for value, width in zip(row, widths)).rstrip() for row in text]
    return "\n".join([*lines, f"{counts['all'][0]} of {counts['all'][1]} calls as specified"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", action="append", default=[], help="a value that the cell must have; several: all of them")
    parser.add_argument("--workers", type=int, default=8, help="calls at the same time (default %(default)s)")
    parser.add_argument("--list", action="store_true", help="print the cells and make no call")
    options = parser.parse_args()
    cells = chosen(options.only)
    if options.list:
        print("\n".join(map(str, cells)))
        return 0
    # Mixed, so that slow cells do not all come at once.
    random.Random(1).shuffle(cells)
    begin, results = time.monotonic(), {}
    with tempfile.TemporaryDirectory() as folder, matrix_gateway(Certificates(folder)) as served, \
            concurrent.futures.ThreadPoolExecutor(options.workers) as pool:
        for cell, error in zip(cells, pool.map(lambda cell: attempt(served, cell), cells)):
            results[cell] = error
            if error is not None:
                print(f"{cell}: {error[:600]}", file=sys.stderr)
    print(table({cell: results[cell] for cell in chosen(options.only)}))
    print(f"{time.monotonic() - begin:.0f} s")
    return int(any(results.values()))


if __name__ == "__main__":
    sys.exit(main())
