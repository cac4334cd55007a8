"""The worker: enforces every deadline, by firing timers that are due and dropping messages that have expired."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

import structlog
from sqlalchemy import update
from sqlalchemy.orm import Session

from database import transaction
from engine import clock, messages, starts, timers
from engine.errors import EngineError
from engine.execution import execute
from engine.invariants import Inspector
from engine.models import Timer
from engine.timers import FireTimer

log = structlog.get_logger("baton.worker")

#: Timers looked up at one go.
BATCH = 100
#: Seconds between two looks when nothing was due.
IDLE_SECONDS = 1.0


class Worker:
    """Fires what is due, one transaction per timer, so that a crash repeats nothing and loses nothing."""

    def __init__(self, sessions: Callable[[], Session]) -> None:
        self._sessions = sessions
        self._stop = threading.Event()
        self._inspector = Inspector(sessions)
        #: When the last step ended, in UTC by the engine's clock; None: not yet.
        self.last_step_at: datetime | None = None

    def run(self) -> None:
        """Work until `stop` is called; a failing step is logged and tried again."""
        while not self._stop.is_set():
            try:
                busy = self.step()
            except Exception:
                log.exception("worker step failed")
                busy = False
            if not busy:
                self._stop.wait(IDLE_SECONDS)

    def stop(self) -> None:
        """Let `run` return after what it has in hand."""
        self._stop.set()

    def step(self) -> bool:
        """Do one round; return True when there was work, so that the next round should follow at once.

        1. Look up due timers, oldest first. 2. Fire each in a transaction of its own. 3. When nothing is due, drop
        expired messages and look for stranded instances.
        """
        with self._sessions() as session:
            now = clock.now(session)
            due = [(timer.key, timer.instance_key) for timer in timers.due(session, now, BATCH)]
        fired = sum(self._fire(timer_key, instance_key) for timer_key, instance_key in due)
        if not due:
            with self._sessions() as session, transaction(session):
                messages.drop_expired(session)
            self._inspector.step(now)
        self.last_step_at = now
        return fired > 0 or len(due) == BATCH

    def _fire(self, timer_key: int, instance_key: int | None) -> bool:
        with self._sessions() as session:
            try:
                with transaction(session):
                    if instance_key is None:
                        starts.fire(session, timer_key)
                    else:
                        execute(session, instance_key, FireTimer(timer_key))
            except Exception as error:
                # One bad timer must not hold up its neighbours; it is tried again later.
                level = log.warning if isinstance(error, EngineError) else log.exception
                level("timer could not be fired", timer=timer_key, instance=instance_key, error=str(error))
                with transaction(session):
                    later = clock.now(session) + timers.RETRY_AFTER
                    session.execute(update(Timer).where(Timer.key == timer_key).values(not_before=later))
                return False
        return True


def run_due(sessions: Callable[[], Session], *, most_rounds: int = 10_000) -> int:
    """Fire everything that is due now, also what becomes due by it, and return the number of rounds with work."""
    worker = Worker(sessions)
    rounds = 0
    while rounds < most_rounds and worker.step():
        rounds += 1
    return rounds


__all__ = ["Worker", "run_due"]
