"""Repair: changed variables and a new attempt at what failed, in one command."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.errors import InvalidVariables, NotActive, NotFound
from engine.incidents import ResolveIncident
from engine.instances import SetVariables
from engine.jobs import UpdateJob
from engine.models import Incident, IncidentState

if TYPE_CHECKING:
    from engine.workflow import Execution


@dataclass(frozen=True, slots=True)
class RepairIncident:
    """Set variables, outward from the failed element or in one scope, give its job retries, and try again."""

    incident_key: int
    variables: dict[str, Any] = field(default_factory=dict)
    #: The scope that gets the variables as its own; null: each variable goes to the scope that declares it.
    scope_key: int | None = None
    #: How often the job of the incident may be tried; null: once.
    retries: int | None = None
    action = "repair incident"

    def apply(self, execution: Execution) -> None:
        """Repair; raises NotFound, NotActive, InvalidVariables."""
        incident = execution.session.get(Incident, self.incident_key, populate_existing=True)
        if incident is None or incident.instance_key != execution.instance_key:
            raise NotFound("incident", self.incident_key)
        if incident.state != IncidentState.ACTIVE:
            raise NotActive("incident", self.incident_key, "resolved")
        if self.retries is not None and incident.job_key is None:
            raise NotActive("incident", self.incident_key, "not that of a job")
        if self.retries is not None and self.retries < 1:
            raise InvalidVariables("A job needs at least one retry.")
        if self.variables:
            scope_key = self.scope_key or incident.element_instance_key
            SetVariables(scope_key, self.variables, local=self.scope_key is not None).apply(execution)
        ResolveIncident(self.incident_key).apply(execution)
        if self.retries is not None and incident.job_key is not None:
            UpdateJob(incident.job_key, retries=self.retries).apply(execution)
