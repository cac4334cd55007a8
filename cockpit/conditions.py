"""Conditions that several queries share, written so that SQLite takes the partial indexes made for them."""

from __future__ import annotations

from sqlalchemy import ColumnElement, literal

from engine.models import ElementInstance, ElementState, Incident, IncidentState, UserTask, UserTaskState

# A partial index is taken only when its condition stands in the statement itself, not as a bound value.

OPEN_TASK: ColumnElement[bool] = UserTask.state == literal(UserTaskState.CREATED.value, literal_execute=True)
OPEN_INCIDENT: ColumnElement[bool] = Incident.state == literal(IncidentState.ACTIVE.value, literal_execute=True)
LIVE_ELEMENT: ColumnElement[bool] = ElementInstance.state == literal(ElementState.ACTIVE.value, literal_execute=True)
