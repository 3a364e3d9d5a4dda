"""Random messages of any type by reflection, rich in edge values; every one has a JSON form."""
import math
import struct

from google.protobuf.descriptor import FieldDescriptor as Field

INTEGERS = {
    Field.TYPE_INT32: (-2**31, 2**31 - 1), Field.TYPE_SINT32: (-2**31, 2**31 - 1), Field.TYPE_SFIXED32: (-2**31, 2**31 - 1),
    Field.TYPE_UINT32: (0, 2**32 - 1), Field.TYPE_FIXED32: (0, 2**32 - 1),
    Field.TYPE_INT64: (-2**63, 2**63 - 1), Field.TYPE_SINT64: (-2**63, 2**63 - 1), Field.TYPE_SFIXED64: (-2**63, 2**63 - 1),
    Field.TYPE_UINT64: (0, 2**64 - 1), Field.TYPE_FIXED64: (0, 2**64 - 1),
}
DOUBLES = [0.0, -0.0, 1.0, -1.0, 0.1, 1 / 3, 1e15, 1e16, 1e17, 1e21, 1e22, 1e23, 123456789012345680.0, 5e-324, 2.2250738585072014e-308,
           1.7976931348623157e308, -1e-7, 9007199254740993.0, 4.35, 0.3275, 1e-5, 1e-6, 100.0, 123.456, math.pi]
CHARACTERS = ["a", "Z", "0", " ", '"', "\\", "/", "\b", "\f", "\n", "\r", "\t", "\0", "\x1f", "\x7f", "\x80", "é", "ß", "\u07ff", "\u0800",
              "\u2028", "\u2029", "日", "\ud7ff", "\ue000", "\ufeff", "\ufffd", "\uffff", "\U00010000", "🦊", "\U0010ffff", "<", "&", "'", "{"]
PATHS = ["a", "foo", "foo_bar", "a_b_c.d_e", "x1.y2", "long_name_with_many_parts"]


def is_map(field):
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def canonical(schema, message):
    """Deterministic bytes: maps sorted and unknown fields gone, also in what an Any holds."""
    copy = type(message)()
    copy.CopyFrom(message)
    copy.DiscardUnknownFields()
    _sort_anys(schema, copy)
    return copy.SerializeToString(deterministic=True)


def _sort_anys(schema, message):
    if message.DESCRIPTOR.full_name == "google.protobuf.Any" and message.type_url:
        content = schema.message(message.type_url.rpartition("/")[2]).FromString(message.value)
        message.value = canonical(schema, content)
        return
    for field, value in message.ListFields():
        if field.cpp_type != Field.CPPTYPE_MESSAGE:
            continue
        if is_map(field):
            values = value.values() if field.message_type.fields_by_name["value"].message_type else ()
        else:
            values = value if field.is_repeated else [value]
        for nested in values:
            _sort_anys(schema, nested)


