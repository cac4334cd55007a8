"""Working time: days and hours counted on the calendar of the environment."""

from __future__ import annotations

import datetime
from decimal import Decimal

from feel.builtins.registry import builtin
from feel.builtins.temporal import day_of
from feel.durations import DaysTimeDuration
from feel.environment import WorkingCalendar
from feel.numbers import whole
from feel.runtime import Run
from feel.temporal import Date, DateTime, Time
from feel.values import Value
from feel.working_time import WorkingTimeError, add_days, add_time, end_of_day

_DATE = "date: date|date and time"


def _calendar(run: Run) -> WorkingCalendar | None:
    calendar = run.environment.calendar
    if calendar is None:
        run.warn("there is no working calendar here")
    return calendar


def _local(run: Run, value: DateTime) -> datetime.datetime:
    """Wall time in the calendar's zone, which is the environment's; a local date and time is one already."""
    moment = value.to_python()
    if moment.tzinfo is None:
        return moment
    return moment.astimezone(run.environment.zone).replace(tzinfo=None)


def _like(run: Run, value: DateTime, wall: datetime.datetime) -> Value:
    """Wall time told in the zone of the value it was computed from."""
    if value.time.is_local:
        return DateTime.from_python(wall)
    moment = DateTime.from_python(wall.replace(tzinfo=run.environment.zone))
    return DateTime.from_instant(moment.instant, value.time.offset, value.time.zone)


@builtin("is working day", _DATE)
def is_working_day(run: Run, date: Date | DateTime) -> Value:
    """Whether anybody works on the day."""
    calendar = _calendar(run)
    if calendar is None:
        return None
    try:
        day = _local(run, date).date() if isinstance(date, DateTime) else date.to_python()
    except (ValueError, OverflowError):
        return run.null("the working calendar ends with the year 9999")
    return calendar.is_working_day(day)


@builtin("add working days", _DATE, "days: number")
def add_working_days(run: Run, date: Date | DateTime, days: Decimal) -> Value:
    """The n-th working day after (before, if negative) the date; the time of day stays."""
    calendar, count = _calendar(run), whole(days)
    if calendar is None:
        return None
    if count is None:
        return run.null("working days are counted in whole numbers")
    try:
        if isinstance(date, DateTime):
            wall = _local(run, date)
            day = add_days(calendar, wall.date(), count, run.budget.spend)
            return _like(run, date, datetime.datetime.combine(day, wall.time()))
        return Date.from_python(add_days(calendar, date.to_python(), count, run.budget.spend))
    except (WorkingTimeError, ValueError, OverflowError) as error:
        return run.null(str(error))


@builtin("add working time", "date: date and time", "duration: days and time duration")
def add_working_time(run: Run, moment: DateTime, duration: DaysTimeDuration) -> Value:
    """The moment when so much has been worked after it (before it, if negative)."""
    calendar = _calendar(run)
    if calendar is None:
        return None
    try:
        wall = add_time(calendar, _local(run, moment), duration.to_python(), run.budget.spend)
        return _like(run, moment, wall)
    except (WorkingTimeError, ValueError, OverflowError) as error:
        return run.null(str(error))


@builtin("end of working day", _DATE)
def end_of_working_day(run: Run, date: Date | DateTime) -> Value:
    """When work ends on the day, with the environment's zone; on a day off, on the next working day."""
    calendar = _calendar(run)
    if calendar is None:
        return None
    try:
        day = _local(run, date).date() if isinstance(date, DateTime) else day_of(date).to_python()
        wall = end_of_day(calendar, day, run.budget.spend)
    except (WorkingTimeError, ValueError, OverflowError) as error:
        return run.null(str(error))
    local_input = isinstance(date, DateTime) and date.time.is_local
    zone = None if local_input else run.environment.zone
    return DateTime(Date.from_python(wall), Time(wall.hour, wall.minute, wall.second, 0, None, zone))
