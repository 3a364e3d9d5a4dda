"""Just enough of Swift's lexical grammar for scripts/tidy: comments, literals, and where functions end."""
import re

OPENING = re.compile(r"//|/\*|#*\"\"\"|#*\"|`[^`\n]+`|[()]")


def strip(text):
    """The source with comments, string literals and `quoted names` blanked; every line stays where it is.

    Code inside an interpolation stays, so that what is checked about code holds there too.
    """
    out, _ = _code(text, 0, until_parenthesis=False)
    return out


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


def _code(text, at, until_parenthesis):
    """Blanks from `at` on, to the end or to the `)` that closes an interpolation. Returns text and where it stopped."""
    out, depth = [], 0
    while True:
        match = OPENING.search(text, at)
        if not match:
            return "".join(out) + text[at:], len(text)
        out.append(text[at:match.start()])
        token, at = match[0], match.end()
        if token == "(":
            depth += 1
            out.append(token)
        elif token == ")":
            if until_parenthesis and depth == 0:
                return "".join(out) + ")", at
            depth -= 1
            out.append(token)
        elif token == "//":
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            out.append(" " * (end - match.start()))
            at = end
        elif token == "/*":
            at = _comment_end(text, at)
            out.append(_blank(text[match.start():at]))
        elif token.startswith("`"):
            out.append("_" * len(token))
        else:
            literal, at = _string(text, match.start(), token)
            out.append(literal)


def _comment_end(text, at):
    depth = 1
    for match in re.compile(r"/\*|\*/").finditer(text, at):
        depth += 1 if match[0] == "/*" else -1
        if depth == 0:
            return match.end()
    return len(text)


def _string(text, start, token):
    """Blanks a literal that opens with `token`, such as `"`, `\"\"\"` or `#"`, but keeps what it interpolates."""
    hashes = token.count("#")
    closing = token.lstrip("#") + "#" * hashes
    escape = "\\" + "#" * hashes
    out, at = [_blank(token[:-1]) + '"'], start + len(token)
    while at < len(text):
        if text.startswith(closing, at):
            out.append(_blank(closing[:-1]) + '"')
            return "".join(out), at + len(closing)
        if text.startswith(escape + "(", at):
            code, at_end = _code(text, at + len(escape) + 1, until_parenthesis=True)
            out.append(" " * len(escape) + "(" + code)
            at = at_end
        elif text.startswith(escape, at):
            out.append(" " * len(escape) + _blank(text[at + len(escape):at + len(escape) + 1]))
            at += len(escape) + 1
        else:
            if text[at] == "\n" and '"""' not in token:
                return "".join(out), at  # not a literal after all
            out.append(_blank(text[at]))
            at += 1
    return "".join(out), at


FUNCTION = re.compile(r"(?<![\w.`])(func\s+[^\s(<]+|init[?!]?(?=\s*[(<])|deinit(?=\s*\{)|subscript(?=\s*[(<]))")


def functions(code):
    """(name, first line, last line) of every function with a body in stripped code."""
    rows = []
    for match in FUNCTION.finditer(code):
        opening = _body(code, match.end())
        if opening is None:
            continue
        closing = _closing(code, opening)
        name = match[1].split()[-1]
        rows.append((name, code.count("\n", 0, match.start()) + 1, code.count("\n", 0, closing) + 1))
    return rows


def _body(code, at):
    """Where the body opens: the first `{` outside of parentheses, unless another declaration comes before it."""
    depth = 0
    for i in range(at, len(code)):
        c = code[i]
        if c in "([":
            depth += 1
        elif c in ")]":
            depth -= 1
            if depth < 0:
                return None  # it was a call, such as the argument init(x)
        elif c == "{" and depth == 0:
            return i
        elif c in "};=" and depth == 0 and code[i - 1:i + 2] not in ("===",) and not _operator(code, i):
            return None
        elif c == "\n" and depth == 0 and re.match(r"\s*(func|var|let|case|init|@\w+|public|private|\})", code[i + 1:i + 40]):
            return None
    return None


def _operator(code, i):
    return code[i] == "=" and (code[i - 1] in "=<>!" or code[i + 1:i + 2] == "=")


def _closing(code, opening):
    depth = 0
    for i in range(opening, len(code)):
        if code[i] == "{":
            depth += 1
        elif code[i] == "}":
            depth -= 1
            if depth == 0:
                return i
    return len(code) - 1
