"""What there is to export: cases with their visits of elements, user tasks and audited commands, batch by batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import definitions
from engine.models import Audit, ElementInstance, ProcessInstance, UserTask

#: Cases read at one go.
BATCH = 200
#: Repetitions are told by their turns, not by what holds these together.
_NOT_TOLD = frozenset({"MULTI_INSTANCE_BODY", "STANDARD_LOOP_BODY"})
_NAMESPACE = UUID("6f0c1d5e-6f3b-5b0a-9a4e-2f6d8a1c7b90")


@dataclass(frozen=True, slots=True)
class Task:
    """A user task of a case."""

    key: int
    element_instance_key: int
    name: str
    state: str
    created_at: datetime
    completed_by: str | None


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit of an element; instants in UTC."""

    key: int
    element_id: str
    #: Camunda 8's word for the element's type.
    element_type: str
    #: What the diagram calls the element, else its id.
    name: str
    state: str
    started_at: datetime
    ended_at: datetime | None
    task: Task | None
    #: The key of the last visit inside of it, or its own: what ends at the same instant ends in this order.
    last_key: int


@dataclass(frozen=True, slots=True)
class Command:
    """One audited command."""

    key: int
    at: datetime
    actor: str
    action: str
    element_id: str | None
    subject_key: int | None
    details: dict[str, Any]


@dataclass(slots=True)
class Case:
    """One process instance with all that has happened in it, in the order in which it happened."""

    instance: ProcessInstance
    process_name: str
    visits: list[Visit] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    tasks: dict[int, Task] = field(default_factory=dict)


def cases(session: Session, process_id: str | None = None) -> Iterator[Case]:
    """Yield every case, or those of one process, oldest first."""
    after = 0
    while batch := _instances(session, process_id, after):
        yield from _with_history(session, batch)
        after = batch[-1].key


def identity(kind: str, key: int, moment: str = "") -> UUID:
    """Return the id of an event: the same in every export."""
    return uuid5(_NAMESPACE, f"{kind}/{key}/{moment}")


def _instances(session: Session, process_id: str | None, after: int) -> Sequence[ProcessInstance]:
    statement = select(ProcessInstance).where(ProcessInstance.key > after).order_by(ProcessInstance.key).limit(BATCH)
    if process_id is not None:
        statement = statement.where(ProcessInstance.process_id == process_id)
    return session.scalars(statement).all()


def _with_history(session: Session, instances: Sequence[ProcessInstance]) -> Iterator[Case]:
    keys = [instance.key for instance in instances]
    tasks = _tasks(session, keys)
    visits: dict[int, list[Visit]] = defaultdict(list)
    rows = session.scalars(
        select(ElementInstance).where(ElementInstance.instance_key.in_(keys)).order_by(ElementInstance.key)
    ).all()
    last = _last_keys(rows)
    for row in rows:
        if row.element_type not in _NOT_TOLD:
            visit = Visit(
                row.key,
                row.element_id,
                row.element_type,
                _name(session, row),
                row.state,
                row.started_at,
                row.ended_at,
                tasks.get(row.key),
                last[row.key],
            )
            visits[row.instance_key].append(visit)
    commands: dict[int, list[Command]] = defaultdict(list)
    for entry in session.scalars(select(Audit).where(Audit.instance_key.in_(keys)).order_by(Audit.key)):
        command = Command(
            entry.key, entry.at, entry.actor, entry.action, entry.element_id, entry.subject_key, entry.details
        )
        commands[entry.instance_key].append(command)
    for instance in instances:
        told = visits[instance.key]
        name = definitions.process(session, instance.definition_key).title
        own_tasks = {visit.task.key: visit.task for visit in told if visit.task is not None}
        yield Case(instance, name, told, commands[instance.key], own_tasks)


def _last_keys(rows: Sequence[ElementInstance]) -> dict[int, int]:
    """Return the key of the last visit inside of each visit; what is inside has the greater key."""
    last: dict[int, int] = {}
    for row in reversed(rows):
        own = last.setdefault(row.key, row.key)
        last[row.scope_key] = max(last.get(row.scope_key, 0), own)
    return last


def _tasks(session: Session, keys: Sequence[int]) -> dict[int, Task]:
    """Return the user tasks of instances by the visits that they belong to."""
    rows = session.execute(
        select(
            UserTask.key,
            UserTask.element_instance_key,
            UserTask.name,
            UserTask.state,
            UserTask.created_at,
            UserTask.completed_by,
        )
        .where(UserTask.instance_key.in_(keys))
        .order_by(UserTask.key)
    )
    return {row.element_instance_key: Task(*row) for row in rows}


def _name(session: Session, row: ElementInstance) -> str:
    element = definitions.process(session, row.definition_key).task_specs.get(row.element_id)
    return (element.details.name if element is not None else "") or row.element_id
