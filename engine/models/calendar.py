"""The company's working calendar as people have set it: every version of it, the newest in force."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from database import Base, Instant, Json, Key


class CalendarSetting(Base):
    """One version of the calendar, who set it and why; append-only. Without any the configuration's is in force."""

    __tablename__ = "calendar_setting"

    key: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    #: Counts up; two people cannot both make the next one.
    version: Mapped[int] = mapped_column(unique=True)
    #: As `engine.calendar.to_data` writes it.
    data: Mapped[dict[str, Any]] = mapped_column(Json)
    set_at: Mapped[datetime] = mapped_column(Instant)
    set_by: Mapped[str]
    reason: Mapped[str] = mapped_column(Text)
