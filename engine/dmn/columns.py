"""Input columns of decision tables, indexed so that a table of a thousand rules is not read rule by rule."""

from __future__ import annotations

from decimal import Decimal

import feel
from engine.dmn.loading import tagged
from engine.dmn.outcome import DecisionWarning
from feel import nodes
from feel.runtime import Code, Scope
from feel.types import Type, convert

_Key = tuple[type, object]


class Column:
    """One input: its expression, and for each rule the tests that its value has to pass.

    Sets of rules are bit masks, bit n being the n-th rule. Cells that only list strings, numbers or booleans are looked
    up in an index; the others are evaluated, and only for rules that every column before has let through.
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
        literals = [test.value for test in tree.tests if isinstance(test, nodes.Literal)]
        if not tree.negated and len(literals) == len(tree.tests) and all(map(_is_simple, literals)):
            for literal in literals:
                key = (type(literal), literal)
                self._index[key] = self._index.get(key, 0) | bit
        else:
            self._tests.append((bit, tagged(tests.run_in, self._element_id)))

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
        inner = Scope({"?": value}, scope, scope.run)
        spend = scope.run.budget.spend
        for bit, test in self._tests:
            if candidates & bit:
                spend()
                if test(inner) is True:
                    passed |= bit
        return passed


def _is_simple(value: feel.Value) -> bool:
    return type(value) in (str, Decimal, bool)
