"""One worker of test_json_many.py: random messages of every type of a package, ours against Python's json_format.

usage: python -m support.differential SET PACKAGE SEED COUNT

Prints a JSON object {"messages": …, "odd": …, "skipped": …, "differences": [...]}. Each message goes both ways: its wire bytes
(one in four as no serializer writes them) to JSON, and its JSON by Python (one in four written in unusual ways) to wire bytes.
"""
import json
import random
import re
import sys

from support import random_json
from support.convert import convert
from support.odd_wire import OddWriter
from support.random_messages import Generator, canonical
from support.schema import Schema
from support.values import difference, same

ANY_TYPES = ["google.protobuf.Timestamp", "google.protobuf.Duration", "google.protobuf.Struct", "google.protobuf.Int64Value",
             "google.protobuf.StringValue", "google.protobuf.Any"]
FORMS = [
    ([], {}),
    ([], {}),
    (["--names", "proto"], {"preserving_proto_field_name": True}),
    (["--enums", "number"], {"use_integers_for_enums": True}),
    (["--defaults", "emit"], {"always_print_fields_with_no_presence": True}),
]
MINUS_ZERO = re.compile(r"-0\.0(?![0-9])")
DIFFERENCES_MAX = 5


class Worker:
    def __init__(self, path, package, seed):
        self.schema = Schema(path)
        self.package = package
        self.random = random.Random(seed)
        self.generator = Generator(self.schema, self.random, [*ANY_TYPES, f"{package}.Everything"])
        self.odd = OddWriter(self.schema, self.random)
        self.writer = random_json.Writer(self.random)
        self.report = {"messages": 0, "odd": 0, "skipped": 0, "differences": []}

    def run(self, count):
        names = [name for name in self.schema.messages(self.package) if not self._is_message_set(name)]
        # The largest types take the longest and hold the others: a fourth as many of each.
        weights = [1 if name.endswith(".Everything") else 4 for name in names]
        for name, weight in zip(names, weights):
            self._check(name, max(50, count * weight // sum(weights)), *self.random.choice(FORMS))
        return self.report

    def _is_message_set(self, name):
        return self.schema.pool.FindMessageTypeByName(name).GetOptions().message_set_wire_format

    def _check(self, name, count, flags, options):
        cases = [case for case in (self._case(name, options) for _ in range(count)) if case]
        arguments = (self.schema.path, name)
        lines = convert(*arguments, "binary", "json", [wire for wire, _, _ in cases], *flags)
        for (wire, message, value), line in zip(cases, lines):
            self._compare_json(name, wire, message, value, line, options)
        texts = [self._text(value) for _, _, value in cases]
        for (wire, message, _), text, answer in zip(cases, texts, convert(*arguments, "json", "binary", texts)):
            self._compare_wire(name, wire, message, text, answer)
        self.report["messages"] += len(cases)

    def _case(self, name, options):
        """(wire bytes, the message that Python reads in them, its JSON value); None where it has none."""
        message = self.generator.message(name, depth=self.random.choice([1, 1, 1, 2, 2, 3]))
        wire = message.SerializeToString(deterministic=True)
        if self.random.random() < 0.25:
            wire = self.odd.rewrite(message.DESCRIPTOR, wire)
            self.report["odd"] += 1
            message = type(message).FromString(wire)
        try:
            return wire, message, self.schema.to_dict(message, **options)
        except Exception:  # what an odd message holds may have no JSON: a mask "a_B", say
            self.report["skipped"] += 1
            return None

    def _text(self, value):
        if self.random.random() < 0.25:
            return self.writer.write(value).encode()
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

    def _compare_json(self, name, wire, message, value, line, options):
        if not line:
            return self._differs(name, "refused", wire.hex(), value)
        ours = json.loads(line)
        if ours != value and not same(ours, value):
            return self._differs(name, "JSON", wire.hex(), line.decode(), difference(ours, value))
        if b"-0" in line and len(MINUS_ZERO.findall(line.decode())) != len(MINUS_ZERO.findall(json.dumps(value, ensure_ascii=False))):
            self._differs(name, "minus zero", wire.hex(), line.decode())

    def _compare_wire(self, name, wire, message, text, answer):
        if answer is None:
            return self._differs(name, "refused", wire.hex(), text.decode())
        ours = type(message).FromString(answer)
        if ours == message:
            return
        bytes_ours = canonical(self.schema, ours)
        # What JSON does not tell (a Value without a kind, say) may be lost, as it is by Python.
        if bytes_ours != canonical(self.schema, message) and bytes_ours != self._parsed(message, text):
            self._differs(name, "wire", text.decode(), answer.hex())

    def _parsed(self, message, text):
        return canonical(self.schema, self.schema.parse(text, type(message)()))

    def _differs(self, *what):
        if len(self.report["differences"]) < DIFFERENCES_MAX:
            self.report["differences"].append([str(part)[:4000] for part in what])


if __name__ == "__main__":
    print(json.dumps(Worker(*sys.argv[1:4]).run(int(sys.argv[4]))))
