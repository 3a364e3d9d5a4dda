"""What valgrind's callgrind has counted: instructions, and calls by who called."""
import collections
import re


class Profile:
    """The counts of one process, from the file that it leaves."""

    def __init__(self, path):
        self.instructions = 0
        # (object of the caller, name of the callee) → calls
        self.calls = collections.Counter()
        self.names = {}
        self._parse(path)

    def _name(self, kind, text):
        """Names are written once, with a number by which they are meant from then on."""
        number, name = re.fullmatch(r"\((\d+)\)(?: (.*))?", text).groups()
        if name is not None:
            self.names[kind, number] = name
        return self.names[kind, number]

    def _parse(self, path):
        here = callee = None
        with open(path, errors="replace") as file:
            for line in file:
                key, _, value = line.rstrip("\n").partition("=")
                if key == "ob":
                    here = self._name("ob", value)
                elif key == "cob":
                    self._name("ob", value)
                elif key == "fn":
                    self._name("fn", value)
                elif key == "cfn":
                    callee = self._name("fn", value)
                elif key == "calls":
                    self.calls[here, callee.split("'")[0]] += int(value.split()[0])
                elif line.startswith(("totals: ", "summary: ")):
                    self.instructions = int(line.split()[1])

    def called(self, names, by):
        """How often one of the functions was called from objects whose path `by` accepts."""
        return sum(count for (caller, callee), count in self.calls.items() if callee in names and by(caller))
