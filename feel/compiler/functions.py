"""Calls, and functions written as values."""

from __future__ import annotations

from feel import nodes
from feel.compiler.dispatch import compile_node, compiles
from feel.compiler.unary_tests import weight
from feel.durations import parse_duration
from feel.runtime import BUILT_INS, Code, Run, Scope
from feel.temporal import parse_date, parse_date_time, parse_time
from feel.types import Type, convert, resolve, unknown_type
from feel.values import BuiltIn, Function, Value, shown

_MISSING = object()


@compiles(nodes.FunctionLiteral)
def _function(node: nodes.FunctionLiteral) -> Code:
    body = compile_node(node.body)
    parameters, type_nodes, position = node.parameters, node.types, node.position
    steps = weight(node.body)

    def make(scope: Scope) -> Function | None:
        run = scope.run
        if node.external:
            run.warn("external functions run code outside FEEL, which is not allowed here", position)
            return None
        types: list[Type | None] = []
        for type_node in type_nodes:
            resolved = None if type_node is None else resolve(type_node, run.environment.types)
            if type_node is not None and resolved is None:
                run.warn(unknown_type(type_node), type_node.position)
                return None
            types.append(resolved)

        def invoke(caller: Run, arguments: list[Value]) -> Value:
            values = dict(zip(parameters, arguments, strict=True))
            caller.budget.spend(steps)
            return body(Scope(values, scope, caller))

        return Function(parameters, invoke, tuple(types))

    return make


@compiles(nodes.Call)
def _call(node: nodes.Call) -> Code:
    arguments = [compile_node(argument) for argument in node.arguments]
    names, position = node.names, node.position
    called = node.callee.name if isinstance(node.callee, nodes.Name) else None
    callee = _named_function(node.callee) if isinstance(node.callee, nodes.Name) else compile_node(node.callee)

    constant = _constant_conversion(node)

    def call(scope: Scope) -> Value:
        function = callee(scope)
        run = scope.run
        if constant is not None and function is constant[0]:
            return constant[1]
        values = [argument(scope) for argument in arguments]
        run.position = position
        if function is None and called is not None and not scope.knows(called):
            run.warn(f"there is no function `{called}`", position)
            return None
        return call_function(run, function, values, names)

    return call


_CONVERSIONS = {
    "date": parse_date,
    "time": parse_time,
    "date and time": parse_date_time,
    "duration": parse_duration,
}


def _constant_conversion(node: nodes.Call) -> tuple[Function, Value] | None:
    """For `date("2024-02-29")` and its like the built-in function with its value, so that the text is read once."""
    if not isinstance(node.callee, nodes.Name) or node.names or len(node.arguments) != 1:
        return None
    conversion, argument = _CONVERSIONS.get(node.callee.name), node.arguments[0]
    if conversion is None or not isinstance(argument, nodes.Literal) or not isinstance(argument.value, str):
        return None
    value = conversion(argument.value)
    return None if value is None else (BUILT_INS[node.callee.name], value)


def _named_function(node: nodes.Name) -> Code:
    """A name before parentheses means a function, even where a variable of that name holds something else.

    But an inner name that is null hides a built-in function: it may be a function that could not be made.
    """
    name = node.name
    read = compile_node(node)

    def find(scope: Scope) -> Value:
        level: Scope | None = scope
        while level is not None:
            value = level.values.get(name, _MISSING)
            if isinstance(value, Function) or (value is None and level.parent is not None):
                return value
            level = level.parent
        function = scope.run.function(name)
        return read(scope) if function is None and scope.knows(name) else function

    return find


def call_function(run: Run, function: Value, arguments: list[Value], names: tuple[str, ...] = ()) -> Value:
    """Calls any FEEL function with positional arguments, or named ones if names are given."""
    run.budget.spend()
    if type(function) is BuiltIn:
        return function.call(run, arguments, names)
    if not isinstance(function, Function):
        run.warn(f"{shown(function)} is not a function")
        return None
    ordered = _in_order(run, function, arguments, names)
    if ordered is None:
        return None
    for index, target in enumerate(function.types):
        ordered[index], fits = convert(ordered[index], target)
        if not fits:
            run.warn(f"{function.name}: argument `{function.parameters[index]}` is not a {target}")
            return None
    run.budget.enter_call()
    try:
        result = function.invoke(run, ordered)
    finally:
        run.budget.depth -= 1
    if function.result is not None:
        result, fits = convert(result, function.result)
        if not fits:
            run.warn(f"{function.name}: the result is not a {function.result}")
    return result


def _in_order(run: Run, function: Function, arguments: list[Value], names: tuple[str, ...]) -> list[Value] | None:
    parameters = function.parameters
    if names:
        unknown = [name for name in names if name not in parameters]
        if unknown or len(set(names)) < len(names):
            run.warn(
                f"{function.name} has no parameter `{(unknown or list(names))[0]}`; it has {', '.join(parameters)}"
            )
            return None
        by_name = dict(zip(names, arguments, strict=True))
        return [by_name.get(parameter) for parameter in parameters]
    if len(arguments) != len(parameters):
        run.warn(f"{function.name} takes {len(parameters)} arguments, not {len(arguments)}")
        return None
    return list(arguments)
