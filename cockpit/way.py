"""The way through a process instance: which flows its tokens took, and how often each element was visited."""

from __future__ import annotations

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from cockpit.shapes import ElementStatistics, ElementStatisticsList, HierarchyEntry, TakenFlow, TakenFlows
from cockpit.visibility import instance_for
from engine.models import ElementInstance, ElementState, Incident, IncidentState, ProcessDefinition, ProcessInstance
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


def call_hierarchy(session: Session, user: User, instance_key: int) -> list[HierarchyEntry]:
    """Return the callers of an instance, the outermost first, and itself; raises NotFound, Forbidden."""
    instance_for(session, user, instance_key)
    own = select(ProcessInstance.key, ProcessInstance.parent_key).where(ProcessInstance.key == instance_key)
    way = own.cte("way", recursive=True)
    callers = select(ProcessInstance.key, ProcessInstance.parent_key).join(way, ProcessInstance.key == way.c.parent_key)
    way = way.union_all(callers)
    rows = session.execute(
        select(ProcessInstance.key, ProcessDefinition.key, ProcessDefinition.name, ProcessDefinition.process_id)
        .join(way, way.c.key == ProcessInstance.key)
        .join(ProcessDefinition, ProcessDefinition.key == ProcessInstance.definition_key)
        # Who is called has a larger key than the caller.
        .order_by(ProcessInstance.key)
    )
    return [
        HierarchyEntry(
            process_instance_key=key,
            process_definition_key=definition_key,
            process_definition_name=name or process_id,
        )
        for key, definition_key, name, process_id in rows
    ]


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
