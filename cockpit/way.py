"""The way through a process instance: which flows its tokens took, and how often each element was visited."""

from __future__ import annotations

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from cockpit.shapes import ElementStatistics, ElementStatisticsList, TakenFlow, TakenFlows
from cockpit.visibility import instance_for
from engine.models import ElementInstance, ElementState, Incident, IncidentState
from people.models import User


def taken_flows(session: Session, user: User, instance_key: int) -> TakenFlows:
    """Return each sequence flow that was taken, in the order of the first time; raises NotFound, Forbidden."""
    instance = instance_for(session, user, instance_key)
    flows = session.scalars(
        select(ElementInstance.flow_id)
        .where(ElementInstance.instance_key == instance_key, ElementInstance.flow_id.is_not(None))
        .group_by(ElementInstance.flow_id)
        .order_by(func.min(ElementInstance.key))
    )
    return TakenFlows(
        items=[
            TakenFlow(
                sequence_flow_id=flow_id,
                element_id=flow_id,
                process_instance_key=instance_key,
                root_process_instance_key=instance.root_key,
                process_definition_id=instance.process_id,
                process_definition_key=instance.definition_key,
            )
            for flow_id in flows
            if flow_id is not None
        ]
    )


def element_statistics(session: Session, user: User, instance_key: int) -> ElementStatisticsList:
    """Return how often each element was visited, by id; raises NotFound, Forbidden."""
    instance_for(session, user, instance_key)
    failed = (
        select(Incident.element_instance_key)
        .where(Incident.instance_key == instance_key, Incident.state == IncidentState.ACTIVE)
        .distinct()
        .subquery()
    )
    stuck = failed.c.element_instance_key.is_not(None)
    rows = session.execute(
        select(
            ElementInstance.element_id,
            func.sum(case((ElementInstance.state == ElementState.ACTIVE, 1), else_=0)),
            func.sum(case((ElementInstance.state == ElementState.TERMINATED, 1), else_=0)),
            func.sum(case((stuck, 1), else_=0)),
            func.sum(case((ElementInstance.state == ElementState.COMPLETED, 1), else_=0)),
        )
        .outerjoin(failed, failed.c.element_instance_key == ElementInstance.key)
        .where(ElementInstance.instance_key == instance_key)
        .group_by(ElementInstance.element_id)
        .order_by(ElementInstance.element_id)
    )
    return ElementStatisticsList(
        items=[
            ElementStatistics(
                element_id=element_id, active=active, canceled=canceled, incidents=incidents, completed=completed
            )
            for element_id, active, canceled, incidents, completed in rows
        ]
    )
