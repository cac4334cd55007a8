"""Arithmetic on a working calendar, in Python's own dates and local wall times."""

from __future__ import annotations

import datetime
from collections.abc import Callable

from feel.environment import WorkingCalendar

MAX_DAYS = 40_000
"""About a hundred years: a calendar without working days must not be searched for ever."""

_ONE_DAY = datetime.timedelta(days=1)
_NOTHING = datetime.timedelta()


class WorkingTimeError(ValueError):
    """The calendar has no working time where it would be needed."""


def add_days(calendar: WorkingCalendar, day: datetime.date, count: int, spend: Callable[[int], None]) -> datetime.date:
    """The count-th working day after the day, or before it if negative; with 0 the day or the next working day."""
    step = -_ONE_DAY if count < 0 else _ONE_DAY
    if count == 0:
        return _next_working_day(calendar, day, step, spend)
    for _ in range(abs(count)):
        day = _next_working_day(calendar, day + step, step, spend)
    return day


def _next_working_day(
    calendar: WorkingCalendar, day: datetime.date, step: datetime.timedelta, spend: Callable[[int], None]
) -> datetime.date:
    for _ in range(MAX_DAYS):
        spend(1)
        if calendar.is_working_day(day):
            return day
        day += step
    raise WorkingTimeError("the calendar has no working day there")


def end_of_day(calendar: WorkingCalendar, day: datetime.date, spend: Callable[[int], None]) -> datetime.datetime:
    """When the last shift ends, on the day or the next working day."""
    day = _next_working_day(calendar, day, _ONE_DAY, spend)
    shifts = calendar.shifts(day)
    if not shifts:
        raise WorkingTimeError("the calendar has a working day without shifts")
    return datetime.datetime.combine(day, shifts[-1][1])


def add_time(
    calendar: WorkingCalendar, start: datetime.datetime, duration: datetime.timedelta, spend: Callable[[int], None]
) -> datetime.datetime:
    """The moment when so much has been worked after the start; outside the shifts the clock stands still.

    A negative duration goes back. A duration of zero gives the start itself.
    """
    if duration < _NOTHING:
        return _back(calendar, start, -duration, spend)
    left = duration
    day = start.date()
    if not left:
        return start
    for _ in range(MAX_DAYS):
        spend(1)
        for begin, end in _shifts(calendar, day):
            begin = max(begin, start)
            if begin < end:
                if left <= end - begin:
                    return begin + left
                left -= end - begin
        day += _ONE_DAY
    raise WorkingTimeError("the calendar has not so much working time")


def _back(
    calendar: WorkingCalendar, start: datetime.datetime, left: datetime.timedelta, spend: Callable[[int], None]
) -> datetime.datetime:
    day = start.date()
    for _ in range(MAX_DAYS):
        spend(1)
        for begin, end in reversed(_shifts(calendar, day)):
            end = min(end, start)
            if begin < end:
                if left <= end - begin:
                    return end - left
                left -= end - begin
        day -= _ONE_DAY
    raise WorkingTimeError("the calendar has not so much working time")


def _shifts(calendar: WorkingCalendar, day: datetime.date) -> list[tuple[datetime.datetime, datetime.datetime]]:
    combine = datetime.datetime.combine
    if not calendar.is_working_day(day):
        return []
    return [(combine(day, begin), combine(day, end)) for begin, end in calendar.shifts(day)]
