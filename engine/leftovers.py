"""Leftovers: what instances that have ended still have open, though nothing can ever come of it.

There is no token any more for which somebody could try again, so what is found is ended, and an incident of type
STRANDED, resolved by that, says so in the history of the instance.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Select, delete, select, update
from sqlalchemy.orm import Session

from database import transaction
from engine import clock, locks
from engine.incidents import STRANDED
from engine.keys import new_key
from engine.models import (
    CLOSED_TASKS,
    Audit,
    ElementInstance,
    ElementState,
    Incident,
    IncidentState,
    InstanceState,
    Job,
    JobState,
    LoopItems,
    MessageSubscription,
    ProcessInstance,
    ProcessState,
    SignalSubscription,
    Timer,
    UserTask,
    UserTaskGroup,
    UserTaskState,
    UserTaskUser,
)

_log = structlog.get_logger("baton.leftovers")

#: Instances looked at at a time.
BATCH = 500
#: Time between two rounds of the workers: what has ended changes no more, and there may be much of it.
INTERVAL = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of row that no ended instance may have."""

    name: str
    model: Any
    #: Whether a row is open; null: it is there.
    is_open: ColumnElement[bool] | None
    #: What makes it closed; null: it is deleted. The second is the column of the instant at which it was.
    closed: tuple[dict[str, str], str] | None


_KINDS = (
    _Kind("user task", UserTask, UserTask.state.not_in(CLOSED_TASKS), ({"state": UserTaskState.CANCELED}, "ended_at")),
    _Kind(
        "job",
        Job,
        Job.state.in_([JobState.CREATED, JobState.FAILED]),
        ({"state": JobState.CANCELED}, "ended_at"),
    ),
    _Kind(
        "incident", Incident, Incident.state == IncidentState.ACTIVE, ({"state": IncidentState.RESOLVED}, "resolved_at")
    ),
    _Kind(
        "visit",
        ElementInstance,
        ElementInstance.state == ElementState.ACTIVE,
        ({"state": ElementState.TERMINATED}, "ended_at"),
    ),
    _Kind("timer", Timer, None, None),
    _Kind("message subscription", MessageSubscription, None, None),
    _Kind("signal subscription", SignalSubscription, None, None),
    _Kind("items of a loop", LoopItems, None, None),
)


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something that an ended instance still has."""

    instance_key: int
    process_id: str
    kind: str
    key: int

    @property
    def message(self) -> str:
        """What is wrong, for a person."""
        if self.kind == "state":
            return "The instance has ended, but its tokens are still stored."
        return f"The instance has ended, but its {self.kind} {self.key} is still open."

    def __str__(self) -> str:
        return f"process instance {self.instance_key} ({self.process_id}): {self.message}"


def ended_after(session: Session, after: int) -> list[int]:
    """Return the keys of the next batch of ended instances."""
    ended = ProcessInstance.state != ProcessState.ACTIVE
    statement = select(ProcessInstance.key).where(ended, ProcessInstance.key > after)
    return list(session.scalars(statement.order_by(ProcessInstance.key).limit(BATCH)))


def inspect(session: Session, instance_keys: Collection[int]) -> list[Leftover]:
    """Return what these instances still have; those that are live are left out."""
    found: list[Leftover] = []
    for kind in _KINDS:
        found += [Leftover(row.key, row.process_id, kind.name, row.row_key) for row in session.execute(
            _of(kind, instance_keys)
        )]  # fmt: skip
    stored = (
        select(ProcessInstance.key, ProcessInstance.process_id)
        .join(InstanceState, InstanceState.instance_key == ProcessInstance.key)
        .where(_ended(instance_keys))
    )
    found += [Leftover(row.key, row.process_id, "state", row.key) for row in session.execute(stored)]
    return found


def _ended(instance_keys: Collection[int]) -> ColumnElement[bool]:
    return ProcessInstance.key.in_(instance_keys) & (ProcessInstance.state != ProcessState.ACTIVE)


def _of(kind: _Kind, instance_keys: Collection[int]) -> Select[Any]:
    statement = (
        select(ProcessInstance.key, ProcessInstance.process_id, kind.model.key.label("row_key"))
        .join(kind.model, kind.model.instance_key == ProcessInstance.key)
        .where(_ended(instance_keys))
    )
    return statement if kind.is_open is None else statement.where(kind.is_open)


def end(sessions: Callable[[], Session], found: Sequence[Leftover]) -> list[int]:
    """End what is found and is still so when its instance is locked; return the keys of the incidents that say so."""
    incident_keys: list[int] = []
    for instance_key in dict.fromkeys(leftover.instance_key for leftover in found):
        with sessions() as session, transaction(session):
            root = select(ProcessInstance.root_key).where(ProcessInstance.key == instance_key)
            locks.lock(session, session.scalars(root).one())
            still = inspect(session, [instance_key])
            _end(session, still)
            incident_keys += [_note(session, leftover) for leftover in still]
    if incident_keys:
        _log.error("ended instances had something left", incidents=incident_keys)
    return incident_keys


def _end(session: Session, found: Sequence[Leftover]) -> None:
    now = clock.now(session)
    keys: dict[str, list[int]] = defaultdict(list)
    for leftover in found:
        keys[leftover.kind].append(leftover.key)
    for kind in _KINDS:
        if not keys[kind.name]:
            continue
        mine = kind.model.key.in_(keys[kind.name])
        if kind.closed is None:
            session.execute(delete(kind.model).where(mine))
        else:
            values, instant = kind.closed
            session.execute(update(kind.model).where(mine).values({**values, instant: now}))
    for candidates in (UserTaskGroup, UserTaskUser):
        session.execute(delete(candidates).where(candidates.task_key.in_(keys["user task"])))
    session.execute(delete(InstanceState).where(InstanceState.instance_key.in_(keys["state"])))


def _note(session: Session, leftover: Leftover) -> int:
    instance = session.get_one(ProcessInstance, leftover.instance_key)
    now = clock.now(session)
    incident = Incident(
        key=new_key(),
        type=STRANDED,
        message=leftover.message,
        details={"retry": False},
        state=IncidentState.RESOLVED,
        instance_key=instance.key,
        element_instance_key=instance.key,
        definition_key=instance.definition_key,
        process_id=instance.process_id,
        element_id=instance.process_id,
        created_at=now,
        resolved_at=now,
        resolved_by="",
    )
    audit = Audit(
        key=new_key(),
        at=now,
        actor="",
        action="end what an ended instance has left",
        instance_key=instance.key,
        subject_key=incident.key,
        details={"message": leftover.message},
    )
    session.add_all([incident, audit])
    session.flush()
    return incident.key


def check(session: Session) -> Iterator[Leftover]:
    """Yield what all ended instances still have."""
    after = 0
    while keys := ended_after(session, after):
        yield from inspect(session, keys)
        after = keys[-1]


def inspect_all(sessions: Callable[[], Session]) -> Iterator[None]:
    """Look at all ended instances, a batch between two yields, and end what they still have."""
    after = 0
    while True:
        with sessions() as session:
            keys = ended_after(session, after)
            found = inspect(session, keys) if keys else []
        end(sessions, found)
        if len(keys) < BATCH:
            return
        after = keys[-1]
        yield
