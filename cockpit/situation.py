"""The situation of one case: what it waits for now, and what happens next by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cockpit.conditions import OPEN_INCIDENT, OPEN_TASK
from cockpit.elements import Element, Elements, elements_of, name_of
from cockpit.instances import TIMER_GRACE
from engine import clock
from engine.models import (
    ElementInstance,
    Incident,
    Job,
    JobState,
    MessageSubscription,
    ProcessDefinition,
    ProcessInstance,
    SignalSubscription,
    Timer,
    UserTask,
)


@dataclass(frozen=True, slots=True)
class TaskWait:
    """A person has to do something."""

    key: int
    element_id: str
    name: str
    assignee: str | None
    candidate_groups: Sequence[str]
    candidate_users: Sequence[str]
    created_at: datetime
    due_at: datetime | None
    late: bool


@dataclass(frozen=True, slots=True)
class JobWait:
    """A machine has to do something."""

    key: int
    element_id: str
    name: str
    type: str
    retries: int
    #: The worker that holds the job; empty: nobody does.
    worker: str
    created_at: datetime
    #: Not to be tried again before then (back-off after a failure).
    available_at: datetime | None
    error_message: str | None


@dataclass(frozen=True, slots=True)
class EventWait:
    """A message or a signal has to come in."""

    key: int
    kind: str
    element_id: str
    name: str
    event_name: str
    correlation_key: str
    #: The activity that the event would interrupt or go beside; null: the case waits at the event itself.
    host_name: str | None
    since: datetime | None


@dataclass(frozen=True, slots=True)
class ChildWait:
    """Another case, started by this one."""

    key: int
    title: str
    process_name: str
    state: str
    started_at: datetime
    ended_at: datetime | None
    #: Open incidents in it.
    incidents: int


class Effect(StrEnum):
    """What a timer does when it fires."""

    #: It ends the activity that it sits on and takes over.
    INTERRUPT = "interrupt"
    #: It starts something beside the activity, which goes on.
    BESIDE = "beside"
    #: The case goes on from where it waits.
    CONTINUE = "continue"
    #: It starts an event sub-process.
    SUB_PROCESS = "sub process"


@dataclass(frozen=True, slots=True)
class NextTimer:
    """One thing that the engine will do by itself, unless somebody is faster."""

    key: int
    element_id: str
    #: What the diagram calls the timer; empty: nothing.
    name: str
    due_at: datetime
    effect: Effect
    #: The activity or sub-process that it concerns; empty for a timer that the case itself waits at.
    host_name: str
    #: The steps that follow, by name.
    then: Sequence[str]
    repeats: bool
    #: It should have fired already: no worker runs.
    late: bool


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything a live case waits for; the parts are empty when it has ended."""

    tasks: Sequence[TaskWait]
    jobs: Sequence[JobWait]
    events: Sequence[EventWait]
    children: Sequence[ChildWait]
    timers: Sequence[NextTimer]


def situation(session: Session, instance: ProcessInstance) -> Situation:
    """Return what `instance` waits for; child cases are listed when they have ended, too."""
    now = clock.now(session)
    elements = elements_of(session, [instance.definition_key])[instance.definition_key]
    return Situation(
        tasks=_tasks(session, instance, now),
        jobs=_jobs(session, instance, elements),
        events=[*_messages(session, instance, elements), *_signals(session, instance, elements)],
        children=_children(session, instance),
        timers=_timers(session, instance, elements, now),
    )


def describe_timer(timer: Timer, elements: Elements, now: datetime) -> NextTimer:
    """Return what `timer` will do, in the words of its diagram."""
    element = elements.get(timer.element_id)
    effect, host = _effect(element, elements)
    return NextTimer(
        key=timer.key,
        element_id=timer.element_id,
        name=element.name if element else timer.element_id,
        due_at=timer.due_at,
        effect=effect,
        host_name=name_of(elements, host.id) if host else "",
        then=[elements[target].name for target in _targets(element) if target in elements and elements[target].name],
        repeats=timer.repetitions != 0,
        late=timer.due_at < now - TIMER_GRACE,
    )


