"""Incidents: what the engine could not do, kept until a person has it tried again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine import timer_failures, waits
from engine.errors import ElementFailure, NotActive, NotFound
from engine.models import Incident, IncidentState, Job, JobState
from engine.tokens import ERROR, READY, STARTED, Token

if TYPE_CHECKING:
    from engine.workflow import Execution


#: The type of incidents about what must not be (see `engine.invariants`).
STRANDED = "STRANDED"


def raise_at(token: Token, failure: ElementFailure, *, job_key: int | None = None) -> None:
    """Stop a token where something cannot be done, until a person has it tried again."""
    execution = token.execution
    if job_key is None and "phase" not in token.internal_data:
        # Whatever the failed attempt has opened, the next attempt opens again.
        token.element.terminated(token)
        execution.terminate_children(token)
        waits.close_all(token)
    # One thing stands in a token's way at a time: a newer incident takes the place of the older.
    waits.close(token, Incident)
    token._set_state(ERROR)
    details = {"expression": failure.expression, "variables": failure.variables}
    waits.add_incident(token, failure.kind, failure.message, details, job_key=job_key)


def _enter_again(token: Token, incident: Incident) -> None:
    """Enter a stranded element once more if that can help; else it is for the next check to see whether all is well."""
    if incident.details.get("retry"):
        token.execution.terminate_children(token)
        waits.close_all(token)
        token._set_state(READY)
        token.execution.agenda.append(token)


def overcome(token: Token) -> None:
    """Close the incidents of a token that goes on for another reason than a retry."""
    waits.close(token, Incident)
    token._set_state(STARTED)


@dataclass(frozen=True, slots=True)
class ResolveIncident:
    """Try the element again where it failed; if it fails again, a new incident stands in its place."""

    incident_key: int
    action = "resolve incident"

    def apply(self, execution: Execution) -> None:
        """Close the incident and retry; raises NotFound, NotActive."""
        incident = execution.session.get(Incident, self.incident_key, populate_existing=True)
        if incident is None:
            raise NotFound("incident", self.incident_key)
        if incident.state != IncidentState.ACTIVE:
            raise NotActive("incident", self.incident_key, "resolved")
        token = execution.find(incident.element_instance_key)
        if token is None:
            raise NotActive("incident", self.incident_key, "without a live element")
        execution.changes.update(
            Incident,
            incident.key,
            state=IncidentState.RESOLVED,
            resolved_at=execution.now,
            resolved_by=execution.actor,
        )
        execution.audit(self.action, element_id=incident.element_id, subject_key=incident.key)
        if incident.type == STRANDED:
            _enter_again(token, incident)
            return
        if incident.type == timer_failures.TIMER_FAILURE:
            timer_failures.try_again(execution, incident)
            return
        if incident.job_key is not None:
            job = execution.session.get(Job, incident.job_key, populate_existing=True)
            if job is not None and job.state in (JobState.CREATED, JobState.FAILED, JobState.ERROR_THROWN):
                # The worker, not the element, has to try again.
                execution.changes.update(
                    Job, job.key, state=JobState.CREATED, retries=max(job.retries, 1), ended_at=None
                )
                waits.forget(token, Incident)
                token._set_state(STARTED)
                return
        waits.forget(token, Incident)
        token._set_state(READY)
        execution.agenda.append(token)
