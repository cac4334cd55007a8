"""Variables, members and filters."""

from __future__ import annotations

from decimal import Decimal

from feel import nodes
from feel.compiler.dispatch import compile_node, compiles
from feel.compiler.unary_tests import weight
from feel.members import member_of
from feel.numbers import whole
from feel.runtime import Code, Run, Scope
from feel.values import Value, shown

_MISSING = object()


@compiles(nodes.Name)
def _name(node: nodes.Name) -> Code:
    name, position = node.name, node.position
    missing = _MISSING

    def read(scope: Scope) -> Value:
        level: Scope | None = scope
        while level is not None:
            value = level.values.get(name, missing)
            if value is not missing:
                return value
            level = level.parent
        return scope.run.variable(name, position)

    return read


@compiles(nodes.Path)
def _path(node: nodes.Path) -> Code:
    source = compile_node(node.source)
    member, position = node.member, node.position
    missing = _MISSING

    def path(scope: Scope) -> Value:
        value = source(scope)
        if type(value) is dict:
            found = value.get(member, missing)
            if found is not missing:
                return found
        return member_of(scope.run, value, member, position)

    return path


@compiles(nodes.Filter)
def _filter(node: nodes.Filter) -> Code:
    source = compile_node(node.source)
    position = node.position
    index = _constant_index(node.predicate)
    if index is not None:

        def item_at(scope: Scope) -> Value:
            return _at(scope.run, _as_list(source(scope)), index, position)

        return item_at
    predicate = compile_node(node.predicate)

    steps = weight(node.predicate)
    return lambda scope: apply_filter(scope, source(scope), predicate, position, steps)


def apply_filter(scope: Scope, value: Value, predicate: Code, position: int, steps: int = 1) -> Value:
    """The items for which the predicate is true, or the item at the place that it tells."""
    items = _as_list(value)
    run = scope.run
    if not items:
        first = predicate(Scope({"item": None}, scope, run))
        return _at(run, items, first, position) if isinstance(first, Decimal) else []
    kept: list[Value] = []
    for number, item in enumerate(items):
        run.budget.spend(steps)
        level = Scope({"item": item}, scope, run)
        outcome = predicate(Scope(item, level, run) if type(item) is dict else level)
        if outcome is True:
            kept.append(item)
        elif number == 0 and isinstance(outcome, Decimal):
            return _at(run, items, outcome, position)
        elif outcome is not None and outcome is not False:
            run.warn(f"a filter must give a boolean or a number, not {shown(outcome)}", position)
            return None
    run.budget.make_list(len(kept))
    return kept


def _as_list(value: Value) -> list[Value]:
    if type(value) is list:
        return value
    return [] if value is None else [value]


def _constant_index(node: nodes.Node) -> Decimal | None:
    if isinstance(node, nodes.Literal) and isinstance(node.value, Decimal):
        return node.value
    if isinstance(node, nodes.Negation):
        positive = _constant_index(node.operand)
        return None if positive is None else -positive
    return None


def _at(run: Run, items: list[Value], index: Decimal, position: int) -> Value:
    """The item at a place counted from 1, or from the end with negative numbers; null where there is none."""
    place = whole(index)
    if place is None or place == 0 or abs(place) > len(items):
        run.warn(f"there is no item {index} in a list of {len(items)}", position)
        return None
    return items[place - 1 if place > 0 else place]
