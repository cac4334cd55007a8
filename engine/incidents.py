"""Incidents: what the engine could not do, kept until a person has it tried again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import NotActive, NotFound
from engine.models import Incident, IncidentState, Job, JobState

if TYPE_CHECKING:
    from engine.execution import Execution


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
        if incident.job_key is not None:
            job = execution.session.get(Job, incident.job_key, populate_existing=True)
            if job is not None and job.state in (JobState.CREATED, JobState.FAILED):
                # The worker, not the element, has to try again.
                execution.changes.update(Job, job.key, state=JobState.CREATED, retries=max(job.retries, 1))
                execution.waiting_again(token)
                return
        execution.retry(token)
