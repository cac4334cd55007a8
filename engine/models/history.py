"""What happened: the audit trail and the decisions that were made."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Text, text
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
    """One decision that an instance or somebody through the API has made: which rules matched, and what came out.

    Decisions of one evaluation, which required each other, share its key and are numbered from 1; of what an instance
    asked for only the decision itself is kept.
    """

    __tablename__ = "decision_evaluation"
    __table_args__ = (
        Index(
            "ix_decision_evaluation_instance",
            "instance_key",
            sqlite_where=text("instance_key IS NOT NULL"),
            postgresql_where=text("instance_key IS NOT NULL"),
        ),
        Index("ix_decision_evaluation_evaluation", "evaluation_key", "number"),
        # What the cleanup looks for: those that belong to no instance.
        Index(
            "ix_decision_evaluation_asked_for",
            "at",
            sqlite_where=text("instance_key IS NULL"),
            postgresql_where=text("instance_key IS NULL"),
        ),
    )

    key: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    evaluation_key: Mapped[int] = mapped_column(Key)
    number: Mapped[int]
    at: Mapped[datetime] = mapped_column(Instant)
    #: The instance and its element; null: somebody asked through the API.
    instance_key: Mapped[int | None] = mapped_column(Key)
    element_instance_key: Mapped[int | None] = mapped_column(Key)
    element_id: Mapped[str | None]
    #: Who asked through the API; empty: an instance did.
    actor: Mapped[str] = mapped_column(default="")
    decision_key: Mapped[int] = mapped_column(Key)
    decision_id: Mapped[str]
    #: The decision that was asked for.
    root_decision_key: Mapped[int] = mapped_column(Key)
    output: Mapped[Any] = mapped_column(Json)
    matched: Mapped[list[Any]] = mapped_column(Json)
    #: Why it could not be made; the failure of an instance's decision is an incident instead.
    failure: Mapped[str | None] = mapped_column(Text)
