"""Work for machines: workers fetch jobs, say what became of them, and managers look at them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, case, func, select, true
from sqlalchemy.orm import Session

from database.rest import TENANT, Listing, Results, matching
from engine import batches, clock, jobs
from engine.batch_kinds import UpdateJobs
from engine.errors import NotFound
from engine.execution import Command, execute
from engine.jobs import CompleteJob, UpdateJob
from engine.models import BatchOperation, Job, JobState, ProcessInstance
from people.errors import Forbidden
from people.models import User
from people.permissions import may_act_as_machine, may_manage
from tasks import listener_jobs, variables
from tasks.job_shapes import HeldUserTask, JobBatchUpdate, JobChangeset, JobCompletion, JobFilter, JobQuery, JobShape
from tasks.listener_jobs import EVENT_TYPE

_FAILED_WITH_RETRIES = and_(Job.state == JobState.FAILED, Job.retries > 0)

#: Nothing has been done with it since it was created.
_UPDATED_AT = func.coalesce(Job.updated_at, Job.created_at)

_COLUMNS = {
    "job_key": Job.key,
    "type": Job.type,
    "worker": Job.worker,
    "state": Job.state,
    "retries": Job.retries,
    "deadline": Job.deadline,
    "error_code": Job.error_code,
    "error_message": Job.error_message,
    "element_id": Job.element_id,
    "element_instance_key": Job.element_instance_key,
    "process_definition_id": Job.process_id,
    "process_definition_key": Job.definition_key,
    "process_instance_key": Job.instance_key,
    "creation_time": Job.created_at,
    "end_time": Job.ended_at,
    "last_update_time": _UPDATED_AT,
    "denied_reason": Job.denied_reason,
    "kind": Job.kind,
    "listener_event_type": EVENT_TYPE,
    "tenant_id": TENANT,
}

_LISTING: Listing[Job] = Listing(
    Job.key.expression,
    {
        "jobKey": Job.key.expression,
        "type": Job.type.expression,
        "worker": Job.worker.expression,
        "state": Job.state.expression,
        "retries": Job.retries.expression,
        "deadline": Job.deadline.expression,
        "errorCode": Job.error_code.expression,
        "errorMessage": Job.error_message.expression,
        "elementId": Job.element_id.expression,
        "elementInstanceKey": Job.element_instance_key.expression,
        "processDefinitionId": Job.process_id.expression,
        "processDefinitionKey": Job.definition_key.expression,
        "processInstanceKey": Job.instance_key.expression,
        "creationTime": Job.created_at.expression,
        "endTime": Job.ended_at.expression,
        "lastUpdateTime": _UPDATED_AT,
        # Numbers, because SQL does not compare truths.
        "isDenied": case((Job.denied.is_(True), 1), (Job.denied.is_(False), 0)),
        "deniedReason": Job.denied_reason.expression,
        "hasFailedWithRetriesLeft": case((_FAILED_WITH_RETRIES, 1), else_=0),
        "kind": Job.kind.expression,
        "listenerEventType": EVENT_TYPE,
        "tenantId": TENANT,
    },
)


@dataclass(frozen=True, slots=True)
class Leased:
    """A job in the hands of a worker, with the variables that it sees."""

    job: Job
    version: int
    root_key: int
    variables: dict[str, Any]
    #: Of a task listener's job: the task and the change that it is about.
    user_task: HeldUserTask | None


def activate(
    session: Session,
    user: User,
    job_type: str,
    *,
    worker: str,
    timeout: timedelta,
    limit: int,
    names: Collection[str] | None = None,
) -> list[Leased]:
    """Lease at most `limit` jobs of a type to `worker`, each with the variables it sees; raises Forbidden.

    `names`: the only variables that the worker wants.
    """
    _require_machine(user)
    leased = jobs.activate(session, job_type, worker, timeout, limit)
    query = select(ProcessInstance.key, ProcessInstance.version, ProcessInstance.root_key)
    rows = session.execute(query.where(ProcessInstance.key.in_({job.instance_key for job in leased})))
    instances = {key: (version, root_key) for key, version, root_key in rows}
    tasks = listener_jobs.held_tasks(session, leased)
    found = []
    for job in leased:
        seen = variables.visible(session, job)
        if names:
            seen = {name: value for name, value in seen.items() if name in names}
        found.append(Leased(job, *instances[job.instance_key], seen, tasks.get(job.key)))
    return found


def report(session: Session, user: User, job_key: int, command: Command) -> None:
    """Carry out what a worker says of its job; raises Forbidden, NotFound, NotActive, InvalidVariables."""
    _require_machine(user)
    instance_key = session.scalar(select(Job.instance_key).where(Job.key == job_key))
    if instance_key is None:
        raise NotFound("job", job_key)
    execute(session, instance_key, command, actor=user.username)


def complete(session: Session, user: User, job_key: int, done: JobCompletion) -> None:
    """Carry out that a job is done; raises what `report` raises; InvalidVariables for a wrong result."""
    result = None
    if done.result is not None:
        result = listener_jobs.verdict(session.get(Job, job_key), done.result)
    report(session, user, job_key, CompleteJob(job_key, done.variables or {}, result))


def update(session: Session, user: User, job_key: int, changes: JobChangeset) -> None:
    """Change the retries or the lease of a job; raises Forbidden, NotFound, NotActive."""
    lease = None if changes.timeout is None else timedelta(milliseconds=changes.timeout)
    deadline = None if lease is None else clock.now(session) + lease
    report(session, user, job_key, UpdateJob(job_key, changes.retries, deadline))


def search(session: Session, user: User, query: JobQuery) -> Results[JobShape]:
    """Return the jobs that `query` asks for; raises Forbidden, InvalidCursor."""
    _require_machine(user)
    rows = select(Job, ProcessInstance.root_key).join(ProcessInstance, ProcessInstance.key == Job.instance_key)
    if query.filter is not None:
        rows = rows.where(_holds(query.filter))
    return _LISTING.find(session, rows, query, _render)


def update_many(session: Session, user: User, wanted: JobBatchUpdate, reason: str) -> BatchOperation:
    """Write down a change of all open jobs that the filter finds; raises Forbidden."""
    if not may_manage(user):
        raise Forbidden("Only managers change many jobs at once.")
    kind = UpdateJobs(wanted.changeset.retries, wanted.changeset.timeout)
    return batches.create(session, kind, _holds(wanted.filter), actor=user.username, reason=reason)


def _holds(wanted: JobFilter) -> ColumnElement[bool]:
    conditions = matching(wanted, _COLUMNS)
    if wanted.is_denied is not None:
        conditions.append(Job.denied.is_(wanted.is_denied))
    if wanted.has_failed_with_retries_left is not None:
        failed = wanted.has_failed_with_retries_left
        conditions.append(_FAILED_WITH_RETRIES if failed else ~_FAILED_WITH_RETRIES)
    return and_(true(), *conditions)


def _render(row: Row[Job, int]) -> JobShape:
    job, root_key = row
    return JobShape(
        job_key=job.key,
        type=job.type,
        worker=job.worker,
        state=job.state,
        retries=job.retries,
        deadline=job.deadline,
        has_failed_with_retries_left=job.state == JobState.FAILED and job.retries > 0,
        error_code=job.error_code,
        error_message=job.error_message,
        custom_headers=job.custom_headers,
        element_id=job.element_id,
        element_instance_key=job.element_instance_key,
        process_definition_id=job.process_id,
        process_definition_key=job.definition_key,
        process_instance_key=job.instance_key,
        root_process_instance_key=root_key,
        creation_time=job.created_at,
        end_time=job.ended_at,
        last_update_time=job.updated_at or job.created_at,
        is_denied=job.denied,
        denied_reason=job.denied_reason,
        kind=job.kind,
        listener_event_type=listener_jobs.event_type(job),
    )


def _require_machine(user: User) -> None:
    # A worker reads the variables of every case and moves it on.
    if not may_act_as_machine(user):
        raise Forbidden("Workers sign in as a user with the role of a worker or manager.")
