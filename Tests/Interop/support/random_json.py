"""JSON texts: one value written in many ways, random values, and texts that are nearly JSON."""
import json
import math

SPACES = ["", "", "", " ", "  ", "\t", "\r", " \t "]


class Writer:
    """Writes a Python value as JSON with random spaces, escapes, key order and number forms. Never a line feed."""

    def __init__(self, random):
        self.random = random

    def write(self, value):
        return self._space() + self._value(value) + self._space()

    def _space(self):
        return self.random.choice(SPACES)

    def _value(self, value):
        if isinstance(value, dict):
            items = list(value.items())
            self.random.shuffle(items)
            inside = [f"{self._text(key)}{self._space()}:{self.write(item)}" for key, item in items]
            return "{" + self._space() + ("," + self._space()).join(inside) + "}"
        if isinstance(value, list):
            return "[" + ",".join(self.write(item) for item in value) + self._space() + "]"
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, bool) or value is None:
            return json.dumps(value)
        return self._number(value)

    def _text(self, text):
        escape = self.random.choice([0, 0, 0.1, 1])
        return '"' + "".join(self._escaped(c) if self.random.random() < escape else self._plain(c) for c in text) + '"'

    def _plain(self, character):
        return json.dumps(character, ensure_ascii=False)[1:-1]

    def _escaped(self, character):
        if character == "/":
            return "\\/"
        units = character.encode("utf-16-be")
        case = self.random.choice(["{:04x}", "{:04X}"])
        return "".join("\\u" + case.format(units[i] << 8 | units[i + 1]) for i in range(0, len(units), 2))

    def _number(self, value):
        plain = json.dumps(value)
        kind = self.random.randrange(6)
        if isinstance(value, int):
            if kind == 0:
                return plain + "." + "0" * self.random.randrange(1, 4)
            if kind == 1:
                return plain + self.random.choice(["e0", "E0", "e+0", "e-0", "E+00"])
            if kind == 2 and value:
                return f"{value}0e-1"
            return plain
        if kind == 0 and math.isfinite(value):
            return f"{value:.17e}"
        if kind == 1 and math.isfinite(value):
            return repr(value).replace("e", "E") if "e" in repr(value) else repr(value) + "e0"
        return plain


# Values and near-JSON for acceptance tests

ATOMS = ["null", "true", "false", "0", "-0", "1", "-1", "1.5", "1e5", "1E-5", "1e+5", "0.0", "123456789012345678901234567890",
         '""', '"a"', '"\\n"', '"\\u0041"', '"\\ud83e\\udd8a"', '"é日🦊"', "[]", "{}", '"' + "x" * 40 + '"']
NEARLY = ["nul", "True", "NaN", "Infinity", "-Infinity", "+1", "01", "-01", ".5", "5.", "1e", "1e+", "--1", "0x10", "1_000", "-", "1.e5",
          '"', '"a', "'a'", '"\\x41"', '"\\u12"', '"\\u12g4"', '"\\ud800"', '"\\udc00"', '"\\ud800\\ud800"', '"\\ud800a"', '"\x01"', '"\t"',
          '"\x7f"', "[", "]", "{", "}", "[1,]", "[,1]", "[1 2]", "{,}", '{"a"}', '{"a":}', '{"a":1,}', "{1:2}", "{a:1}", '{"a" 1}', '{"a"::1}',
          '{"a":1 "b":2}', '{"a":1,"a":2}', "//", "/**/1", "#", ",", ":", "undefined", "1e999", "-1e999", "1" * 400, "1e-999", "\ufeff1", "\xa01",
          "\u20281", "\x0b1", "\x0c1", "tru", "truee", "nullnull", "1 1", '"a""b"', "[]]", "{}}", '{"\\ud800":1}', "1.5.5", "1e5.5", "1ee5", "\x00",
          '"\x00"', "1\x00", '{"a":1}\x00']
MUTATIONS = ['"', "\\", "{", "}", "[", "]", ",", ":", "0", "-", ".", "e", "+", " ", "\t", "\r", "a", "\x00", "\x1f", "é", "\ud7ff", "\\u", "\\ud800", "null", "1"]


def value_text(random, depth=5):
    """A random JSON text of moderate size, strictly valid."""
    kind = random.randrange(8) if depth else 0
    if kind <= 3:
        return random.choice(ATOMS)
    items = [value_text(random, depth - 1) for _ in range(random.randrange(4))]
    space = lambda: random.choice(SPACES)
    if kind <= 5:
        return "[" + space() + ("," + space()).join(items) + space() + "]"
    return "{" + ",".join(f'{space()}"k{index}"{space()}:{space()}{item}' for index, item in enumerate(items)) + space() + "}"


def near_text(random):
    """A text that may or may not be JSON; no line feed, not blank."""
    kind = random.randrange(6)
    text = value_text(random)
    if kind == 0:
        return text
    if kind == 1:
        text = random.choice(NEARLY)
    elif kind == 2:
        atom, nearly = random.choice(ATOMS), random.choice(NEARLY)
        text = text.replace(atom, nearly, 1) if atom in text else f"[{text},{nearly}]"
    elif kind == 3:
        text = text[:random.randrange(len(text) + 1)]
    else:
        for _ in range(random.randrange(1, 4)):
            at = random.randrange(len(text) + 1)
            text = text[:at] + random.choice(MUTATIONS + [""]) + text[at + random.randrange(2):]
    return text if text.strip() else "{"


class Refused(Exception):
    """Python's json, made strict, refuses the text."""


def strict(text):
    """The value of a JSON text by Python's json. Refuses what RFC 8259 and I-JSON refuse, also duplicate keys, lone
    surrogates and numbers beyond doubles, which Python itself lets pass."""

    def pairs(items):
        if len({key for key, _ in items}) != len(items):
            raise Refused("duplicate key")
        return dict(items)

    def number(digits):
        value = float(digits)
        if math.isinf(value):
            raise Refused("beyond doubles")
        return value

    def constant(name):
        raise Refused(name)

    try:
        value = json.loads(text, object_pairs_hook=pairs, parse_constant=constant, parse_float=number, parse_int=number)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise Refused(str(error)) from None
    return value
