"""Incidents as the API lists them: those of process instances that a user may see."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Row, Select, case, select
from sqlalchemy.orm import Session

from cockpit.shapes import IncidentQuery, IncidentShape
from cockpit.visibility import instance_for, visible
from database.rest import TENANT, Listing, Results, matching
from engine.errors import NotFound
from engine.models import Incident, ProcessInstance
from people.models import User

#: Camunda 8's types; what only this engine finds (a deadlock, an endless loop) is `UNKNOWN` there.
_TYPES = (
    "CALLED_DECISION_ERROR",
    "CALLED_ELEMENT_ERROR",
    "CONDITION_ERROR",
    "DECISION_EVALUATION_ERROR",
    "EXECUTION_LISTENER_NO_RETRIES",
    "EXTRACT_VALUE_ERROR",
    "FORM_NOT_FOUND",
    "IO_MAPPING_ERROR",
    "JOB_NO_RETRIES",
    "MESSAGE_SIZE_EXCEEDED",
    "TASK_LISTENER_NO_RETRIES",
    "UNHANDLED_ERROR_EVENT",
)
_TYPE = case((Incident.type.in_(_TYPES), Incident.type), else_="UNKNOWN")

_COLUMNS = {
    "incident_key": Incident.key,
    "process_instance_key": Incident.instance_key,
    "process_definition_id": Incident.process_id,
    "process_definition_key": Incident.definition_key,
    "element_id": Incident.element_id,
    "element_instance_key": Incident.element_instance_key,
    "error_type": _TYPE,
    "error_message": Incident.message,
    "state": Incident.state,
    "creation_time": Incident.created_at,
    "job_key": Incident.job_key,
    "tenant_id": TENANT,
}

_LISTING: Listing[Incident] = Listing(
    Incident.key.expression,
    {
        "incidentKey": Incident.key.expression,
        "processInstanceKey": Incident.instance_key.expression,
        "processDefinitionId": Incident.process_id.expression,
        "processDefinitionKey": Incident.definition_key.expression,
        "elementId": Incident.element_id.expression,
        "elementInstanceKey": Incident.element_instance_key.expression,
        "errorType": _TYPE,
        "state": Incident.state.expression,
        "creationTime": Incident.created_at.expression,
        "jobKey": Incident.job_key.expression,
        "tenantId": TENANT,
    },
)


def search(
    session: Session, user: User, query: IncidentQuery, inside: ColumnElement[bool] | None = None
) -> Results[IncidentShape]:
    """Return the incidents that `user` may see and `query` asks for, of those `inside`; raises InvalidCursor."""
    rows = _rows().where(visible(session, user), *matching(query.filter, _COLUMNS))
    if inside is not None:
        rows = rows.where(inside)
    return _LISTING.find(session, rows, query, _render)


def one(session: Session, user: User, key: int) -> IncidentShape:
    """Return an incident; raises NotFound, Forbidden."""
    row = session.execute(_rows().where(Incident.key == key)).one_or_none()
    if row is None:
        raise NotFound("incident", key)
    instance_for(session, user, row[0].instance_key)
    return _render(row)


def _rows() -> Select[Incident, str, int]:
    return select(Incident, _TYPE.label("error_type"), ProcessInstance.root_key).join(
        ProcessInstance, ProcessInstance.key == Incident.instance_key
    )


def _render(row: Row[Incident, str, int]) -> IncidentShape:
    incident, error_type, root_key = row
    return IncidentShape(
        incident_key=incident.key,
        process_instance_key=incident.instance_key,
        root_process_instance_key=root_key,
        process_definition_id=incident.process_id,
        process_definition_key=incident.definition_key,
        element_id=incident.element_id,
        element_instance_key=incident.element_instance_key,
        error_type=error_type,
        error_message=incident.message,
        state=incident.state,
        creation_time=incident.created_at,
        job_key=incident.job_key,
    )