def _effect(element: Element | None, elements: Elements) -> tuple[Effect, Element | None]:
    if element is None:
        return Effect.CONTINUE, None
    if element.attached_to is not None:
        return (Effect.INTERRUPT if element.interrupting else Effect.BESIDE), elements.get(element.attached_to)
    scope = elements.get(element.scope_id or "")
    if element.kind == "startEvent" and scope is not None and scope.kind == "eventSubProcess":
        return Effect.SUB_PROCESS, scope
    return Effect.CONTINUE, None


def _targets(element: Element | None) -> Sequence[str]:
    return element.targets if element is not None else ()


def _tasks(session: Session, instance: ProcessInstance, now: datetime) -> list[TaskWait]:
    rows = session.scalars(
        select(UserTask).where(UserTask.instance_key == instance.key, OPEN_TASK).order_by(UserTask.key)
    )
    return [
        TaskWait(
            key=task.key,
            element_id=task.element_id,
            name=task.name or task.element_id,
            assignee=task.assignee,
            candidate_groups=task.candidate_groups,
            candidate_users=task.candidate_users,
            created_at=task.created_at,
            due_at=task.due_at,
            late=task.due_at is not None and task.due_at < now,
        )
        for task in rows
    ]


def _jobs(session: Session, instance: ProcessInstance, elements: Elements) -> list[JobWait]:
    rows = session.scalars(
        select(Job)
        .where(Job.instance_key == instance.key, Job.state.in_((JobState.CREATED, JobState.FAILED)))
        .order_by(Job.key)
    )
    return [
        JobWait(
            key=job.key,
            element_id=job.element_id,
            name=name_of(elements, job.element_id),
            type=job.type,
            retries=job.retries,
            worker=job.worker,
            created_at=job.created_at,
            available_at=job.available_at,
            error_message=job.error_message,
        )
        for job in rows
    ]


def _host_name(elements: Elements, element_id: str) -> str | None:
    element = elements.get(element_id)
    if element is None:
        return None
    effect, host = _effect(element, elements)
    return name_of(elements, host.id) if host is not None and effect is not Effect.CONTINUE else None


def _messages(session: Session, instance: ProcessInstance, elements: Elements) -> list[EventWait]:
    rows = session.scalars(
        select(MessageSubscription)
        .where(MessageSubscription.instance_key == instance.key)
        .order_by(MessageSubscription.key)
    )
    return [
        EventWait(
            key=row.key,
            kind="message",
            element_id=row.element_id,
            name=name_of(elements, row.element_id),
            event_name=row.message_name,
            correlation_key=row.correlation_key,
            host_name=_host_name(elements, row.element_id),
            since=row.created_at,
        )
        for row in rows
    ]


def _signals(session: Session, instance: ProcessInstance, elements: Elements) -> list[EventWait]:
    rows = session.execute(
        select(SignalSubscription, ElementInstance.started_at)
        .outerjoin(ElementInstance, ElementInstance.key == SignalSubscription.element_instance_key)
        .where(SignalSubscription.instance_key == instance.key)
        .order_by(SignalSubscription.key)
    )
    return [
        EventWait(
            key=row.key,
            kind="signal",
            element_id=row.element_id,
            name=name_of(elements, row.element_id),
            event_name=row.signal_name,
            correlation_key="",
            host_name=_host_name(elements, row.element_id),
            since=since,
        )
        for row, since in rows
    ]


def _children(session: Session, instance: ProcessInstance) -> list[ChildWait]:
    failed = (
        select(func.count())
        .where(Incident.instance_key == ProcessInstance.key, OPEN_INCIDENT)
        .correlate(ProcessInstance)
        .scalar_subquery()
    )
    rows = session.execute(
        select(ProcessInstance, ProcessDefinition.name, failed)
        .join(ProcessDefinition, ProcessDefinition.key == ProcessInstance.definition_key)
        .where(ProcessInstance.root_key == instance.root_key, ProcessInstance.parent_key == instance.key)
        .order_by(ProcessInstance.key)
    )
    return [
        ChildWait(
            key=child.key,
            title=child.title,
            process_name=name or child.process_id,
            state=child.state,
            started_at=child.started_at,
            ended_at=child.ended_at,
            incidents=incidents,
        )
        for child, name, incidents in rows
    ]


def _timers(session: Session, instance: ProcessInstance, elements: Elements, now: datetime) -> list[NextTimer]:
    rows = session.scalars(select(Timer).where(Timer.instance_key == instance.key).order_by(Timer.due_at, Timer.key))
    return [describe_timer(timer, elements, now) for timer in rows]
