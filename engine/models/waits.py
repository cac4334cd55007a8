"""What is waited for: user tasks, jobs, timers, messages, signals, and incidents that wait for a person."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column

from database import Base, Instant, Json, Key


class UserTaskState(StrEnum):
    """States of a user task, Camunda 8's words."""

    #: Task listeners look at a change before it happens.
    CREATING = "CREATING"
    ASSIGNING = "ASSIGNING"
    UPDATING = "UPDATING"
    COMPLETING = "COMPLETING"
    CANCELING = "CANCELING"
    CREATED = "CREATED"
    COMPLETED = "COMPLETED"
    CANCELED = "CANCELED"


#: States of a user task that has ended.
CLOSED_TASKS = (UserTaskState.COMPLETED, UserTaskState.CANCELED)


class JobKind(StrEnum):
    """What a job is for, Camunda 8's words."""

    BPMN_ELEMENT = "BPMN_ELEMENT"
    EXECUTION_LISTENER = "EXECUTION_LISTENER"
    TASK_LISTENER = "TASK_LISTENER"


class JobState(StrEnum):
    """States of a job, Camunda 8's words."""

    CREATED = "CREATED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    ERROR_THROWN = "ERROR_THROWN"
    CANCELED = "CANCELED"


class IncidentState(StrEnum):
    """States of an incident, Camunda 8's words."""

    ACTIVE = "ACTIVE"
    RESOLVED = "RESOLVED"


class UserTask(Base):
    """A step that a person does."""

    __tablename__ = "user_task"
    __table_args__ = (
        # Worklist: my open tasks, most urgent first.
        Index(
            "ix_user_task_mine",
            "assignee",
            "due_at",
            sqlite_where=text("state = 'CREATED'"),
            postgresql_where=text("state = 'CREATED'"),
        ),
        # Stalled: open tasks that nobody has taken.
        Index(
            "ix_user_task_untouched",
            "assignee",
            "touched_at",
            sqlite_where=text("state = 'CREATED'"),
            postgresql_where=text("state = 'CREATED'"),
        ),
        # Worklist: open tasks that are anybody's.
        Index(
            "ix_user_task_everybody",
            # All the same; but SQLite takes an index in which it can look something up before one that it only reads.
            "candidate_groups",
            "key",
            sqlite_where=text("state = 'CREATED' AND candidate_groups = '[]' AND candidate_users = '[]'"),
            postgresql_where=text("state = 'CREATED' AND candidate_groups = '[]' AND candidate_users = '[]'"),
        ),
        # Everybody's worklist: which processes have open tasks, and how many.
        Index(
            "ix_user_task_process",
            "process_id",
            sqlite_where=text("state = 'CREATED'"),
            postgresql_where=text("state = 'CREATED'"),
        ),
        # Cases that a user may see: those in which the user has or had a task.
        Index(
            "ix_user_task_assignee",
            "assignee",
            sqlite_where=text("assignee IS NOT NULL"),
            postgresql_where=text("assignee IS NOT NULL"),
        ),
        Index(
            "ix_user_task_completed_by",
            "completed_by",
            sqlite_where=text("completed_by IS NOT NULL"),
            postgresql_where=text("completed_by IS NOT NULL"),
        ),
        Index("ix_user_task_instance", "instance_key", "state"),
        Index("ix_user_task_element_instance", "element_instance_key"),
    )

    key: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    instance_key: Mapped[int] = mapped_column(Key, ForeignKey("process_instance.key"))
    root_key: Mapped[int] = mapped_column(Key)
    element_instance_key: Mapped[int] = mapped_column(Key)
    definition_key: Mapped[int] = mapped_column(Key)
    process_id: Mapped[str]
    element_id: Mapped[str]
    name: Mapped[str]
    state: Mapped[str]
    assignee: Mapped[str | None]
    candidate_groups: Mapped[list[str]] = mapped_column(Json)
    candidate_users: Mapped[list[str]] = mapped_column(Json)
    priority: Mapped[int] = mapped_column(default=50)
    due_at: Mapped[datetime | None] = mapped_column(Instant)
    follow_up_at: Mapped[datetime | None] = mapped_column(Instant)
    form_key: Mapped[int | None] = mapped_column(Key)
    form_id: Mapped[str | None]
    external_form: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(Instant)
    #: When a person last did something with it: claim, return, reassign.
    touched_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    completed_by: Mapped[str | None]


