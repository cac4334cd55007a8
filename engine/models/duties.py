"""What one worker of all does for all: who has it in hand, and when it was done last."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from database import Base, Instant


class ClusterDuty(Base):
    """A duty that is done once for all workers, however many there are."""

    __tablename__ = "cluster_duty"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    #: The worker that does it now; null: nobody does.
    holder: Mapped[str | None]
    #: The holder's lease ends then, in real time.
    leased_until: Mapped[datetime | None] = mapped_column(Instant)
    #: When it was done to its end, by the engine's clock; at first, when a worker first heard of it.
    last_run_at: Mapped[datetime] = mapped_column(Instant)
