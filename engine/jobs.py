"""Jobs: work for a machine, which workers activate, complete, fail, or end with a BPMN error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, exists, literal, or_, select, union_all
from sqlalchemy.orm import Session

from engine import canceling, clock, incidents, listeners, suspension, task_listeners, throwing, waits
from engine.errors import ElementFailure, NotActive, NotFound
from engine.models import Job, JobKind, JobState
from engine.task_listeners import ListenerResult
from engine.variables import checked

if TYPE_CHECKING:
    from engine.tokens import Token
    from engine.workflow import Execution


def activate(session: Session, job_type: str, worker: str, timeout: timedelta, limit: int) -> list[Job]:
    """Lease at most `limit` jobs of a type to `worker` for `timeout`; a lease that has run out is free again.

    The jobs of suspended instances wait.
    """
    now = clock.now(session)
    statement = (
        select(Job)
        .where(Job.type == job_type, _available(now))
        .order_by(Job.key)
        .limit(limit)
        .with_for_update(skip_locked=True, of=Job)
    )
    jobs = list(session.scalars(statement))
    for job in jobs:
        job.worker = worker
        job.deadline = now + timeout
        job.updated_at = now
    session.flush()
    return jobs


def available_types(session: Session, job_types: Sequence[str]) -> list[str]:
    """Return those of the types of which there is a job that could be activated now."""
    now = clock.now(session)
    wanted = [select(literal(name)).where(exists().where(Job.type == name, _available(now))) for name in job_types]
    return list(session.scalars(union_all(*wanted)))


def _available(now: datetime) -> ColumnElement[bool]:
    return and_(
        Job.state.in_([JobState.CREATED, JobState.FAILED]),
        Job.retries > 0,
        or_(Job.deadline.is_(None), Job.deadline <= now),
        or_(Job.available_at.is_(None), Job.available_at <= now),
        ~suspension.is_suspended(Job.instance_key),
    )


def _live(execution: Execution, job_key: int) -> tuple[Job, Token]:
    job = execution.session.get(Job, job_key, populate_existing=True)
    if job is None:
        raise NotFound("job", job_key)
    token = execution.find(job.element_instance_key)
    if job.state not in (JobState.CREATED, JobState.FAILED) or token is None:
        raise NotActive("job", job_key, str(job.state).lower())
    return job, token


def _verdict(job: Job, result: ListenerResult | None) -> dict[str, Any]:
    """Return what is kept of a task listener's answer."""
    if job.kind != JobKind.TASK_LISTENER:
        return {}
    denied = result is not None and result.denied
    return {"denied": denied, "denied_reason": result.denied_reason if result is not None and denied else None}


@dataclass(frozen=True, slots=True)
class CompleteJob:
    """The work is done; `variables` are its result."""

    job_key: int
    variables: dict[str, Any] = field(default_factory=dict)
    #: What a task listener says of the change that it looked at.
    result: ListenerResult | None = None
    action = "complete job"

    def apply(self, execution: Execution) -> None:
        """Go on after the job; raises NotFound, NotActive, InvalidVariables."""
        variables = checked(self.variables)
        job, token = _live(execution, self.job_key)
        if token.in_error:
            incidents.overcome(token)
        execution.changes.update(
            Job,
            job.key,
            state=JobState.COMPLETED,
            ended_at=execution.now,
            updated_at=execution.now,
            deadline=None,
            **_verdict(job, self.result),
        )
        waits.forget(token, Job)
        details = execution.variables.change(token, variables)
        execution.audit(self.action, element_id=job.element_id, subject_key=job.key, details=details)
        match job.kind:
            case JobKind.EXECUTION_LISTENER:
                listeners.completed(token, job.listener_event or "", variables)
            case JobKind.TASK_LISTENER:
                task_listeners.completed(token, variables, self.result or ListenerResult())
            case _:
                execution.finish(token, variables)


@dataclass(frozen=True, slots=True)
class FailJob:
    """The work failed; with no retries left it becomes an incident."""

    job_key: int
    retries: int
    message: str = ""
    back_off: timedelta = timedelta(0)
    variables: dict[str, Any] = field(default_factory=dict)
    action = "fail job"

    def apply(self, execution: Execution) -> None:
        """Give the job back, or raise its incident; raises NotFound, NotActive, InvalidVariables."""
        variables = checked(self.variables)
        job, token = _live(execution, self.job_key)
        for name, value in variables.items():
            execution.variables.set_local(token, name, value)
        execution.changes.update(
            Job,
            job.key,
            state=JobState.FAILED,
            retries=max(self.retries, 0),
            error_message=self.message,
            deadline=None,
            available_at=execution.now + self.back_off if self.back_off else None,
            updated_at=execution.now,
        )
        execution.audit(self.action, element_id=job.element_id, subject_key=job.key, details={"message": self.message})
        if self.retries <= 0 and not token.in_error:
            message = self.message or "The worker gave no reason."
            incidents.raise_at(token, ElementFailure("JOB_NO_RETRIES", message), job_key=job.key)


@dataclass(frozen=True, slots=True)
class ThrowJobError:
    """The work ended with a BPMN error that the diagram may catch."""

    job_key: int
    code: str
    message: str = ""
    variables: dict[str, Any] = field(default_factory=dict)
    action = "throw job error"

    def apply(self, execution: Execution) -> None:
        """Throw the error at the job's element; uncaught it becomes an incident. Raises NotFound, NotActive."""
        variables = checked(self.variables)
        job, token = _live(execution, self.job_key)
        if canceling.is_canceling(token):
            raise NotActive("job", self.job_key, "one that the end of its task waits for")
        execution.changes.update(
            Job,
            job.key,
            state=JobState.ERROR_THROWN,
            error_code=self.code,
            error_message=self.message,
            ended_at=execution.now,
            updated_at=execution.now,
            deadline=None,
        )
        execution.audit(self.action, element_id=job.element_id, subject_key=job.key, details={"code": self.code})
        try:
            throwing.throw_error(token, self.code, self.message, variables)
        except ElementFailure as failure:
            incidents.raise_at(token, failure, job_key=job.key)


@dataclass(frozen=True, slots=True)
class UpdateJob:
    """Change how often a job may be tried, or when its worker's lease ends (UTC); null leaves what is."""

    job_key: int
    retries: int | None = None
    deadline: datetime | None = None
    action = "update job"
    while_suspended = True

    def apply(self, execution: Execution) -> None:
        """Change the job; raises NotFound, NotActive when it has ended or nobody holds the lease to change."""
        job, _ = _live(execution, self.job_key)
        if self.deadline is not None and job.deadline is None:
            raise NotActive("job", self.job_key, "held by no worker")
        given = {"retries": self.retries, "deadline": self.deadline}
        changes = {name: value for name, value in given.items() if value is not None}
        execution.changes.update(Job, job.key, updated_at=execution.now, **changes)
        shown = {name: str(value) if isinstance(value, datetime) else value for name, value in changes.items()}
        execution.audit(self.action, element_id=job.element_id, subject_key=job.key, details=shown)
