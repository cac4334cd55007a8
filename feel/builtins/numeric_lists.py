"""Sums and statistics (DMN 1.5, table 75)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from feel.arithmetic import OPERATIONS
from feel.builtins.registry import builtin
from feel.durations import DaysTimeDuration, YearsMonthsDuration
from feel.numbers import CONTEXT, WIDE, finite
from feel.runtime import Run
from feel.values import Value, shown

_ADDABLE = (Decimal, YearsMonthsDuration, DaysTimeDuration)
_Statistic = Callable[[Run, list[Value]], Value]


def _statistic(name: str) -> Callable[[_Statistic], _Statistic]:
    """Declares a function that takes a list, or its elements as arguments."""

    def register(function: _Statistic) -> _Statistic:
        def checked(run: Run, items: list[Value]) -> Value:
            run.budget.spend(len(items))
            first = type(items[0]) if items else Decimal
            for item in items:
                if not isinstance(item, _ADDABLE) or type(item) is not first:
                    return run.null(f"{name}: {shown(item)} is not a number")
            return function(run, items)

        @builtin(name, "list: list")
        def of_list(run: Run, items: list[Value]) -> Value:
            return checked(run, items)

        @builtin(name, "...list: any")
        def of_arguments(run: Run, *items: Value) -> Value:
            return checked(run, list(items))

        return function

    return register


def _combined(run: Run, items: list[Value], operator: str) -> Value:
    total = items[0]
    operations = OPERATIONS[operator]
    for item in items[1:]:
        operation = operations.get((type(total), type(item)))
        if operation is None:
            return run.null("the result is too large")
        total = operation(run, total, item)
    return total


def _numbers_only(run: Run, items: list[Value]) -> bool:
    if all(isinstance(item, Decimal) for item in items):
        return True
    run.warn("durations cannot be used here")
    return False


@_statistic("sum")
def total(run: Run, items: list[Value]) -> Value:
    """The sum of numbers or durations; null of nothing."""
    return _combined(run, items, "+") if items else None


@_statistic("product")
def product(run: Run, items: list[Value]) -> Value:
    """The product of numbers; null of nothing."""
    return _combined(run, items, "*") if items and _numbers_only(run, items) else None


@_statistic("mean")
def mean(run: Run, items: list[Value]) -> Value:
    """The arithmetic mean of numbers or durations; null of nothing."""
    if not items:
        return None
    summed = _combined(run, items, "+")
    operation = OPERATIONS["/"].get((type(summed), Decimal))
    return None if operation is None else operation(run, summed, Decimal(len(items)))


@_statistic("median")
def median(run: Run, items: list[Value]) -> Value:
    """The middle number, or the mean of the two in the middle; null of nothing."""
    if not items or not _numbers_only(run, items):
        return None
    ordered = sorted(items)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return finite(CONTEXT.divide(CONTEXT.add(ordered[middle - 1], ordered[middle]), Decimal(2)))


@_statistic("stddev")
def standard_deviation(run: Run, items: list[Value]) -> Value:
    """The standard deviation of a sample; null of fewer than two numbers."""
    if len(items) < 2 or not _numbers_only(run, items):
        return None
    average = WIDE.divide(_wide_sum(items), Decimal(len(items)))
    squares = [WIDE.power(WIDE.subtract(item, average), 2) for item in items]
    return finite(CONTEXT.plus(WIDE.sqrt(WIDE.divide(_wide_sum(squares), Decimal(len(items) - 1)))))


def _wide_sum(items: list[Decimal]) -> Decimal:
    result = Decimal(0)
    for item in items:
        result = WIDE.add(result, item)
    return result


@_statistic("mode")
def mode(run: Run, items: list[Value]) -> Value:
    """The numbers that stand most often, in ascending order."""
    if not _numbers_only(run, items):
        return None
    counts: dict[Decimal, int] = {}
    for item in items:
        counts[item] = counts.get(item, 0) + 1
    most = max(counts.values(), default=0)
    return sorted(number for number, times in counts.items() if times == most)
