"""Creating jobs: of elements that a machine works at, and of listeners."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import expressions, waits, wakeup
from engine.elements.definitions import JobDefinition
from engine.keys import new_key
from engine.models import Job, JobKind, JobState

if TYPE_CHECKING:
    from engine.tokens import Token

#: Where it is said that a job was created, with its type.
CHANNEL = "jobs"

#: Retries of a job whose diagram does not say (Camunda 8's default).
DEFAULT_RETRIES = 3


def create(
    token: Token,
    definition: JobDefinition,
    *,
    kind: JobKind = JobKind.BPMN_ELEMENT,
    listener_event: str | None = None,
) -> None:
    """Create the job that the token waits for; raises ElementFailure when its type or retries cannot be computed."""
    execution = token.execution
    job_type = expressions.evaluate(token, definition.type, "job type")
    if not isinstance(job_type, str) or not job_type:
        raise expressions.unusable(token, definition.type, "The job type must be a text.")
    expressions.short(token, definition.type, job_type, "job type")
    retries = expressions.evaluate(token, definition.retries, "job retries")
    try:
        count = int(retries)
    except (TypeError, ValueError):
        raise expressions.unusable(token, definition.retries, "The job retries must be a number.") from None
    if not 0 <= count < 2**31:
        raise expressions.unusable(token, definition.retries, "The job retries must be a number from 0 to 2147483647.")
    wakeup.notify(execution.session, CHANNEL, job_type)
    waits.add(
        token,
        Job,
        key=new_key(),
        type=job_type,
        kind=kind,
        listener_event=listener_event,
        instance_key=execution.instance_key,
        definition_key=execution.definition_key,
        process_id=execution.process.process_id,
        element_id=token.element.id,
        state=JobState.CREATED,
        retries=count,
        worker="",
        deadline=None,
        available_at=None,
        custom_headers=dict(definition.headers),
        error_code=None,
        error_message=None,
        denied=None,
        denied_reason=None,
        created_at=execution.now,
        updated_at=None,
        ended_at=None,
    )
