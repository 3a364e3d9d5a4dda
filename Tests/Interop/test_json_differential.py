"""JSON ⇄ wire compared with Python protobuf's json_format on seeded random messages, both ways, by `gateway convert`."""
import json
import os
import random

import pytest

from support.convert import convert
from support.random_json import Writer
from support.random_messages import Generator, canonical
from support.schema import INTEROP_SET, ROOT, Schema
from support.values import difference, same

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


def chunks(count, size=500):
    return [min(size, count - at) for at in range(0, count, size)]


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
        wires = [canonical(schema, message) for message in messages]
        for message, line in zip(messages, convert(schema.path, name, "binary", "json", wires, *flags)):
            assert line, schema.to_json(message)
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
        answers = convert(schema.path, name, "json", "binary", [text.encode() for text in texts])
        for message, text, wire in zip(messages, texts, answers):
            assert wire is not None, text
            assert canonical(schema, schema.message(name).FromString(wire)) == canonical(schema, message), text


def test_json_to_json_is_stable(typed):
    """What we print, we read and print again byte for byte."""
    schema, name, source, generator, count = typed
    messages = [generator.message(name, depth=3) for _ in range(min(500, count))]
    first = convert(schema.path, name, "binary", "json", [canonical(schema, message) for message in messages])
    assert convert(schema.path, name, "json", "json", first) == first


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
    for data, line in zip(messages, convert(schema.path, name, "binary", "json", messages)):
        if not line:
            continue
        try:
            message = schema.message(name).FromString(data)
        except Exception as error:  # protobuf's DecodeError, whichever implementation raises it
            raise AssertionError(f"Python refuses {data.hex()}, we print {line}") from error
        assert message is not None and isinstance(json.loads(line), dict)
