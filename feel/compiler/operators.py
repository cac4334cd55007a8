"""Arithmetic, comparison, logic, `between`, `in` and `instance of`."""

from __future__ import annotations

from decimal import Decimal

from feel import nodes
from feel.arithmetic import OPERATIONS, negate
from feel.comparison import compare, equal
from feel.compiler.dispatch import compile_node, compiles
from feel.compiler.unary_tests import compile_test
from feel.numbers import CONTEXT
from feel.runtime import Code, Run, Scope
from feel.types import instance_of, resolve, unknown_type
from feel.values import Value, shown

_VERBS = {"+": "added to", "-": "subtracted from", "*": "multiplied by", "/": "divided by", "**": "raised to"}


@compiles(nodes.Literal)
def _literal(node: nodes.Literal) -> Code:
    value = node.value
    return lambda _scope: value


@compiles(nodes.InvalidLiteral)
def _invalid_literal(node: nodes.InvalidLiteral) -> Code:
    message, position = invalid_literal(node.text), node.position

    def null(scope: Scope) -> None:
        scope.run.warn(message, position)

    return null


def invalid_literal(text: str) -> str:
    """Why an @-literal is null."""
    return f'@"{text[:60]}" is no date, time, date and time or duration'


@compiles(nodes.Negation)
def _negation(node: nodes.Negation) -> Code:
    if isinstance(node.operand, nodes.Literal) and isinstance(node.operand.value, Decimal):
        value = negate(node.operand.value)
        return lambda _scope: value
    operand = compile_node(node.operand)
    position = node.position

    def negation(scope: Scope) -> Value:
        value = operand(scope)
        result = negate(value)
        if result is None:
            scope.run.warn(f"{shown(value)} has no negative", position)
        return result

    return negation


@compiles(nodes.Arithmetic)
def _arithmetic(node: nodes.Arithmetic) -> Code:
    if len(node.operators) == 1:
        return _binary(compile_node(node.first), node.operators[0], compile_node(node.operands[0]), node.positions[0])
    first = compile_node(node.first)
    steps = [
        (OPERATIONS[operator], operator, compile_node(operand), position)
        for operator, operand, position in zip(node.operators, node.operands, node.positions, strict=True)
    ]

    def chain(scope: Scope) -> Value:
        value = first(scope)
        for operations, operator, operand, position in steps:
            right = operand(scope)
            operation = operations.get((type(value), type(right)))
            if operation is None:
                value = _impossible(scope.run, value, operator, right, position)
            else:
                scope.run.position = position
                value = operation(scope.run, value, right)
        return value

    return chain


def _binary(left: Code, operator: str, right: Code, position: int) -> Code:
    operations = OPERATIONS[operator]
    fast = {"+": CONTEXT.add, "-": CONTEXT.subtract, "*": CONTEXT.multiply}.get(operator)

    def binary(scope: Scope) -> Value:
        a = left(scope)
        b = right(scope)
        if fast is not None and type(a) is Decimal and type(b) is Decimal:
            result = fast(a, b)
            if result.is_finite():
                return result
            scope.run.warn("the number is too large", position)
            return None
        operation = operations.get((type(a), type(b)))
        if operation is None:
            return _impossible(scope.run, a, operator, b, position)
        scope.run.position = position
        return operation(scope.run, a, b)

    return binary


def _impossible(run: Run, left: Value, operator: str, right: Value, position: int) -> Value:
    if operator == "-":
        left, right = right, left
    run.warn(f"{shown(left)} cannot be {_VERBS[operator]} {shown(right)}", position)
    return None


@compiles(nodes.Logic)
def _logic(node: nodes.Logic) -> Code:
    operands = [compile_node(operand) for operand in node.operands]
    deciding: bool = node.operator == "or"
    neutral: bool = not deciding

    def logic(scope: Scope) -> bool | None:
        result: bool | None = neutral
        for operand in operands:
            value: Value = operand(scope)
            if value is deciding:
                return not neutral
            if value is not neutral:
                result = None
        return result

    return logic


@compiles(nodes.Comparison)
def _comparison(node: nodes.Comparison) -> Code:
    left, right = compile_node(node.left), compile_node(node.right)
    position, operator = node.position, node.operator
    if operator in ("=", "!="):
        negated = operator == "!="

        def equality(scope: Scope) -> bool | None:
            a, b = left(scope), right(scope)
            result = equal(a, b, scope.run.budget.spend)
            if result is None:
                scope.run.warn(f"{shown(a)} and {shown(b)} cannot be compared", position)
                return None
            return result is not negated

        return equality
    return _order(left, operator, right, position)


def _order(left: Code, operator: str, right: Code, position: int) -> Code:
    wanted = {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (0, 1)}[operator]

    def order(scope: Scope) -> bool | None:
        a, b = left(scope), right(scope)
        result = compare(a, b)
        if result is None:
            scope.run.warn(f"{shown(a)} and {shown(b)} have no order", position)
            return None
        return result in wanted

    return order


@compiles(nodes.Between)
def _between(node: nodes.Between) -> Code:
    value, low, high = compile_node(node.value), compile_node(node.low), compile_node(node.high)
    position = node.position

    def between(scope: Scope) -> bool | None:
        tested, lowest, highest = value(scope), low(scope), high(scope)
        from_low, to_high = compare(tested, lowest), compare(tested, highest)
        if from_low is None or to_high is None:
            scope.run.warn(f"{shown(tested)} has no order with {shown(lowest)} and {shown(highest)}", position)
            return None
        return from_low >= 0 and to_high <= 0

    return between


@compiles(nodes.In)
def _in(node: nodes.In) -> Code:
    value = compile_node(node.value)
    tests = [compile_test(test) for test in node.tests]

    def contained(scope: Scope) -> bool | None:
        tested = value(scope)
        result: bool | None = False
        for test in tests:
            outcome = test(scope, tested)
            if outcome is True:
                return True
            if outcome is None:
                result = None
        return result

    return contained


@compiles(nodes.InstanceOf)
def _instance_of(node: nodes.InstanceOf) -> Code:
    value = compile_node(node.value)
    type_node, position = node.type, node.position

    def instance(scope: Scope) -> bool | None:
        target = resolve(type_node, scope.run.environment.types)
        if target is None:
            scope.run.warn(unknown_type(type_node), position)
            return None
        return instance_of(value(scope), target)

    return instance
