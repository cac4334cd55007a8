"""Conditions that no value can fulfil: `x > 5 and x < 3`, `between 9 and 1`, `in [9..1]`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from feel import nodes
from feel.comparison import compare, equal
from feel.static_kinds import constant_number
from feel.values import Value, shown

_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}


@dataclass(slots=True)
class _Bounds:
    """What the parts of a conjunction so far demand of one value."""

    low: tuple[Decimal, bool] | None = None
    high: tuple[Decimal, bool] | None = None
    equals: list[Value] = field(default_factory=list)

    def add(self, operator: str, value: Value) -> None:
        if operator == "=":
            self.equals.append(value)
        elif isinstance(value, Decimal) and operator in (">", ">="):
            bound = (value, operator == ">")
            self.low = bound if self.low is None or bound > self.low else self.low
        elif isinstance(value, Decimal):
            # Sorted so that of two equal bounds the one that excludes its end is the stricter.
            bound = (value, operator != "<")
            self.high = bound if self.high is None or bound < self.high else self.high

    @property
    def impossible(self) -> bool:
        if any(equal(value, self.equals[0]) is not True for value in self.equals[1:]):
            return True
        if self.low is not None and self.high is not None:
            (low, low_excluded), (high, high_included) = self.low, self.high
            if low > high or (low == high and (low_excluded or not high_included)):
                return True
        return any(isinstance(value, Decimal) and not self._holds(value) for value in self.equals)

    def _holds(self, value: Decimal) -> bool:
        if self.low is not None and (value < self.low[0] or (value == self.low[0] and self.low[1])):
            return False
        return not (self.high is not None and (value > self.high[0] or (value == self.high[0] and not self.high[1])))


def impossible_conjunctions(node: nodes.Logic) -> Iterator[tuple[int, str]]:
    """Where the parts of an `and` demand of one variable what no value can fulfil."""
    bounds: dict[str, _Bounds] = {}
    for part in node.operands:
        if not isinstance(part, nodes.Comparison):
            continue
        for subject, constant, operator in (
            (part.left, part.right, part.operator),
            (part.right, part.left, _MIRRORED.get(part.operator, "")),
        ):
            name = _path(subject)
            known, value = _constant(constant)
            if name is None or not known or operator not in _MIRRORED:
                continue
            demanded = bounds.setdefault(name, _Bounds())
            demanded.add(operator, value)
            if demanded.impossible:
                yield part.position, f"no value of `{name}` fulfils all of this"
                bounds[name] = _Bounds()


def _path(node: nodes.Node) -> str | None:
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Path):
        source = _path(node.source)
        return None if source is None else f"{source}.{node.member}"
    return None


def _constant(node: nodes.Node) -> tuple[bool, Value]:
    if isinstance(node, nodes.Literal) and node.value is not None:
        return True, node.value
    number = constant_number(node)
    return number is not None, number


def impossible_test(node: nodes.Between | nodes.In | nodes.UnaryTests) -> Iterator[tuple[int, str]]:
    """Where a test names a range that holds nothing."""
    if isinstance(node, nodes.Between):
        yield from _empty(node.position, node.low, node.high, True)
        return
    for test in node.tests:
        if isinstance(test, nodes.RangeLiteral):
            yield from _empty(test.position, test.low, test.high, test.low_included and test.high_included)


def _empty(position: int, low: nodes.Node, high: nodes.Node, closed: bool) -> Iterator[tuple[int, str]]:
    (low_known, lowest), (high_known, highest) = _constant(low), _constant(high)
    if not (low_known and high_known):
        return
    order = compare(lowest, highest)
    if order is None or order > 0 or (order == 0 and not closed):
        yield position, f"nothing lies between {shown(lowest)} and {shown(highest)}"
