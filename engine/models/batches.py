"""Batch operations: one wish for many instances, incidents or jobs, and what became of each."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from database import Base, Instant, Json, Key


class BatchState(StrEnum):
    """How far a batch operation is."""

    CREATED = "CREATED"
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    COMPLETED = "COMPLETED"
    CANCELED = "CANCELED"


class BatchItemState(StrEnum):
    """What became of one item; active: nothing yet."""

    ACTIVE = "ACTIVE"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"


class BatchOperation(Base):
    """One wish for many things; workers carry it out item by item."""

    __tablename__ = "batch_operation"
    __table_args__ = (
        # What workers look for.
        Index(
            "ix_batch_operation_open",
            "key",
            sqlite_where=text("state IN ('CREATED', 'ACTIVE')"),
            postgresql_where=text("state IN ('CREATED', 'ACTIVE')"),
        ),
    )

    key: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    #: Camunda 8's name of the kind of operation (see `engine.batch_kinds`).
    type: Mapped[str]
    state: Mapped[str]
    #: What is done to each item, besides its key.
    request: Mapped[dict[str, Any]] = mapped_column(Json)
    #: Who wished it, and why; empty: nobody said.
    actor: Mapped[str]
    reason: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Instant)
    #: When a worker began with it.
    started_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    #: Number of its items, which never changes.
    total: Mapped[int]


class BatchItem(Base):
    """One thing of a batch operation: an instance, or an incident or job in it."""

    __tablename__ = "batch_operation_item"
    __table_args__ = (
        # The next item of an operation, and how many there are in each state.
        Index("ix_batch_operation_item_state", "operation_key", "state", "item_key"),
        Index("ix_batch_operation_item_instance", "instance_key"),
    )

    operation_key: Mapped[int] = mapped_column(
        Key, ForeignKey("batch_operation.key"), primary_key=True, autoincrement=False
    )
    item_key: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    instance_key: Mapped[int] = mapped_column(Key)
    root_key: Mapped[int] = mapped_column(Key)
    state: Mapped[str]
    processed_at: Mapped[datetime | None] = mapped_column(Instant)
    #: Why it failed, as a sentence.
    error: Mapped[str | None] = mapped_column(Text)
