"""The history of one case: its steps in order, what people did, its incidents and its decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from cockpit.elements import Elements, elements_of, kind_of, name_of
from cockpit.entry import Entered
from engine import clock
from engine.models import (
    Audit,
    DecisionDefinition,
    DecisionEvaluation,
    ElementInstance,
    Incident,
    ProcessInstance,
    UserTask,
)

Item = TypeVar("Item")

#: The case itself, and the body of a multi-instance activity, whose steps are what it does per item.
_NOT_STEPS = ("PROCESS", "MULTI_INSTANCE_BODY")

#: Steps and actions shown at once; a case that reminds somebody every day has thousands.
SHOWN = 200


@dataclass(frozen=True, slots=True)
class Step:
    """One visit of one element."""

    key: int
    element_id: str
    #: The BPMN tag, for an element without a name.
    kind: str
    name: str
    state: str
    started_at: datetime
    ended_at: datetime | None
    #: How long the visit took, or has taken so far.
    duration: timedelta
    #: The username of who did it, or holds it now; null: nobody, or the engine.
    who: str | None


@dataclass(frozen=True, slots=True)
class Action:
    """One command that somebody gave."""

    key: int
    at: datetime
    #: The username; empty: the engine itself.
    actor: str
    action: str
    element_kind: str
    element_name: str
    element_id: str | None
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Part(Generic[Item]):
    """The newest part of a list, in order, and how many items there are in all."""

    items: Sequence[Item]
    total: int

    @property
    def left_out(self) -> int:
        """How many older items are not shown."""
        return self.total - len(self.items)


@dataclass(frozen=True, slots=True)
class Trouble:
    """One incident, open or resolved."""

    key: int
    type: str
    message: str
    #: The FEEL text that failed; null: none did.
    expression: str | None
    #: The variables that it read.
    variables: dict[str, Any]
    element_id: str
    element_kind: str
    element_name: str
    created_at: datetime
    resolved_at: datetime | None
    resolved_by: str | None

    @property
    def open(self) -> bool:
        """It still waits for a person."""
        return self.resolved_at is None

    @property
    def read(self) -> list[Entered]:
        """The variables that it read, to be corrected."""
        return [Entered.of(name, value) for name, value in self.variables.items()]


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision that the case made."""

    key: int
    at: datetime
    element_id: str
    element_kind: str
    element_name: str
    decision_name: str
    decision_id: str
    output: Any
    #: The rules that matched, as the engine recorded them.
    matched: Sequence[Any]


def steps(session: Session, instance: ProcessInstance, limit: int = SHOWN) -> Part[Step]:
    """Return the newest `limit` visits of elements in `instance`, in order."""
    now = clock.now(session)
    mine = and_(ElementInstance.instance_key == instance.key, ElementInstance.element_type.not_in(_NOT_STEPS))
    rows = session.execute(
        select(ElementInstance, UserTask.completed_by, UserTask.assignee)
        .outerjoin(UserTask, UserTask.element_instance_key == ElementInstance.key)
        .where(mine)
        .order_by(ElementInstance.key.desc())
        .limit(limit)
    ).all()
    drawn = _drawn(session, instance)
    found = [
        Step(
            key=visit.key,
            element_id=visit.element_id,
            kind=kind_of(drawn, visit.element_id),
            name=name_of(drawn, visit.element_id),
            state=visit.state,
            started_at=visit.started_at,
            ended_at=visit.ended_at,
            duration=(visit.ended_at or now) - visit.started_at,
            who=completed_by or assignee,
        )
        for visit, completed_by, assignee in reversed(rows)
    ]
    return Part(found, _count(session, ElementInstance.key, mine, len(rows), limit))


def actions(session: Session, instance: ProcessInstance, limit: int = SHOWN) -> Part[Action]:
    """Return the newest `limit` commands given to `instance`, newest first."""
    mine = Audit.instance_key == instance.key
    rows = session.scalars(select(Audit).where(mine).order_by(Audit.key.desc()).limit(limit)).all()
    drawn = _drawn(session, instance)
    found = [
        Action(
            key=row.key,
            at=row.at,
            actor=row.actor,
            action=row.action,
            element_kind=kind_of(drawn, row.element_id) if row.element_id else "",
            element_name=name_of(drawn, row.element_id) if row.element_id else "",
            element_id=row.element_id,
            details=row.details,
        )
        for row in rows
    ]
    return Part(found, _count(session, Audit.key, mine, len(rows), limit))


def incidents(session: Session, instance: ProcessInstance) -> list[Trouble]:
    """Return the incidents of `instance`, open ones first, then the newest."""
    rows = session.scalars(
        select(Incident)
        .where(Incident.instance_key == instance.key)
        .order_by(Incident.resolved_at.is_not(None), Incident.key.desc())
    )
    drawn = _drawn(session, instance)
    return [
        Trouble(
            key=row.key,
            type=row.type,
            message=row.message,
            expression=row.details.get("expression"),
            variables=row.details.get("variables") or {},
            element_id=row.element_id,
            element_kind=kind_of(drawn, row.element_id),
            element_name=name_of(drawn, row.element_id),
            created_at=row.created_at,
            resolved_at=row.resolved_at,
            resolved_by=row.resolved_by,
        )
        for row in rows
    ]


def decisions(session: Session, instance: ProcessInstance) -> list[Decided]:
    """Return the decisions that `instance` made, newest first."""
    rows = session.execute(
        select(DecisionEvaluation, DecisionDefinition.name)
        .outerjoin(DecisionDefinition, DecisionDefinition.key == DecisionEvaluation.decision_key)
        .where(DecisionEvaluation.instance_key == instance.key)
        .order_by(DecisionEvaluation.key.desc())
        .limit(SHOWN)
    )
    drawn = _drawn(session, instance)
    return [
        Decided(
            key=row.key,
            at=row.at,
            element_id=row.element_id or "",
            element_kind=kind_of(drawn, row.element_id or ""),
            element_name=name_of(drawn, row.element_id or ""),
            decision_name=name or row.decision_id,
            decision_id=row.decision_id,
            output=row.output,
            matched=row.matched,
        )
        for row, name in rows
    ]


def _drawn(session: Session, instance: ProcessInstance) -> Elements:
    return elements_of(session, [instance.definition_key])[instance.definition_key]


def _count(session: Session, key: Any, condition: ColumnElement[bool], shown: int, limit: int) -> int:
    if shown < limit:
        return shown
    return session.execute(select(func.count(key)).where(condition)).scalar_one()
