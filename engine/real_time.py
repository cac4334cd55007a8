"""The real time as all processes share it: the database's, so that hosts whose clocks differ agree on what is due.

On SQLite there is one host, and its clock is the one.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

#: Seconds for which what the database has said is carried on by the monotonic clock, which nobody sets.
_CARRIED_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the database's clock showed, and the monotonic clock at the same moment."""

    at: datetime
    monotonic: float


_readings: WeakKeyDictionary[Engine, _Reading] = WeakKeyDictionary()


def now(session: Session) -> datetime:
    """Return the real time in UTC, which the database is asked for every few seconds only."""
    engine = session.get_bind().engine
    if engine.dialect.name == "sqlite":
        return datetime.now(UTC)
    reading = _readings.get(engine)
    if reading is None or time.monotonic() - reading.monotonic > _CARRIED_SECONDS:
        begun = time.monotonic()
        reading = _readings[engine] = _Reading(read(session), begun)
    return reading.at + timedelta(seconds=time.monotonic() - reading.monotonic)


def read(session: Session) -> datetime:
    """Return the real time in UTC as the database shows it at this moment."""
    if session.get_bind().dialect.name == "sqlite":
        return datetime.now(UTC)
    at: datetime | None = session.scalar(select(func.clock_timestamp()))
    assert at is not None
    return at.astimezone(UTC)
