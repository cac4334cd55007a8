"""Use cases of whoever says when the company works: look at the calendar, and change it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import calendar, working_days
from engine.calendar import CalendarError, CompanyCalendar, Day, Shifts
from engine.models import CalendarSetting
from people.errors import Forbidden
from people.models import User
from people.permissions import may_set_calendar
from processes.errors import InvalidCalendar

#: Versions of the calendar that the page lists.
SHOWN = 20
#: How far ahead the page shows days that are not ordinary.
AHEAD = timedelta(days=120)

_SHIFT = re.compile(r"(\d{1,2}):(\d{2})\s*[-–—~至到]\s*(\d{1,2}):(\d{2})")
_BETWEEN = re.compile(r"[,;，；、\s]*")


@dataclass(frozen=True, slots=True)
class Exceptional:
    """One line of the form: a day with hours of its own, as it was typed."""

    date: str
    hours: str
    reason: str


@dataclass(frozen=True, slots=True)
class Written:
    """A calendar as the form has it."""

    #: Hours by ISO weekday; empty: a day off.
    week: dict[int, str]
    exceptions: Sequence[Exceptional]
    public_holidays: bool


def require_owner(user: User) -> None:
    """Raise Forbidden unless `user` may say when the company works."""
    if not may_set_calendar(user):
        raise Forbidden("Only process owners change the company's calendar.")


def current(session: Session) -> CompanyCalendar:
    """Return the calendar in force."""
    found = working_days.in_force(session)
    # Another kind can only come from a program that embeds the engine; it has no form.
    return found if isinstance(found, CompanyCalendar) else CompanyCalendar()


def written(found: CompanyCalendar) -> Written:
    """Return a calendar as the form shows it."""
    return Written(
        week={weekday: hours(found.week.get(weekday, ())) for weekday in range(1, 8)},
        exceptions=[
            Exceptional(day.isoformat(), hours(shifts), found.reasons.get(day, ""))
            for day, shifts in sorted(found.exceptions.items())
        ],
        public_holidays=found.public_holidays,
    )


def read(form: Written) -> CompanyCalendar:
    """Return the calendar that a form describes; raises InvalidCalendar, which names the line."""
    week = {str(weekday): _shifts(text, str(weekday)) for weekday, text in form.week.items()}
    exceptions = [
        {"date": entry.date, "shifts": _shifts(entry.hours, entry.date), "reason": entry.reason}
        for entry in form.exceptions
    ]
    if len({entry.date for entry in form.exceptions}) < len(form.exceptions):
        raise InvalidCalendar("")
    if not any(week.values()):
        raise InvalidCalendar("")
    parts: list[tuple[str, dict[str, Any]]] = [
        *((weekday, {"week": {weekday: shifts}}) for weekday, shifts in week.items()),
        *((str(entry["date"]), {"exceptions": [entry]}) for entry in exceptions),
    ]
    for place, part in parts:
        try:
            calendar.from_data(part)
        except CalendarError as error:
            raise InvalidCalendar(place) from error
    return calendar.from_data({"week": week, "exceptions": exceptions, "publicHolidays": form.public_holidays})


def change(session: Session, user: User, form: Written, reason: str, based_on: int) -> None:
    """Put a calendar in force in all processes at once; due dates that are set already stay.

    `based_on` is the version that the user looked at. Raises Forbidden, InvalidCalendar, NotActive when somebody else
    has changed it meanwhile.
    """
    require_owner(user)
    working_days.store(session, read(form), actor=user.username, reason=reason.strip(), based_on=based_on)


def versions(session: Session) -> Sequence[CalendarSetting]:
    """Return the newest versions that were stored, the one in force first."""
    return session.scalars(select(CalendarSetting).order_by(CalendarSetting.version.desc()).limit(SHOWN)).all()


def special_days(found: CompanyCalendar, today: date) -> list[Day]:
    """Return the days to come that are not as their weekday usually is."""
    days = (found.day(today + timedelta(days=number)) for number in range(AHEAD.days))
    return [
        day for day in days if day.date in found.exceptions or day.shifts != found.week.get(day.date.isoweekday(), ())
    ]


def hours(shifts: Shifts) -> str:
    """Return shifts as people write them: `08:00-12:00, 13:30-17:30`."""
    return ", ".join(f"{begin:%H:%M}-{end:%H:%M}" for begin, end in shifts)


def _shifts(text: str, place: str) -> list[list[str]]:
    if _BETWEEN.sub("", _SHIFT.sub("", text)):
        raise InvalidCalendar(place)
    return [[f"{int(part[1]):02}:{part[2]}", f"{int(part[3]):02}:{part[4]}"] for part in _SHIFT.finditer(text)]
