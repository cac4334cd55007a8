"""How long the history of an ended instance is kept: the process's own property, else the default of the settings.

Camunda 7's rule for each process (`historyTimeToLive`, removal time from the end of the topmost instance), which
Camunda 8 has only for all processes together.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

import feel
from engine import clock
from engine.configuration import configuration
from engine.timers import InvalidTimer, add
from feel.arithmetic import negate
from feel.durations import NANOSECONDS, DaysTimeDuration, Duration, YearsMonthsDuration, days_time, parse_duration

if TYPE_CHECKING:
    from engine.process import Process

#: The process property (zeebe:property) that says it.
PROPERTY = "historyTimeToLive"

_DAY = 24 * 60 * 60 * NANOSECONDS


class InvalidTimeToLive(ValueError):
    """A text that is no time to live."""


def parse(text: str) -> Duration:
    """Return the duration of a number of days or an ISO 8601 duration; raises InvalidTimeToLive."""
    text = text.strip()
    found = days_time(int(text) * _DAY) if text.isascii() and text.isdigit() else parse_duration(text)
    if found is None or _amount(found) < 0:
        raise InvalidTimeToLive(
            f"“{text}” is no time to live; write a number of days such as 180, or an ISO 8601 duration such as P2Y."
        )
    return found


def _amount(duration: DaysTimeDuration | YearsMonthsDuration) -> int:
    return duration.months if isinstance(duration, YearsMonthsDuration) else duration.nanoseconds


def kept_since(session: Session) -> datetime | None:
    """Return the instant (UTC) since which the settings let history be kept that no process decides on; None: all."""
    settings, now = configuration(session), clock.now(session)
    lasting = settings.history_time_to_live
    if lasting is None:
        return None
    back = negate(lasting)
    assert isinstance(back, DaysTimeDuration | YearsMonthsDuration)
    try:
        return add(now, back, feel.Environment(now=now, zone=settings.zone))
    except InvalidTimer:
        return None


def removal_at(ended_at: datetime, process: Process, session: Session) -> datetime | None:
    """Return from when on (UTC) an instance of `process` that ended at `ended_at` may be removed; None: never.

    Months are counted in the company's zone. What lasts beyond the year 9999 lasts for ever.
    """
    settings = configuration(session)
    lasting = settings.history_time_to_live if process.time_to_live is None else process.time_to_live
    if lasting is None:
        return None
    try:
        return add(ended_at, lasting, feel.Environment(now=ended_at, zone=settings.zone))
    except InvalidTimer:
        return None
