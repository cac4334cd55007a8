"""What runs: process instances, their live state, their variables, and each visit of an element."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from database import Base, Instant, Json, Key


class ProcessState(StrEnum):
    """States of a process instance, Camunda 8's words."""

    ACTIVE = "ACTIVE"
    COMPLETED = "COMPLETED"
    TERMINATED = "TERMINATED"


class ElementState(StrEnum):
    """States of an element instance, Camunda 8's words."""

    ACTIVE = "ACTIVE"
    COMPLETED = "COMPLETED"
    TERMINATED = "TERMINATED"


class ProcessInstance(Base):
    """One running or ended case of a process definition."""

    __tablename__ = "process_instance"
    __table_args__ = (
        # The instance list: newest first, by state and process.
        Index("ix_process_instance_list", "state", "process_id", "started_at"),
        # The same by state alone, and by process alone.
        Index("ix_process_instance_state", "state", "started_at"),
        Index("ix_process_instance_process", "process_id", "started_at"),
        # Cases that a user may see: those that the user has started.
        Index("ix_process_instance_starter", "started_by", "started_at"),
        Index("ix_process_instance_running", "definition_key", "state"),
        # Called instances of their caller.
        Index(
            "ix_process_instance_called",
            "parent_key",
            sqlite_where=text("parent_key IS NOT NULL"),
            postgresql_where=text("parent_key IS NOT NULL"),
        ),
        Index("ix_process_instance_children", "parent_element_instance_key"),
        # Those that somebody has suspended: few, and none that should be forgotten.
        Index(
            "ix_process_instance_suspended",
            "started_at",
            sqlite_where=text("suspended_at IS NOT NULL"),
            postgresql_where=text("suspended_at IS NOT NULL"),
        ),
        # Cleanup: hierarchies whose history need no longer be kept.
        Index(
            "ix_process_instance_removal",
            "removal_at",
            sqlite_where=text("removal_at IS NOT NULL"),
            postgresql_where=text("removal_at IS NOT NULL"),
        ),
    )

    key: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    definition_key: Mapped[int] = mapped_column(Key, ForeignKey("process_definition.key"))
    process_id: Mapped[str]
    version: Mapped[int]
    state: Mapped[str]
    #: What people call the case, e.g. plate and customer: the process's `title` property, evaluated after each command.
    title: Mapped[str] = mapped_column(default="")
    parent_key: Mapped[int | None] = mapped_column(Key)
    parent_element_instance_key: Mapped[int | None] = mapped_column(Key)
    #: The topmost caller; its row is the lock of the whole hierarchy.
    root_key: Mapped[int] = mapped_column(Key, index=True)
    started_at: Mapped[datetime] = mapped_column(Instant, index=True)
    started_by: Mapped[str] = mapped_column(default="")
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    #: Of the topmost instance, once it has ended: from then on the whole hierarchy may be archived and removed; null:
    #: it is kept for ever.
    removal_at: Mapped[datetime | None] = mapped_column(Instant)
    #: Nothing happens in the instance since then, until it is resumed; null: it is not suspended.
    suspended_at: Mapped[datetime | None] = mapped_column(Instant)


class InstanceState(Base):
    """The live tokens of an active instance (see `engine.state`); gone when the instance has ended.

    The one row of an instance that every command changes: it has no index besides its key, and PostgreSQL leaves room
    for its next version in the same page, where the key still finds it, so that this is cheap.
    """

    __tablename__ = "instance_state"
    __table_args__ = {"postgresql_with": {"fillfactor": 70}}  # noqa: RUF012

    instance_key: Mapped[int] = mapped_column(
        Key, ForeignKey("process_instance.key"), primary_key=True, autoincrement=False
    )
    tokens: Mapped[bytes] = mapped_column(LargeBinary)
    #: Rises with every command.
    revision: Mapped[int] = mapped_column(default=0, server_default="0")


class ElementInstance(Base):
    """One visit of one element by one token: the unit of history."""

    __tablename__ = "element_instance"
    __table_args__ = (
        Index("ix_element_instance_history", "instance_key", "key"),
        # Live visits: the diagram with tokens, running counts, stalled instances.
        Index(
            "ix_element_instance_live",
            "definition_key",
            "element_id",
            sqlite_where=text("state = 'ACTIVE'"),
            postgresql_where=text("state = 'ACTIVE'"),
        ),
    )

    key: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    instance_key: Mapped[int] = mapped_column(Key, ForeignKey("process_instance.key"))
    definition_key: Mapped[int] = mapped_column(Key)
    element_id: Mapped[str]
    element_type: Mapped[str]
    #: The element instance (or process instance) that this visit is inside of.
    scope_key: Mapped[int] = mapped_column(Key)
    #: The sequence flow by which the token came.
    flow_id: Mapped[str | None]
    state: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)


class Variable(Base):
    """One variable in one scope; `scope_key` is the key of the process or element instance that declares it."""

    __tablename__ = "variable"
    __table_args__ = (UniqueConstraint("scope_key", "name"), Index("ix_variable_instance", "instance_key", "name"))

    key: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    instance_key: Mapped[int] = mapped_column(Key, ForeignKey("process_instance.key"))
    scope_key: Mapped[int] = mapped_column(Key)
    name: Mapped[str]
    value: Mapped[Any] = mapped_column(Json)
    updated_at: Mapped[datetime] = mapped_column(Instant)
