"""What people do with tasks: claim, return, hand on, complete; each is one engine command after the room's rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

import feel
from engine import clock, locks
from engine.configuration import configuration
from engine.errors import AlreadyAssigned, NotActive, NotFound
from engine.execution import execute
from engine.models import FormDefinition, UserTask, UserTaskState
from engine.user_tasks import AssignUserTask, CompleteUserTask, UnassignUserTask, UpdateUserTask
from engine.working_days import CurrentCalendar
from people import service as people
from people.errors import Forbidden
from people.models import User
from people.permissions import may_manage, may_see_all, may_work
from tasks import forms, submission, variables
from tasks.errors import InvalidForm
from tasks.worklist import next_of_case

#: What one expression of a form may use: a form has many, and each is evaluated more than once while somebody waits.
FORM_LIMITS = feel.Limits(steps=50_000, seconds=0.1)

_LOCKED = locks.Locked(UserTask)

_NOT_YOURS = "This task belongs to a group that you are not in."


@dataclass(frozen=True, slots=True)
class Completed:
    """A task is done; `next_task_key` is the next step of the same case, if the person may do that too."""

    task_name: str
    instance_key: int
    next_task_key: int | None
    next_task_name: str | None


def get(session: Session, user: User, key: int) -> UserTask:
    """Return a task, open or ended, that `user` may look at; raises NotFound, Forbidden."""
    task = session.get(UserTask, key)
    if task is None:
        raise NotFound("user task", key)
    if not (may_work(user, task) or may_see_all(user) or task.completed_by == user.username):
        raise Forbidden(_NOT_YOURS)
    return task


def claim(session: Session, user: User, key: int) -> None:
    """Give the task to `user`; raises NotFound, Forbidden, NotActive, AlreadyAssigned when somebody else has it."""
    task = _open_task(session, key)
    _require_work(user, task)
    execute(session, task.instance_key, AssignUserTask(key, user.username, allow_override=False), actor=user.username)


def return_task(session: Session, user: User, key: int) -> None:
    """Put the task back for its candidates; only who has it, and managers. Raises NotFound, Forbidden, NotActive."""
    task = _open_task(session, key)
    if task.assignee is None and may_work(user, task):
        return
    if task.assignee != user.username and not may_manage(user):
        raise Forbidden("Only the person who has this task, or a manager, can put it back.")
    execute(session, task.instance_key, UnassignUserTask(key), actor=user.username)


def assign(session: Session, user: User, key: int, username: str, *, allow_override: bool = True) -> None:
    """Give the task to another person; without `allow_override` only if nobody else has it.

    Managers give any task to anybody active. Other people hand on what is theirs, or nobody's, to somebody who may
    work on it. Raises NotFound, UserNotFound, Forbidden, NotActive, AlreadyAssigned.
    """
    task = _open_task(session, key)
    colleague = people.get_user(session, username)
    if not colleague.active:
        raise Forbidden(f"{colleague.name} cannot sign in any more.")
    if not may_manage(user):
        _require_work(user, task)
        _require_own(user, task)
        if not may_work(colleague, task):
            raise Forbidden(f"{colleague.name} is in none of the groups that do this task.")
    execute(session, task.instance_key, AssignUserTask(key, username, allow_override), actor=user.username)


def update(session: Session, user: User, command: UpdateUserTask) -> None:
    """Change dates, candidates or priority of a task; raises NotFound, Forbidden, NotActive."""
    task = _open_task(session, command.task_key)
    if not may_manage(user):
        raise Forbidden("Only managers change who does a task and until when.")
    execute(session, task.instance_key, command, actor=user.username)


def complete(session: Session, user: User, key: int, entered: dict[str, Any]) -> Completed:
    """Complete a task with what was entered in its form; a task that nobody has is claimed by that.

    Raises NotFound, Forbidden, NotActive when it was completed already, AlreadyAssigned when somebody else has it,
    InvalidForm with the sentence for each field.
    """
    task = _workable_task(session, user, key)
    name, instance_key, root_key, visit_key = task.name, task.instance_key, task.root_key, task.element_instance_key
    command = CompleteUserTask(key, _validated(session, task, entered))
    execute(session, instance_key, command, actor=user.username, root_key=root_key, element_instance_key=visit_key)
    following = next_of_case(session, user, root_key)
    return Completed(
        task_name=name,
        instance_key=instance_key,
        next_task_key=following.key if following else None,
        next_task_name=following.name if following else None,
    )


def submit(session: Session, user: User, key: int, sent: dict[str, Any]) -> None:
    """Complete a task with variables that a program sends (see `tasks.submission`); raises what `complete` raises."""
    task = _workable_task(session, user, key)
    schema = form_schema(session, task.form_key) if task.form_key is not None else None
    environment = form_environment(session)
    seen = variables.visible(session, task) if schema is not None else {}
    values = submission.accepted(user, schema, sent, seen, environment)
    command = CompleteUserTask(key, values)
    execute(
        session,
        task.instance_key,
        command,
        actor=user.username,
        root_key=task.root_key,
        element_instance_key=task.element_instance_key,
    )


def form_schema(session: Session, form_key: int) -> dict[str, Any]:
    """Return the schema of a deployed form; raises NotFound."""
    schema: dict[str, Any] | None = session.scalar(select(FormDefinition.schema).where(FormDefinition.key == form_key))
    if schema is None:
        raise NotFound("form", form_key)
    return schema


def form(session: Session, form_key: int) -> FormDefinition:
    """Return a deployed form; raises NotFound."""
    found = session.get(FormDefinition, form_key)
    if found is None:
        raise NotFound("form", form_key)
    return found


def form_environment(session: Session) -> feel.Environment:
    """Return what FEEL in forms needs to know: the engine's time, the company's zone and calendar."""
    settings = configuration(session)
    return feel.Environment(
        now=clock.now(session), zone=settings.zone, calendar=CurrentCalendar(session), limits=FORM_LIMITS
    )


def _open_task(session: Session, key: int) -> UserTask:
    """Return an open task and keep other commands of its case out until the transaction ends."""
    task = _LOCKED.get(session, key)
    if task is None:
        raise NotFound("user task", key)
    if task.state != UserTaskState.CREATED:
        raise NotActive("user task", key, task.state.lower())
    return task


def _workable_task(session: Session, user: User, key: int) -> UserTask:
    """Return an open task that is the user's own, or nobody's and may become it."""
    task = _open_task(session, key)
    _require_work(user, task)
    _require_own(user, task)
    return task


def _require_work(user: User, task: UserTask) -> None:
    if not may_work(user, task):
        raise Forbidden(_NOT_YOURS)


def _require_own(user: User, task: UserTask) -> None:
    if task.assignee not in (None, user.username):
        raise AlreadyAssigned(task.key, task.assignee or "")


def _validated(session: Session, task: UserTask, entered: dict[str, Any]) -> dict[str, Any]:
    """Return the variables that the task's form makes of `entered`; raises InvalidForm."""
    if task.form_key is None:
        return {}
    schema = form_schema(session, task.form_key)
    validation = forms.validate(schema, entered, variables.visible(session, task), form_environment(session))
    if not validation.valid:
        raise InvalidForm(validation, entered)
    return validation.variables
