"""Which workers are alive."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from database import Base, Instant


class WorkerPulse(Base):
    """A worker process and when it last said that it is alive; in real time, whatever the demo's clock says."""

    __tablename__ = "worker_pulse"

    #: Host and process id.
    worker: Mapped[str] = mapped_column(String(200), primary_key=True)
    beat_at: Mapped[datetime] = mapped_column(Instant)
