"""Functions of dates and times (DMN 1.5, table 79), and Camunda's."""

from __future__ import annotations

import datetime
from decimal import Decimal

from feel.builtins.registry import builtin
from feel.runtime import Run
from feel.temporal import Date, DateTime, days_in_month
from feel.values import Value

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def current(run: Run) -> DateTime:
    """The environment's now, in its zone."""
    return DateTime.from_python(run.environment.now.astimezone(run.environment.zone))


def day_of(value: Date | DateTime) -> Date:
    """The date part."""
    return value.date if isinstance(value, DateTime) else value


@builtin("now")
def now(run: Run) -> Value:
    """The current date and time in the environment's zone."""
    return current(run)


@builtin("today")
def today(run: Run) -> Value:
    """The current date in the environment's zone."""
    return current(run).date


@builtin("day of week", "date: date|date and time")
def day_of_week(_run: Run, date: Date | DateTime) -> Value:
    """The English name of the day."""
    return _WEEKDAYS[day_of(date).weekday - 1]


@builtin("day of year", "date: date|date and time")
def day_of_year(_run: Run, date: Date | DateTime) -> Value:
    """1 for the first of January."""
    day = day_of(date)
    return Decimal(day.ordinal - Date(day.year, 1, 1).ordinal + 1)


@builtin("week of year", "date: date|date and time")
def week_of_year(_run: Run, date: Date | DateTime) -> Value:
    """The ISO 8601 week."""
    day = day_of(date)
    # The calendar repeats every 400 years; Python knows the years from 1 to 9999.
    near = datetime.date(2000 + day.year % 400, day.month, day.day)
    return Decimal(near.isocalendar().week)


@builtin("month of year", "date: date|date and time")
def month_of_year(_run: Run, date: Date | DateTime) -> Value:
    """The English name of the month."""
    return _MONTHS[day_of(date).month - 1]


@builtin("last day of month", "date: date|date and time")
def last_day_of_month(_run: Run, date: Date | DateTime) -> Value:
    """The last day of the month as a date (Camunda)."""
    day = day_of(date)
    return Date(day.year, day.month, days_in_month(day.year, day.month))
