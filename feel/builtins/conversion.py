"""Conversions from and to strings (DMN 1.5, table 72)."""

from __future__ import annotations

from decimal import Decimal

from feel.builtins.registry import builtin
from feel.conversion import dumps
from feel.durations import DaysTimeDuration, YearsMonthsDuration, parse_duration, years_months
from feel.numbers import number_text, parse_number, whole
from feel.runtime import Run
from feel.temporal import (
    MAX_OFFSET_SECONDS,
    Date,
    DateTime,
    Time,
    find_zone,
    parse_date,
    parse_date_time,
    parse_time,
)
from feel.values import Function, Range, Value

_NANOSECONDS = 10**9


@builtin("date", "from: string")
def date_from_string(run: Run, text: str) -> Value:
    """The date that an ISO 8601 text spells."""
    return parse_date(text) or run.null(f'"{text[:60]}" is not a date such as 2024-02-29')


@builtin("date", "from: date|date and time")
def date_from_value(_run: Run, value: Date | DateTime) -> Value:
    """The date part."""
    return value.date if isinstance(value, DateTime) else value


@builtin("date", "year: number", "month: number", "day: number")
def date_from_parts(run: Run, year: Decimal, month: Decimal, day: Decimal) -> Value:
    """The date made of year, month and day."""
    parts = [whole(part) for part in (year, month, day)]
    if any(part is None for part in parts):
        return run.null("year, month and day must be whole numbers")
    return Date.make(*[part or 0 for part in parts]) or run.null(f"there is no day {year}-{month}-{day}")


@builtin("time", "from: string")
def time_from_string(run: Run, text: str) -> Value:
    """The time that an ISO 8601 text spells."""
    return parse_time(text) or run.null(_no_time(text, "a time such as 08:30:00"))


@builtin("time", "from: time|date and time")
def time_from_value(_run: Run, value: Time | DateTime) -> Value:
    """The time part."""
    return value.time if isinstance(value, DateTime) else value


@builtin("time", "hour: number", "minute: number", "second: number", "offset?: days and time duration?")
def time_from_parts(
    run: Run, hour: Decimal, minute: Decimal, second: Decimal, offset: DaysTimeDuration | None = None
) -> Value:
    """The time made of hour, minute, second (with fraction) and offset."""
    made = make_time(hour, minute, second, offset)
    return made or run.null(f"there is no time {hour}:{minute}:{second}")


def make_time(hour: Decimal, minute: Decimal, second: Decimal, offset: DaysTimeDuration | None = None) -> Time | None:
    """The time made of its parts, or None where there is no such time."""
    hours, minutes = whole(hour), whole(minute)
    if hours is None or minutes is None or not 0 <= second < 60:
        return None
    if not (0 <= hours <= 23 and 0 <= minutes <= 59):
        return None
    seconds = int(second)
    nanoseconds = int((second - seconds) * _NANOSECONDS)
    shift = None
    if offset is not None:
        shift = int(offset.nanoseconds / _NANOSECONDS) if abs(offset.nanoseconds) < 10**15 else MAX_OFFSET_SECONDS + 1
        if abs(shift) > MAX_OFFSET_SECONDS:
            return None
    return Time(hours, minutes, seconds, nanoseconds, shift)


@builtin("date and time", "from: string")
def date_time_from_string(run: Run, text: str) -> Value:
    """The date and time that an ISO 8601 text spells."""
    return parse_date_time(text) or run.null(_no_time(text, "a date and time such as 2024-02-29T08:30:00"))


def _no_time(text: str, wanted: str) -> str:
    if ":60" in text:
        return f'"{text[:60]}" has a leap second or a sixtieth minute, which FEEL does not know'
    return f'"{text[:60]}" is not {wanted}'


@builtin("date and time", "from: date and time")
def date_time_from_value(_run: Run, value: DateTime) -> Value:
    """The same date and time."""
    return value


@builtin("date and time", "date: date|date and time", "time: time")
def date_time_from_both(_run: Run, date: Date | DateTime, time: Time) -> Value:
    """The date of one value at the time of the other."""
    return DateTime(date.date if isinstance(date, DateTime) else date, time)


@builtin("date and time", "date: date and time", "timezone: string")
def date_time_in_zone(run: Run, moment: DateTime, timezone: str) -> Value:
    """The same instant told in another zone; a local one is taken to be in that zone (Camunda)."""
    zone = find_zone(timezone)
    if zone is None:
        return run.null(f'there is no time zone "{timezone[:60]}"')
    if moment.time.is_local:
        return DateTime(moment.date, Time.from_nanoseconds(moment.time.nanoseconds, None, zone))
    return DateTime.from_instant(moment.instant, None, zone)


