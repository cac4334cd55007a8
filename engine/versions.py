"""Versions of deployed processes: which one a name means."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import NotFound
from engine.models import ProcessDefinition


def latest(session: Session, process_id: str, version_tag: str | None = None) -> ProcessDefinition:
    """Return the newest version of a process, or the newest with this version tag; raises NotFound."""
    statement = select(ProcessDefinition).where(ProcessDefinition.process_id == process_id)
    if version_tag is not None:
        statement = statement.where(ProcessDefinition.version_tag == version_tag)
    definition = session.scalar(statement.order_by(ProcessDefinition.version.desc()).limit(1))
    if definition is None:
        raise NotFound("process", process_id)
    return definition


def deployed_with(session: Session, process_id: str, definition_key: int) -> ProcessDefinition:
    """Return the version of a process from the deployment of another definition, else the newest; raises NotFound."""
    deployment = select(ProcessDefinition.deployment_key).where(ProcessDefinition.key == definition_key)
    together = session.scalar(
        select(ProcessDefinition).where(
            ProcessDefinition.process_id == process_id,
            ProcessDefinition.deployment_key == deployment.scalar_subquery(),
        )
    )
    return together if together is not None else latest(session, process_id)
