"""Places: where the tokens of a case are, and at which steps a manager could let it go on instead."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from cockpit.conditions import OPEN_INCIDENT, OPEN_TASK
from cockpit.elements import Elements, elements_of, kind_of, name_of
from engine import definitions
from engine.elements.base import Element
from engine.elements.multi_instance import MultiInstanceBody
from engine.elements.standard_loop import StandardLoopBody
from engine.models import ElementInstance, ElementState, Incident, ProcessInstance, UserTask, Variable
from engine.modification import activatable
from engine.process import Process

#: How a start in one of several live scopes is written: element, and the key of the scope.
_IN_SCOPE = "@"

_BODIES = frozenset({"MULTI_INSTANCE_BODY", "STANDARD_LOOP_BODY"})


@dataclass(frozen=True, slots=True)
class Place:
    """One live element of a case: a step, or a scope with others inside of it."""

    key: int
    element_id: str
    #: The BPMN tag, for an element without a name.
    kind: str
    name: str
    #: How many scopes inside the case it stands in.
    depth: int
    #: Which of several items a multi-instance activity is at, counted from 1; null: it is not repeated.
    item: int | None
    #: Others stand inside of it and go with it.
    holds: bool
    failed: bool
    assignee: str | None = None
    candidate_groups: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """One step at which a case could go on."""

    #: What a form sends: the element, and the live scope that it is meant in where there are several.
    value: str
    element_id: str
    kind: str
    name: str
    #: The group that its lane names; empty: none.
    lane: str
    #: What comes after it, for a gateway without a name.
    followers: Sequence[str]
    #: The sub-process that it is inside of, and at which item; empty: the process itself.
    inside: str = ""
    item: int | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """A step to start, in one live scope or in the only one that there is."""

    element_id: str
    scope_key: int | None = None

    @classmethod
    def parse(cls, text: str) -> Start:
        """Return what a form's choice names."""
        element_id, _, scope = text.rpartition(_IN_SCOPE)
        return cls(element_id, int(scope)) if element_id and scope.isdecimal() else cls(text)


def places(session: Session, instance: ProcessInstance) -> list[Place]:
    """Return the live elements of a case, each scope before what is inside of it."""
    rows = _live(session, instance.key)
    drawn = elements_of(session, [instance.definition_key])[instance.definition_key]
    tasks = {
        task.element_instance_key: task
        for task in session.scalars(select(UserTask).where(UserTask.instance_key == instance.key, OPEN_TASK))
    }
    failed = set(
        session.scalars(
            select(Incident.element_instance_key).where(Incident.instance_key == instance.key, OPEN_INCIDENT)
        )
    )
    items = _items(session, rows)
    inside: dict[int, list[ElementInstance]] = defaultdict(list)
    for row in rows:
        inside[row.scope_key].append(row)
    found: list[Place] = []

    def add(row: ElementInstance, depth: int) -> None:
        task = tasks.get(row.key)
        found.append(
            Place(
                key=row.key,
                element_id=row.element_id,
                kind=kind_of(drawn, row.element_id),
                name=name_of(drawn, row.element_id),
                depth=depth,
                item=items.get(row.key),
                holds=bool(inside[row.key]),
                failed=row.key in failed,
                assignee=task.assignee if task else None,
                candidate_groups=task.candidate_groups if task else (),
            )
        )
        for child in inside[row.key]:
            add(child, depth + 1)

    for row in inside[instance.key]:
        add(row, 0)
    return found


def targets(session: Session, instance: ProcessInstance) -> list[Target]:
    """Return the steps at which a live case could go on, by lane in the order of the diagram."""
    process = definitions.process(session, instance.definition_key)
    drawn = elements_of(session, [instance.definition_key])[instance.definition_key]
    rows = _live(session, instance.key)
    items = _items(session, rows)
    scopes: dict[str, list[ElementInstance]] = defaultdict(list)
    for row in rows:
        if row.element_type not in _BODIES:
            scopes[row.element_id].append(row)
    found: list[Target] = []
    for element in activatable(process):
        around = _scope(process, element)
        if around is process.root or around is None:
            found.append(_target(drawn, process, element))
            continue
        live = scopes[around.id]
        found += [_target(drawn, process, element, around, row.key, items.get(row.key)) for row in live]
        if not live and not _repeated(process, element):
            found.append(_target(drawn, process, element, around))
    return found


def start_targets(session: Session, definition_key: int) -> list[Target]:
    """Return the steps at which a new case of a version could begin."""
    process = definitions.process(session, definition_key)
    drawn = elements_of(session, [definition_key])[definition_key]
    return [
        _target(drawn, process, element, _scope(process, element))
        for element in activatable(process)
        if not _repeated(process, element)
    ]


def by_lane(found: Sequence[Target]) -> Mapping[str, list[Target]]:
    """Return targets under the lane that each stands in, lanes in the order in which they come up."""
    grouped: dict[str, list[Target]] = {}
    for target in found:
        grouped.setdefault(target.lane, []).append(target)
    return grouped


def _live(session: Session, instance_key: int) -> Sequence[ElementInstance]:
    return session.scalars(
        select(ElementInstance)
        .where(
            ElementInstance.instance_key == instance_key,
            ElementInstance.state == ElementState.ACTIVE,
            ElementInstance.element_type != "PROCESS",
        )
        .order_by(ElementInstance.key)
    ).all()


def _items(session: Session, rows: Sequence[ElementInstance]) -> dict[int, int]:
    """Return which item each repetition of a multi-instance activity is at, by element instance."""
    bodies = {row.key for row in rows if row.element_type in _BODIES}
    repeated = [row.key for row in rows if row.scope_key in bodies]
    if not repeated:
        return {}
    counters = session.execute(
        select(Variable.scope_key, Variable.value).where(
            Variable.scope_key.in_(repeated), Variable.name == "loopCounter"
        )
    )
    return {scope_key: int(value) for scope_key, value in counters}


def _target(
    drawn: Elements,
    process: Process,
    element: Element,
    around: Element | None = None,
    scope_key: int | None = None,
    item: int | None = None,
) -> Target:
    outer = element
    while outer.details.lane is None and outer.details.scope_id is not None:
        outer = process.element(outer.details.scope_id)
    return Target(
        value=element.id if scope_key is None else f"{element.id}{_IN_SCOPE}{scope_key}",
        element_id=element.id,
        kind=element.kind if element.kind not in ("multiInstanceBody", "standardLoopBody") else "",
        name=name_of(drawn, element.id),
        lane=outer.details.lane or "",
        followers=[name_of(drawn, flow.target_id) for flow in element.outgoing if name_of(drawn, flow.target_id)],
        inside=name_of(drawn, around.id) if around is not None and around is not process.root else "",
        item=item,
    )


def _scope(process: Process, element: Element) -> Element | None:
    return process.element(element.details.scope_id) if element.details.scope_id is not None else None


def _repeated(process: Process, element: Element) -> bool:
    """Whether a repeated activity is around the element: then only a live instance of it tells where it would be."""
    around = _scope(process, element)
    while around is not None:
        if isinstance(around, MultiInstanceBody | StandardLoopBody):
            return True
        around = _scope(process, around)
    return False
