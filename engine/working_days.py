"""The calendar in force: the one that people have stored, else that of the configuration, in every process at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from database import dumps, loads
from engine import calendar, clock
from engine.calendar import CompanyCalendar
from engine.configuration import configuration
from engine.errors import NotActive
from engine.keys import new_key
from engine.models import CalendarSetting
from feel import WorkingCalendar


class CurrentCalendar:
    """A working calendar that is read when somebody first asks it: most commands never do."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._calendar: WorkingCalendar | None = None

    def is_working_day(self, date: date) -> bool:
        """Whether anybody works on that day."""
        return self._read().is_working_day(date)

    def shifts(self, date: date) -> Sequence[tuple[time, time]]:
        """The hours worked on that day, wall time in the company's zone."""
        return self._read().shifts(date)

    def _read(self) -> WorkingCalendar:
        if self._calendar is None:
            self._calendar = in_force(self._session)
        return self._calendar


def in_force(session: Session) -> WorkingCalendar:
    """Return the stored calendar, else that of the configuration."""
    data = session.scalar(select(CalendarSetting.data).order_by(CalendarSetting.version.desc()).limit(1))
    return configuration(session).calendar if data is None else _parsed(dumps(data))


def store(session: Session, wanted: CompanyCalendar, *, actor: str, reason: str, based_on: int) -> CalendarSetting:
    """Put a calendar in force as the version after `based_on` (0: none was stored).

    Evaluations from the next command on use it, in all processes; due dates that are set stay. Raises NotActive when
    somebody else has stored one meanwhile.
    """
    newest = session.scalar(select(CalendarSetting.version).order_by(CalendarSetting.version.desc()).limit(1)) or 0
    if newest != based_on:
        raise NotActive("calendar", based_on, "replaced by a newer one")
    setting = CalendarSetting(
        key=new_key(),
        version=newest + 1,
        data=calendar.to_data(wanted),
        set_at=clock.now(session),
        set_by=actor,
        reason=reason,
    )
    session.add(setting)
    session.flush()
    return setting


@lru_cache(maxsize=8)
def _parsed(text: str) -> CompanyCalendar:
    return calendar.from_data(loads(text))