class Generator:
    """Makes messages of a schema from one random source."""

    def __init__(self, schema, random, any_types=()):
        self.schema, self.random, self.any_types = schema, random, any_types
        self.special = {
            "Timestamp": self._timestamp, "Duration": self._duration, "FieldMask": self._mask, "Struct": self._struct,
            "Value": self._value, "ListValue": self._list, "Any": self._any,
        }

    def message(self, name, depth=4):
        """A message of the type; nested ones get rarer with the depth."""
        message = self.schema.message(name)()
        self.fill(message, depth)
        return message

    def fill(self, message, depth):
        descriptor = message.DESCRIPTOR
        if descriptor.file.package == "google.protobuf" and descriptor.name in self.special:
            self.special[descriptor.name](message, depth)
            return
        share = self.random.choice([0.1, 0.3, 0.6, 0.95]) if depth > 1 else 0.2
        chosen = set()
        for field in self.schema.fields_by_number(descriptor).values():
            oneof = field.containing_oneof
            if not field.is_required and self.random.random() > share or self._skipped(field):
                continue
            if oneof and len(oneof.fields) > 1:
                if oneof.name in chosen:
                    continue
                chosen.add(oneof.name)
            if not field.is_required and self._is_message(field) and depth <= 0:
                continue
            self._set(message, field, depth - 1)

    @staticmethod
    def _is_message(field):
        return field.cpp_type == Field.CPPTYPE_MESSAGE

    @staticmethod
    def _skipped(field):
        """Lists of nulls: Python's json_format prints but does not read them."""
        return field.is_repeated and field.enum_type and field.enum_type.full_name == "google.protobuf.NullValue"

    def _set(self, message, field, depth):
        value = lambda: message.Extensions[field] if field.is_extension else getattr(message, field.name)
        if is_map(field):
            self._fill_map(value(), field, depth)
        elif field.is_repeated:
            values = value()
            for _ in range(self.random.choice([1, 1, 2, 3, 17])):
                if self._is_message(field):
                    self.fill(values.add(), depth - 1)
                else:
                    values.append(self.scalar(field))
        elif self._is_message(field):
            nested = value()
            nested.SetInParent()
            self.fill(nested, depth)
        elif field.is_extension:
            message.Extensions[field] = self.scalar(field)
        else:
            setattr(message, field.name, self.scalar(field))

    def _fill_map(self, values, field, depth):
        key, value = field.message_type.fields_by_name["key"], field.message_type.fields_by_name["value"]
        for _ in range(self.random.choice([1, 2, 5])):
            if self._is_message(value):
                nested = values[self.scalar(key)]
                nested.Clear()  # a random key may come twice
                self.fill(nested, depth - 1)
            else:
                values[self.scalar(key)] = self.scalar(value)

    # Scalars

    def scalar(self, field):
        if field.type in INTEGERS:
            return self.integer(*INTEGERS[field.type])
        if field.type == Field.TYPE_DOUBLE:
            return self.double(special=True)
        if field.type == Field.TYPE_FLOAT:
            return struct.unpack("<f", struct.pack("<f", self._float()))[0]
        if field.type == Field.TYPE_BOOL:
            return self.random.random() < 0.5
        if field.type == Field.TYPE_STRING:
            return self.text()
        if field.type == Field.TYPE_BYTES:
            return self.random.randbytes(self.random.choice([0, 1, 2, 3, 4, 11, 12, 13, 100]))
        if field.enum_type.full_name == "google.protobuf.NullValue":
            return 0
        if field.enum_type.is_closed or self.random.random() < 0.8:
            return self.random.choice(field.enum_type.values).number
        return self.integer(-2**31, 2**31 - 1)

    def integer(self, low, high):
        kind = self.random.randrange(4)
        if kind == 0:
            return self.random.choice([low, high, 0, 1, low + 1, high - 1, max(low, -1)])
        if kind == 1:  # around the steps of varints and of decimal digits
            step = self.random.choice([2 ** self.random.randrange(64), 10 ** self.random.randrange(20)])
            return min(high, max(low, (step + self.random.randrange(-1, 2)) * self.random.choice([1, -1])))
        return self.random.randint(max(low, -1000), 1000) if kind == 2 else self.random.randint(low, high)

    def double(self, special=False):
        kind = self.random.randrange(8)
        if kind == 0 and special:
            return self.random.choice([math.nan, math.inf, -math.inf])
        if kind <= 2:
            return self.random.choice(DOUBLES)
        if kind <= 4:
            return round(self.random.uniform(-1e6, 1e6), self.random.randrange(8))
        if kind == 5:
            return float(self.random.randint(-2**53, 2**53))
        value = struct.unpack("<d", self.random.randbytes(8))[0]
        return value if math.isfinite(value) else 0.5

    def _float(self):
        value = self.double(special=True)
        if math.isfinite(value) and abs(value) > 3.402e38:  # Python's json_format does not read the greatest back
            return math.copysign(3.402e38, value)
        return value

    def text(self):
        kind = self.random.randrange(5)
        if kind == 0:
            return ""
        if kind == 1:
            return "".join(self.random.choices(CHARACTERS, k=self.random.randrange(1, 40)))
        if kind == 2:  # one character that needs care, anywhere in a long run of plain ones
            plain = "x" * self.random.randrange(70)
            at = self.random.randrange(len(plain) + 1)
            return plain[:at] + self.random.choice(CHARACTERS) + plain[at:]
        return "plain text " * self.random.randrange(1, 8)

    # Well-known types

    def _nanos(self):
        return self.random.choice([0, 0, 1, 999_999_999, 500_000_000, 1_000, 1_000_000, self.random.randrange(10**9)])

    def _timestamp(self, message, depth):
        message.seconds = self.random.choice([0, -1, -62135596800, 253402300799, 951782400, self.random.randint(-62135596800, 253402300799)])
        message.nanos = self._nanos()

    def _duration(self, message, depth):
        sign = self.random.choice([1, -1])
        message.seconds = sign * self.random.choice([0, 1, 315576000000 - 1, self.random.randrange(10**6)])
        message.nanos = sign * self._nanos()

    def _mask(self, message, depth):
        message.paths.extend(self.random.sample(PATHS, self.random.randrange(4)))

    def _struct(self, message, depth):
        message.fields.clear()
        for _ in range(self.random.randrange(4)):
            self._value(message.fields[self.text()], depth - 1)

    def _list(self, message, depth):
        for _ in range(self.random.randrange(4)):
            self._value(message.values.add(), depth - 1)

    def _value(self, message, depth):
        kind = self.random.randrange(6 if depth > 0 else 4)
        if kind == 0:
            message.null_value = 0
        elif kind == 1:
            message.number_value = self.double()
        elif kind == 2:
            message.string_value = self.text()
        elif kind == 3:
            message.bool_value = self.random.random() < 0.5
        elif kind == 4:
            message.struct_value.SetInParent()
            self._struct(message.struct_value, depth)
        else:
            message.list_value.SetInParent()
            self._list(message.list_value, depth)

    def _any(self, message, depth):
        if not self.any_types or depth <= 0:
            return
        name = self.random.choice(self.any_types)
        content = self.message(name, depth - 2)
        message.type_url = "type.googleapis.com/" + name
        message.value = content.SerializeToString(deterministic=True)
