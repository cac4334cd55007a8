"""Makes random expressions: mostly sensible, sometimes greedy, sometimes no FEEL at all."""

from __future__ import annotations

import random
from typing import Any

import feel
from feel.builtins import SIGNATURES

CONTEXT: dict[str, Any] = feel.from_json(
    {
        "a": 1,
        "b": -2.5,
        "flag": True,
        "name": "张三 Li",
        "nothing": None,
        "list": [1, 2, 3, None, "x"],
        "items": [{"price": 80, "name": "oil"}, {"price": 320}, {"first name": "y", "price": None}],
        "total amount": 1e20,
        "nested": {"a": {"b": {"c": [1, [2, [3]]]}}},
    }
)

_LITERALS = (
    "0", "1", "-1", "2", "0.1", "1e6144", "1e-6143", "99999999999999999999999999999999999", "10", "100000",
    "true", "false",
    "null", '""', '"a"', '"张"', '"\\uD83D\\uDC0E"', '"(a+)+$"', '"aaaaaaaaaaaaaaaaaaaaaaaaaaaaab"', '"P1D"',
    '"2024-02-29"', '@"2024-02-29"', '@"23:59:59@Asia/Shanghai"', '@"2024-02-29T10:00:00Z"', '@"P1Y2M"', '@"-P3DT4H"',
    '@"nonsense"', '@"999999999-12-31"', '@"-999999999-01-01T00:00:00@Europe/Paris"',
    "[]", "{}", "[1..3]", "(< 5)", "]1..2[",
)  # fmt: skip
_NAMES = (
    "a",
    "b",
    "flag",
    "name",
    "nothing",
    "list",
    "items",
    "total amount",
    "nested",
    "missing",
    "item",
    "x",
    "y",
    "?",
)
_MEMBERS = (
    "price",
    "name",
    "first name",
    "a",
    "b",
    "c",
    "year",
    "hours",
    "start",
    "time offset",
    "__class__",
    "weekday",
)
_OPERATORS = ("+", "-", "*", "/", "**", "=", "!=", "<", "<=", ">", ">=", "and", "or", "+", "-", "*")
_TYPES = (
    "number",
    "string",
    "list<number>",
    "context<a: Any>",
    "function<number> -> Any",
    "range<number>",
    "nonsense",
    "list",
)
_FUNCTIONS = tuple(sorted(SIGNATURES))
_PIECES = (*_LITERALS, *_NAMES, *_OPERATORS, *_TYPES, *_FUNCTIONS, *"()[]{},:.@\"'`<>=!-", "..", "for", "in", "return",
           "if", "then", "else", "some", "every", "satisfies", "between", "instance of", "function", "external", "not(",
           "//", "/*", "*/", "\u3000", "，", "\0")  # fmt: skip


class Generator:
    """A stream of expressions that one seed decides."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def expression(self) -> str:
        """One expression."""
        if self.random.random() < 0.1:
            return self._soup()
        return self._node(self.random.randint(1, 5))

    def _soup(self) -> str:
        pieces = [self.random.choice(_PIECES) for _ in range(self.random.randint(1, 25))]
        return self.random.choice(("", " ")).join(pieces)

    def _node(self, depth: int) -> str:
        pick = self.random.choice
        if depth <= 0 or self.random.random() < 0.1:
            return pick(_LITERALS) if self.random.random() < 0.6 else pick(_NAMES)
        return str(pick(_FORMS)(self, depth - 1))

    def _binary(self, depth: int) -> str:
        return f"{self._node(depth)} {self.random.choice(_OPERATORS)} {self._node(depth)}"

    def _parentheses(self, depth: int) -> str:
        return f"({self._node(depth)})"

    def _negation(self, depth: int) -> str:
        return f"-{self._node(depth)}"

    def _path(self, depth: int) -> str:
        return f"({self._node(depth)}).{self.random.choice(_MEMBERS)}"

    def _filter(self, depth: int) -> str:
        return f"({self._node(depth)})[{self._node(depth)}]"

    def _call(self, depth: int) -> str:
        name = self.random.choice(_FUNCTIONS)
        signature = self.random.choice(SIGNATURES[name])
        count = max(0, len(signature.parameters) + self.random.choice((0, 0, 0, 0, -1, 1)))
        return f"{name}({', '.join(self._node(depth) for _ in range(count))})"

    def _list(self, depth: int) -> str:
        return f"[{', '.join(self._node(depth) for _ in range(self.random.randint(0, 4)))}]"

    def _context(self, depth: int) -> str:
        keys = self.random.sample(("a", "b", "x", '"a-b"', "first name"), self.random.randint(1, 3))
        return "{" + ", ".join(f"{key}: {self._node(depth)}" for key in keys) + "}"

    def _range(self, depth: int) -> str:
        return f"{self.random.choice('[(]')}{self._node(depth)}..{self._node(depth)}{self.random.choice('])[')}"

    def _if(self, depth: int) -> str:
        return f"if {self._node(depth)} then {self._node(depth)} else {self._node(depth)}"

    def _for(self, depth: int) -> str:
        source = self.random.choice((self._node(depth), "1..1000", "-3..3", "1..1000000000"))
        return f"for x in {source} return {self._node(depth)}"

    def _quantified(self, depth: int) -> str:
        word = self.random.choice(("some", "every"))
        return f"{word} x in {self._node(depth)}, y in {self._node(depth)} satisfies {self._node(depth)}"

    def _between(self, depth: int) -> str:
        return f"{self._node(depth)} between {self._node(depth)} and {self._node(depth)}"

    def _in(self, depth: int) -> str:
        test = self.random.choice((self._node(depth), f"({self._node(depth)}, < {self._node(depth)})"))
        return f"{self._node(depth)} in {test}"

    def _instance(self, depth: int) -> str:
        return f"({self._node(depth)}) instance of {self.random.choice(_TYPES)}"

    def _function(self, depth: int) -> str:
        body = self._node(depth)
        return self.random.choice(
            (
                f"(function(x, y) {body})({self._node(depth)}, {self._node(depth)})",
                f"{{f: function(x) f(x + 1) + {body}, r: f({self._node(depth)})}}.r",
                f"sort({self._node(depth)}, function(x, y) {body})",
            )
        )


_FORMS = (
    Generator._binary, Generator._binary, Generator._binary, Generator._parentheses, Generator._negation,
    Generator._path,
    Generator._filter, Generator._call, Generator._call, Generator._call, Generator._list, Generator._context,
    Generator._range, Generator._if, Generator._for, Generator._quantified, Generator._between, Generator._in,
    Generator._instance, Generator._function,
)  # fmt: skip
