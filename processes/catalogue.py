"""The catalogue: which processes are deployed, in which versions, and how many cases run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, literal, select
from sqlalchemy.orm import Session

from engine.errors import NotFound
from engine.models import (
    Deployment,
    ElementInstance,
    ElementState,
    Incident,
    IncidentState,
    ProcessDefinition,
    ProcessInstance,
    ProcessState,
)

# Written into the statements, not bound, because only then SQLite takes the partial indexes made for them.
_OPEN_INCIDENT = Incident.state == literal(IncidentState.ACTIVE.value, literal_execute=True)
_LIVE_ELEMENT = ElementInstance.state == literal(ElementState.ACTIVE.value, literal_execute=True)


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """One process with its latest version."""

    definition: ProcessDefinition
    versions: int
    deployed_at: datetime
    #: The username of who deployed the latest version; empty: the command line.
    deployed_by: str
    running: int
    incidents: int


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version of a process."""

    definition: ProcessDefinition
    deployed_at: datetime
    deployed_by: str
    running: int
    incidents: int


def processes(session: Session) -> list[CatalogueRow]:
    """Return the latest version of every process, by the folder and name of its file; three queries."""
    latest = (
        select(
            ProcessDefinition.process_id,
            func.max(ProcessDefinition.version).label("version"),
            func.count().label("versions"),
        )
        .group_by(ProcessDefinition.process_id)
        .subquery()
    )
    rows = session.execute(
        select(ProcessDefinition, latest.c.versions, Deployment)
        .join(
            latest,
            (latest.c.process_id == ProcessDefinition.process_id) & (latest.c.version == ProcessDefinition.version),
        )
        .join(Deployment, Deployment.key == ProcessDefinition.deployment_key)
        .order_by(ProcessDefinition.resource_name, ProcessDefinition.process_id)
    ).all()
    running: dict[str, int] = dict(
        session.execute(
            select(ProcessInstance.process_id, func.count())
            .where(ProcessInstance.state == ProcessState.ACTIVE)
            .group_by(ProcessInstance.process_id)
        ).all()
    )
    incidents: dict[str, int] = dict(
        session.execute(
            select(Incident.process_id, func.count()).where(_OPEN_INCIDENT).group_by(Incident.process_id)
        ).all()
    )
    return [
        CatalogueRow(
            definition=definition,
            versions=versions,
            deployed_at=definition.created_at,
            deployed_by=deployment.created_by,
            running=running.get(definition.process_id, 0),
            incidents=incidents.get(definition.process_id, 0),
        )
        for definition, versions, deployment in rows
    ]


def versions(session: Session, process_id: str) -> list[VersionRow]:
    """Return the versions of a process, newest first; raises NotFound."""
    rows = session.execute(
        select(ProcessDefinition, Deployment)
        .join(Deployment, Deployment.key == ProcessDefinition.deployment_key)
        .where(ProcessDefinition.process_id == process_id)
        .order_by(ProcessDefinition.version.desc())
    ).all()
    if not rows:
        raise NotFound("process", process_id)
    keys = [definition.key for definition, _ in rows]
    running = _running(session, keys)
    incidents: dict[int, int] = dict(
        session.execute(
            select(Incident.definition_key, func.count())
            .where(_OPEN_INCIDENT, Incident.process_id == process_id)
            .group_by(Incident.definition_key)
        ).all()
    )
    return [
        VersionRow(
            definition=definition,
            deployed_at=definition.created_at,
            deployed_by=deployment.created_by,
            running=running.get(definition.key, 0),
            incidents=incidents.get(definition.key, 0),
        )
        for definition, deployment in rows
    ]


def definition(session: Session, process_id: str, version: int | None = None) -> ProcessDefinition:
    """Return one version of a process, the latest when `version` is null; raises NotFound."""
    query = select(ProcessDefinition).where(ProcessDefinition.process_id == process_id)
    if version is not None:
        query = query.where(ProcessDefinition.version == version)
    found = session.scalars(query.order_by(ProcessDefinition.version.desc()).limit(1)).first()
    if found is None:
        raise NotFound("process", process_id if version is None else f"{process_id} version {version}")
    return found


def _running(session: Session, definition_keys: Sequence[int]) -> dict[int, int]:
    rows = session.execute(
        select(ProcessInstance.definition_key, func.count())
        .where(ProcessInstance.definition_key.in_(definition_keys), ProcessInstance.state == ProcessState.ACTIVE)
        .group_by(ProcessInstance.definition_key)
    )
    return dict(rows.all())


def live_counts(session: Session, definition: ProcessDefinition) -> dict[str, list[dict[str, Any]]]:
    """Return how many live tokens and open incidents the running cases of one version have at each element.

    The shape is the one that the diagram's script reads.
    """
    live = (
        select(ElementInstance.element_id, func.count())
        .where(
            ElementInstance.definition_key == definition.key,
            _LIVE_ELEMENT,
            # The body of a multi-instance activity has the id of what it does per item.
            ElementInstance.element_type.not_in(("PROCESS", "MULTI_INSTANCE_BODY")),
        )
        .group_by(ElementInstance.element_id)
        .order_by(ElementInstance.element_id)
    )
    failed = (
        select(Incident.element_id, func.count())
        .where(Incident.definition_key == definition.key, _OPEN_INCIDENT)
        .group_by(Incident.element_id)
        .order_by(Incident.element_id)
    )
    return {
        "active": [{"elementId": element, "count": count} for element, count in session.execute(live)],
        "incidents": [{"elementId": element, "count": count} for element, count in session.execute(failed)],
        "completed": [],
        "flows": [],
    }
