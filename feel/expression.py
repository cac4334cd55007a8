"""Parsed expressions, ready to be evaluated any number of times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from feel import builtins, nodes
from feel.compiler import compile_node, compile_unary_tests
from feel.environment import Environment
from feel.errors import FeelLimitExceeded, FeelSyntaxError
from feel.names import known_names
from feel.parser import Parser
from feel.runtime import BUILT_INS, Code, Run, Scope, Warning
from feel.values import Value
from feel.variables import free_names

CACHE_SIZE = 4096
assert builtins.FUNCTIONS is BUILT_INS  # imported, so that the functions are there


@dataclass(frozen=True, slots=True)
class Result:
    """What an evaluation gave, and why parts of it became null."""

    value: Value
    warnings: list[Warning]


class Expression:
    """One parsed expression; the same object serves any number of evaluations, also in several threads."""

    __slots__ = ("_code", "text", "tree", "variables")

    def __init__(self, text: str, tree: nodes.Node, code: Code) -> None:
        self.text = text
        self.tree = tree
        self._code = code
        self.variables: frozenset[str] = frozenset(
            name.name for name in free_names(tree) if name.name != "?" and name.name not in BUILT_INS
        )
        """The names of the variables that it reads from its context (inside a filter also those of the items)."""

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    def evaluate(self, context: Mapping[str, object] | None = None, environment: Environment | None = None) -> Result:
        """The value with these variables; raises FeelLimitExceeded when it takes too much."""
        run = Run({} if context is None else context, Environment() if environment is None else environment)
        value = self.run(run)
        run.budget.check_result(value)
        return Result(value, run.warnings)

    def run(self, run: Run) -> Value:
        """The value within an evaluation that is under way, sharing its budget and warnings."""
        return self.run_in(Scope(run.values, None, run))

    def run_in(self, scope: Scope) -> Value:
        """The value in a scope of an evaluation that is under way."""
        try:
            return self._code(scope)
        except RecursionError:
            raise FeelLimitExceeded("depth", "the expression or its values are nested too deeply") from None


def parse(text: str, names: Iterable[str] = ()) -> Expression:
    """Parses an expression; `names` are known variables and members, needed only for those with symbols or keywords.

    Results are cached. Raises FeelSyntaxError.
    """
    return _parse(text, frozenset(names))


def parse_unary_tests(text: str, names: Iterable[str] = ()) -> Expression:
    """Parses the input entry of a decision table, which tests the variable `?`; the same rules as `parse`."""
    return _parse_unary_tests(text, frozenset(names))


@lru_cache(maxsize=CACHE_SIZE)
def _parse(text: str, names: frozenset[str]) -> Expression:
    try:
        tree = Parser(text, known_names(names)).parse_expression()
        return Expression(text, tree, compile_node(tree))
    except RecursionError:
        raise FeelSyntaxError.at(text, 0, "the expression is nested too deeply") from None


@lru_cache(maxsize=CACHE_SIZE)
def _parse_unary_tests(text: str, names: frozenset[str]) -> Expression:
    try:
        tree = Parser(text, known_names(names)).parse_unary_tests()
        return Expression(text, tree, compile_unary_tests(tree))
    except RecursionError:
        raise FeelSyntaxError.at(text, 0, "the tests are nested too deeply") from None
