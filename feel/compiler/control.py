"""`if`, `for`, `some` and `every`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal

from feel import nodes
from feel.comparison import compare
from feel.compiler.dispatch import compile_node, compiles
from feel.compiler.unary_tests import walk, weight
from feel.numbers import whole
from feel.runtime import Code, Run, Scope
from feel.temporal import Date
from feel.values import Range, Value, shown

PARTIAL = "partial"
_Level = tuple[str, Callable[[Scope], "Iterable[Value] | None"]]


@compiles(nodes.If)
def _if(node: nodes.If) -> Code:
    condition, yes, no = compile_node(node.condition), compile_node(node.yes), compile_node(node.no)
    return lambda scope: yes(scope) if condition(scope) is True else no(scope)


@compiles(nodes.For)
def _for(node: nodes.For) -> Code:
    levels = [_iteration(iteration) for iteration in node.iterations]
    uses_partial = any(isinstance(part, nodes.Name) and part.name == PARTIAL for part in walk(node))
    return _loop(levels, compile_node(node.body), uses_partial, weight(node.body))


def iterate_for(variable: str, source: Code, body: Code) -> Code:
    """A `for` made of code, as boxed iterators are."""
    return _loop([(variable, lambda scope: _iterable(scope.run, source(scope), 0))], body, True, 1)


def _loop(levels: list[_Level], body: Code, uses_partial: bool, steps: int) -> Code:
    def loop(scope: Scope) -> list[Value] | None:
        run = scope.run
        results: list[Value] = []
        start = Scope({PARTIAL: results}, scope, run) if uses_partial else scope
        turns = _turns(levels, start, 0)
        for inner in turns:
            if inner is None:
                return None
            if uses_partial:
                # A copy, because the body may keep it.
                run.budget.make_list(len(results))
                start.values[PARTIAL] = list(results)
            run.budget.spend(steps)
            results.append(body(inner))
            run.budget.make_list(1)
            if len(results) > run.budget.limits.list_size:
                run.budget.make_list(len(results))
        return results

    return loop


@compiles(nodes.Quantified)
def _quantified(node: nodes.Quantified) -> Code:
    levels = [_iteration(iteration) for iteration in node.iterations]
    return _quantification(node.quantifier, levels, compile_node(node.condition), False, weight(node.condition))


def iterate_quantified(quantifier: str, variable: str, source: Code, condition: Code) -> Code:
    """A `some` or `every` made of code, as boxed iterators are."""
    levels: list[_Level] = [(variable, lambda scope: _iterable(scope.run, source(scope), 0))]
    return _quantification(quantifier, levels, condition, True, 1)


def _quantification(quantifier: str, levels: list[_Level], condition: Code, strict: bool, steps: int) -> Code:
    """Strict, as boxed iterators are: one condition that is no boolean makes the whole null."""
    deciding = quantifier == "some"

    def quantified(scope: Scope) -> bool | None:
        result: bool | None = not deciding
        for inner in _turns(levels, scope, 0):
            if inner is None:
                return None
            scope.run.budget.spend(steps)
            outcome = condition(inner)
            if type(outcome) is not bool:
                result = None
                if strict:
                    return None
            elif outcome is deciding:
                result = deciding
                if not strict:
                    return deciding
        return result

    return quantified


def _turns(levels: list[_Level], scope: Scope, depth: int) -> Iterator[Scope | None]:
    """A scope for each turn of nested iterations; None when something is not a list."""
    variable, source = levels[depth]
    values = source(scope)
    if values is None:
        yield None
        return
    last = depth + 1 == len(levels)
    for value in values:
        scope.run.budget.spend()
        inner = Scope({variable: value}, scope, scope.run)
        if last:
            yield inner
        else:
            yield from _turns(levels, inner, depth + 1)


def _iteration(node: nodes.Iteration) -> _Level:
    source = compile_node(node.source)
    position = node.position
    if node.end is None:
        return node.variable, lambda scope: _iterable(scope.run, source(scope), position)
    end = compile_node(node.end)
    return node.variable, lambda scope: span(scope.run, source(scope), end(scope), position)


def _iterable(run: Run, value: Value, position: int) -> Iterable[Value] | None:
    if type(value) is list:
        return value
    if type(value) is Range:
        if value.start is None or value.end is None or compare(value.start, value.end) == 1:
            run.warn("the range has no end, or ends before it starts", position)
            return None
        return span(run, value.start, value.end, position, value.start_included, value.end_included)
    if value is None:
        run.warn("what should be iterated over is null", position)
        return None
    return [value]


def span(
    run: Run, start: Value, end: Value, position: int, start_included: bool = True, end_included: bool = True
) -> Iterable[Value] | None:
    """The whole numbers, or days, from one to another, upward or downward; None when these are neither."""
    if isinstance(start, Decimal) and isinstance(end, Decimal):
        first, last = whole(start), whole(end)
        if first is not None and last is not None:
            return map(Decimal, _places(run, first, last, start_included, end_included))
    elif isinstance(start, Date) and isinstance(end, Date):
        places = _places(run, start.ordinal, end.ordinal, start_included, end_included)
        return map(Date.from_ordinal, places)
    run.warn(f"nothing can be counted from {shown(start)} to {shown(end)}", position)
    return None


def _places(run: Run, first: int, last: int, start_included: bool, end_included: bool) -> range:
    step = 1 if last >= first else -1
    if abs(last - first) >= run.budget.limits.steps:
        run.budget.spend(run.budget.limits.steps + 1)
    return range(first if start_included else first + step, last + step if end_included else last, step)
