"""Lists, contexts and ranges written out."""

from __future__ import annotations

from feel import nodes
from feel.comparison import compare
from feel.compiler.dispatch import compile_node, compiles
from feel.runtime import Code, Scope
from feel.static_kinds import constant_number
from feel.values import Range, Value, shown


@compiles(nodes.ListLiteral)
def _list(node: nodes.ListLiteral) -> Code:
    items = [compile_node(item) for item in node.items]

    def values(scope: Scope) -> list[Value]:
        scope.run.budget.make_list(len(items))
        return [item(scope) for item in items]

    return values


@compiles(nodes.ContextLiteral)
def _context(node: nodes.ContextLiteral) -> Code:
    entries = [(key, compile_node(value)) for key, value in zip(node.keys, node.values, strict=True)]
    duplicate = len(set(node.keys)) < len(node.keys)
    position = node.position

    def context(scope: Scope) -> dict[str, Value] | None:
        run = scope.run
        if duplicate:
            run.warn("a key stands twice in the context", position)
            return None
        run.budget.make_list(len(entries))
        result: dict[str, Value] = {}
        inner = Scope(result, scope, run)
        for key, value in entries:
            result[key] = value(inner)
        return result

    return context


@compiles(nodes.RangeLiteral)
def _range(node: nodes.RangeLiteral) -> Code:
    low, high = compile_node(node.low), compile_node(node.high)
    low_included, high_included, position = node.low_included, node.high_included, node.position
    first, last = constant_number(node.low), constant_number(node.high)
    if first is not None and last is not None:
        constant = Range(first, last, low_included, high_included)
        return lambda _scope: constant

    def interval(scope: Scope) -> Range | None:
        start, end = low(scope), high(scope)
        if type(start) is not type(end) or compare(start, end) is None:
            scope.run.warn(f"{shown(start)} and {shown(end)} are not the ends of a range", position)
            return None
        return Range(start, end, low_included, high_included)

    return interval
