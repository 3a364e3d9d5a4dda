"""JSON ⇄ wire compared with Python protobuf's json_format on seeded random messages, both ways, by `gateway convert`."""
import json
import os
import random
import struct

import pytest

from support.gateway_process import run
from support.random_json import Writer
from support.random_messages import Generator, canonical
from support.schema import INTEROP_SET, ROOT, Schema

ALL_SET = os.path.join(ROOT, "Protos", "test", "all.binpb")
TYPES = [
    (INTEROP_SET, "gatewaytest.interop.v1.Everything"),
    (ALL_SET, "gatewaytest.proto3.v1.Everything"),
    (ALL_SET, "gatewaytest.proto2.v1.Everything"),
    (ALL_SET, "gatewaytest.edition2023.v1.Everything"),
]
ANY_TYPES = ["google.protobuf.Timestamp", "google.protobuf.Duration", "google.protobuf.Struct", "google.protobuf.Int64Value",
             "google.protobuf.StringValue", "google.protobuf.Any"]
SCHEMAS = {}


@pytest.fixture(params=TYPES, ids=lambda pair: pair[1])
def typed(request):
    """(schema, type, random, generator, how many)"""
    path, name = request.param
    schema = SCHEMAS.setdefault(path, Schema(path))
    source = random.Random(f"{request.config.getoption('--seed')} {request.node.name}")
    package = name.rpartition(".")[0]
    generator = Generator(schema, source, [*ANY_TYPES, f"{package}.Everything"])
    return schema, name, source, generator, request.config.getoption("--json-messages")


def convert(schema, name, source, target, data, *flags):
    result = run("convert", "--descriptors", schema.path, "--type", name, "--from", source, "--to", target, "--stream",
                 *flags, data=data, seconds=120)
    assert result.returncode in (0, 1), result.stderr[-2000:]
    return result


def binary_stream(messages):
    return b"".join(struct.pack("<I", len(data)) + data for data in messages)


def split_binary(data):
    """The messages of a stream; None for a refused one."""
    messages, at = [], 0
    while at < len(data):
        length, = struct.unpack_from("<I", data, at)
        at += 4
        messages.append(None if length == 0xFFFFFFFF else data[at:at + length])
        at += 0 if length == 0xFFFFFFFF else length
    return messages


def chunks(count, size=500):
    return [min(size, count - at) for at in range(0, count, size)]


def same(ours, theirs):
    """Whether two JSON values are the same: numbers by value, the rest exactly."""
    if ours is None and theirs == 0:
        return True  # NullValue is null in JSON; json_format prints 0 for it where enums are numbers.
    if isinstance(ours, bool) or isinstance(theirs, bool) or not isinstance(ours, (int, float)):
        if isinstance(ours, dict) and isinstance(theirs, dict):
            return ours.keys() == theirs.keys() and all(same(ours[key], theirs[key]) for key in ours)
        if isinstance(ours, list) and isinstance(theirs, list):
            return len(ours) == len(theirs) and all(map(same, ours, theirs))
        return type(ours) is type(theirs) and ours == theirs
    return isinstance(theirs, (int, float)) and (float(ours) == float(theirs) or same_float(ours, theirs))


def same_float(ours, theirs):
    """Whether two texts are of one 32-bit float: Python prints more digits of it than are needed."""
    try:
        return struct.pack("<f", ours) == struct.pack("<f", theirs)
    except OverflowError:
        return False


def difference(ours, theirs, path=""):
    """The first place where two JSON values are not the same."""
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() == theirs.keys():
        parts = [(f"{path}.{key}", ours[key], theirs[key]) for key in ours]
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        parts = [(f"{path}[{index}]", *pair) for index, pair in enumerate(zip(ours, theirs))]
    else:
        return path, ours, theirs
    return next((difference(a, b, at) for at, a, b in parts if not same(a, b)), None)


FORMS = [
    ([], {}),
    (["--names", "proto"], {"preserving_proto_field_name": True}),
    (["--enums", "number"], {"use_integers_for_enums": True}),
    (["--indent", "2"], {}),
]


def test_wire_to_json(typed):
    schema, name, source, generator, count = typed
    for size in chunks(count):
        flags, options = source.choice(FORMS[:3])
        messages = [generator.message(name, depth=min(source.randrange(1, 6), source.randrange(1, 6))) for _ in range(size)]
        result = convert(schema, name, "binary", "json", binary_stream((canonical(schema, message) for message in messages)), *flags)
        lines = result.stdout.decode().split("\n")
        assert len(lines) == size + 1 and lines.pop() == "", result.stderr[-2000:]
        for message, line in zip(messages, lines):
            assert line, (schema.to_json(message), result.stderr[:2000])
            back = schema.parse(line, schema.message(name)())
            assert canonical(schema, back) == canonical(schema, message), (line, schema.to_json(message))
            ours, theirs = json.loads(line), schema.to_dict(message, **options)
            assert same(ours, theirs), (difference(ours, theirs), line, schema.to_json(message))


def test_json_to_wire(typed):
    schema, name, source, generator, count = typed
    writer = Writer(source)
    for size in chunks(count):
        messages = [generator.message(name, depth=min(source.randrange(1, 6), source.randrange(1, 6))) for _ in range(size)]
        texts = []
        for message in messages:
            options = source.choice(FORMS)[1]
            texts.append(writer.write(schema.to_dict(message, **options)))
        result = convert(schema, name, "json", "binary", "".join(text + "\n" for text in texts).encode())
        answers = split_binary(result.stdout)
        assert len(answers) == size, result.stderr[-2000:]
        for message, text, wire in zip(messages, texts, answers):
            assert wire is not None, (text, result.stderr[:2000])
            assert canonical(schema, schema.message(name).FromString(wire)) == canonical(schema, message), text


def test_json_to_json_is_stable(typed):
    """What we print, we read and print again byte for byte."""
    schema, name, source, generator, count = typed
    messages = [generator.message(name, depth=3) for _ in range(min(500, count))]
    first = convert(schema, name, "binary", "json", binary_stream((canonical(schema, message) for message in messages))).stdout
    assert convert(schema, name, "json", "json", first).stdout == first


def test_cut_and_changed_wire_bytes_never_crash(typed):
    """Python is asked only whether it reads the bytes; where it does not, neither do we."""
    schema, name, source, generator, count = typed
    messages = []
    for _ in range(min(2000, count)):
        data = bytearray(canonical(schema, generator.message(name, depth=3)))
        for _ in range(source.randrange(1, 4)):
            at = source.randrange(len(data) + 1)
            data[at:at + source.randrange(3)] = source.randbytes(source.randrange(3))
        messages.append(bytes(data[:source.randrange(len(data) + 1)] if source.random() < 0.3 else data))
    lines = convert(schema, name, "binary", "json", binary_stream(messages)).stdout.decode().split("\n")
    assert len(lines) == len(messages) + 1
    for data, line in zip(messages, lines):
        if not line:
            continue
        try:
            message = schema.message(name).FromString(data)
        except Exception as error:  # protobuf's DecodeError, whichever implementation raises it
            raise AssertionError(f"Python refuses {data.hex()}, we print {line}") from error
        assert message is not None and isinstance(json.loads(line), dict)
