"""Arithmetic on numbers, strings and temporal values (DMN 1.5, section 10.3.2.15, tables 56 to 62)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_DOWN, Decimal

from feel.durations import (
    DAY_NANOSECONDS,
    DaysTimeDuration,
    YearsMonthsDuration,
    days_time,
    years_months,
)
from feel.numbers import CONTEXT, WIDE, finite, whole
from feel.runtime import Run
from feel.temporal import Date, DateTime, Time
from feel.values import Value

POWER_STEPS = 16
"""A power takes as long as many sums."""

Operation = Callable[[Run, Value, Value], Value]

_UTC_MIDNIGHT = Time(0, 0, 0, 0, 0)


def add_numbers(_run: Run, left: Decimal, right: Decimal) -> Value:
    """Sum of numbers."""
    return finite(CONTEXT.add(left, right))


def subtract_numbers(_run: Run, left: Decimal, right: Decimal) -> Value:
    """Difference of numbers."""
    return finite(CONTEXT.subtract(left, right))


def multiply_numbers(_run: Run, left: Decimal, right: Decimal) -> Value:
    """Product of numbers."""
    return finite(CONTEXT.multiply(left, right))


def divide_numbers(run: Run, left: Decimal, right: Decimal) -> Value:
    """Quotient of numbers; null by zero."""
    if not right:
        run.warn("division by zero")
        return None
    return finite(CONTEXT.divide(left, right))


def power_numbers(run: Run, left: Decimal, right: Decimal) -> Value:
    """A number to the power of another; null where that is no real number or too large."""
    if not left and not right:
        return Decimal(1)
    if left < 0 and whole(right) is None:
        run.warn("a negative number has no real power with a fraction")
        return None
    run.budget.spend(POWER_STEPS)
    return finite(CONTEXT.power(left, right))


def concatenate(run: Run, left: str, right: str) -> Value:
    """Two strings after one another."""
    run.budget.make_string(len(left) + len(right))
    return left + right


def add_months(_run: Run, left: Date | DateTime, right: YearsMonthsDuration) -> Value:
    """So many months later, on the month's last day where it has no such day."""
    if isinstance(left, DateTime):
        date = left.date.plus_months(right.months)
        return None if date is None else DateTime(date, left.time)
    return left.plus_months(right.months)


