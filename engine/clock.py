"""The one clock: every instant the engine acts on comes from here, and demo and tests may set it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Mapped, Session, mapped_column

from database import Base, Instant
from engine import real_time, wakeup
from engine.configuration import configuration
from engine.errors import ClockNotControllable


class ClockSetting(Base):
    """How far the clock is from the real one; a single row, so that all processes agree. No row: the real time."""

    __tablename__ = "clock_setting"

    id: Mapped[int] = mapped_column(primary_key=True)
    pinned_at: Mapped[datetime | None] = mapped_column(Instant)
    offset_seconds: Mapped[float] = mapped_column(default=0.0)


_ROW = 1


def now(session: Session) -> datetime:
    """Return the current instant, in UTC."""
    if not configuration(session).clock_control:
        return real_time.now(session)
    setting = session.get(ClockSetting, _ROW)
    if setting is None:
        return real_time.now(session)
    if setting.pinned_at is not None:
        return setting.pinned_at
    return real_time.now(session) + timedelta(seconds=setting.offset_seconds)


def pin(session: Session, at: datetime) -> None:
    """Stop the clock at the instant `at`; raises ClockNotControllable where the configuration forbids it."""
    _setting(session).pinned_at = at
    session.flush()


def advance(session: Session, by: timedelta) -> datetime:
    """Move the clock forward by `by`, keep it running or stopped as it was, and return the new instant in UTC."""
    if by < timedelta(0):
        raise ValueError("the clock only moves forward; reset it to go back to the real time")
    setting = _setting(session)
    if setting.pinned_at is not None:
        setting.pinned_at += by
    else:
        setting.offset_seconds += by.total_seconds()
    session.flush()
    return now(session)


def run_from(session: Session, at: datetime) -> None:
    """Let the clock run on from the instant `at`; raises ClockNotControllable where the configuration forbids it."""
    setting = _setting(session)
    setting.pinned_at = None
    setting.offset_seconds = (at - real_time.now(session)).total_seconds()
    session.flush()


def reset(session: Session) -> None:
    """Return to the real time; raises ClockNotControllable where the configuration forbids it."""
    session.delete(_setting(session))
    session.flush()


def _setting(session: Session) -> ClockSetting:
    if not configuration(session).clock_control:
        raise ClockNotControllable("This server runs on the real time; its clock cannot be set.")
    setting = session.get(ClockSetting, _ROW)
    if setting is None:
        setting = ClockSetting(id=_ROW, pinned_at=None, offset_seconds=0.0)
        session.add(setting)
        session.flush()
    # What the workers sleep until may be due at once.
    wakeup.notify(session, "timers")
    return setting
