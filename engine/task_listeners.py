"""Task listeners: jobs that a worker does before a user task is created, assigned, updated, completed or canceled.

They block: the change waits until every listener's job is completed; a listener may correct it, or deny it (Camunda 8's
rules). While it waits the task is in a state of its own, in which nothing else can be done with it. What listeners
correct is seen by those that come after, and becomes so with the change; a denial leaves the task as it was.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from engine import incidents, job_creation
from engine.errors import ElementFailure, InvalidVariables
from engine.expressions import as_instant
from engine.models import JobKind, UserTask, UserTaskState
from engine.tokens import STARTED

if TYPE_CHECKING:
    from engine.tokens import Token

Change = Literal["creating", "assigning", "updating", "completing", "canceling"]

#: The state of a user task while listeners look at a change.
_STATES: dict[str, UserTaskState] = {
    "creating": UserTaskState.CREATING,
    "assigning": UserTaskState.ASSIGNING,
    "updating": UserTaskState.UPDATING,
    "completing": UserTaskState.COMPLETING,
    "canceling": UserTaskState.CANCELING,
}

#: That a task comes and goes is for the process to say, not for a listener.
_NOT_DENIABLE = frozenset({"creating", "canceling"})

#: What a listener may correct, by Camunda 8's name: our column.
_CORRECTIONS = {
    "assignee": "assignee",
    "candidateGroups": "candidate_groups",
    "candidateUsers": "candidate_users",
    "dueDate": "due_at",
    "followUpDate": "follow_up_at",
    "priority": "priority",
}


@dataclass(frozen=True, slots=True)
class ListenerResult:
    """What a task listener says of a change: corrections by Camunda 8's attribute names, or a denial and its reason."""

    denied: bool = False
    denied_reason: str = ""
    corrections: dict[str, Any] = field(default_factory=dict)


#: The phase of a token whose next listener could not be called.
LISTENING = "listening"


def hold_up(token: Token, task_key: int, change: Change, *, entering: bool = False, **wanted: Any) -> bool:
    """Let the listeners of a change look at it; return whether there are any, and so whether the change has to wait.

    A listener that cannot be called is an incident; with `entering` it raises ElementFailure, for the engine to make
    one of it.
    """
    if not any(listener.event == change for listener in token.element.listeners):
        return False
    token.remember(
        change={"kind": change, "task": task_key, "done": 0, "actor": token.execution.actor, "wanted": wanted}
    )
    token.execution.changes.update(UserTask, task_key, state=_STATES[change])
    if entering:
        _next(token)
    else:
        _try_next(token)
    return True


def _try_next(token: Token) -> bool:
    """Call the next listener, or make an incident of it; return whether there is one."""
    try:
        return _next(token)
    except ElementFailure as failure:
        token.internal_data.setdefault("phase", LISTENING)
        incidents.raise_at(token, failure)
        return True


def _next(token: Token) -> bool:
    change = token.internal_data["change"]
    listeners = [listener for listener in token.element.listeners if listener.event == change["kind"]]
    if change["done"] >= len(listeners):
        return False
    job = listeners[change["done"]].job
    job_creation.create(token, job, kind=JobKind.TASK_LISTENER, listener_event=change["kind"])
    return True


def call_again(token: Token) -> None:
    """Begin anew with the listeners of a change, one of which could not be called (Camunda 8's rule)."""
    del token.internal_data["phase"]
    token._set_state(STARTED)
    token.internal_data["change"].update(done=0, corrected={})
    _try_next(token)


def completed(token: Token, variables: dict[str, Any], result: ListenerResult) -> None:
    """Go on after a listener's job: with the next one, with the change, or, if it was denied, without it.

    Raises InvalidVariables for corrections that make no sense, and for a denial of what cannot be denied.
    """
    from engine import user_tasks  # what a change does is the user task's business

    execution = token.execution
    change = token.internal_data["change"]
    if result.denied and change["kind"] in _NOT_DENIABLE:
        raise InvalidVariables(f"A listener cannot deny the {change['kind']} of a user task.")
    for name, value in variables.items():
        execution.variables.set_local(token, name, value)
    if result.denied:
        del token.internal_data["change"]
        execution.changes.update(UserTask, change["task"], state=UserTaskState.CREATED)
        details = {"change": change["kind"], "reason": result.denied_reason}
        execution.audit(
            "deny change of user task", element_id=token.element.id, subject_key=change["task"], details=details
        )
        return
    corrected = _corrected(token, result.corrections)
    change.setdefault("corrected", {}).update(corrected)
    change["done"] += 1
    if not _try_next(token):
        del token.internal_data["change"]
        wanted, corrected = change["wanted"], change["corrected"]
        user_tasks.correct(execution, change["task"], corrected)
        wanted |= {name: corrected[name] for name in wanted.keys() & corrected.keys()}
        user_tasks.carry_out(token, change["task"], change["kind"], wanted, change["actor"])


def _corrected(token: Token, corrections: dict[str, Any]) -> dict[str, Any]:
    corrected: dict[str, Any] = {}
    for name, value in corrections.items():
        column = _CORRECTIONS.get(name)
        if column is None:
            raise InvalidVariables(f"A listener cannot correct “{name}”.")
        if value is None:
            continue  # Camunda 8: null leaves the attribute as it is
        if column in ("due_at", "follow_up_at"):
            instant: datetime | None = as_instant(value, token.execution.environment) if value else None
            if value and instant is None:
                raise InvalidVariables(f"“{name}” must be a date and time.")
            corrected[column] = instant.isoformat() if instant is not None else None
        elif column == "assignee":
            corrected[column] = value or None
        else:
            corrected[column] = value
    return corrected
