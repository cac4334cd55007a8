"""Stalled: the live cases that do not move, since when, why, and who could move them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from cockpit.conditions import OPEN_INCIDENT, OPEN_TASK
from cockpit.elements import Elements, elements_of, kind_of, name_of
from cockpit.instances import TIMER_GRACE
from database.counting import counted
from engine import clock
from engine.models import (
    Incident,
    ProcessDefinition,
    ProcessInstance,
    ProcessState,
    Timer,
    UserTask,
)

#: A task that nobody has taken for longer than this is stalled, whatever its due date.
UNTOUCHED_AFTER = timedelta(days=1)
#: Stalled things on one page.
PAGE_SIZE = 50


class Reason(StrEnum):
    """Why a case does not move."""

    #: The engine could not do something; a person must repair and retry.
    INCIDENT = "incident"
    #: A user task is past its due date.
    TASK_OVERDUE = "task-overdue"
    #: A timer should have fired: no worker runs.
    TIMER_OVERDUE = "timer-overdue"
    #: Nobody has taken a user task for a day.
    UNTOUCHED = "untouched"


@dataclass(frozen=True, slots=True)
class StalledFilter:
    """What the page shows; empty fields mean "all"."""

    reason: Reason | None = None
    process_id: str | None = None


@dataclass(frozen=True, slots=True)
class StalledCursor:
    """The last row of a page: the next page begins after it."""

    since: datetime
    key: int


@dataclass(frozen=True, slots=True)
class StalledTask:
    """What is known of the user task that a person should move."""

    key: int
    assignee: str | None
    candidate_groups: Sequence[str]
    candidate_users: Sequence[str]
    created_at: datetime
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class StalledIncident:
    """What the engine could not do."""

    key: int
    type: str
    message: str


@dataclass(frozen=True, slots=True)
class StalledRow:
    """One thing that holds up one case."""

    #: Key of the task, timer or incident.
    key: int
    reason: Reason
    since: datetime
    element_id: str
    #: The BPMN tag, for an element without a name.
    element_kind: str
    element_name: str
    instance_key: int
    #: The topmost case, which is the one that can be cancelled.
    root_key: int
    title: str
    process_id: str
    process_name: str
    started_at: datetime
    started_by: str
    task: StalledTask | None = None
    incident: StalledIncident | None = None
    #: Groups that could act, when it is not a task's own.
    groups: Sequence[str] = ()

    @property
    def candidate_groups(self) -> Sequence[str]:
        """The groups whose members could act."""
        return self.task.candidate_groups if self.task is not None else self.groups


@dataclass(frozen=True, slots=True)
class StalledPage:
    """One page of what is stalled, stuck longest first; `next` is null on the last."""

    rows: Sequence[StalledRow]
    next: StalledCursor | None


@dataclass(frozen=True, slots=True)
class StalledCounts:
    """How many things are stalled, by reason."""

    by_reason: dict[Reason, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All stalled things; a case can have several."""
        return sum(self.by_reason.values())


Since = InstrumentedAttribute[datetime]


@dataclass(frozen=True, slots=True)
class _Kind:
    """One reason: the table that tells it, since when, and the condition on that table."""

    model: type[UserTask] | type[Timer] | type[Incident]
    since: Any
    condition: Callable[[datetime], ColumnElement[bool]]
    #: Columns that are the same in all rows, but stand first in the index: without them PostgreSQL would sort.
    before: tuple[InstrumentedAttribute[Any], ...] = ()


_KINDS: dict[Reason, _Kind] = {
    Reason.INCIDENT: _Kind(Incident, Incident.created_at, lambda now: OPEN_INCIDENT),
    Reason.TASK_OVERDUE: _Kind(
        UserTask,
        UserTask.due_at,
        lambda now: and_(OPEN_TASK, UserTask.due_at < now),
    ),
    Reason.TIMER_OVERDUE: _Kind(Timer, Timer.due_at, lambda now: Timer.due_at < now - TIMER_GRACE),
    # A task that is overdue as well is told as overdue, not twice.
    Reason.UNTOUCHED: _Kind(
        UserTask,
        UserTask.touched_at,
        lambda now: and_(
            OPEN_TASK,
            UserTask.assignee.is_(None),
            UserTask.touched_at < now - UNTOUCHED_AFTER,
            or_(UserTask.due_at.is_(None), UserTask.due_at >= now),
            or_(UserTask.follow_up_at.is_(None), UserTask.follow_up_at < now - UNTOUCHED_AFTER),
        ),
        (UserTask.assignee,),
    ),
}


