"""FEEL's values in Python, and their names.

number: Decimal; string: str; boolean: bool; null: None; context: dict; list: list; range: Range; function: Function;
the temporal ones: the classes of feel.temporal and feel.durations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from feel.durations import DaysTimeDuration, YearsMonthsDuration
from feel.temporal import Date, DateTime, Time

if TYPE_CHECKING:
    from feel.runtime import Run
    from feel.types import Type

Value = Any
"""Any FEEL value."""


@dataclass(frozen=True, slots=True)
class Range:
    """An interval; an end that is None is open (no bound on that side).

    `unary` marks one written with an operator, such as `(>= x)`: that one and an interval are never equal, even if they
    hold the same values (DMN 1.5, table 53).
    """

    start: Value
    end: Value
    start_included: bool
    end_included: bool
    unary: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """Something that can be called with FEEL values.

    `invoke` gets the running evaluation and exactly one value per parameter, missing trailing ones as null.
    """

    parameters: tuple[str, ...]
    invoke: Callable[[Run, list[Value]], Value]
    types: tuple[Type | None, ...] = ()
    result: Type | None = None
    name: str = "function"


@dataclass(frozen=True, slots=True, eq=False)
class BuiltIn(Function):
    """A built-in function: several signatures; gets arguments as they were written and finds the one that fits."""

    call: Callable[[Run, list[Value], tuple[str, ...]], Value] = field(kw_only=True)


_KINDS: dict[type, str] = {
    type(None): "null",
    bool: "boolean",
    Decimal: "number",
    str: "string",
    Date: "date",
    Time: "time",
    DateTime: "date and time",
    YearsMonthsDuration: "years and months duration",
    DaysTimeDuration: "days and time duration",
    list: "list",
    dict: "context",
    Range: "range",
    Function: "function",
    BuiltIn: "function",
}


def kind(value: Value) -> str:
    """The name of a value's type; "unknown" for what is no FEEL value."""
    return _KINDS.get(type(value), "unknown")


def is_value(value: object) -> bool:
    """Whether the object's own type is one of FEEL's (its items are not looked at)."""
    return type(value) in _KINDS


def shown(value: Value) -> str:
    """A value in a message: short, with its type."""
    if value is None:
        return "null"
    if isinstance(value, str):
        text = value if len(value) <= 40 else value[:37] + "..."
        return f'string "{text}"'
    if isinstance(value, (list, dict, Range, Function)):
        return kind(value)
    return f"{kind(value)} {str(value)[:60]}"
