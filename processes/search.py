"""Process definitions and decisions as the API lists them; everybody who can sign in sees the catalogue."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Row, Select, exists, literal, select
from sqlalchemy.orm import Session, aliased

from database.rest import TENANT, Listing, Results, matching
from engine.errors import NotFound
from engine.models import DecisionDefinition, DecisionRequirements, FormDefinition, ProcessDefinition
from processes.decision_shapes import DecisionRequirementsQuery, DecisionRequirementsShape
from processes.shapes import (
    DecisionDefinitionQuery,
    DecisionDefinitionShape,
    ProcessDefinitionQuery,
    ProcessDefinitionShape,
)

_PROCESSES: Listing[ProcessDefinition] = Listing(
    ProcessDefinition.key.expression,
    {
        "name": ProcessDefinition.name.expression,
        "processDefinitionId": ProcessDefinition.process_id.expression,
        "processDefinitionKey": ProcessDefinition.key.expression,
        "resourceName": ProcessDefinition.resource_name.expression,
        "tenantId": TENANT,
        "version": ProcessDefinition.version.expression,
        "versionTag": ProcessDefinition.version_tag.expression,
    },
)

_PROCESS_COLUMNS = {
    "process_definition_id": ProcessDefinition.process_id,
    "process_definition_key": ProcessDefinition.key,
    "name": ProcessDefinition.name,
    "resource_name": ProcessDefinition.resource_name,
    "version": ProcessDefinition.version,
    "version_tag": ProcessDefinition.version_tag,
    "state": literal("ACTIVE"),
    "tenant_id": TENANT,
}

_DECISION_COLUMNS = {
    "decision_definition_id": DecisionDefinition.decision_id,
    "decision_definition_key": DecisionDefinition.key,
    "decision_requirements_id": DecisionRequirements.requirements_id,
    "decision_requirements_key": DecisionDefinition.requirements_key,
    "decision_requirements_name": DecisionRequirements.name,
    "decision_requirements_version": DecisionRequirements.version,
    "name": DecisionDefinition.name,
    "version": DecisionDefinition.version,
    "tenant_id": TENANT,
}

_DECISIONS: Listing[DecisionDefinition] = Listing(
    DecisionDefinition.key.expression,
    {
        "decisionDefinitionId": DecisionDefinition.decision_id.expression,
        "decisionDefinitionKey": DecisionDefinition.key.expression,
        "decisionRequirementsId": DecisionRequirements.requirements_id.expression,
        "decisionRequirementsKey": DecisionDefinition.requirements_key.expression,
        "decisionRequirementsName": DecisionRequirements.name.expression,
        "decisionRequirementsVersion": DecisionRequirements.version.expression,
        "name": DecisionDefinition.name.expression,
        "tenantId": TENANT,
        "version": DecisionDefinition.version.expression,
    },
)

_REQUIREMENTS_COLUMNS = {
    "decision_requirements_id": DecisionRequirements.requirements_id,
    "decision_requirements_key": DecisionRequirements.key,
    "decision_requirements_name": DecisionRequirements.name,
    "resource_name": DecisionRequirements.resource_name,
    "version": DecisionRequirements.version,
    "tenant_id": TENANT,
}

_REQUIREMENTS: Listing[DecisionRequirements] = Listing(
    DecisionRequirements.key.expression,
    {
        "decisionRequirementsId": DecisionRequirements.requirements_id.expression,
        "decisionRequirementsKey": DecisionRequirements.key.expression,
        "decisionRequirementsName": DecisionRequirements.name.expression,
        "tenantId": TENANT,
        "version": DecisionRequirements.version.expression,
    },
)


def process_definitions(session: Session, query: ProcessDefinitionQuery) -> Results[ProcessDefinitionShape]:
    """Return the process definitions that `query` asks for; raises InvalidCursor."""
    wanted = query.filter
    rows = select(ProcessDefinition).where(*matching(wanted, _PROCESS_COLUMNS))
    if wanted is not None and wanted.has_start_form is not None:
        has_form = ProcessDefinition.start_form_id.is_not(None)
        rows = rows.where(has_form if wanted.has_start_form else ~has_form)
    if wanted is not None and wanted.is_latest_version is not None:
        rows = rows.where(~_newer_process() if wanted.is_latest_version else _newer_process())
    return _PROCESSES.find(session, rows, query, render_process)


def process_definition(session: Session, key: int) -> ProcessDefinition:
    """Return one version of a process; raises NotFound."""
    definition = session.get(ProcessDefinition, key)
    if definition is None:
        raise NotFound("process definition", key)
    return definition


def render_process(definition: ProcessDefinition) -> ProcessDefinitionShape:
    """Return a version of a process as the API shows it."""
    return ProcessDefinitionShape(
        process_definition_id=definition.process_id,
        process_definition_key=definition.key,
        name=definition.name or None,
        version=definition.version,
        version_tag=definition.version_tag,
        resource_name=definition.resource_name,
        has_start_form=definition.start_form_id is not None,
    )


def start_form(session: Session, key: int) -> FormDefinition | None:
    """Return the latest version of the form that starts this version of a process; raises NotFound for the process."""
    form_id = process_definition(session, key).start_form_id
    if form_id is None:
        return None
    query = select(FormDefinition).where(FormDefinition.form_id == form_id)
    return session.scalar(query.order_by(FormDefinition.version.desc()).limit(1))


def decision_definitions(session: Session, query: DecisionDefinitionQuery) -> Results[DecisionDefinitionShape]:
    """Return the decisions that `query` asks for; raises InvalidCursor."""
    rows = _decision_rows().where(*matching(query.filter, _DECISION_COLUMNS))
    if query.filter is not None and query.filter.is_latest_version is not None:
        rows = rows.where(~_newer_decision() if query.filter.is_latest_version else _newer_decision())
    return _DECISIONS.find(session, rows, query, _render_decision)


def decision_definition(session: Session, key: int) -> DecisionDefinitionShape:
    """Return one version of a decision; raises NotFound."""
    return _render_decision(_decision(session, key))


def decision_xml(session: Session, key: int) -> str:
    """Return the DMN file of a decision; raises NotFound."""
    return _decision(session, key)[1].xml


def decision_requirements(session: Session, query: DecisionRequirementsQuery) -> Results[DecisionRequirementsShape]:
    """Return the DMN files that `query` asks for; raises InvalidCursor."""
    rows = select(DecisionRequirements).where(*matching(query.filter, _REQUIREMENTS_COLUMNS))
    return _REQUIREMENTS.find(session, rows, query, render_requirements)


def requirements(session: Session, key: int) -> DecisionRequirements:
    """Return one version of a DMN file; raises NotFound."""
    found = session.get(DecisionRequirements, key)
    if found is None:
        raise NotFound("decision requirements", key)
    return found


def render_requirements(requirements: DecisionRequirements) -> DecisionRequirementsShape:
    """Return a version of a DMN file as the API shows it."""
    return DecisionRequirementsShape(
        decision_requirements_id=requirements.requirements_id,
        decision_requirements_key=requirements.key,
        decision_requirements_name=requirements.name,
        resource_name=requirements.resource_name,
        version=requirements.version,
    )


def _decision(session: Session, key: int) -> Row[DecisionDefinition, DecisionRequirements]:
    row = session.execute(_decision_rows().where(DecisionDefinition.key == key)).one_or_none()
    if row is None:
        raise NotFound("decision definition", key)
    return row


def _decision_rows() -> Select[DecisionDefinition, DecisionRequirements]:
    return select(DecisionDefinition, DecisionRequirements).join(
        DecisionRequirements, DecisionRequirements.key == DecisionDefinition.requirements_key
    )


def _render_decision(row: Row[DecisionDefinition, DecisionRequirements]) -> DecisionDefinitionShape:
    decision, requirements = row
    return DecisionDefinitionShape(
        decision_definition_id=decision.decision_id,
        decision_definition_key=decision.key,
        decision_requirements_id=requirements.requirements_id,
        decision_requirements_key=requirements.key,
        decision_requirements_name=requirements.name,
        decision_requirements_version=requirements.version,
        name=decision.name,
        version=decision.version,
    )


def _newer_process() -> ColumnElement[bool]:
    newer = aliased(ProcessDefinition)
    return exists().where(newer.process_id == ProcessDefinition.process_id, newer.version > ProcessDefinition.version)


def _newer_decision() -> ColumnElement[bool]:
    newer = aliased(DecisionDefinition)
    return exists().where(
        newer.decision_id == DecisionDefinition.decision_id, newer.version > DecisionDefinition.version
    )
