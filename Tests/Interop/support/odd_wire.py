"""Wire bytes as no serializer writes them, but as every decoder must read them.

Fields in any order, singular ones several times, messages in pieces, packed and single values mixed, map entries with their
value first or twice, varints and tags with needless bytes, unknown fields of every kind. What they mean is for Python to say.
"""
from google.protobuf.descriptor import FieldDescriptor as Field

VARINT, FIXED64, LENGTH, START, END, FIXED32 = range(6)
WIRE_TYPES = {
    Field.TYPE_DOUBLE: FIXED64, Field.TYPE_FIXED64: FIXED64, Field.TYPE_SFIXED64: FIXED64,
    Field.TYPE_FLOAT: FIXED32, Field.TYPE_FIXED32: FIXED32, Field.TYPE_SFIXED32: FIXED32,
    Field.TYPE_STRING: LENGTH, Field.TYPE_BYTES: LENGTH, Field.TYPE_MESSAGE: LENGTH, Field.TYPE_GROUP: START,
}


def read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def split(data):
    """(number, wire type, content) of each field; the content of what has a length or an end tag is without them."""
    fields, at = [], 0
    while at < len(data):
        tag, at = read_varint(data, at)
        number, kind, start = tag >> 3, tag & 7, at
        if kind == START:
            at, stop = end_of_group(data, at)
        elif kind == LENGTH:
            length, start = read_varint(data, at)
            at = stop = start + length
        else:
            at = stop = value_end(data, at, kind)
        fields.append((number, kind, data[start:stop]))
    return fields


def value_end(data, at, kind):
    if kind == VARINT:
        return read_varint(data, at)[1]
    return at + (8 if kind == FIXED64 else 4)


def end_of_group(data, at):
    """(behind the end tag, before it)"""
    while True:
        before = at
        tag, at = read_varint(data, at)
        kind = tag & 7
        if kind == END:
            return at, before
        if kind == START:
            at, _ = end_of_group(data, at)
        elif kind == LENGTH:
            length, at = read_varint(data, at)
            at += length
        else:
            at = value_end(data, at, kind)


class OddWriter:
    def __init__(self, schema, random):
        self.schema, self.random = schema, random

    def rewrite(self, descriptor, data):
        """Some other bytes of the message; they may mean something else."""
        special = descriptor.full_name.startswith("google.protobuf.")
        known = self.schema.fields_by_number(descriptor)
        pieces = [piece for field in split(data) for piece in self._pieces(known.get(field[0]), field, special)]
        if not special and self.random.random() < 0.3:
            pieces.append(self._unknown(known))
        if descriptor.full_name == "google.protobuf.Any" and self.random.random() < 0.5:
            pieces = [self._any_value(piece, data) for piece in pieces]
        if self.random.random() < 0.7:
            self.random.shuffle(pieces)
        return b"".join(self._field(*piece) for piece in pieces)

    def _pieces(self, field, piece, special):
        number, kind, content = piece
        if field is None:
            return [piece]
        if field.message_type is not None:
            return self._messages(field, piece)
        if field.is_repeated and field.type not in (Field.TYPE_STRING, Field.TYPE_BYTES):
            return self._scalars(number, WIRE_TYPES.get(field.type, VARINT), kind, content)
        if not field.is_repeated and not special and self.random.random() < 0.15:
            other = b"" if kind == LENGTH else bytes(len(content)) if kind != VARINT else b"\x00"
            return self.random.choice([[piece, piece], [(number, kind, other), piece], [piece, (number, kind, other)]])
        return [piece]

    def _messages(self, field, piece):
        number, kind, content = piece
        nested = field.message_type
        if nested.GetOptions().map_entry:
            entries = [(number, kind, self._entry(nested, content))]
            if self.random.random() < 0.2:  # the key again, without its value or with it
                key = b"".join(self._field(*part) for part in split(content) if part[0] == 1)
                entries.append((number, kind, self.random.choice([key, content])))
            return entries
        content = self.rewrite(nested, content) if self.random.random() < 0.5 else content
        fields = split(content)
        if field.is_repeated or len(fields) < 2 or self.random.random() < 0.6:
            return [(number, kind, content)]
        at = self.random.randrange(1, len(fields))
        return [(number, kind, b"".join(self._field(*part) for part in parts)) for parts in (fields[:at], fields[at:])]

    def _entry(self, descriptor, content):
        fields = split(content)
        value = descriptor.fields_by_name["value"]
        if value.message_type is not None:
            fields = [(n, k, self.rewrite(value.message_type, c)) if n == 2 else (n, k, c) for n, k, c in fields]
        choice = self.random.randrange(5)
        if choice == 0:
            fields.reverse()
        elif choice == 1 and fields:
            fields.append(self.random.choice(fields))
        # No unknown fields: the C runtime behind Python then drops the entry, all others and we drop the field alone.
        return b"".join(self._field(*field) for field in fields)

    def _scalars(self, number, value_kind, kind, content):
        """A run of values, or one value, in runs and single values."""
        values, at = [], 0
        while at < len(content):
            stop = value_end(content, at, value_kind) if kind == LENGTH else len(content)
            values.append(content[at:stop])
            at = stop
        pieces = []
        while values:
            count = min(len(values), self.random.choice([1, 1, 2, 3, len(values)]))
            if count == 1 and self.random.random() < 0.6:
                pieces.append((number, value_kind, values[0]))
            else:
                pieces.append((number, LENGTH, b"".join(values[:count])))
            values = values[count:]
        if self.random.random() < 0.1:
            pieces.append((number, LENGTH, b""))
        return pieces

    def _any_value(self, piece, data):
        urls = [content for number, _, content in split(data) if number == 1]
        if piece[0] != 2 or not urls:
            return piece
        inner = self.schema.pool.FindMessageTypeByName(urls[-1].decode().rpartition("/")[2])
        return piece[0], piece[1], self.rewrite(inner, piece[2])

    def _unknown(self, known):
        number = next(n for n in iter(lambda: self.random.randrange(1, 2**29 - 1), None) if n not in known and not 19000 <= n < 20000)
        kind = self.random.choice([VARINT, FIXED64, LENGTH, START, FIXED32])
        content = {VARINT: b"\xff\x01", FIXED64: bytes(8), LENGTH: b"\xff\xfe", FIXED32: bytes(4), START: b"\x08\x01\x13\x14\x1a\x01a"}[kind]
        return number, kind, content

    # Bytes

    def _field(self, number, kind, content):
        tag = self._varint(number << 3 | kind)
        if kind == LENGTH:
            return tag + self._varint(len(content)) + content
        if kind == START:
            return tag + content + self._varint(number << 3 | END)
        if kind == VARINT and self.random.random() < 0.05 and len(content) < 8:
            content = content[:-1] + bytes([content[-1] | 128]) + self.random.choice([b"\x00", b"\x80\x00"])
        return tag + content

    def _varint(self, value):
        data = bytearray()
        while value >= 128:
            data.append(value & 127 | 128)
            value >>= 7
        data.append(value)
        if len(data) < 4 and self.random.random() < 0.03:
            data[-1] |= 128
            data += b"\x00"
        return bytes(data)
