"""Equality and order of values (DMN 1.5, section 10.3.2.15, tables 52 to 55)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from feel.durations import NANOSECONDS, DaysTimeDuration, YearsMonthsDuration
from feel.temporal import Date, DateTime, Time
from feel.values import Function, Range, Value

Spend = Callable[[int], None]
_ORDERED = frozenset((Decimal, str, Date, YearsMonthsDuration, DaysTimeDuration))


def equal(left: Value, right: Value, spend: Spend | None = None) -> bool | None:
    """Whether two values are equal; None when their types cannot be compared. Null equals null only.

    `spend` is told of the steps that comparing lists and contexts takes.
    """
    if left is None or right is None:
        return left is None and right is None
    cls = type(left)
    if cls is not type(right):
        if isinstance(left, Function) and isinstance(right, Function):
            return False
        return None
    if cls in _ORDERED or cls is bool:
        return bool(left == right)
    if cls is list or cls is dict:
        return _Containers(equal, spend).equal(left, right)
    if cls is Time:
        return _times_equal(left, right)
    if cls is DateTime:
        if left.time.is_local != right.time.is_local:
            return False
        return bool(left.instant // NANOSECONDS == right.instant // NANOSECONDS)
    if cls is Range:
        return _ranges_equal(left, right)
    return left is right


def identical(left: Value, right: Value, spend: Spend | None = None) -> bool:
    """Whether two values are the same element of the semantic domain: offsets and zones count too (table 77)."""
    if type(left) is not type(right):
        return False
    if isinstance(left, (list, dict)):
        return _Containers(identical, spend).equal(left, right)
    return bool(left == right)


class _Containers:
    """Compares lists and contexts; what they share is compared once, however often it occurs in them."""

    def __init__(self, same: Callable[[Value, Value], bool | None], spend: Spend | None) -> None:
        self._same = same
        self._spend = spend
        self._known: set[tuple[int, int]] = set()

    def equal(self, left: Value, right: Value) -> bool:
        pair = (id(left), id(right))
        if left is right or pair in self._known:
            return True
        if self._spend is not None:
            self._spend(len(left) + 1)
        if len(left) != len(right):
            return False
        if isinstance(left, list):
            result = all(map(self._parts, left, right))
        else:
            result = all(key in right and self._parts(value, right[key]) for key, value in left.items())
        if result:
            self._known.add(pair)
        return result

    def _parts(self, left: Value, right: Value) -> bool:
        cls = type(left)
        if cls is type(right) and (cls is list or cls is dict):
            return self.equal(left, right)
        return self._same(left, right) is True


def _times_equal(left: Time, right: Time) -> bool:
    """Table 53 compares hour, minute, second and offset: fractions of a second do not count."""
    if left.is_local != right.is_local:
        return False
    return left.utc_nanoseconds // NANOSECONDS == right.utc_nanoseconds // NANOSECONDS


def _ranges_equal(left: Range, right: Range) -> bool:
    return (
        left.start_included == right.start_included
        and left.unary == right.unary
        and left.end_included == right.end_included
        and equal(left.start, right.start) is True
        and equal(left.end, right.end) is True
    )


def compare(left: Value, right: Value) -> int | None:
    """-1, 0 or 1; None when the values have no order among each other."""
    cls = type(left)
    if cls is not type(right):
        if cls is Date and type(right) is DateTime:
            return compare(DateTime(left, Time(0, 0, 0, 0, 0)), right)
        if cls is DateTime and type(right) is Date:
            return compare(left, DateTime(right, Time(0, 0, 0, 0, 0)))
        return None
    if cls in _ORDERED:
        return int(left > right) - int(left < right)
    if cls is Time:
        left, right = _same_zone(left, right), _same_zone(right, left)
        return _sign(left.utc_nanoseconds - right.utc_nanoseconds)
    if cls is DateTime:
        first = DateTime(left.date, _same_zone(left.time, right.time))
        second = DateTime(right.date, _same_zone(right.time, left.time))
        return _sign(first.instant - second.instant)
    return None


def _same_zone(time: Time, other: Time) -> Time:
    """Table 54: what has no offset takes the offset of what it is compared with."""
    if not time.is_local or other.is_local:
        return time
    return Time.from_nanoseconds(time.nanoseconds, other.offset, other.zone)


def _sign(value: Any) -> int:
    return int(value > 0) - int(value < 0)


def in_range(value: Value, interval: Range) -> bool | None:
    """Whether a value lies in an interval; None when it cannot be compared with its ends."""
    if interval.start is None and interval.end is None:
        return None
    if interval.start is not None:
        order = compare(value, interval.start)
        if order is None:
            return None
        if order < 0 or (order == 0 and not interval.start_included):
            return False
    if interval.end is not None:
        order = compare(value, interval.end)
        if order is None:
            return None
        if order > 0 or (order == 0 and not interval.end_included):
            return False
    return True


def matches(value: Value, test: Value, spend: Spend | None = None) -> bool | None:
    """Whether a value passes a test: equals it, lies in it, or is (or lies in) one of its items."""
    if type(test) is Range:
        return in_range(value, test) if type(value) is not Range else equal(value, test)
    if type(test) is list:
        if type(value) is list and equal(value, test, spend) is True:
            return True
        for item in test:
            if spend is not None:
                spend(1)
            if (in_range(value, item) if type(item) is Range else equal(value, item, spend)) is True:
                return True
        return False
    return equal(value, test, spend)
