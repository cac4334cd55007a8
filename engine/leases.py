"""Leases: how long a worker may hold what it has claimed, by a clock that nobody sets and all workers share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

#: A worker that holds timers for so long is taken for dead, and others take them over. Its turns are far shorter.
TIMER_LEASE = timedelta(seconds=5)

#: The same for a duty that one worker does for all; renewed while it works.
DUTY_LEASE = timedelta(seconds=30)


def now(session: Session) -> datetime:
    """Return the real time in UTC by the database's clock: workers are on machines whose clocks may differ."""
    if session.get_bind().dialect.name == "sqlite":
        # One machine. Not the engine's clock either: one that stands still would let no lease run out.
        return datetime.now(UTC)
    at = session.scalar(select(func.clock_timestamp()))
    assert isinstance(at, datetime)
    return at.astimezone(UTC)