# Stalled: open tasks past their due date. Everybody's worklist: most urgent first. It has a direction, so it needs the
# columns themselves.
Index(
    "ix_user_task_due",
    UserTask.due_at,
    UserTask.priority.desc(),
    UserTask.key,
    sqlite_where=text("state = 'CREATED'"),
    postgresql_where=text("state = 'CREATED'"),
)


class UserTaskGroup(Base):
    """A candidate group of an open user task: the worklist's way in; gone when the task has ended."""

    __tablename__ = "user_task_group"
    __table_args__ = (Index("ix_user_task_group_group", "group_id", "task_key"),)

    task_key: Mapped[int] = mapped_column(Key, ForeignKey("user_task.key"), primary_key=True, autoincrement=False)
    group_id: Mapped[str] = mapped_column(primary_key=True)


class UserTaskUser(Base):
    """A candidate user of an open user task; gone when the task has ended."""

    __tablename__ = "user_task_user"
    __table_args__ = (Index("ix_user_task_user_user", "username", "task_key"),)

    task_key: Mapped[int] = mapped_column(Key, ForeignKey("user_task.key"), primary_key=True, autoincrement=False)
    username: Mapped[str] = mapped_column(primary_key=True)


class Job(Base):
    """A unit of work for a machine."""

    __tablename__ = "job"
    __table_args__ = (
        # Activation: jobs of a type that nobody holds.
        Index(
            "ix_job_open",
            "type",
            "key",
            sqlite_where=text("state IN ('CREATED', 'FAILED')"),
            postgresql_where=text("state IN ('CREATED', 'FAILED')"),
        ),
        Index("ix_job_element_instance", "element_instance_key"),
        Index("ix_job_instance", "instance_key"),
    )

    key: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    type: Mapped[str]
    kind: Mapped[str] = mapped_column(default=JobKind.BPMN_ELEMENT)
    #: Of a listener's job: the moment or change that it listens to.
    listener_event: Mapped[str | None]
    instance_key: Mapped[int] = mapped_column(Key, ForeignKey("process_instance.key"))
    element_instance_key: Mapped[int] = mapped_column(Key)
    definition_key: Mapped[int] = mapped_column(Key)
    process_id: Mapped[str]
    element_id: Mapped[str]
    state: Mapped[str]
    retries: Mapped[int]
    worker: Mapped[str] = mapped_column(default="")
    #: The worker's lease ends then; null: nobody holds it.
    deadline: Mapped[datetime | None] = mapped_column(Instant)
    #: Not to be activated before then (back-off after a failure).
    available_at: Mapped[datetime | None] = mapped_column(Instant)
    custom_headers: Mapped[dict[str, str]] = mapped_column(Json)
    error_code: Mapped[str | None]
    error_message: Mapped[str | None] = mapped_column(Text)
    #: Of a task listener's job that is completed: whether it denied the change, and why.
    denied: Mapped[bool | None]
    denied_reason: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Instant)
    #: When a worker fetched it or said something of it, or a person changed it.
    updated_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)


def _due_at(context: DefaultExecutionContext) -> datetime:
    due_at: datetime = context.get_current_parameters()["due_at"]  # type: ignore[no-untyped-call]
    return due_at


class Timer(Base):
    """A due date that the engine enforces: of a live element, or (without instance) of a start event."""

    __tablename__ = "timer"
    __table_args__ = (
        Index("ix_timer_element_instance", "element_instance_key"),
        Index("ix_timer_instance", "instance_key"),
    )

    key: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    #: Overdue timers: what people are shown.
    due_at: Mapped[datetime] = mapped_column(Instant, index=True)
    #: When a worker takes it, by the engine's clock: the due date, or later when it could not be fired then. Timers to
    #: fire, oldest first: the workers' only query, which so never passes over one that is not to be fired now.
    next_at: Mapped[datetime] = mapped_column(Instant, index=True, default=_due_at)
    #: The worker that has it in hand, and until when, in real time; null: nobody has.
    claimed_by: Mapped[str | None]
    claimed_until: Mapped[datetime | None] = mapped_column(Instant)
    #: How often in a row it could not be fired.
    failures: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    instance_key: Mapped[int | None] = mapped_column(Key)
    element_instance_key: Mapped[int | None] = mapped_column(Key)
    definition_key: Mapped[int] = mapped_column(Key, index=True)
    process_id: Mapped[str]
    #: The timer event that fires: boundary, catch or start event.
    element_id: Mapped[str]
    #: Which definition of an event with several it is, counted from 0.
    part: Mapped[int] = mapped_column(default=0)
    #: Firings left after this one; -1: without end; 0: this is the last.
    repetitions: Mapped[int] = mapped_column(default=0)
    #: The ISO 8601 interval or cron text that gives the next due date.
    cycle: Mapped[str | None]


