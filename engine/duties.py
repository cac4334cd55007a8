"""Duties: the kinds of work that workers do besides each other, in turns, so that a flood of one starves no other.

A duty is shared (every worker does parts of it at the same time) or sole (one worker of all does it, every so often).
Rooms make duties; `web` hands the list to the `Worker`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from sqlalchemy import CursorResult, or_, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from database import transaction
from engine import clock, leases
from engine.models import ClusterDuty

_log = structlog.get_logger("baton.duties")

Sessions = Callable[[], Session]

#: What a duty returns that has more to do: it takes its next turn as soon as the others have had theirs.
AT_ONCE = 0.0

#: Seconds that one turn lasts, about: a duty stops after the part during which its turn is over.
TURN_SECONDS = 0.25

#: Seconds between two looks when there was nothing to do, where nothing else says that there is.
IDLE_SECONDS = 1.0

#: Seconds between two looks at a sole duty that is not due yet: the clock may be set meanwhile.
_SOLE_LOOK_SECONDS = 5.0

#: Seconds between two looks of a duty that hears when there is something to do.
LISTENING_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Turn:
    """What a duty works with during one turn."""

    sessions: Sessions
    #: The name of the worker: unlike that of any other.
    worker: str
    stopping: threading.Event = field(default_factory=threading.Event)
    #: Seconds that a duty with a channel may wait that has nothing to do: longer when wake-ups are heard.
    idle_seconds: float = IDLE_SECONDS
    ends_at: float = field(default_factory=lambda: time.monotonic() + TURN_SECONDS)

    @property
    def over(self) -> bool:
        """The others are waiting, or the worker has been told to stop: begin nothing new."""
        return self.stopping.is_set() or time.monotonic() >= self.ends_at


class Duty(Protocol):
    """One kind of work."""

    @property
    def name(self) -> str:
        """What it is called in logs and, of a sole duty, in the table `cluster_duty`."""

    @property
    def channel(self) -> str | None:
        """The channel (see `engine.wakeup`) on which it is said that there is something to do; None: there is none."""

    def take(self, turn: Turn) -> float:
        """Do a part in transactions of its own and return in how many seconds to look again, or AT_ONCE.

        What it raises is logged, and tried again after a back-off that grows.
        """


@dataclass(frozen=True, slots=True)
class SharedDuty:
    """Work that any number of workers do at the same time; its parts lock or claim what they have in hand."""

    name: str
    #: Does a part that takes milliseconds, and returns whether there may be more to do.
    work: Callable[[Sessions], bool]
    channel: str | None = None

    def take(self, turn: Turn) -> float:
        """Do parts until there are no more or the turn is over."""
        while not turn.over:
            if not self.work(turn.sessions):
                return turn.idle_seconds if self.channel else IDLE_SECONDS
        return AT_ONCE


class SoleDuty:
    """Work that one worker of all does from beginning to end, every `interval` by the engine's clock.

    The worker that does it holds a lease in `cluster_duty`, which it renews while it works; when it dies, another one
    begins again once the lease has run out. The first time is one interval after a worker has first heard of the duty.
    `work` yields after each part, which takes milliseconds where that can be had, and ends when all is done. It may
    yield how many seconds the next part waits, fewer than the lease has: what is not urgent leaves time to others.
    """

    def __init__(
        self,
        name: str,
        interval: timedelta,
        work: Callable[[Sessions], Iterator[float | None]],
        *,
        channel: str | None = None,
    ) -> None:
        self.name = name
        self.channel = channel
        self._interval = interval
        self._work = work
        #: The work that has begun and not ended.
        self._parts: Iterator[float | None] | None = None

    def take(self, turn: Turn) -> float:
        """Do parts if the duty is due and no other worker has it."""
        left = self._left(turn)
        if left > timedelta(0) or not self._lease(turn):
            self._parts = None
            return min(_SOLE_LOOK_SECONDS, max(left.total_seconds(), IDLE_SECONDS))
        if self._parts is None:
            self._parts = self._work(turn.sessions)
        with self._kept(turn):
            for pause in self._parts:
                if pause or turn.over:
                    return pause or AT_ONCE
        self._parts = None
        self._end(turn)
        return min(_SOLE_LOOK_SECONDS, self._interval.total_seconds())

    def _left(self, turn: Turn) -> timedelta:
        """Return how long there is until the duty is due."""
        with turn.sessions() as session:
            now = clock.now(session)
            last = last_run_at(session, self.name)
        if last is None:
            self._begin(turn, now)
            return self._interval
        left = last + self._interval - now
        # A clock that was set back does not keep the duty from being done.
        return left if left <= self._interval else timedelta(0)

    def _begin(self, turn: Turn, now: datetime) -> None:
        try:
            with turn.sessions() as session, transaction(session):
                session.add(ClusterDuty(name=self.name, holder=None, leased_until=None, last_run_at=now))
        except IntegrityError:
            pass  # another worker was faster

    def _lease(self, turn: Turn) -> bool:
        """Take or renew the lease; return False when another worker holds it."""
        with turn.sessions() as session, transaction(session):
            now = leases.now(session)
            until = now + leases.DUTY_LEASE
            free = or_(ClusterDuty.holder == turn.worker, leases.over(ClusterDuty.leased_until, now, until))
            values = {"holder": turn.worker, "leased_until": until}
            return self._update(session, values, free)

    @contextmanager
    def _kept(self, turn: Turn) -> Iterator[None]:
        """Renew the lease in a thread, for a part may take long."""
        done = threading.Event()

        def renew() -> None:
            while not done.wait(leases.DUTY_LEASE.total_seconds() / 3):
                try:
                    self._lease(turn)
                except SQLAlchemyError as error:
                    _log.warning("lease could not be renewed", duty=self.name, error=str(error))

        thread = threading.Thread(target=renew, name=f"lease of {self.name}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _end(self, turn: Turn) -> None:
        with turn.sessions() as session, transaction(session):
            values = {"holder": None, "leased_until": None, "last_run_at": clock.now(session)}
            self._update(session, values, ClusterDuty.holder == turn.worker)

    def _update(self, session: Session, values: dict[str, Any], condition: Any) -> bool:
        result = session.execute(update(ClusterDuty).where(ClusterDuty.name == self.name, condition).values(values))
        assert isinstance(result, CursorResult)
        return result.rowcount == 1


def last_run_at(session: Session, name: str) -> datetime | None:
    """Return when (UTC, by the engine's clock) a sole duty was done last; None: no worker has heard of it."""
    return session.scalar(select(ClusterDuty.last_run_at).where(ClusterDuty.name == name))


__all__ = ["AT_ONCE", "Duty", "Sessions", "SharedDuty", "SoleDuty", "Turn", "last_run_at"]
