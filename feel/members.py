"""What can be read after a dot: a context's entries and the properties of temporal values and ranges.

No attribute of a Python object is reachable: each property is listed here.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from feel.durations import DaysTimeDuration, YearsMonthsDuration
from feel.runtime import Run
from feel.temporal import Date, DateTime, Time
from feel.values import Range, Value, kind


def _sign(duration: YearsMonthsDuration | DaysTimeDuration) -> int:
    amount = duration.months if isinstance(duration, YearsMonthsDuration) else duration.nanoseconds
    return -1 if amount < 0 else 1


def _offset(value: DateTime | Time) -> DaysTimeDuration | None:
    offset = value.utc_offset
    return None if offset is None else DaysTimeDuration.from_seconds(offset)


def _zone(value: Time) -> str | None:
    return value.zone.key if value.zone is not None else None


def _part(index: int) -> Callable[[DaysTimeDuration], Decimal]:
    return lambda duration: Decimal(_sign(duration) * duration.parts()[index])


def _seconds(duration: DaysTimeDuration) -> Decimal:
    _days, _hours, _minutes, seconds, nanoseconds = duration.parts()
    return _sign(duration) * (Decimal(seconds) + Decimal(nanoseconds).scaleb(-9) if nanoseconds else Decimal(seconds))


_DATE: dict[str, Callable[[Date], Value]] = {
    "year": lambda date: Decimal(date.year),
    "month": lambda date: Decimal(date.month),
    "day": lambda date: Decimal(date.day),
    "weekday": lambda date: Decimal(date.weekday),
}
_TIME: dict[str, Callable[[Time], Value]] = {
    "hour": lambda time: Decimal(time.hour),
    "minute": lambda time: Decimal(time.minute),
    "second": lambda time: time.seconds_of_minute,
    "timezone": _zone,
}


def _of_date(read: Callable[[Date], Value]) -> Callable[[DateTime], Value]:
    return lambda moment: read(moment.date)


def _of_time(read: Callable[[Time], Value]) -> Callable[[DateTime], Value]:
    return lambda moment: read(moment.time)


PROPERTIES: dict[type, dict[str, Callable[..., Value]]] = {
    Date: {**_DATE},
    Time: {**_TIME, "time offset": _offset},
    DateTime: {
        **{name: _of_date(read) for name, read in _DATE.items()},
        **{name: _of_time(read) for name, read in _TIME.items()},
        "time offset": _offset,
    },
    YearsMonthsDuration: {
        "years": lambda duration: Decimal(_sign(duration) * (abs(duration.months) // 12)),
        "months": lambda duration: Decimal(_sign(duration) * (abs(duration.months) % 12)),
    },
    DaysTimeDuration: {
        "days": _part(0),
        "hours": _part(1),
        "minutes": _part(2),
        "seconds": _seconds,
    },
    Range: {
        "start": lambda interval: interval.start,
        "end": lambda interval: interval.end,
        "start included": lambda interval: interval.start_included,
        "end included": lambda interval: interval.end_included,
    },
}
"""DMN 1.5, tables 65 to 67."""


def member_of(run: Run, value: Value, member: str, position: int) -> Value:
    """The member of a value, of each item of a list; null with a warning where there is none."""
    if type(value) is list:
        run.budget.make_list(len(value))
        return [member_of(run, item, member, position) for item in value]
    if type(value) is dict:
        if member in value:
            return value[member]
        known = ", ".join(list(value)[:12]) or "nothing"
        run.warn(f"there is no `{member}` in the context; known: {known}", position)
        return None
    if value is None:
        run.warn(f"`{member}` cannot be read, because what it would be read from is null", position)
        return None
    read = PROPERTIES.get(type(value), {}).get(member)
    if read is None:
        run.warn(f"a {kind(value)} has no `{member}`", position)
        return None
    return read(value)