class MessageSubscription(Base):
    """A live element that waits for a message, or (without instance) a message start event."""

    __tablename__ = "message_subscription"
    __table_args__ = (
        Index("ix_message_subscription_match", "message_name", "correlation_key"),
        Index("ix_message_subscription_element_instance", "element_instance_key"),
    )

    key: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    message_name: Mapped[str]
    correlation_key: Mapped[str]
    instance_key: Mapped[int | None] = mapped_column(Key, index=True)
    element_instance_key: Mapped[int | None] = mapped_column(Key)
    definition_key: Mapped[int] = mapped_column(Key, index=True)
    process_id: Mapped[str]
    element_id: Mapped[str]
    #: Which definition of an event with several it is, counted from 0.
    part: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(Instant)


class SignalSubscription(Base):
    """A live element that waits for a signal, or (without instance) a signal start event."""

    __tablename__ = "signal_subscription"
    __table_args__ = (Index("ix_signal_subscription_element_instance", "element_instance_key"),)

    key: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    signal_name: Mapped[str] = mapped_column(index=True)
    instance_key: Mapped[int | None] = mapped_column(Key, index=True)
    element_instance_key: Mapped[int | None] = mapped_column(Key)
    definition_key: Mapped[int] = mapped_column(Key, index=True)
    process_id: Mapped[str]
    element_id: Mapped[str]
    #: Which definition of an event with several it is, counted from 0.
    part: Mapped[int] = mapped_column(default=0)


class Message(Base):
    """A published message that is kept until its time to live ends."""

    __tablename__ = "message"
    __table_args__ = (
        Index("ix_message_match", "name", "correlation_key"),
        UniqueConstraint("name", "correlation_key", "message_id"),
    )

    key: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    name: Mapped[str]
    correlation_key: Mapped[str]
    #: The publisher's own id, unique while the message is kept; null: none given.
    message_id: Mapped[str | None]
    variables: Mapped[dict[str, Any]] = mapped_column(Json)
    published_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)


class MessageCorrelation(Base):
    """A message has reached this process: it is correlated once per process (Camunda 8's rule)."""

    __tablename__ = "message_correlation"

    message_key: Mapped[int] = mapped_column(
        Key, ForeignKey("message.key", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    process_id: Mapped[str] = mapped_column(primary_key=True)
    instance_key: Mapped[int] = mapped_column(Key)


class Incident(Base):
    """Something the engine could not do; it waits for a person and is never lost."""

    __tablename__ = "incident"
    __table_args__ = (
        Index("ix_incident_instance", "instance_key", "state"),
        Index("ix_incident_element_instance", "element_instance_key"),
        # Open incidents: stalled instances, counts.
        Index(
            "ix_incident_open",
            "created_at",
            sqlite_where=text("state = 'ACTIVE'"),
            postgresql_where=text("state = 'ACTIVE'"),
        ),
    )

    key: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    type: Mapped[str]
    message: Mapped[str] = mapped_column(Text)
    #: The FEEL text that failed and the variables it read, for the person who repairs it.
    details: Mapped[dict[str, Any]] = mapped_column(Json)
    state: Mapped[str]
    instance_key: Mapped[int] = mapped_column(Key, ForeignKey("process_instance.key"))
    definition_key: Mapped[int] = mapped_column(Key)
    process_id: Mapped[str]
    element_instance_key: Mapped[int] = mapped_column(Key)
    element_id: Mapped[str]
    job_key: Mapped[int | None] = mapped_column(Key)
    created_at: Mapped[datetime] = mapped_column(Instant)
    resolved_at: Mapped[datetime | None] = mapped_column(Instant)
    resolved_by: Mapped[str | None]
