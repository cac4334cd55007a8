"""Tests against a value: the cells of decision tables, and the right side of `in`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from feel import nodes
from feel.comparison import compare, equal, matches
from feel.compiler.dispatch import compile_node, compiles
from feel.runtime import Code, Scope
from feel.values import Range, Value, shown

Test = Callable[[Scope, Value], "bool | None"]
INPUT = "?"
NODES_PER_STEP = 16
_WANTED = {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (0, 1)}


def compile_test(node: nodes.Node) -> Test:
    """The function that tells whether a value passes one test."""
    if isinstance(node, nodes.OperatorTest):
        return _operator_test(node)
    expected = compile_node(node)
    position = node.position
    is_range = isinstance(node, nodes.RangeLiteral)

    def membership(scope: Scope, value: Value) -> bool | None:
        wanted = expected(scope)
        if wanted is None and is_range:
            return None
        result = matches(value, wanted, scope.run.budget.spend)
        if result is None and value is not None:
            scope.run.warn(f"{shown(value)} cannot be tested against {shown(wanted)}", position)
        return result

    return membership


def _operator_test(node: nodes.OperatorTest) -> Test:
    endpoint = compile_node(node.endpoint)
    position = node.position
    if node.operator in ("=", "!="):
        negated = node.operator == "!="

        def equality(scope: Scope, value: Value) -> bool | None:
            result = equal(value, endpoint(scope), scope.run.budget.spend)
            return None if result is None else result is not negated

        return equality
    wanted = _WANTED[node.operator]

    def order(scope: Scope, value: Value) -> bool | None:
        limit = endpoint(scope)
        result = compare(value, limit)
        if result is None:
            scope.run.warn(f"{shown(value)} and {shown(limit)} have no order", position)
            return None
        return result in wanted

    return order


def _unary_test(node: nodes.Node) -> Test:
    """One entry of a cell: a boolean result counts as the answer when the entry speaks of the input itself."""
    if isinstance(node, nodes.OperatorTest):
        return _operator_test(node)
    expected = compile_node(node)
    speaks_of_input = any(isinstance(part, nodes.Name) and part.name == INPUT for part in walk(node))
    constant = isinstance(node, nodes.Literal)

    def test(scope: Scope, value: Value) -> bool | None:
        wanted = expected(scope)
        if type(wanted) is bool and (speaks_of_input or (not constant and type(value) is not bool)):
            return wanted
        return matches(value, wanted, scope.run.budget.spend)

    return test


def walk(node: nodes.Node) -> Iterator[nodes.Node]:
    """The node and all below it, without recursion."""
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        pending.extend(current.children())


def weight(node: nodes.Node) -> int:
    """The steps that evaluating a node counts for: one, and more for long ones."""
    return 1 + sum(1 for _ in walk(node)) // NODES_PER_STEP


def compile_unary_tests(node: nodes.UnaryTests) -> Code:
    """The function that tells whether the input, the variable `?`, passes a cell."""
    tests = [_unary_test(test) for test in node.tests]
    negated = node.negated
    read_input = compile_node(nodes.Name(0, INPUT))
    if not tests:
        return lambda _scope: True

    def passes(scope: Scope) -> bool | None:
        value = read_input(scope)
        result: bool | None = False
        for test in tests:
            outcome = test(scope, value)
            if outcome is True:
                return not negated
            if outcome is None:
                result = None
        if negated:
            # What cannot be compared with the tests is none of them.
            return None if result is None and value is None else True
        return result

    return passes


@compiles(nodes.OperatorTest)
def _half_open_range(node: nodes.OperatorTest) -> Code:
    """`(< 5)` as a value."""
    endpoint = compile_node(node.endpoint)
    operator, position = node.operator, node.position

    def interval(scope: Scope) -> Value:
        limit = endpoint(scope)
        if limit is None or operator == "!=":
            scope.run.warn(f"`{operator}` with {shown(limit)} is no range", position)
            return None
        if operator == "=":
            return Range(limit, limit, True, True, unary=True)
        if operator in ("<", "<="):
            return Range(None, limit, False, operator == "<=", unary=True)
        return Range(limit, None, operator == ">=", False, unary=True)

    return interval