@builtin(
    "date and time", "year: number", "month: number", "day: number", "hour: number", "minute: number", "second: number",
    "offset?: days and time duration?",
)  # fmt: skip
def date_time_from_parts(
    run: Run,
    year: Decimal,
    month: Decimal,
    day: Decimal,
    hour: Decimal,
    minute: Decimal,
    second: Decimal,
    offset: DaysTimeDuration | None = None,
) -> Value:
    """The date and time made of its parts."""
    date = date_from_parts(run, year, month, day)
    time = time_from_parts(run, hour, minute, second, offset)
    return DateTime(date, time) if date is not None and time is not None else None


@builtin("duration", "from: string")
def duration_from_string(run: Run, text: str) -> Value:
    """The duration, of either kind, that an ISO 8601 text spells."""
    return parse_duration(text) or run.null(f'"{text[:60]}" is not a duration such as P1Y2M or P3DT4H')


@builtin("duration", "from: duration")
def duration_from_value(_run: Run, value: Value) -> Value:
    """The same duration."""
    return value


@builtin("years and months duration", "from: date|date and time", "to: date|date and time")
def months_between(_run: Run, start: Date | DateTime, end: Date | DateTime) -> Value:
    """The whole months from one day to the other."""
    first = start.date if isinstance(start, DateTime) else start
    last = end.date if isinstance(end, DateTime) else end
    months = (last.year - first.year) * 12 + last.month - first.month
    if months > 0 and last.day < first.day:
        months -= 1
    elif months < 0 and last.day > first.day:
        months += 1
    return years_months(months)


@builtin("number", "from: string", "grouping separator?: string?", "decimal separator?: string?")
def number_from_string(
    run: Run, text: str, grouping_separator: str | None = None, decimal_separator: str | None = None
) -> Value:
    """The number that a text spells, with the separators that are named."""
    if grouping_separator not in (None, " ", ",", ".") or decimal_separator not in (None, ",", "."):
        return run.null("the grouping separator is one of space , . and the decimal separator one of , .")
    if grouping_separator is not None and grouping_separator == decimal_separator:
        return run.null("the grouping and the decimal separator are the same")
    plain = text.replace(grouping_separator, "") if grouping_separator else text
    if decimal_separator == ",":
        if "." in plain:
            return run.null(f'"{text[:60]}" is not a number')
        plain = plain.replace(",", ".")
    value = parse_number(plain)
    return value if value is not None else run.null(f'"{text[:60]}" is not a number')


@builtin("number", "from: number")
def number_from_number(_run: Run, value: Decimal) -> Value:
    """The same number."""
    return value


@builtin("string", "from: any")
def string(run: Run, value: Value) -> Value:
    """A value as text; null stays null."""
    if value is None:
        return None
    if isinstance(value, (str, list, dict, Range)):
        text = value if isinstance(value, str) else _written(run, value)
    else:
        text = literal(value) if not _is_temporal(value) else str(value)
    run.budget.make_string(len(text))
    return text


def _is_temporal(value: Value) -> bool:
    return isinstance(value, (Date, Time, DateTime, YearsMonthsDuration, DaysTimeDuration))


def literal(value: Value) -> str:
    """A value that is no list or context as FEEL text that reads back as the value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return number_text(value)
    if isinstance(value, str):
        return dumps(value)
    if isinstance(value, Function):
        return f"function({', '.join(value.parameters)})"
    return f'@"{value}"'


def _written(run: Run, value: Value) -> str:
    """The same for every value, within the budget: lists may share parts, so that the text is longer than they are."""
    run.budget.spend()
    if isinstance(value, list):
        text = "[" + ", ".join([_written(run, item) for item in value]) + "]"
    elif isinstance(value, dict):
        text = "{" + ", ".join([f"{_key(key)}: {_written(run, item)}" for key, item in value.items()]) + "}"
    elif isinstance(value, Range):
        opening = "[" if value.start_included else "("
        closing = "]" if value.end_included else ")"
        text = f"{opening}{literal(value.start)}..{literal(value.end)}{closing}"
    else:
        return literal(value)
    run.budget.make_string(len(text))
    return text


def _key(name: str) -> str:
    return name if name.replace("_", "a").replace(" ", "a").isalnum() and not name[0].isdigit() else dumps(name)