def page(
    session: Session, wanted: StalledFilter, after: StalledCursor | None = None, size: int = PAGE_SIZE
) -> StalledPage:
    """Return what is stalled, stuck longest first, beginning after `after`; one query per reason."""
    now = clock.now(session)
    found: list[tuple[Reason, Any, ProcessInstance, str, list[str]]] = []
    for reason, kind in _KINDS.items():
        if wanted.reason in (None, reason):
            query = _select(kind, now, wanted, after, size)
            found.extend(
                (reason, subject, instance, name, groups) for subject, instance, name, groups in session.execute(query)
            )
    found.sort(key=lambda item: (_since(item[0], item[1]), item[1].key))
    elements = elements_of(session, {subject.definition_key for _, subject, _, _, _ in found[:size]})
    rows = [
        _row(reason, subject, instance, name, groups, elements[subject.definition_key])
        for reason, subject, instance, name, groups in found[:size]
    ]
    last = StalledCursor(rows[-1].since, rows[-1].key) if len(found) > size else None
    return StalledPage(rows, last)


def counts(session: Session, wanted: StalledFilter) -> StalledCounts:
    """Return how many things are stalled per reason, up to MOST_COUNTED each, with the process of `wanted` applied."""
    now = clock.now(session)
    found = {}
    for reason, kind in _KINDS.items():
        query = select(kind.model.key).where(*_conditions(kind, now, wanted))
        found[reason] = session.execute(select(counted(query))).scalar_one()
    return StalledCounts(found)


def process_choices(session: Session) -> list[tuple[str, str]]:
    """Return id and latest name of every process that has a live case, by name."""
    alive = exists().where(
        ProcessInstance.process_id == ProcessDefinition.process_id, ProcessInstance.state == ProcessState.ACTIVE
    )
    rows = session.execute(
        select(ProcessDefinition.process_id, ProcessDefinition.name).where(alive).order_by(ProcessDefinition.version)
    )
    names = {process_id: name or process_id for process_id, name in rows}
    return sorted(names.items(), key=lambda item: item[1])


def _conditions(kind: _Kind, now: datetime, wanted: StalledFilter) -> list[ColumnElement[bool]]:
    conditions = [kind.condition(now)]
    if kind.model is Timer:
        # The timers of start events belong to no case.
        conditions.append(Timer.instance_key.is_not(None))
    if wanted.process_id:
        conditions.append(kind.model.process_id == wanted.process_id)
    return conditions


def _select(
    kind: _Kind, now: datetime, wanted: StalledFilter, after: StalledCursor | None, size: int
) -> Select[Any, ProcessInstance, str, list[str]]:
    query = (
        select(kind.model, ProcessInstance, ProcessDefinition.name, ProcessDefinition.groups)
        .join(ProcessInstance, ProcessInstance.key == kind.model.instance_key)
        .join(ProcessDefinition, ProcessDefinition.key == kind.model.definition_key)
        .where(*_conditions(kind, now, wanted))
        .order_by(*kind.before, kind.since, kind.model.key)
        .limit(size + 1)
    )
    if after is not None:
        query = query.where(
            # Where the index can begin, which the alternatives do not tell.
            kind.since >= after.since,
            or_(kind.since > after.since, and_(kind.since == after.since, kind.model.key > after.key)),
        )
    return query


def _since(reason: Reason, subject: Any) -> datetime:
    instant: datetime = getattr(subject, _KINDS[reason].since.key)
    return instant


def _row(
    reason: Reason,
    subject: UserTask | Timer | Incident,
    instance: ProcessInstance,
    process_name: str,
    groups: Sequence[str],
    elements: Elements,
) -> StalledRow:
    task = incident = None
    if isinstance(subject, UserTask):
        task = StalledTask(
            key=subject.key,
            assignee=subject.assignee,
            candidate_groups=subject.candidate_groups,
            candidate_users=subject.candidate_users,
            created_at=subject.created_at,
            due_at=subject.due_at,
        )
    elif isinstance(subject, Incident):
        incident = StalledIncident(key=subject.key, type=subject.type, message=subject.message)
    return StalledRow(
        key=subject.key,
        reason=reason,
        since=_since(reason, subject),
        element_id=subject.element_id,
        element_kind=kind_of(elements, subject.element_id),
        element_name=name_of(elements, subject.element_id),
        instance_key=instance.key,
        root_key=instance.root_key,
        title=instance.title,
        process_id=instance.process_id,
        process_name=process_name or instance.process_id,
        started_at=instance.started_at,
        started_by=instance.started_by,
        task=task,
        incident=incident,
        groups=groups,
    )
