"""Process instances and element instances as the API lists them: those that a user may see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, case, exists, false, func, or_, select, true
from sqlalchemy.orm import Session

from cockpit.conditions import OPEN_INCIDENT
from cockpit.instances import has_incident
from cockpit.shapes import (
    ElementInstanceFilter,
    ElementInstanceQuery,
    ElementInstanceShape,
    ProcessInstanceFilter,
    ProcessInstanceQuery,
    ProcessInstanceShape,
)
from cockpit.visibility import instance_for, visible
from database.rest import TENANT, Listing, Results, matching
from engine import definitions
from engine.errors import NotFound
from engine.models import (
    BatchItem,
    ElementInstance,
    Incident,
    IncidentState,
    Job,
    JobState,
    ProcessDefinition,
    ProcessInstance,
    ProcessState,
)
from people.models import User
from tasks.variables import visible as visible_variables

#: The state as the API says it: an active instance that is suspended has a state of its own.
_SUSPENDED = "SUSPENDED"
_STATE = case(
    (and_(ProcessInstance.state == ProcessState.ACTIVE, ProcessInstance.suspended_at.is_not(None)), _SUSPENDED),
    else_=ProcessInstance.state,
)

_INSTANCE_COLUMNS = {
    "process_instance_key": ProcessInstance.key,
    "process_definition_id": ProcessInstance.process_id,
    "process_definition_key": ProcessInstance.definition_key,
    "process_definition_name": ProcessDefinition.name,
    "process_definition_version": ProcessInstance.version,
    "process_definition_version_tag": ProcessDefinition.version_tag,
    "start_date": ProcessInstance.started_at,
    "end_date": ProcessInstance.ended_at,
    "suspended_date": ProcessInstance.suspended_at,
    "state": _STATE,
    "parent_process_instance_key": ProcessInstance.parent_key,
    "parent_element_instance_key": ProcessInstance.parent_element_instance_key,
    "tenant_id": TENANT,
}

_INSTANCES: Listing[ProcessInstance] = Listing(
    ProcessInstance.key.expression,
    {
        "processInstanceKey": ProcessInstance.key.expression,
        "processDefinitionId": ProcessInstance.process_id.expression,
        "processDefinitionKey": ProcessInstance.definition_key.expression,
        "processDefinitionName": ProcessDefinition.name.expression,
        "processDefinitionVersion": ProcessInstance.version.expression,
        "processDefinitionVersionTag": ProcessDefinition.version_tag.expression,
        "parentProcessInstanceKey": ProcessInstance.parent_key.expression,
        "parentElementInstanceKey": ProcessInstance.parent_element_instance_key.expression,
        "startDate": ProcessInstance.started_at.expression,
        "endDate": ProcessInstance.ended_at.expression,
        "suspendedDate": ProcessInstance.suspended_at.expression,
        "state": _STATE,
        # A number, because SQL does not compare truths.
        "hasIncident": case((has_incident(), 1), else_=0),
        "tenantId": TENANT,
    },
)

#: Any open incident of an instance, or null. For a column, an `exists` would be answered by reading all open incidents.
_ITS_INCIDENT = (
    select(Incident.key)
    .where(Incident.instance_key == ProcessInstance.key, OPEN_INCIDENT)
    .limit(1)
    .correlate(ProcessInstance)
    .scalar_subquery()
)

#: The open incident of an element instance.
_INCIDENT_KEY = (
    select(func.max(Incident.key))
    .where(Incident.element_instance_key == ElementInstance.key, Incident.state == IncidentState.ACTIVE)
    .correlate(ElementInstance)
    .scalar_subquery()
)

_ELEMENT_COLUMNS = {
    "element_instance_key": ElementInstance.key,
    "element_instance_scope_key": ElementInstance.scope_key,
    "process_instance_key": ElementInstance.instance_key,
    "process_definition_id": ProcessInstance.process_id,
    "process_definition_key": ElementInstance.definition_key,
    "element_id": ElementInstance.element_id,
    "type": ElementInstance.element_type,
    "state": ElementInstance.state,
    "start_date": ElementInstance.started_at,
    "end_date": ElementInstance.ended_at,
    "incident_key": _INCIDENT_KEY,
    "tenant_id": TENANT,
}

_ELEMENTS: Listing[ElementInstance] = Listing(
    ElementInstance.key.expression,
    {
        "elementInstanceKey": ElementInstance.key.expression,
        "processInstanceKey": ElementInstance.instance_key.expression,
        "processDefinitionId": ProcessInstance.process_id.expression,
        "processDefinitionKey": ElementInstance.definition_key.expression,
        "elementId": ElementInstance.element_id.expression,
        "type": ElementInstance.element_type.expression,
        "state": ElementInstance.state.expression,
        "startDate": ElementInstance.started_at.expression,
        "endDate": ElementInstance.ended_at.expression,
        "incidentKey": _INCIDENT_KEY,
        "tenantId": TENANT,
    },
)


def process_instances(session: Session, user: User, query: ProcessInstanceQuery) -> Results[ProcessInstanceShape]:
    """Return the instances that `user` may see and `query` asks for; raises InvalidCursor."""
    rows = _instance_rows().where(visible(session, user))
    if query.filter is not None:
        rows = rows.where(_instance_holds(query.filter))
    return _INSTANCES.find(session, rows, query, _render_instance)


def process_instance(session: Session, user: User, key: int) -> ProcessInstanceShape:
    """Return an instance; raises NotFound, Forbidden."""
    instance_for(session, user, key)
    return _render_instance(session.execute(_instance_rows().where(ProcessInstance.key == key)).one())


def element_instances(session: Session, user: User, query: ElementInstanceQuery) -> Results[ElementInstanceShape]:
    """Return the element instances, of process instances that `user` may see, that `query` asks for."""
    rows = _element_rows().where(visible(session, user))
    if query.filter is not None:
        rows = rows.where(_element_holds(query.filter))
    return _ELEMENTS.find(session, rows, query, lambda row: _render_element(session, row))


def element_instance(session: Session, user: User, key: int) -> ElementInstanceShape:
    """Return an element instance; raises NotFound, Forbidden."""
    row = session.execute(_element_rows().where(ElementInstance.key == key)).one_or_none()
    if row is None:
        raise NotFound("element instance", key)
    instance_for(session, user, row[0].instance_key)
    return _render_element(session, row)


def among(wanted: ProcessInstanceFilter) -> ColumnElement[bool]:
    """Return the condition that a process instance is one of those that the filter finds, whoever may see them."""
    # For itself: the query around it may have the same table.
    found = select(ProcessInstance.key).join(ProcessDefinition, ProcessDefinition.key == ProcessInstance.definition_key)
    return ProcessInstance.key.in_(found.where(_instance_holds(wanted)).correlate(None))


def scope_instance_key(session: Session, scope_key: int) -> int:
    """Return the process instance of a scope, which is itself or an element instance inside; raises NotFound."""
    inside = select(ElementInstance.instance_key).where(ElementInstance.key == scope_key)
    itself = select(ProcessInstance.key).where(ProcessInstance.key == scope_key)
    found = session.scalar(inside) or session.scalar(itself)
    if found is None:
        raise NotFound("element instance", scope_key)
    return found


@dataclass(frozen=True, slots=True)
class _Scope:
    instance_key: int
    element_instance_key: int


def variables_seen(session: Session, user: User, scope_key: int) -> dict[str, Any]:
    """Return the variables that are visible in a process instance or element instance; raises NotFound, Forbidden."""
    instance_key = scope_instance_key(session, scope_key)
    instance_for(session, user, instance_key)
    return visible_variables(session, _Scope(instance_key, scope_key))


def _instance_rows() -> Select[ProcessInstance, str, str | None, int | None]:
    # Outer, though there always is one: so the database need not look for it where only rows are counted.
    return select(ProcessInstance, ProcessDefinition.name, ProcessDefinition.version_tag, _ITS_INCIDENT).outerjoin(
        ProcessDefinition, ProcessDefinition.key == ProcessInstance.definition_key
    )


def _render_instance(row: Row[ProcessInstance, str, str | None, int | None]) -> ProcessInstanceShape:
    instance, name, version_tag, incident = row
    suspended = instance.state == ProcessState.ACTIVE and instance.suspended_at is not None
    return ProcessInstanceShape(
        process_instance_key=instance.key,
        process_definition_id=instance.process_id,
        process_definition_key=instance.definition_key,
        process_definition_name=name or None,
        process_definition_version=instance.version,
        process_definition_version_tag=version_tag,
        start_date=instance.started_at,
        end_date=instance.ended_at,
        state=_SUSPENDED if suspended else instance.state,
        has_incident=bool(incident) and instance.state == ProcessState.ACTIVE,
        parent_process_instance_key=instance.parent_key,
        parent_element_instance_key=instance.parent_element_instance_key,
        root_process_instance_key=instance.root_key,
        suspended_date=instance.suspended_at if suspended else None,
    )


def _is_in(state: str) -> ColumnElement[bool]:
    match state:
        case "ACTIVE":
            return and_(ProcessInstance.state == ProcessState.ACTIVE, ProcessInstance.suspended_at.is_(None))
        case "SUSPENDED":
            return and_(ProcessInstance.state == ProcessState.ACTIVE, ProcessInstance.suspended_at.is_not(None))
        case _:
            return ProcessInstance.state == state


def _instance_holds(wanted: ProcessInstanceFilter) -> ColumnElement[bool]:
    conditions = [variable.holds(ProcessInstance.key) for variable in wanted.variables]
    if wanted.state is not None and wanted.state.model_fields_set <= {"eq", "in_"}:
        # In the words of the columns, which indexes know, and of which the database knows how many rows have them.
        if wanted.state.eq is not None:
            conditions.append(_is_in(wanted.state.eq))
        if wanted.state.in_ is not None:
            conditions.append(or_(false(), *(_is_in(state) for state in wanted.state.in_)))
        wanted = wanted.model_copy(update={"state": None})
    conditions += matching(wanted, _INSTANCE_COLUMNS)
    operation = wanted.batch_operation_key or wanted.batch_operation_id
    if operation is not None:
        taken = operation.on(BatchItem.operation_key)
        conditions.append(exists().where(BatchItem.instance_key == ProcessInstance.key, taken))
    if wanted.has_incident is not None:
        conditions.append(has_incident() if wanted.has_incident else ~has_incident())
    if wanted.error_message is not None:
        conditions.append(
            exists().where(
                Incident.instance_key == ProcessInstance.key,
                Incident.state == IncidentState.ACTIVE,
                wanted.error_message.on(Incident.message),
            )
        )
    if wanted.has_retries_left is not None:
        failed = exists().where(Job.instance_key == ProcessInstance.key, Job.state == JobState.FAILED, Job.retries > 0)
        conditions.append(failed if wanted.has_retries_left else ~failed)
    if elements := _element_conditions(wanted):
        conditions.append(exists().where(ElementInstance.instance_key == ProcessInstance.key, *elements))
    if wanted.or_:
        conditions.append(or_(*(_instance_holds(alternative) for alternative in wanted.or_)))
    return and_(true(), *conditions)


def _element_conditions(wanted: ProcessInstanceFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.element_id is not None:
        conditions.append(wanted.element_id.on(ElementInstance.element_id))
    if wanted.element_instance_state is not None:
        conditions.append(wanted.element_instance_state.on(ElementInstance.state))
    if wanted.has_element_instance_incident is not None:
        conditions.append(_has_element_incident(wanted.has_element_instance_incident))
    return conditions


def _has_element_incident(wanted: bool) -> ColumnElement[bool]:
    there = exists().where(Incident.element_instance_key == ElementInstance.key, Incident.state == IncidentState.ACTIVE)
    return there if wanted else ~there


def _element_rows() -> Select[ElementInstance, str, int, int | None]:
    return select(
        ElementInstance, ProcessInstance.process_id, ProcessInstance.root_key, _INCIDENT_KEY.label("incident_key")
    ).join(ProcessInstance, ProcessInstance.key == ElementInstance.instance_key)


def _render_element(session: Session, row: Row[ElementInstance, str, int, int | None]) -> ElementInstanceShape:
    element, process_id, root_key, incident_key = row
    details = definitions.process(session, element.definition_key).element(element.element_id).details
    return ElementInstanceShape(
        element_instance_key=element.key,
        process_instance_key=element.instance_key,
        root_process_instance_key=root_key,
        process_definition_id=process_id,
        process_definition_key=element.definition_key,
        element_id=element.element_id,
        element_name=details.name or element.element_id,
        type=element.element_type,
        state=element.state,
        start_date=element.started_at,
        end_date=element.ended_at,
        has_incident=incident_key is not None,
        incident_key=incident_key,
    )


def _element_holds(wanted: ElementInstanceFilter) -> ColumnElement[bool]:
    conditions = matching(wanted, _ELEMENT_COLUMNS)
    if wanted.has_incident is not None:
        conditions.append(_has_element_incident(wanted.has_incident))
    if wanted.or_:
        conditions.append(or_(*(_element_holds(alternative) for alternative in wanted.or_)))
    return and_(true(), *conditions)
