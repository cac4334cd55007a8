"""One task as a person needs to see it: the step, the case around it, what is known already, who did what before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import definitions
from engine.models import (
    CLOSED_TASKS,
    Audit,
    FormDefinition,
    ProcessDefinition,
    ProcessInstance,
    Timer,
    UserTask,
    UserTaskState,
)
from engine.user_tasks import CompleteUserTask
from people import service as people
from people.models import User
from people.permissions import may_manage, may_work
from tasks import forms, service, variables
from tasks.forms.shown import Fact, data_for, facts

#: Finished steps that the short history shows.
HISTORY_LENGTH = 8

#: What is known of the case, at the head of the page; more stands with the steps that entered it.
FACTS_LENGTH = 10


@dataclass(frozen=True, slots=True)
class Step:
    """A finished step of the case: what was done, by whom (full name; empty: by nobody), when."""

    name: str
    done_by: str
    ended_at: datetime
    #: The step was taken away by the process before anybody did it.
    canceled: bool
    #: What was entered then, as the step's form words it.
    entered: list[Fact]


@dataclass(frozen=True, slots=True)
class TaskDetail:
    """A task with everything its page shows."""

    task: UserTask
    process_name: str
    title: str
    #: Full name of who has the task, or who completed it.
    holder: str | None
    documentation: str
    #: The form's schema and the variables it names; None: the step is only to be confirmed.
    form: dict[str, Any] | None
    data: dict[str, Any]
    #: What the first forms of the case have filled in and this form does not show.
    facts: list[Fact]
    #: When the engine will act on its own if nobody does (UTC).
    next_timer_at: datetime | None
    started_at: datetime
    started_by: str
    history: list[Step]
    may_claim: bool
    may_return: bool
    may_complete: bool
    #: To whom the person may give the task.
    colleagues: Sequence[User]


def detail(session: Session, user: User, key: int) -> TaskDetail:
    """Return the task for its page; raises NotFound, Forbidden."""
    task = service.get(session, user, key)
    instance = session.get_one(ProcessInstance, task.instance_key)
    root = instance if task.root_key == task.instance_key else session.get_one(ProcessInstance, task.root_key)
    process = definitions.process(session, task.definition_key)
    seen = variables.visible(session, task)
    entered = _entered(session, [task])
    schema = service.form_schema(session, task.form_key) if task.form_key is not None else None
    history = _history(session, task)
    names = people.names(
        session, {name for name in (root.started_by, task.assignee, task.completed_by, *_doers(history)) if name}
    )
    is_open = task.state == UserTaskState.CREATED
    workable = is_open and may_work(user, task)
    holder = task.assignee if is_open else task.completed_by
    return TaskDetail(
        task=task,
        process_name=process.title,
        title=instance.title or root.title,
        holder=names.get(holder, holder) if holder else None,
        documentation=process.element(task.element_id).details.documentation,
        form=schema,
        # A finished task shows what was entered then, whatever has become of the variables.
        data=data_for(schema, seen | entered.get(key, {})) if schema is not None else {},
        facts=_facts(session, task, schema, seen),
        next_timer_at=_next_timer(session, task) if is_open else None,
        started_at=root.started_at,
        started_by=names.get(root.started_by, root.started_by),
        history=_steps(session, history, names),
        may_claim=workable and task.assignee is None,
        may_return=is_open and task.assignee is not None and (task.assignee == user.username or may_manage(user)),
        may_complete=workable and task.assignee in (None, user.username),
        colleagues=_colleagues(session, user, task) if is_open else (),
    )


def _history(session: Session, task: UserTask) -> Sequence[UserTask]:
    """Return the latest finished steps of the case, the newest first."""
    return session.scalars(
        select(UserTask)
        .where(
            UserTask.instance_key.in_(select(ProcessInstance.key).where(ProcessInstance.root_key == task.root_key)),
            UserTask.state.in_(CLOSED_TASKS),
            UserTask.key != task.key,
        )
        .order_by(UserTask.ended_at.desc(), UserTask.key.desc())
        .limit(HISTORY_LENGTH)
    ).all()


def _steps(session: Session, history: Sequence[UserTask], names: dict[str, str]) -> list[Step]:
    entered = _entered(session, history)
    form_keys = {step.form_key for step in history if step.form_key is not None}
    forms_used = select(FormDefinition.key, FormDefinition.schema).where(FormDefinition.key.in_(form_keys))
    schemas = {row.key: row.schema for row in session.execute(forms_used)}
    return [
        Step(
            name=step.name,
            done_by=names.get(step.completed_by or "", step.completed_by or ""),
            ended_at=step.ended_at or step.touched_at,
            canceled=step.state == UserTaskState.CANCELED,
            entered=list(facts(schemas.get(step.form_key or 0, {}), entered.get(step.key, {})).values()),
        )
        for step in history
    ]


def _entered(session: Session, tasks: Sequence[UserTask]) -> dict[int, dict[str, Any]]:
    """Return by key the variables that completed tasks brought."""
    completions = session.execute(
        select(Audit.subject_key, Audit.details).where(
            Audit.instance_key.in_({task.instance_key for task in tasks}),
            Audit.action == CompleteUserTask.action,
            Audit.subject_key.in_([task.key for task in tasks]),
        )
    )
    return {key: details.get("variables", {}) for key, details in completions}


def _doers(history: Sequence[UserTask]) -> set[str]:
    return {step.completed_by for step in history if step.completed_by}


def _next_timer(session: Session, task: UserTask) -> datetime | None:
    return session.scalar(select(func.min(Timer.due_at)).where(Timer.element_instance_key == task.element_instance_key))


def _facts(session: Session, task: UserTask, schema: dict[str, Any] | None, seen: dict[str, Any]) -> list[Fact]:
    """Return what the first forms of the case hold, without ticked boxes and what the task's own form shows."""
    shown = forms.input_names(forms.read(schema)) if schema is not None else frozenset()
    found: dict[str, Fact] = {}
    for earlier in _earlier_schemas(session, task):
        for name, fact in facts(earlier, seen).items():
            if name not in shown and not isinstance(fact.value, bool):
                found.setdefault(name, fact)
    return list(found.values())[:FACTS_LENGTH]


