"""User tasks: created by the engine, then claimed, changed and completed by people."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from engine import canceling, expressions, task_listeners, waits
from engine.elements.definitions import UserTaskDefinition
from engine.errors import AlreadyAssigned, ElementFailure, NotActive, NotFound
from engine.expressions import as_instant, as_names
from engine.keys import new_key
from engine.models import FormDefinition, UserTask, UserTaskState
from engine.task_listeners import Change
from engine.variables import checked

if TYPE_CHECKING:
    from engine.tokens import Token
    from engine.workflow import Execution

#: Priority of a user task whose diagram does not say (Camunda 8's default); 0 to 100.
DEFAULT_PRIORITY = 50


def create(token: Token, definition: UserTaskDefinition) -> None:
    """Create the user task that the token waits for; raises ElementFailure when its texts cannot be evaluated."""
    execution = token.execution
    element = token.element
    groups = _names(token, definition.candidate_groups, "candidate groups")
    users = _names(token, definition.candidate_users, "candidate users")
    if not groups and definition.candidate_groups is None and element.details.lane:
        groups = [element.details.lane]
    assignee = expressions.evaluate(token, definition.assignee, "assignee") if definition.assignee else None
    if assignee is not None and not isinstance(assignee, str):
        raise expressions.unusable(token, definition.assignee, "The assignee must be a text.")
    expressions.short(token, definition.assignee, assignee or "", "assignee")
    priority = expressions.evaluate(token, definition.priority, "priority") if definition.priority else DEFAULT_PRIORITY
    try:
        rank = int(priority)
    except (TypeError, ValueError):
        raise expressions.unusable(token, definition.priority, "The priority must be a whole number.") from None
    if not 0 <= rank <= 100:
        raise expressions.unusable(token, definition.priority, "The priority must be a number from 0 to 100.")
    form_id = expressions.evaluate(token, definition.form_id, "form id") if definition.form_id else None
    row = waits.add(
        token,
        UserTask,
        key=new_key(),
        instance_key=execution.instance_key,
        root_key=execution.root_key,
        definition_key=execution.definition_key,
        process_id=execution.process.process_id,
        element_id=element.id,
        name=element.details.name or element.id,
        state=UserTaskState.CREATED,
        assignee=assignee or None,
        candidate_groups=groups,
        candidate_users=users,
        priority=rank,
        due_at=_instant(token, definition.due_date, "due date"),
        follow_up_at=_instant(token, definition.follow_up_date, "follow-up date"),
        form_key=_form_key(execution, form_id) if form_id else None,
        form_id=form_id,
        external_form=definition.external_form,
        created_at=execution.now,
        touched_at=execution.now,
        ended_at=None,
        completed_by=None,
    )
    execution.changes.candidates(row["key"], token.key, groups, users)
    execution.outcome.user_task_keys.append(row["key"])
    if any(listener.event == "canceling" for listener in element.listeners):
        token.remember(task=row["key"])
    creating = task_listeners.hold_up(token, row["key"], "creating", entering=True, assignee=assignee or None)
    if assignee and not creating:
        task_listeners.hold_up(token, row["key"], "assigning", entering=True, assignee=assignee)


def carry_out(token: Token, task_key: int, change: Change, wanted: dict[str, Any], actor: str) -> None:
    """Make a change of a user task that no listener holds up any more."""
    execution = token.execution
    match change:
        case "completing":
            _complete(token, task_key, wanted["variables"], wanted["assignee"], actor)
        case "creating":
            execution.changes.update(UserTask, task_key, state=UserTaskState.CREATED)
            if wanted["assignee"]:
                task_listeners.hold_up(token, task_key, "assigning", assignee=wanted["assignee"])
        case "assigning":
            changed = {"assignee": wanted["assignee"], "touched_at": execution.now}
            execution.changes.update(UserTask, task_key, state=UserTaskState.CREATED, **changed)
        case "updating":
            given = _columns(wanted)
            execution.changes.update(UserTask, task_key, state=UserTaskState.CREATED, touched_at=execution.now, **given)
            offer(execution, task_key, given)
        case "canceling":
            canceling.carry_out(token)


def correct(execution: Execution, task_key: int, corrected: dict[str, Any]) -> None:
    """Make the task as listeners have corrected it: the new values by column, dates as ISO 8601 text."""
    if corrected:
        values = _columns(corrected)
        execution.changes.update(UserTask, task_key, **values)
        offer(execution, task_key, values)


def _columns(wanted: dict[str, Any]) -> dict[str, Any]:
    return {name: _instant_of(value) if name in ("due_at", "follow_up_at") else value for name, value in wanted.items()}


def _instant_of(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def _complete(
    token: Token,
    task_key: int,
    variables: dict[str, Any],
    assignee: str | None,
    actor: str,
    *,
    groups: bool = True,
    users: bool = True,
) -> None:
    execution = token.execution
    execution.changes.update(
        UserTask,
        task_key,
        state=UserTaskState.COMPLETED,
        ended_at=execution.now,
        touched_at=execution.now,
        completed_by=actor,
        assignee=assignee,
    )
    waits.forget(token, UserTask)
    execution.changes.drop_candidates(task_key, groups=groups, users=users)
    execution.finish(token, variables)


def offer(execution: Execution, task_key: int, changed: dict[str, Any]) -> None:
    """Put a user task before other candidates, where a change, which has been noted already, names any."""
    if "candidate_groups" not in changed and "candidate_users" not in changed:
        return
    # The change may be the second one of the command: listeners correct what was wanted.
    noted = execution.changes.noted(UserTask, task_key)
    task = execution.session.get(UserTask, task_key)
    groups = noted.get("candidate_groups", task.candidate_groups if task else [])
    users = noted.get("candidate_users", task.candidate_users if task else [])
    # One that the command has made is noted as a whole.
    owner = task.element_instance_key if task else noted["element_instance_key"]
    execution.changes.drop_candidates(task_key)
    execution.changes.candidates(task_key, owner, groups, users)


def _form_key(execution: Execution, form_id: str) -> int:
    statement = (
        select(FormDefinition.key).where(FormDefinition.form_id == form_id).order_by(FormDefinition.version.desc())
    )
    key = execution.session.scalar(statement.limit(1))
    if key is None:
        raise ElementFailure("FORM_NOT_FOUND", f"The form “{form_id}” is not deployed.")
    return key


def _names(token: Token, text: str | None, what: str) -> list[str]:
    if text is None:
        return []
    names = as_names(expressions.evaluate(token, text, what))
    if names is None:
        raise expressions.unusable(token, text, f"The {what} must be a list of texts.")
    return [expressions.short(token, text, name, f"name of one of the {what}") for name in names]


def _instant(token: Token, text: str | None, what: str) -> datetime | None:
    if text is None:
        return None
    execution = token.execution
    value = expressions.evaluate_feel(token, text, what)
    if value is None or value == "":
        return None
    instant = as_instant(value, execution.environment)
    if instant is None:
        raise expressions.unusable(token, text, f"The {what} must be a date and time.")
    return instant


def _open(execution: Execution, task_key: int) -> UserTask:
    task = execution.session.get(UserTask, task_key)
    if task is None:
        raise NotFound("user task", task_key)
    if task.state != UserTaskState.CREATED:
        raise NotActive("user task", task_key, str(task.state).lower())
    return task


def _assign(execution: Execution, task: UserTask, assignee: str | None) -> None:
    token = execution.find(task.element_instance_key)
    if token is None or not task_listeners.hold_up(token, task.key, "assigning", assignee=assignee):
        execution.changes.update(UserTask, task.key, assignee=assignee, touched_at=execution.now)


@dataclass(frozen=True, slots=True)
class CompleteUserTask:
    """A person has done the step; `variables` are what the form brought."""

    task_key: int
    variables: dict[str, Any] = field(default_factory=dict)
    action = "complete user task"

    def apply(self, execution: Execution) -> None:
        """Go on after the task; raises NotFound, NotActive when somebody was faster, InvalidVariables."""
        variables = checked(self.variables)
        task = _open(execution, self.task_key)
        token = execution.find(task.element_instance_key)
        if token is None or token.in_error:
            raise NotActive("user task", self.task_key, "waiting for an incident")
        # Who completes a task that nobody has, has it by that.
        assignee = task.assignee or execution.actor or None
        details = execution.variables.change(token, variables)
        execution.audit(self.action, element_id=task.element_id, subject_key=task.key, details=details)
        if not task_listeners.hold_up(token, task.key, "completing", variables=variables, assignee=assignee):
            groups, users = bool(task.candidate_groups), bool(task.candidate_users)
            _complete(token, task.key, variables, assignee, execution.actor, groups=groups, users=users)


@dataclass(frozen=True, slots=True)
class AssignUserTask:
    """Give the task to `assignee`; without `allow_override` only if nobody else has it."""

    task_key: int
    assignee: str
    allow_override: bool = True
    action = "assign user task"
    while_suspended = True

    def apply(self, execution: Execution) -> None:
        """Set the assignee; raises NotFound, NotActive, AlreadyAssigned."""
        task = _open(execution, self.task_key)
        if not self.allow_override and task.assignee not in (None, self.assignee):
            raise AlreadyAssigned(task.key, task.assignee or "")
        _assign(execution, task, self.assignee)
        execution.audit(
            self.action,
            element_id=task.element_id,
            subject_key=task.key,
            details={"assignee": self.assignee, "before": task.assignee},
        )


@dataclass(frozen=True, slots=True)
class UnassignUserTask:
    """Put the task back to its candidates."""

    task_key: int
    action = "unassign user task"
    while_suspended = True

    def apply(self, execution: Execution) -> None:
        """Clear the assignee; raises NotFound, NotActive."""
        task = _open(execution, self.task_key)
        _assign(execution, task, None)
        execution.audit(
            self.action, element_id=task.element_id, subject_key=task.key, details={"before": task.assignee}
        )


class Unchanged:
    """Marks a field that an update leaves as it is."""


UNCHANGED = Unchanged()


@dataclass(frozen=True, slots=True)
class UpdateUserTask:
    """Change who may do the task and until when; instants in UTC, null takes a date away."""

    task_key: int
    due_at: datetime | Unchanged | None = UNCHANGED
    follow_up_at: datetime | Unchanged | None = UNCHANGED
    candidate_groups: list[str] | Unchanged = UNCHANGED
    candidate_users: list[str] | Unchanged = UNCHANGED
    priority: int | Unchanged = UNCHANGED
    action = "update user task"
    while_suspended = True

    def apply(self, execution: Execution) -> None:
        """Change the given fields; raises NotFound, NotActive."""
        task = _open(execution, self.task_key)
        fields = ("due_at", "follow_up_at", "candidate_groups", "candidate_users", "priority")
        given = {name: getattr(self, name) for name in fields if not isinstance(getattr(self, name), Unchanged)}
        shown: dict[str, Any] = {
            name: value.isoformat() if isinstance(value, datetime) else value for name, value in given.items()
        }
        execution.audit(self.action, element_id=task.element_id, subject_key=task.key, details=shown)
        token = execution.find(task.element_instance_key)
        if token is None or not task_listeners.hold_up(token, task.key, "updating", **shown):
            execution.changes.update(UserTask, task.key, **given, touched_at=execution.now)
            offer(execution, task.key, given)
