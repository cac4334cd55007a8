"""The heartbeat of workers: how the health page knows that deadlines are being watched."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from database import transaction
from engine import leases
from engine.duties import Turn
from web.models import WorkerPulse

#: Seconds between two beats of a worker.
INTERVAL_SECONDS = 15.0

#: A worker that has been silent for longer is not counted among the living: it has missed two beats.
ALIVE_FOR = timedelta(seconds=3 * INTERVAL_SECONDS)

#: A worker that has been silent for so long is forgotten.
FORGET_AFTER = timedelta(hours=1)


class Heartbeat:
    """The duty of each worker to say that it is alive."""

    name = "heartbeat"
    channel = None

    def take(self, turn: Turn) -> float:
        """Note that this worker is alive."""
        with turn.sessions() as session, transaction(session):
            # Not the engine's clock: a demo that jumps a week has not lost its worker.
            at = leases.now(session)
            session.execute(delete(WorkerPulse).where(WorkerPulse.beat_at < at - FORGET_AFTER))
            session.merge(WorkerPulse(worker=turn.worker, beat_at=at))
        return INTERVAL_SECONDS


@dataclass(frozen=True, slots=True)
class Pulses:
    """What is known of the workers."""

    #: Those that have given a beat lately.
    alive: int
    #: How long ago any of them gave its last beat; None: there was none within the last hour or so.
    silent_for: timedelta | None


def feel(session: Session) -> Pulses:
    """Return what is known of the workers, wherever they run."""
    now = leases.now(session)
    # A beat that is still to come was given before the clock was set back.
    lately = WorkerPulse.beat_at.between(now - ALIVE_FOR, now + ALIVE_FOR)
    alive, last = session.execute(select(func.count().filter(lately), func.max(WorkerPulse.beat_at))).one()
    return Pulses(alive, None if last is None else max(now - last, timedelta(0)))
