"""Leases: how long a worker may hold what it has claimed, by a clock that all workers share.

It is the real time, not the engine's: one that stands still would let no lease run out.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_
from sqlalchemy.orm import InstrumentedAttribute

from engine.real_time import read as now

#: A worker that holds timers for so long is taken for dead, and others take them over. Its turns are far shorter.
TIMER_LEASE = timedelta(seconds=5)

#: The same for a duty that one worker does for all; renewed while it works.
DUTY_LEASE = timedelta(seconds=30)


def over(until: InstrumentedAttribute[datetime | None], now: object, longest: object) -> ColumnElement[bool]:
    """Return the condition that nobody holds a lease: there is none, or it is over at `now`.

    `longest` is when the longest lease would end that is given now. One that ends later was given before the clock was
    set back, and whoever holds it may be dead.
    """
    return or_(until.is_(None), until <= now, until > longest)


__all__ = ["DUTY_LEASE", "TIMER_LEASE", "now", "over"]
