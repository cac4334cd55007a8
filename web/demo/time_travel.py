"""Moving the demo's clock, with everything that happens on the way."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from engine import clock
from engine.models import Timer
from engine.worker import run_due


def forward(session: Session, by: timedelta) -> datetime:
    """Move the clock forward and return the new instant in UTC."""
    return clock.advance(session, by)


def to_next_deadline(session: Session) -> datetime | None:
    """Move the clock to the earliest timer that is still ahead; None: there is none, and the clock stays."""
    now = clock.now(session)
    due_at = session.scalar(select(Timer.due_at).where(Timer.due_at > now).order_by(Timer.due_at).limit(1))
    if due_at is None:
        return None
    return clock.advance(session, due_at - now)


def settle(sessions: sessionmaker[Session]) -> None:
    """Let the worker do all that is due by now."""
    run_due(sessions)
