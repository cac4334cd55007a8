"""What happened: the audit trail and the decisions that were made."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from database import Base, Instant, Json, Key


class Audit(Base):
    """One command that somebody (a person, a worker, the clock) gave; append-only."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_instance", "instance_key", "key"),)

    key: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Instant)
    #: The username; empty: the engine itself.
    actor: Mapped[str]
    #: The command's name, e.g. `complete user task`.
    action: Mapped[str]
    instance_key: Mapped[int] = mapped_column(Key)
    element_id: Mapped[str | None]
    #: The key of the thing acted on: user task, timer, incident ...
    subject_key: Mapped[int | None] = mapped_column(Key)
    #: What was given (reason, assignee, variables).
    details: Mapped[dict[str, Any]] = mapped_column(Json)


class DecisionEvaluation(Base):
    """One decision that a business rule task made: which rules matched, and what came out."""

    __tablename__ = "decision_evaluation"
    __table_args__ = (Index("ix_decision_evaluation_instance", "instance_key"),)

    key: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Instant)
    instance_key: Mapped[int] = mapped_column(Key)
    element_instance_key: Mapped[int] = mapped_column(Key)
    element_id: Mapped[str]
    decision_key: Mapped[int] = mapped_column(Key)
    decision_id: Mapped[str]
    output: Mapped[Any] = mapped_column(Json)
    matched: Mapped[list[Any]] = mapped_column(Json)
