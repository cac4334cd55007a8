"""JSON endpoints of work for machines: jobs."""

from __future__ import annotations

import time
from datetime import timedelta

from flask import Blueprint, current_app
from flask.blueprints import BlueprintSetupState

from database import transaction
from database.extension import db
from database.rest import Results, endpoint
from database.rest.turns import given_away
from engine.jobs import FailJob, ThrowJobError
from people.login import signed_in_user
from tasks import jobs
from tasks.job_bell import JobBell
from tasks.job_shapes import (
    ActivatedJob,
    ActivatedJobs,
    Activation,
    JobBatchUpdate,
    JobCompletion,
    JobError,
    JobFailure,
    JobQuery,
    JobShape,
    JobUpdate,
)
from tasks.jobs import Leased
from tasks.listener_jobs import event_type
from tasks.shapes import BatchShape

#: What is kept of a program's wish: Camunda 8's API has no place for a reason.
REASON = "API"

blueprint = Blueprint("jobs_api", __name__)

_BELL = "job_bell"


@blueprint.record_once
def _hang_bell(state: BlueprintSetupState) -> None:
    state.app.extensions[_BELL] = JobBell(state.app.extensions["sessions"])


@blueprint.post("/jobs/activation")
@endpoint
def activate_jobs(wanted: Activation) -> ActivatedJobs:
    """Fetch jobs of a type for a worker; where there are none, wait for them."""
    bell: JobBell = current_app.extensions[_BELL]
    leased = _activate(wanted)
    if not leased and wanted.patience:
        leased = _wait(bell, wanted)
    if len(leased) == wanted.max_jobs_to_activate:
        # There may be more, for the next who waits.
        bell.ring(wanted.type)
    return ActivatedJobs(jobs=[_render(found) for found in leased])


def _wait(bell: JobBell, wanted: Activation) -> list[Leased]:
    ends_at = time.monotonic() + wanted.patience
    with bell.waiter(wanted.type) as waiter:
        # There may have been some since it was looked, and before the bell was listened to.
        leased = _activate(wanted)
        while not leased and (left := ends_at - time.monotonic()) > 0:
            # No connection is held meanwhile: the transaction is over.
            with given_away() as allowed:
                if not allowed:
                    break
                waiter.wait(left)
            leased = _activate(wanted)
    return leased


def _activate(wanted: Activation) -> list[Leased]:
    with transaction(db.session()) as session:
        return jobs.activate(
            session,
            signed_in_user(),
            wanted.type,
            worker=wanted.worker,
            timeout=timedelta(milliseconds=wanted.timeout),
            limit=wanted.max_jobs_to_activate,
            names=wanted.fetch_variable,
        )


@blueprint.post("/jobs/search")
@endpoint
def search_jobs(query: JobQuery) -> Results[JobShape]:
    """Search jobs."""
    return jobs.search(db.session(), signed_in_user(), query)


@blueprint.post("/jobs/batch-update")
@endpoint
def update_jobs(update: JobBatchUpdate) -> BatchShape:
    """Change the retries or the leases of many jobs."""
    user = signed_in_user()
    with transaction(db.session()) as session:
        return BatchShape.of(jobs.update_many(session, user, update, REASON))


@blueprint.post("/jobs/<int:key>/completion")
@endpoint
def complete_job(key: int, done: JobCompletion) -> None:
    """Say that a job is done."""
    with transaction(db.session()) as session:
        jobs.complete(session, signed_in_user(), key, done)


@blueprint.post("/jobs/<int:key>/failure")
@endpoint
def fail_job(key: int, failure: JobFailure) -> None:
    """Say that a job failed; without retries left it becomes an incident."""
    back_off = timedelta(milliseconds=failure.retry_back_off)
    command = FailJob(key, failure.retries, failure.error_message or "", back_off, failure.variables or {})
    with transaction(db.session()) as session:
        jobs.report(session, signed_in_user(), key, command)


@blueprint.post("/jobs/<int:key>/error")
@endpoint
def throw_job_error(key: int, error: JobError) -> None:
    """End a job with a BPMN error, which the diagram may catch."""
    command = ThrowJobError(key, error.error_code, error.error_message or "", error.variables or {})
    with transaction(db.session()) as session:
        jobs.report(session, signed_in_user(), key, command)


@blueprint.patch("/jobs/<int:key>")
@endpoint
def update_job(key: int, update: JobUpdate) -> None:
    """Change the retries or the lease of a job."""
    with transaction(db.session()) as session:
        jobs.update(session, signed_in_user(), key, update.changeset)


def _render(leased: Leased) -> ActivatedJob:
    job = leased.job
    assert job.deadline is not None, "activation sets it"
    return ActivatedJob(
        job_key=job.key,
        type=job.type,
        worker=job.worker,
        retries=job.retries,
        deadline=round(job.deadline.timestamp() * 1000),
        variables=leased.variables,
        custom_headers=job.custom_headers,
        element_id=job.element_id,
        element_instance_key=job.element_instance_key,
        process_definition_id=job.process_id,
        process_definition_key=job.definition_key,
        process_definition_version=leased.version,
        process_instance_key=job.instance_key,
        root_process_instance_key=leased.root_key,
        kind=job.kind,
        listener_event_type=event_type(job),
        user_task=leased.user_task,
    )
