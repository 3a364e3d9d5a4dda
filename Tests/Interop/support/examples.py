"""Examples of documentation pages, run as they are printed.

A page's fenced block `console` is a transcript: lines that begin with `$ ` are commands (a backslash at the end goes on
in the next line), what follows them is the output that they must have. In that output `…` stands for anything within
a line, and a line that is only `…` for any lines. A block whose first line is a comment with nothing but a file name
(`# gateway.yaml`, `// book.proto`) is that file. A block `html` is a page; the block `text` behind it is what it writes to
the browser's console (test_docs_browser.py).

    pages = Page("docs/rest.md")
    pages.write_files(folder, replace)
    for example in pages.examples: example.check(folder, replace)
"""
import os
import re
import subprocess
import sys

from .gateway_process import BINARY
from .schema import ROOT


class Example:
    """One command of a page and what it prints."""

    def __init__(self, page, line, command, expected):
        self.page, self.line, self.command, self.expected = page, line, command, expected

    def __str__(self):
        return f"{self.page}:{self.line}"

    def check(self, folder, replace, seconds=30):
        """Runs the command by a shell in `folder` and compares. `replace` maps what stands on the page to what is true
        in the test, such as addresses; outputs are mapped back. `gateway` is the binary that is tested."""
        result = subprocess.run(
            ["bash", "-c", substitute(self.command, replace)], cwd=folder, timeout=seconds, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment(folder))
        output = substitute(result.stdout, {new: old for old, new in replace.items()})
        assert self.matches(output), f"{self}\n$ {self.command}\nexpected:\n{self.expected}\ngot:\n{output}"

    def matches(self, output):
        lines = [line.rstrip() for line in output.replace("\r", "").rstrip("\n").split("\n")]
        return re.fullmatch(pattern(self.expected.split("\n")), "\n".join(lines), re.S) is not None


class Page:
    """The commands and files of one page, whose path is relative to the repository."""

    def __init__(self, path):
        self.path, self.examples, self.files = path, [], {}
        # Pairs of a page and its console's lines.
        self.html = []
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            lines = file.read().split("\n")
        number = 0
        while number < len(lines):
            opening = re.fullmatch(r"```(\w*)", lines[number])
            number += 1
            if not opening:
                continue
            end = lines.index("```", number)
            self._take(opening[1], lines[number:end], number + 1)
            number = end + 1

    def _take(self, language, block, line):
        name = re.fullmatch(r"(?:#|//) ([\w-]+\.\w+)", block[0]) if block else None
        if name:
            self.files[name[1]] = "\n".join(block) + "\n"
        if language == "html":
            self.html.append(("\n".join(block), []))
        elif language == "text" and self.html:
            self.html[-1][1].extend(block)
        if language == "console":
            self.examples += transcript(self.path, block, line)

    def write_files(self, folder, replace):
        for name, text in self.files.items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(substitute(text, replace))


def transcript(page, block, line):
    """The examples of one block that begins at `line`."""
    examples = []
    index = 0
    while index < len(block):
        assert block[index].startswith("$ "), f"{page}:{line + index}: expected a command, not {block[index]!r}"
        start = index
        command = [block[index][2:]]
        while command[-1].endswith("\\"):
            index += 1
            command.append(block[index])
        index += 1
        expected = []
        while index < len(block) and not block[index].startswith("$ "):
            expected.append(block[index])
            index += 1
        examples.append(Example(page, line + start, "\n".join(command), "\n".join(expected).rstrip("\n")))
    return examples


def pattern(lines):
    """The regular expression of an expected output."""
    parts = []
    for index, line in enumerate(lines):
        last = index == len(lines) - 1
        if line.strip() in ("…", "..."):
            parts.append(r"(?:[^\n]*(?:\n|$))*?")
        else:
            parts.append(r"[^\n]*".join(re.escape(piece) for piece in line.split("…")) + ("" if last else r"\n"))
    return "".join(parts)


def substitute(text, replace):
    for old, new in replace.items():
        text = text.replace(old, new)
    return text


def environment(folder):
    """The shell's: the binary is found as `gateway`, what is in .venv as itself, and nothing is read from the user's home."""
    tools = os.path.join(folder, ".tools")
    os.makedirs(tools, exist_ok=True)
    link = os.path.join(tools, "gateway")
    if not os.path.lexists(link):
        os.symlink(os.path.abspath(BINARY), link)
    return dict(os.environ, HOME=str(folder), PATH=os.pathsep.join([tools, os.path.dirname(sys.executable), os.environ["PATH"]]))
