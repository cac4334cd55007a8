"""Jobs of listeners: the moment or change that they are for, the user task they look at, what they may say of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.errors import InvalidVariables
from engine.held_changes import HeldChange, held_changes
from engine.models import Job, JobKind, UserTask
from engine.task_listeners import ListenerResult
from tasks.job_shapes import HeldUserTask, ListenerVerdict

#: The event type of a job that is no listener's.
NO_EVENT = "UNSPECIFIED"

#: The event type as a column, Camunda 8's words.
EVENT_TYPE = func.coalesce(func.upper(Job.listener_event), NO_EVENT)

#: What Camunda 8 calls the action of each change when the caller has given it no name.
_ACTIONS = {"creating": "", "assigning": "assign", "updating": "update", "completing": "complete", "canceling": ""}

#: The attributes of a task that a change may be about, by our column.
_ATTRIBUTES = {
    "assignee": "assignee",
    "candidate_groups": "candidateGroups",
    "candidate_users": "candidateUsers",
    "due_at": "dueDate",
    "follow_up_at": "followUpDate",
    "priority": "priority",
}


def event_type(job: Job) -> str:
    """Return the moment or change that a job listens to."""
    return (job.listener_event or NO_EVENT).upper()


def held_tasks(session: Session, jobs: Sequence[Job]) -> dict[int, HeldUserTask]:
    """Return the user task that each task listener's job looks at, by the key of the job."""
    listening = [job for job in jobs if job.kind == JobKind.TASK_LISTENER]
    if not listening:
        return {}
    changes = held_changes(session, {job.instance_key for job in listening})
    keys = {change.task_key for change in changes.values()}
    tasks = {task.key: task for task in session.scalars(select(UserTask).where(UserTask.key.in_(keys)))}
    return {
        job.key: _held(tasks[change.task_key], change)
        for job in listening
        if (change := changes.get(job.element_instance_key)) is not None
    }


def verdict(job: Job | None, said: ListenerVerdict) -> ListenerResult:
    """Return what a task listener says of its change; raises InvalidVariables where it has nothing to say."""
    if job is None or job.kind != JobKind.TASK_LISTENER:
        raise InvalidVariables("Only the job of a task listener has a result.")
    if said.denied and job.listener_event == "creating":
        raise InvalidVariables("That a task is created cannot be denied.")
    corrections = said.corrections.given() if said.corrections is not None else {}
    return ListenerResult(bool(said.denied), said.denied_reason or "", corrections)


def _held(task: UserTask, change: HeldChange) -> HeldUserTask:
    after: dict[str, Any] = {name: getattr(task, name) for name in _ATTRIBUTES} | change.wanted | change.corrected
    wanted = change.wanted if change.kind in ("assigning", "updating") else {}
    changed = _ATTRIBUTES.keys() & {**wanted, **change.corrected}
    return HeldUserTask(
        user_task_key=task.key,
        action=_ACTIONS[change.kind],
        assignee=after["assignee"],
        candidate_groups=after["candidate_groups"],
        candidate_users=after["candidate_users"],
        changed_attributes=sorted(_ATTRIBUTES[name] for name in changed),
        due_date=after["due_at"],
        follow_up_date=after["follow_up_at"],
        form_key=task.form_key,
        priority=after["priority"],
    )