def add_time_to_date(_run: Run, left: Date, right: DaysTimeDuration) -> Value:
    """A date counts as its midnight; the time of day of the result is dropped."""
    return left.plus_days(right.nanoseconds // DAY_NANOSECONDS)


def add_time(_run: Run, left: DateTime, right: DaysTimeDuration) -> Value:
    """So much later, counted in elapsed time where a zone changes its offset in between."""
    return DateTime.from_instant(left.instant + right.nanoseconds, left.time.offset, left.time.zone)


def add_to_time(_run: Run, left: Time, right: DaysTimeDuration) -> Value:
    """So much later, modulo 24 hours."""
    return Time.from_nanoseconds(left.nanoseconds + right.nanoseconds, left.offset, left.zone)


def between_instants(run: Run, left: DateTime | Date, right: DateTime | Date) -> Value:
    """The time from right to left; a date counts as its midnight in UTC."""
    first = DateTime(left, _UTC_MIDNIGHT) if isinstance(left, Date) else left
    second = DateTime(right, _UTC_MIDNIGHT) if isinstance(right, Date) else right
    if first.time.is_local != second.time.is_local:
        run.warn("a local time and one with an offset or zone cannot be subtracted")
        return None
    return days_time(first.instant - second.instant)


def between_times(run: Run, left: Time, right: Time) -> Value:
    """The time from right to left on one day."""
    if left.is_local != right.is_local:
        run.warn("a local time and one with an offset or zone cannot be subtracted")
        return None
    return days_time(left.utc_nanoseconds - right.utc_nanoseconds)


def scale_months(_run: Run, left: YearsMonthsDuration, right: Decimal) -> Value:
    """A multiple, cut to whole months."""
    return years_months(_truncate(WIDE.multiply(Decimal(left.months), right)))


def scale_time(_run: Run, left: DaysTimeDuration, right: Decimal) -> Value:
    """A multiple, cut to nanoseconds."""
    return days_time(_truncate(WIDE.multiply(Decimal(left.nanoseconds), right)))


def divide_months(run: Run, left: YearsMonthsDuration, right: Decimal) -> Value:
    """A fraction, cut to whole months."""
    if not right:
        run.warn("division by zero")
        return None
    return years_months(_truncate(WIDE.divide(Decimal(left.months), right)))


def divide_time(run: Run, left: DaysTimeDuration, right: Decimal) -> Value:
    """A fraction, cut to nanoseconds."""
    if not right:
        run.warn("division by zero")
        return None
    return days_time(_truncate(WIDE.divide(Decimal(left.nanoseconds), right)))


def _truncate(value: Decimal) -> int:
    # What is larger than any duration is cut before it becomes an integer of a million digits.
    return int(value.to_integral_value(ROUND_DOWN)) if value.adjusted() < 60 else 10**60


def _ratio(run: Run, left: int, right: int) -> Value:
    return divide_numbers(run, Decimal(left), Decimal(right))


_SUMS: dict[tuple[type, type], Operation] = {
    (Decimal, Decimal): add_numbers,
    (str, str): concatenate,
    (Date, YearsMonthsDuration): add_months,
    (DateTime, YearsMonthsDuration): add_months,
    (Date, DaysTimeDuration): add_time_to_date,
    (DateTime, DaysTimeDuration): add_time,
    (Time, DaysTimeDuration): add_to_time,
    (YearsMonthsDuration, YearsMonthsDuration): lambda _run, a, b: years_months(a.months + b.months),
    (DaysTimeDuration, DaysTimeDuration): lambda _run, a, b: days_time(a.nanoseconds + b.nanoseconds),
}
_SUMS |= {
    (right, left): lambda run, a, b, operation=operation: operation(run, b, a)  # type: ignore[misc]
    for (left, right), operation in list(_SUMS.items())
    if left is not right
}


def _minus_duration(operation: Operation) -> Operation:
    return lambda run, a, b: operation(run, a, negate(b))


_DIFFERENCES: dict[tuple[type, type], Operation] = {
    (Decimal, Decimal): subtract_numbers,
    (Date, YearsMonthsDuration): _minus_duration(add_months),
    (DateTime, YearsMonthsDuration): _minus_duration(add_months),
    (Date, DaysTimeDuration): _minus_duration(add_time_to_date),
    (DateTime, DaysTimeDuration): _minus_duration(add_time),
    (Time, DaysTimeDuration): _minus_duration(add_to_time),
    (Date, Date): between_instants,
    (Date, DateTime): between_instants,
    (DateTime, Date): between_instants,
    (DateTime, DateTime): between_instants,
    (Time, Time): between_times,
    (YearsMonthsDuration, YearsMonthsDuration): lambda _run, a, b: years_months(a.months - b.months),
    (DaysTimeDuration, DaysTimeDuration): lambda _run, a, b: days_time(a.nanoseconds - b.nanoseconds),
}

_PRODUCTS: dict[tuple[type, type], Operation] = {
    (Decimal, Decimal): multiply_numbers,
    (YearsMonthsDuration, Decimal): scale_months,
    (DaysTimeDuration, Decimal): scale_time,
    (Decimal, YearsMonthsDuration): lambda run, a, b: scale_months(run, b, a),
    (Decimal, DaysTimeDuration): lambda run, a, b: scale_time(run, b, a),
}

_QUOTIENTS: dict[tuple[type, type], Operation] = {
    (Decimal, Decimal): divide_numbers,
    (YearsMonthsDuration, Decimal): divide_months,
    (DaysTimeDuration, Decimal): divide_time,
    (YearsMonthsDuration, YearsMonthsDuration): lambda run, a, b: _ratio(run, a.months, b.months),
    (DaysTimeDuration, DaysTimeDuration): lambda run, a, b: _ratio(run, a.nanoseconds, b.nanoseconds),
}

OPERATIONS: dict[str, dict[tuple[type, type], Operation]] = {
    "+": _SUMS,
    "-": _DIFFERENCES,
    "*": _PRODUCTS,
    "/": _QUOTIENTS,
    "**": {(Decimal, Decimal): power_numbers},
}
"""What each operator does with which types; a pair that is missing gives null."""


def negate(value: Value) -> Value:
    """The value with its sign turned; None for what has no sign."""
    if isinstance(value, Decimal):
        return value.copy_negate() if value else value
    if isinstance(value, YearsMonthsDuration):
        return YearsMonthsDuration(-value.months)
    if isinstance(value, DaysTimeDuration):
        return DaysTimeDuration(-value.nanoseconds)
    return None
