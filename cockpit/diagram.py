"""The diagram of a case: where its tokens are, and the way they came."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cockpit.conditions import OPEN_INCIDENT
from engine.models import ElementInstance, ElementState, Incident, ProcessInstance

#: What a multi-instance activity does per item is counted; its body has the same id and would be one too many.
_NOT_COUNTED = ("PROCESS", "MULTI_INSTANCE_BODY")


@dataclass(frozen=True, slots=True)
class ElementCount:
    """How often something is true of an element."""

    elementId: str  # noqa: N815  the name that the diagram's script reads
    count: int


@dataclass(frozen=True, slots=True)
class DiagramState:
    """What is drawn onto a diagram."""

    active: list[ElementCount]
    incidents: list[ElementCount]
    completed: list[ElementCount]
    #: Ids of the sequence flows that tokens took.
    flows: list[str]

    def json(self) -> dict[str, Any]:
        """Return the shape that the diagram's script reads."""
        return asdict(self)


def of_instance(session: Session, instance: ProcessInstance) -> DiagramState:
    """Return the live tokens of `instance`, its open incidents, and the way it came."""
    # The page shows the first live element first: a task that a person does says more than an event that is waited for.
    a_task_comes_first = ElementInstance.element_type != "USER_TASK"
    rows = session.execute(
        select(ElementInstance.element_id, ElementInstance.state, func.count())
        .where(ElementInstance.instance_key == instance.key, ElementInstance.element_type.not_in(_NOT_COUNTED))
        .group_by(ElementInstance.element_id, ElementInstance.state, a_task_comes_first)
        .order_by(a_task_comes_first, ElementInstance.element_id)
    ).all()
    flows = session.scalars(
        select(ElementInstance.flow_id)
        .where(ElementInstance.instance_key == instance.key, ElementInstance.flow_id.is_not(None))
        .distinct()
        .order_by(ElementInstance.flow_id)
    )
    incidents = session.execute(
        select(Incident.element_id, func.count())
        .where(Incident.instance_key == instance.key, OPEN_INCIDENT)
        .group_by(Incident.element_id)
        .order_by(Incident.element_id)
    )
    return DiagramState(
        active=[ElementCount(element, count) for element, state, count in rows if state == ElementState.ACTIVE],
        incidents=[ElementCount(element, count) for element, count in incidents],
        completed=[ElementCount(element, count) for element, state, count in rows if state == ElementState.COMPLETED],
        flows=[flow for flow in flows if flow is not None],
    )
