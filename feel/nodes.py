"""The syntax tree. Every node knows its position (offset in the text), for warnings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One node; `position` is the offset of its first character in code points."""

    position: int

    def children(self) -> Iterator[Node]:
        """The nodes directly below, in the order they are written."""
        for name in _parts_of(type(self)):
            value = getattr(self, name)
            if isinstance(value, Node):
                yield value
            elif isinstance(value, tuple):
                yield from _nodes_in(value)


_PARTS: dict[type, tuple[str, ...]] = {}


def _parts_of(cls: type[Node]) -> tuple[str, ...]:
    """The names of the fields that may hold nodes."""
    if cls not in _PARTS:
        _PARTS[cls] = tuple(field.name for field in fields(cls) if field.name != "position")
    return _PARTS[cls]


def _nodes_in(values: tuple[Any, ...]) -> Iterator[Node]:
    for value in values:
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            yield from _nodes_in(value)


@dataclass(frozen=True, slots=True, eq=False)
class Literal(Node):
    """A number, string, boolean, null, or an @-literal: its value."""

    value: object


@dataclass(frozen=True, slots=True, eq=False)
class InvalidLiteral(Node):
    """An @-literal whose text is no temporal value: null."""

    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Name(Node):
    """A variable."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Path(Node):
    """`source.member`."""

    source: Node
    member: str


@dataclass(frozen=True, slots=True, eq=False)
class Filter(Node):
    """`source[predicate]`."""

    source: Node
    predicate: Node


@dataclass(frozen=True, slots=True, eq=False)
class Call(Node):
    """`callee(arguments)`; `names` is empty when the arguments are positional."""

    callee: Node
    arguments: tuple[Node, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Negation(Node):
    """`-operand`."""

    operand: Node


@dataclass(frozen=True, slots=True, eq=False)
class Arithmetic(Node):
    """`first op operand op operand ...`, of one precedence level, left to right; `positions` of the operators."""

    first: Node
    operators: tuple[str, ...]
    operands: tuple[Node, ...]
    positions: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Logic(Node):
    """`a and b and ...` or `a or b or ...`."""

    operator: str
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Comparison(Node):
    """`left op right` with one of = != < <= > >=."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True, eq=False)
class Between(Node):
    """`value between low and high`."""

    value: Node
    low: Node
    high: Node


@dataclass(frozen=True, slots=True, eq=False)
class In(Node):
    """`value in test` or `value in (test, test)`."""

    value: Node
    tests: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class OperatorTest(Node):
    """`< endpoint` and its like: a half-open range, or in unary tests and after `in` a comparison with the input."""

    operator: str
    endpoint: Node


@dataclass(frozen=True, slots=True, eq=False)
class InstanceOf(Node):
    """`value instance of type`."""

    value: Node
    type: TypeNode


@dataclass(frozen=True, slots=True, eq=False)
class If(Node):
    """`if condition then yes else no`."""

    condition: Node
    yes: Node
    no: Node


@dataclass(frozen=True, slots=True, eq=False)
class Iteration(Node):
    """`variable in source`, or `variable in source..end`."""

    variable: str
    source: Node
    end: Node | None


@dataclass(frozen=True, slots=True, eq=False)
class For(Node):
    """`for iterations return body`."""

    iterations: tuple[Iteration, ...]
    body: Node


@dataclass(frozen=True, slots=True, eq=False)
class Quantified(Node):
    """`some|every iterations satisfies condition`; `quantifier` is "some" or "every"."""

    quantifier: str
    iterations: tuple[Iteration, ...]
    condition: Node


@dataclass(frozen=True, slots=True, eq=False)
class ListLiteral(Node):
    """`[a, b]`."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ContextLiteral(Node):
    """`{key: value}`."""

    keys: tuple[str, ...]
    values: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class RangeLiteral(Node):
    """`[low..high]` and its open forms."""

    low: Node
    high: Node
    low_included: bool
    high_included: bool


@dataclass(frozen=True, slots=True, eq=False)
class FunctionLiteral(Node):
    """`function(a: number, b) body`; an external one has no meaning here and is null."""

    parameters: tuple[str, ...]
    types: tuple[TypeNode | None, ...]
    body: Node
    external: bool


@dataclass(frozen=True, slots=True, eq=False)
class TypeNode(Node):
    """A type: a name, or list<T>, range<T>, context<k: T>, function<T, T> -> T (the last argument is the result)."""

    name: str
    arguments: tuple[TypeNode, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class UnaryTests(Node):
    """A cell of a decision table: its tests, any of which has to hold, or with `negated` none; no tests means `-`."""

    tests: tuple[Node, ...]
    negated: bool
