#!/usr/bin/env python3
"""Builds out/, or the folder that is named: descriptor set bench.pb and the request bodies (JSON, protobuf, gRPC-framed)."""
import base64
import datetime
import json
import os
import struct
import subprocess
import sys

import google.rpc

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "out")
PROTO = os.path.join(HERE, "proto")
# Where googleapis-common-protos has google/api/annotations.proto.
GOOGLEAPIS = os.path.dirname(os.path.dirname(next(iter(google.rpc.__path__))))
PROTOC = [sys.executable, "-m", "grpc_tools.protoc", "-I", PROTO, "-I", GOOGLEAPIS]
FILE = "bench/v1/bench.proto"


class Enum(str):
    """An enum value: quoted in JSON, bare in text format."""


SMALL = {
    "id": "order-7f3a9c21", "displayName": "Quarterly \"north\" report \u2013 r\u00e9sum\u00e9",
    "count": 42, "total": "9007199254740993", "flags": 255, "ratio": 0.3275, "active": True,
    "kind": Enum("KIND_PREMIUM"), "token": b"\x00\x01\xfe\xffabcdefgh", "tags": ["alpha", "beta", "gamma"],
    "position": {"lat": 52.520008, "lng": -13.404954},
}
ITEM_PATH = ("/v1/shelves/fiction/items/123456789012?view=KIND_BASIC&page_size=25&deep=true"
             "&fields=title&fields=author&filter.text=hello%20world&filter.min_count=3")
ITEM = {"shelf": "fiction", "itemId": "123456789012", "view": Enum("KIND_BASIC"), "pageSize": 25, "deep": True,
        "fields": ["title", "author"], "filter": {"text": "hello world", "minCount": 3}}


def record(i):
    return {
        "id": f"rec-{i:08d}", "title": f"Record number {i} of the batch",
        "body": "The quick brown fox jumps over the lazy dog; it said \"again\"\nand went home." + " x" * (i % 7),
        "revision": str(1700000000000000 + i * 7919), "score": round(((i * 37) % 1000 + 1) / 7.0, 6), "published": True,
        "kind": Enum("KIND_BASIC" if i % 2 else "KIND_PREMIUM"), "digest": bytes((i * 31 + k * 17) & 255 for k in range(16)),
        "counters": [i + 1, 1000 + i, 70000 + i, 5], "labels": {"env": "prod", "zone": f"zone-{i % 9}"},
        "position": {"lat": 10.5 + i % 60, "lng": -20.25 - i % 90}, "updated": "TS%d" % (1700000000 + i),
    }


def batch(size):
    b = {"name": f"batch-{size}", "records": []}
    total = len(to_json(b))
    while True:
        r = record(len(b["records"]))
        total += len(to_json(r)) + 1
        if total > size and b["records"]:
            return b
        b["records"].append(r)


