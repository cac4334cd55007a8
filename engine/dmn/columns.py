"""Input columns of decision tables, indexed so that a table of a thousand rules is not read rule by rule."""

from __future__ import annotations

from decimal import Decimal

import feel
from engine.dmn.loading import tagged
from engine.dmn.outcome import DecisionWarning
from feel import nodes
from feel.runtime import Code, Scope
from feel.static_kinds import constant_number
from feel.types import Type, convert

_Key = tuple[type, object]
_Interval = tuple[Decimal | None, bool, Decimal | None, bool]
"""Low end (None if open), whether it belongs to the interval, high end, whether that does."""


INTERVALS_PER_STEP = 16


class Column:
    """One input: its expression, and for each rule the tests that its value has to pass.

    Sets of rules are bit masks, bit n being the n-th rule. Cells that only list strings, numbers or booleans are looked
    up in an index, and intervals of numbers compared directly; the other cells are evaluated, and only for rules that
    every column before has let through.
    """

    def __init__(
        self,
        label: str,
        expression: Code,
        type: Type | None,
        allowed: feel.Expression | None,
        element_id: str | None,
    ) -> None:
        self.label = label
        self._expression = expression
        self._type = type
        self._allowed = allowed
        self._element_id = element_id
        self._irrelevant = 0
        self._index: dict[_Key, int] = {}
        self._intervals: list[tuple[int, list[_Interval], Code]] = []
        self._tests: list[tuple[int, Code]] = []

    def add(self, number: int, tests: feel.Expression | None) -> None:
        """Adds the cell of a rule, in the order of the rules; None is a cell that no value passes."""
        bit = 1 << number
        if tests is None:
            return
        tree = tests.tree
        assert isinstance(tree, nodes.UnaryTests)
        if not tree.tests:
            self._irrelevant |= bit
            return
        intervals = [_interval(test) for test in tree.tests]
        literals = [test.value for test in tree.tests if isinstance(test, nodes.Literal)]
        if not tree.negated and len(literals) == len(tree.tests) and all(map(_is_simple, literals)):
            for literal in literals:
                key = (type(literal), literal)
                self._index[key] = self._index.get(key, 0) | bit
            return
        code = tagged(tests.run_in, self._element_id)
        numeric = [interval for interval in intervals if interval is not None]
        if not tree.negated and len(numeric) == len(intervals):
            self._intervals.append((bit, numeric, code))
        else:
            self._tests.append((bit, code))

    def value(self, scope: Scope) -> feel.Value:
        """The value of the column's expression, converted to its type where it can be."""
        value = self._expression(scope)
        converted, fits = convert(value, self._type)
        return converted if fits else value

    def allows(self, scope: Scope, value: feel.Value) -> bool:
        """Whether the value is one of those that the column's list of allowed values admits."""
        if self._allowed is None or self._allowed.run_in(Scope({"?": value}, scope, scope.run)) is True:
            return True
        message = f"the input {self.label} is {feel.shown(value)}, which is not one of its allowed values"
        scope.run.warnings.append(DecisionWarning(message, 0, self._element_id))
        return False

    def matching(self, scope: Scope, value: feel.Value, candidates: int) -> int:
        """Those of the candidates whose cells the value passes."""
        passed = candidates & self._irrelevant
        if _is_simple(value):
            passed |= candidates & self._index.get((type(value), value), 0)
        tests: list[tuple[int, Code]] = self._tests
        if type(value) is Decimal:
            scope.run.budget.spend(len(self._intervals) // INTERVALS_PER_STEP)
            for bit, intervals, _code in self._intervals:
                if candidates & bit and any(_holds(interval, value) for interval in intervals):
                    passed |= bit
        else:
            tests = [*tests, *((bit, code) for bit, _intervals, code in self._intervals)]
        return passed | self._evaluated(scope, value, candidates, tests)

    def _evaluated(self, scope: Scope, value: feel.Value, candidates: int, tests: list[tuple[int, Code]]) -> int:
        passed = 0
        inner = Scope({"?": value}, scope, scope.run)
        spend = scope.run.budget.spend
        for bit, test in tests:
            if candidates & bit:
                spend()
                if test(inner) is True:
                    passed |= bit
        return passed


def _is_simple(value: feel.Value) -> bool:
    return type(value) in (str, Decimal, bool)


def _holds(interval: _Interval, value: Decimal) -> bool:
    low, low_included, high, high_included = interval
    if low is not None and (value < low or (value == low and not low_included)):
        return False
    return high is None or value < high or (high_included and value == high)


def _interval(test: nodes.Node) -> _Interval | None:
    """The interval of numbers that a test spells out; None if it is another kind of test."""
    if isinstance(test, nodes.RangeLiteral):
        low, high = constant_number(test.low), constant_number(test.high)
        return None if low is None or high is None else (low, test.low_included, high, test.high_included)
    if isinstance(test, nodes.OperatorTest):
        limit = constant_number(test.endpoint)
        if limit is None or test.operator == "!=":
            return None
        if test.operator == "=":
            return limit, True, limit, True
        included = test.operator.endswith("=")
        return (None, False, limit, included) if test.operator[0] == "<" else (limit, included, None, False)
    number = constant_number(test)
    return None if number is None else (number, True, number, True)
