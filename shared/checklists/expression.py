"""The language of relevance, constraints and calculations: text to a small tree, and the tree to text again.

It is the part of XPath 1.0 that forms use: literals, ${name}, `.`, `..` and plain paths, calls, arithmetic,
comparison, `and`, `or`. What it does not know (predicates, axes, wildcards, variables) is refused with its place in
the text, at upload. Whether names and functions exist is decided in `shared.checklists.form`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

LENGTH_LIMIT = 8_000
DEPTH_LIMIT = 60
TERMS_LIMIT = 400


class Unparsable(ValueError):
    """The text is no expression of this language. `code` says why, `at` is the character where, from 0."""

    def __init__(self, code: str, at: int) -> None:
        super().__init__(f"{code} at {at}")
        self.code = code
        self.at = at


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """Quoted text."""

    text: str


@dataclass(frozen=True, slots=True)
class Ref:
    """`${name}`: another item of the form by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class Path:
    """A path: from the form's root, or `up` steps up from here and then down through `names`.

    `.` is Path(False, 0, ()); a bare name is Path(False, 0, (name,)) and means a column inside a choice filter;
    `current` marks a path that begins with current().
    """

    absolute: bool
    up: int
    names: tuple[str, ...]
    current: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Binary:
    """Two sides and the operator between them."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Negative:
    """A minus in front."""

    of: Node


Node = Number | Text | Ref | Path | Call | Binary | Negative

_NAME = r"[A-Za-z_][A-Za-z0-9_.-]*"
_TOKEN = re.compile(
    rf"""\s*(?:
      (?P<ref>\$\{{\s*{_NAME}\s*\}})
    | (?P<number>\d+(?:\.\d*)?|\.\d+)
    | (?P<text>'[^']*'|"[^"]*")
    | (?P<name>{_NAME}(?::{_NAME})?)
    | (?P<sign><=|>=|!=|\.\.|[-+*=<>()/,.])
    )""",
    re.VERBOSE | re.ASCII,
)
_LEVELS: tuple[tuple[str, ...], ...] = (
    ("or",),
    ("and",),
    ("=", "!="),
    ("<", "<=", ">", ">="),
    ("+", "-"),
    ("*", "div", "mod"),
)
_WORDS = {"or", "and", "div", "mod"}
_LEVEL_OF = {sign: level for level, signs in enumerate(_LEVELS) for sign in signs}


def _tokens(text: str) -> list[tuple[str, str, int]]:
    found: list[tuple[str, str, int]] = []
    at = 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise Unparsable("unknown_sign", at + len(text[at:]) - len(text[at:].lstrip()))
        found.append((match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
        at = match.end()
    found.append(("end", "", end))
    return found


class _Reader:
    """One pass over the tokens of one expression."""

    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.at = 0
        self.depth = 0
        self.terms = 0

    def peek(self) -> str:
        kind, text, _ = self.tokens[self.at]
        return text if kind in ("sign", "name") else kind

    def fail(self, code: str) -> Unparsable:
        return Unparsable(code, self.tokens[self.at][2])

    def take(self, sign: str) -> bool:
        kind, text, _ = self.tokens[self.at]
        if kind == "sign" and text == sign:
            self.at += 1
            return True
        return False

    def expect(self, sign: str) -> None:
        if not self.take(sign):
            raise self.fail("expected_" + {")": "close", "(": "open"}.get(sign, "sign"))

    def operator(self, level: int) -> str:
        """The operator of this level that comes next, taken; empty when there is none."""
        kind, text, _ = self.tokens[self.at]
        if text in _LEVELS[level] and (kind == "sign" or (kind == "name" and text in _WORDS)):
            self.at += 1
            return text
        return ""

    def expression(self, level: int = 0) -> Node:
        if level == len(_LEVELS):
            return self.negative()
        left = self.expression(level + 1)
        while sign := self.operator(level):
            self.terms += 1
            if self.terms > TERMS_LIMIT:
                raise self.fail("too_long")
            left = Binary(sign, left, self.expression(level + 1))
        return left

    def negative(self) -> Node:
        minus = 0
        while self.take("-"):
            minus += 1
        node = self.operand()
        if minus > DEPTH_LIMIT:
            raise self.fail("too_deep")
        for _ in range(minus):
            node = Negative(node)
        return node

    def operand(self) -> Node:
        kind, text, _ = self.tokens[self.at]
        if kind == "number":
            self.at += 1
            return Number(text)
        if kind == "text":
            self.at += 1
            return Text(text[1:-1])
        if kind == "ref":
            self.at += 1
            return Ref(text[2:-1].strip())
        if self.take("("):
            node = self.nested(0)
            self.expect(")")
            return node
        if kind == "name" and self.tokens[self.at + 1][:2] == ("sign", "("):
            return self.call()
        return self.path()

    def nested(self, level: int) -> Node:
        self.depth += 1
        if self.depth > DEPTH_LIMIT:
            raise self.fail("too_deep")
        node = self.expression(level)
        self.depth -= 1
        return node

    def call(self) -> Node:
        name = self.tokens[self.at][1]
        self.at += 2
        arguments: list[Node] = []
        if not self.take(")"):
            arguments.append(self.nested(0))
            while self.take(","):
                arguments.append(self.nested(0))
            self.expect(")")
        if name == "current" and not arguments:
            if self.take("/"):
                path = self.path()
                if not isinstance(path, Path) or path.absolute:
                    raise self.fail("bad_path")
                return Path(False, path.up, path.names, True)
            return Path(False, 0, (), True)
        return Call(name, tuple(arguments))

    def path(self) -> Node:
        if self.take("/"):
            return Path(True, 0, self.names())
        if self.take("."):
            if not self.take("/"):
                return Path(False, 0, ())
            return Path(False, 0, self.names())
        up = 0
        while self.take(".."):
            up += 1
            if not self.take("/"):
                return Path(False, up, ())
        return Path(False, up, self.names())

    def names(self) -> tuple[str, ...]:
        names = [self.name()]
        while self.take("/"):
            names.append(self.name())
        return tuple(names)

    def name(self) -> str:
        kind, text, _ = self.tokens[self.at]
        if kind != "name" or ":" in text:
            raise self.fail("ends_early" if kind == "end" else "expected_value")
        self.at += 1
        return text


@lru_cache(maxsize=4096)
def parse(text: str) -> Node:
    """The tree of an expression. Raises Unparsable."""
    if len(text) > LENGTH_LIMIT:
        raise Unparsable("too_long", LENGTH_LIMIT)
    reader = _Reader(text)
    node = reader.expression()
    if reader.tokens[reader.at][0] != "end":
        raise reader.fail("expected_operator")
    return node


def written(node: Node, level: int = 0) -> str:
    """The tree as text that `parse` turns into the same tree; brackets only where they are needed."""
    match node:
        case Number():
            return node.text
        case Text():
            return f'"{node.text}"' if "'" in node.text else f"'{node.text}'"
        case Ref():
            return f"${{{node.name}}}"
        case Path():
            return _written_path(node)
        case Call():
            return f"{node.name}({', '.join(written(each) for each in node.arguments)})"
        case Negative():
            return f"-{written(node.of, len(_LEVELS))}"
        case Binary():
            own = _LEVEL_OF[node.operator]
            text = f"{written(node.left, own)} {node.operator} {written(node.right, own + 1)}"
            return f"({text})" if own < level else text


def _written_path(path: Path) -> str:
    if path.absolute:
        return "/" + "/".join(path.names)
    steps = [".."] * path.up + list(path.names)
    if path.current:
        return "/".join(["current()", *steps])
    return "/".join(steps) if steps else "."