def plain(v):
    """The protobuf-JSON form of a value."""
    if isinstance(v, bytes):
        return base64.b64encode(v).decode()
    if isinstance(v, dict):
        return {k: plain(x) for k, x in v.items()}
    if isinstance(v, list):
        return [plain(x) for x in v]
    if isinstance(v, str) and v.startswith("TS"):
        return datetime.datetime.fromtimestamp(int(v[2:]), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return v


def to_json(v):
    return json.dumps(plain(v), separators=(",", ":"), ensure_ascii=False).encode()


def quote(b):
    return '"' + "".join("\\%03o" % c if c < 32 or c > 126 or c in b'"\\' else chr(c) for c in b) + '"'


INT64 = {"total", "itemId", "revision"}


def text(msg):
    """Protobuf text format, for protoc --encode."""
    out = []
    for k, v in msg.items():
        name = "".join("_" + c.lower() if c.isupper() else c for c in k)
        for x in v if isinstance(v, list) else [v]:
            if k == "labels":
                out += [f"{name} {{ key: {quote(a.encode())} value: {quote(b.encode())} }}" for a, b in x.items()]
            elif isinstance(x, dict):
                out.append(f"{name} {{ {text(x)} }}")
            elif k == "updated":
                out.append(f"{name} {{ seconds: {x[2:]} }}")
            elif isinstance(x, (bytes, str)) and not isinstance(x, Enum) and k not in INT64:
                out.append(f"{name}: {quote(x if isinstance(x, bytes) else x.encode())}")
            else:
                out.append(f"{name}: {str(x).lower() if isinstance(x, bool) else x}")
    return " ".join(out)


def frame(b):
    return b"\0" + struct.pack(">I", len(b)) + b


def write(name, data):
    with open(os.path.join(OUT, name), "wb") as f:
        f.write(data)


def emit(name, kind, msg):
    pb = subprocess.run([*PROTOC, "--encode=bench.v1." + kind, FILE], input=text(msg).encode(), stdout=subprocess.PIPE, check=True).stdout
    js = to_json(msg)
    write(name + ".json", js)
    write(name + ".pb", pb)
    write(name + ".grpc", frame(pb))
    print(f"{name:6} json {len(js):8} B  protobuf {len(pb):8} B")
    return js, pb


# Documents for the codec alone, each hard in its own way ---------------------------------------------------------

ORDER = {
    "id": "order-7f3a9c21", "title": "Quarterly \"north\" report \u2013 r\u00e9sum\u00e9", "count": 42,
    "total": "9007199254740993", "flags": 255, "ratio": 0.3275, "active": True, "kind": "KIND_PREMIUM",
    "token": base64.b64encode(b"\x00\x01\xfe\xffabcdefghijkl").decode(), "tags": ["alpha", "beta", "gamma", "delta", "for the museum"],
    "position": {"lat": 52.520008, "lng": -13.404954},
    "lines": [{"sku": "SKU-0001-XL", "quantity": 3, "price": 19.99}, {"sku": "SKU-7702-S", "quantity": 12, "price": 4.5},
              {"sku": "SKU-3141-M", "quantity": 1, "price": 1249.0}, {"sku": "SKU-0420-XS", "quantity": 250, "price": 0.35}],
    "updated": "2026-11-22T13:24:05.250Z",
    "note": "Leave at the side door if nobody answers; the bell of number 12 does not work. "
            "Ring twice at the red gate, and ask for the keeper of the inventory on the second floor.",
}


def escapes():
    line = 'said \t"no"\n\\path\\to\\file \u00e9\u65e5\u672c \U0001f98a \x01\x1f/'
    return {"name": line, "records": [{"id": f"r{i}", "title": line, "body": line * 8} for i in range(40)]}


def numbers():
    from random import Random
    random = Random(1)
    doubles = [random.choice([random.random(), random.uniform(-1e6, 1e6), random.expovariate(1) * 1e-9, random.gauss(0, 1e200),
                              round(random.uniform(-180, 180), 6)]) for _ in range(2000)]
    floats = [struct.unpack("<f", struct.pack("<f", value if abs(value) < 1e38 else value % 1e30))[0] for value in doubles]
    return {"doubles": doubles, "floats": [float(f"{value:.9g}") for value in floats]}


def tree():
    def chain(depth):
        node = {"level": depth}
        while depth > 1:
            depth -= 1
            node = {"level": depth, "left": node}
        return node
    return {"more": [chain(90) for _ in range(24)]}


def tables():
    keys = sorted(f"key-{i * 7919 % 100003:05d}" for i in range(800))
    return {"labels": {key: f"value of {key}" for key in keys}, "weights": {str(i * 1000003): i / 8 for i in range(1, 800)},
            "points": {key: {"lat": 1.5, "lng": -2.25} for key in keys[:400]}}


def emit_codec_documents():
    """NAME.json, NAME.pb and a line `NAME TYPE` of codec.txt for each; the wire bytes are Python protobuf's."""
    from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
    pool = descriptor_pool.DescriptorPool()
    with open(os.path.join(OUT, "bench.pb"), "rb") as f:
        for file in descriptor_pb2.FileDescriptorSet.FromString(f.read()).file:
            pool.Add(file)
    kinds = []
    for name, kind, value in (("order", "Order", ORDER), ("escapes", "Batch", escapes()), ("numbers", "Numbers", numbers()),
                              ("nested", "Tree", tree()), ("maps", "Tables", tables()), ("unknown", "OldBatch", batch(65536))):
        message = message_factory.GetMessageClass(pool.FindMessageTypeByName(f"bench.v1.{kind}"))()
        js = json.dumps(plain(value), separators=(",", ":"), ensure_ascii=False).encode()
        json_format.Parse(js, message, ignore_unknown_fields=True)
        if name == "unknown":
            with open(os.path.join(OUT, "64k.pb"), "rb") as f:
                pb = f.read()
        elif name == "maps":
            # In the document's order: entry by entry.
            parts = [{field: {key: item}} for field, items in value.items() for key, item in items.items()]
            pb = b"".join(json_format.ParseDict(part, type(message)()).SerializeToString() for part in parts)
        else:
            pb = message.SerializeToString(deterministic=True)
        write(name + ".json", js)
        write(name + ".pb", pb)
        kinds.append(f"{name} bench.v1.{kind}\n")
        print(f"{name:8} json {len(js):8} B  protobuf {len(pb):8} B")
    write("codec.txt", "".join(kinds).encode())


def main():
    os.makedirs(OUT, exist_ok=True)
    subprocess.run([*PROTOC, "--include_imports", "--descriptor_set_out=" + os.path.join(OUT, "bench.pb"), FILE],
                   check=True)
    js, pb = emit("small", "EchoMessage", SMALL)
    emit("item", "GetItemRequest", ITEM)
    emit("stream", "StreamRequest", {"count": 1000, "size": 32})
    write("item.path", ITEM_PATH.encode())
    for name, size in (("1k", 1024), ("64k", 65536), ("1m", 1 << 20)):
        emit(name, "Batch", batch(size))
    # 100 messages of a client stream: a JSON array, newline-delimited JSON, gRPC frames.
    write("many.json", b"[" + b",".join([js] * 100) + b"]")
    write("many.ndjson", b"\n".join([js] * 100) + b"\n")
    write("many.grpc", frame(pb) * 100)
    emit_codec_documents()


if __name__ == "__main__":
    main()
