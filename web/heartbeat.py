"""The heartbeat of workers: how the health page knows that deadlines are being watched."""

from __future__ import annotations

import os
import socket
import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, sessionmaker

from database import transaction
from web.models import WorkerPulse

#: Seconds between two beats of a worker.
INTERVAL_SECONDS = 15

#: A worker that has been silent for so long is forgotten.
FORGET_AFTER = timedelta(hours=1)


class Pulse:
    """One worker's heart."""

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self._sessions = sessions
        self._worker = f"{socket.gethostname()[:150]}:{os.getpid()}"
        self._next = 0.0

    def beat(self) -> None:
        """Note that this worker is alive; most calls come too early and do nothing."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + INTERVAL_SECONDS
        # Not the engine's clock: a demo that jumps a week has not lost its worker.
        at = datetime.now(UTC)
        with self._sessions() as session, transaction(session):
            session.execute(delete(WorkerPulse).where(WorkerPulse.beat_at < at - FORGET_AFTER))
            session.merge(WorkerPulse(worker=self._worker, beat_at=at))


def silent_for(session: Session) -> timedelta | None:
    """Return how long ago any worker gave its last beat; None: there was none within the last hour or so."""
    last = session.scalar(select(func.max(WorkerPulse.beat_at)))
    return None if last is None else datetime.now(UTC) - last
