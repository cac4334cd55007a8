"""FEEL values from and to JSON and Python's own types."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from feel.durations import DaysTimeDuration, YearsMonthsDuration
from feel.errors import FeelLimitExceeded
from feel.numbers import CONTEXT, number_text
from feel.temporal import Date, DateTime, Time
from feel.values import BuiltIn, Function, Range, Value

if TYPE_CHECKING:
    from feel.runtime import Run

MAX_DEPTH = 100
MAX_INTEGER = 2**63
EXACT_INTEGER_BITS = 112
"""Whole numbers of so many bits have at most 34 digits."""
MAX_INTEGER_BITS = 20_500
"""Just enough for the largest number, 10 to the 6145."""

_LEAVES = frozenset(
    (type(None), bool, str, Date, Time, DateTime, YearsMonthsDuration, DaysTimeDuration, Function, BuiltIn)
)


def from_json(value: object) -> Value:
    """A FEEL value from JSON data, or from Python's numbers, dates, times and timedeltas.

    Strings stay strings, also those that look like dates. Raises TypeError for what has no meaning in FEEL.
    """
    return _convert(value, 0)


def _convert(value: object, depth: int) -> Value:
    cls = type(value)
    if cls in _LEAVES:
        return value
    if cls is Decimal:
        return _number(value)  # type: ignore[arg-type]
    if cls is int or cls is float:
        return _convert_foreign(value)
    if cls is dict or cls is list or isinstance(value, (Mapping, list, tuple)):
        return _convert_container(value, depth)
    return _convert_foreign(value)


def _convert_container(value: Any, depth: int) -> Value:
    """A list or context, itself if everything in it is FEEL already."""
    if depth > MAX_DEPTH:
        raise FeelLimitExceeded("depth", f"a value is nested more than {MAX_DEPTH} deep")
    if isinstance(value, Mapping):
        entries = {key: _convert(item, depth + 1) for key, item in value.items()}
        if type(value) is dict and all(entries[key] is item for key, item in value.items()):
            return value
        return {str(key): item for key, item in entries.items()}
    items = [_convert(item, depth + 1) for item in value]
    if type(value) is list and all(new is old for new, old in zip(items, value, strict=True)):
        return value
    return items


def _number(value: Decimal) -> Decimal | None:
    if not value.is_finite():
        return None
    rounded = CONTEXT.plus(value)
    if not rounded.is_finite():
        return None
    return value if rounded == value else rounded


def _convert_foreign(value: object) -> Value:
    if isinstance(value, bool):
        return bool(value)
    if isinstance(value, int):
        if value.bit_length() <= EXACT_INTEGER_BITS:
            return Decimal(value)
        return _number(Decimal(value)) if value.bit_length() <= MAX_INTEGER_BITS else None
    if isinstance(value, float):
        return Decimal(repr(value)) if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return _number(Decimal(value))
    if isinstance(value, str):
        return str(value)
    if isinstance(value, datetime.datetime):
        return DateTime.from_python(value)
    if isinstance(value, datetime.date):
        return Date.from_python(value)
    if isinstance(value, datetime.time):
        return Time.from_python(value)
    if isinstance(value, datetime.timedelta):
        return DaysTimeDuration.from_python(value)
    if isinstance(value, Range):
        return Range(from_json(value.start), from_json(value.end), value.start_included, value.end_included)
    raise TypeError(f"{type(value).__name__} is no FEEL value")


def normalise(value: object, run: Run, name: str) -> Value:
    """A variable's value as FEEL; null with a warning for what FEEL does not know, so that no Python object gets in."""
    if type(value) in _LEAVES:
        return value
    try:
        return _convert(value, 0)
    except TypeError as error:
        run.warn(f"variable `{name}`: {error}")
        return None


def to_json(value: Value) -> Any:
    """A value as JSON data: whole numbers as int, others as the nearest float, temporal values as ISO 8601 text.

    A range is an object with `start`, `end`, `start included` and `end included`; a function is null. Raises ValueError
    for a number beyond 1.8e308. Use `dumps` where every one of the 34 digits counts.
    """
    if isinstance(value, Decimal):
        if abs(value) < MAX_INTEGER and value == value.to_integral_value():
            return int(value)
        number = float(value)
        if math.isinf(number):
            raise ValueError(f"the number {value} is too large for JSON")
        return number
    return _to_json(value, to_json)


def _to_json(value: Value, convert: Any) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, dict):
        return {key: convert(item) for key, item in value.items()}
    if isinstance(value, list):
        return [convert(item) for item in value]
    if isinstance(value, Range):
        return {
            "start": convert(value.start),
            "start included": value.start_included,
            "end": convert(value.end),
            "end included": value.end_included,
        }
    if isinstance(value, Function):
        return None
    return str(value)


def dumps(value: Value) -> str:
    """A value as JSON text with exact numbers."""
    if isinstance(value, Decimal):
        return number_text(value)
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{json.dumps(key, ensure_ascii=False)}: {dumps(item)}" for key, item in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(dumps(item) for item in value) + "]"
    if isinstance(value, Range):
        return dumps(_to_json(value, lambda end: end))
    return json.dumps(_to_json(value, to_json), ensure_ascii=False)


def loads(text: str | bytes) -> Value:
    """A value from JSON text with exact numbers; raises ValueError when it is not JSON."""
    return from_json(json.loads(text, parse_float=Decimal, parse_int=Decimal, parse_constant=lambda _name: None))