def _earlier_schemas(session: Session, task: UserTask) -> list[dict[str, Any]]:
    start_form_id = session.scalar(
        select(ProcessDefinition.start_form_id)
        .join(ProcessInstance, ProcessInstance.definition_key == ProcessDefinition.key)
        .where(ProcessInstance.key == task.root_key)
    )
    schemas: list[dict[str, Any]] = []
    if start_form_id is not None:
        latest = select(FormDefinition.schema).where(FormDefinition.form_id == start_form_id)
        schemas.extend(session.scalars(latest.order_by(FormDefinition.version.desc()).limit(1)))
    used = (
        select(UserTask.form_key, func.min(UserTask.key).label("first"))
        .join(ProcessInstance, ProcessInstance.key == UserTask.instance_key)
        .where(ProcessInstance.root_key == task.root_key, UserTask.state == UserTaskState.COMPLETED)
        .group_by(UserTask.form_key)
        .subquery()
    )
    schemas.extend(
        session.scalars(
            select(FormDefinition.schema).join(used, used.c.form_key == FormDefinition.key).order_by(used.c.first)
        )
    )
    return schemas


def _colleagues(session: Session, user: User, task: UserTask) -> Sequence[User]:
    if may_manage(user):
        everybody = people.list_users(session)
        return [person for person in everybody if person.active and person.username != task.assignee]
    if not may_work(user, task) or task.assignee not in (None, user.username):
        return ()
    members = people.members(session, task.candidate_groups)
    return [person for person in members if person.username not in (user.username, task.assignee)]
