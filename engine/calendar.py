"""The company's working calendar: weekly shifts, the public holidays and make-up days of China, its own exceptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import holidays

Shift = tuple[time, time]
Shifts = tuple[Shift, ...]

SATURDAY = 6
ASSUMED_SHIFTS: Shifts = ((time(8), time(12)), (time(13, 30), time(17, 30)))
"""Assumed: document 000 names no working hours."""
ASSUMED_WEEK: Mapping[int, Shifts] = MappingProxyType(dict.fromkeys(range(1, SATURDAY + 1), ASSUMED_SHIFTS))
"""Monday to Saturday, by ISO weekday: the weekly report is due on Saturday at the end of work (document 000, line 654).

Assumed for the rest of the staff too.
"""


class CalendarError(ValueError):
    """The calendar's data make no sense; the message says which entry and why."""


@dataclass(frozen=True, slots=True)
class Day:
    """What a calendar says of one day: its shifts (none on a day off), and why, where it is not an ordinary day."""

    date: date
    shifts: Shifts
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class CompanyCalendar:
    """A working calendar as feel.WorkingCalendar wants it; all times are wall time in the company's zone.

    `week` maps ISO weekdays (1 Monday) to shifts. `exceptions` maps days to their own shifts, none meaning a day off,
    and wins over everything. `public_holidays` turns China's holidays and make-up days on. `reasons` name exceptions.
    """

    week: Mapping[int, Shifts] = field(default_factory=lambda: ASSUMED_WEEK)
    exceptions: Mapping[date, Shifts] = field(default_factory=dict)
    public_holidays: bool = True
    reasons: Mapping[date, str] = field(default_factory=dict)

    def is_working_day(self, date: date) -> bool:
        """Whether anybody works on that day."""
        return bool(self.shifts(date))

    def shifts(self, date: date) -> Shifts:
        """The hours worked on that day."""
        return self.day(date).shifts

    def day(self, date: date) -> Day:
        """The shifts of a day, with the reason why they are not the usual ones."""
        if date in self.exceptions:
            return Day(date, self.exceptions[date], self.reasons.get(date))
        usual = self.week.get(date.isoweekday(), ())
        if self.public_holidays:
            holiday = holiday_name(date)
            if holiday is not None:
                return Day(date, (), holiday)
            if date in _of_year(date.year).make_up_days and not usual:
                return Day(date, self._make_up_shifts(), "Make-up working day")
        return Day(date, usual)

    def _make_up_shifts(self) -> Shifts:
        """On a make-up day people work as on the first working day of the week."""
        return next((self.week[weekday] for weekday in range(1, 8) if self.week.get(weekday)), ())


@dataclass(frozen=True, slots=True)
class _Year:
    holidays: Mapping[date, str]
    make_up_days: frozenset[date]


@lru_cache(maxsize=256)
def _of_year(year: int) -> _Year:
    """Public holidays and make-up days as the State Council announced them, or by the rule where it has not yet."""
    # The neighbours too: around New Year a make-up day may belong to the other year's announcement.
    china = holidays.country_holidays("CN", years=range(max(1950, year - 1), year + 2), expand=False, language="en_US")
    names = {day: name for day, name in china.items() if day.year == year}
    make_up_days = frozenset(day for day in china.weekend_workdays if day.year == year)
    return _Year(MappingProxyType(names), make_up_days)


def holiday_name(day: date) -> str | None:
    """The public holiday that falls on a day, in English; None if there is none.

    A weekend day between two days of the same break belongs to it: the announcements give breaks as one span, which
    matters to a company that works on Saturdays.
    """
    year = _of_year(day.year)
    name = year.holidays.get(day)
    if name is not None or day.isoweekday() < SATURDAY or day in year.make_up_days:
        return name
    friday = day - timedelta(days=day.isoweekday() - 5)
    monday = friday + timedelta(days=3)
    if friday in _of_year(friday.year).holidays and monday in _of_year(monday.year).holidays:
        return _of_year(friday.year).holidays[friday]
    return None


def from_data(data: Mapping[str, Any]) -> CompanyCalendar:
    """The calendar that JSON data describe; raises CalendarError.

    `week`: {"1": [["08:00", "12:00"], ...], ...} by ISO weekday; `exceptions`: [{"date": "2026-01-31", "shifts": [...],
    "reason": "stock-taking"}], no shifts meaning a day off; `publicHolidays`: true or false. What is left out is
    assumed.
    """
    week = {_weekday(key): _shifts(shifts, f"weekday {key}") for key, shifts in data.get("week", {}).items()}
    exceptions: dict[date, Shifts] = {}
    reasons: dict[date, str] = {}
    for entry in data.get("exceptions", []):
        day = _date(entry.get("date"))
        exceptions[day] = _shifts(entry.get("shifts", []), str(day))
        if entry.get("reason"):
            reasons[day] = str(entry["reason"])
    return CompanyCalendar(week or ASSUMED_WEEK, exceptions, bool(data.get("publicHolidays", True)), reasons)


def to_data(calendar: CompanyCalendar) -> dict[str, Any]:
    """The calendar as JSON data that `from_data` reads back."""
    return {
        "week": {str(weekday): _written(shifts) for weekday, shifts in sorted(calendar.week.items())},
        "exceptions": [
            {"date": day.isoformat(), "shifts": _written(shifts), "reason": calendar.reasons.get(day)}
            for day, shifts in sorted(calendar.exceptions.items())
        ],
        "publicHolidays": calendar.public_holidays,
    }


def _written(shifts: Shifts) -> list[list[str]]:
    return [[begin.isoformat("minutes"), end.isoformat("minutes")] for begin, end in shifts]


def _weekday(key: object) -> int:
    if str(key) not in tuple("1234567"):
        raise CalendarError(f"{key!r} is no weekday; Monday is 1, Sunday is 7")
    return int(str(key))


def _date(text: object) -> date:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise CalendarError(f"{text!r} is no date such as 2026-01-31") from None


def _shifts(written: Sequence[Sequence[str]], where: str) -> Shifts:
    result: list[Shift] = []
    for pair in written:
        try:
            begin, end = (time.fromisoformat(part) for part in pair)
        except (TypeError, ValueError):
            raise CalendarError(f"{where}: a shift is written like 08:00 to 12:00") from None
        if begin >= end or (result and result[-1][1] > begin):
            raise CalendarError(f"{where}: shifts follow one another within the day, each ending after it begins")
        result.append((begin, end))
    return tuple(result)
