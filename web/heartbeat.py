"""The heartbeat of workers: how the health page knows that deadlines are being watched."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from database import transaction
from engine.duties import Turn
from web.models import WorkerPulse

#: Seconds between two beats of a worker.
INTERVAL_SECONDS = 15.0

#: A worker that has been silent for so long is forgotten.
FORGET_AFTER = timedelta(hours=1)


class Heartbeat:
    """The duty of each worker to say that it is alive."""

    name = "heartbeat"
    channel = None

    def take(self, turn: Turn) -> float:
        """Note that this worker is alive."""
        # Not the engine's clock: a demo that jumps a week has not lost its worker.
        at = datetime.now(UTC)
        with turn.sessions() as session, transaction(session):
            session.execute(delete(WorkerPulse).where(WorkerPulse.beat_at < at - FORGET_AFTER))
            session.merge(WorkerPulse(worker=turn.worker, beat_at=at))
        return INTERVAL_SECONDS


def silent_for(session: Session) -> timedelta | None:
    """Return how long ago any worker gave its last beat; None: there was none within the last hour or so."""
    last = session.scalar(select(func.max(WorkerPulse.beat_at)))
    return None if last is None else datetime.now(UTC) - last
