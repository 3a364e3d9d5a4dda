#!/usr/bin/env python3
"""The codec alone, beside libprotobuf's JSON and json-c's parser in the same run, in turns on the same core.

usage: Benchmarks/codec.py [--rounds N] CODEC_BENCHMARK OUT_DIR

CODEC_BENCHMARK is the program of Benchmarks/Package.swift. Where OUT_DIR/transcode is there (`make -C Benchmarks/load
transcode`), the table has the ratios to it. MB/s count the JSON side; best of the rounds, which are best of many runs each.
"""
import argparse
import os
import re
import subprocess

# Words of a row of out/transcode → column. By messages: what a program with descriptors and no generated code does.
OTHERS = {
    "JSON -> DynamicMessage": "libprotobuf in, by messages",
    "JsonToBinaryString": "libprotobuf in, by its converter",
    "DynamicMessage -> JSON": "libprotobuf out, by messages",
    "BinaryToJsonString": "libprotobuf out, by its converter",
    "json-c parse ": "json-c parse",
}


def ours(program, folder):
    """(document, direction) → (MB/s, allocations a call)"""
    rows = {}
    for line in run(program, folder):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 5 and cells[2].endswith("MB/s"):
            rows[cells[0], cells[1]] = float(cells[2].split()[0]), float(cells[4])
    return rows


def others(program, folder):
    """(document, what) → MB/s"""
    rows = {}
    for line in run(program, folder):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 5 and re.fullmatch(r"[\d.]+", cells[4]):
            for words, name in OTHERS.items():
                if words in cells[1] + " ":
                    rows[cells[0], name] = float(cells[4])
    return rows


def run(program, folder):
    return subprocess.run([program, folder], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()


def best(rows, more):
    for key, value in more.items():
        rows[key] = max(rows.get(key, value), value)


def ratio(mine, theirs):
    return f"{theirs:.0f} MB/s, {mine / theirs:.0f} ×" if theirs else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("program")
    parser.add_argument("folder")
    arguments = parser.parse_args()
    peer = os.path.join(arguments.folder, "transcode")
    mine, theirs = {}, {}
    for _ in range(arguments.rounds):
        best(mine, ours(arguments.program, arguments.folder))
        if os.access(peer, os.X_OK):
            best(theirs, others(peer, arguments.folder))
    print("| document | JSON → wire | wire → JSON | allocations a call | " + " | ".join(OTHERS.values()) + " |")
    print("|---" * (4 + len(OTHERS)) + "|")
    for name in dict.fromkeys(document for document, _ in mine):
        into, out = mine[name, "JSON → wire"], mine[name, "wire → JSON"]
        ratios = [ratio(out[0] if " out," in what else into[0], theirs.get((name, what))) for what in OTHERS.values()]
        print(f"| {name} | {into[0]:.0f} MB/s | {out[0]:.0f} MB/s | {max(into[1], out[1]):g} | " + " | ".join(ratios) + " |")


if __name__ == "__main__":
    main()
