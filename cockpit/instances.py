"""The instance list: which cases a user may see, filtered, newest first, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, case, exists, func, or_, select, type_coerce, union
from sqlalchemy.orm import Session

from cockpit.conditions import LIVE_ELEMENT, OPEN_INCIDENT, OPEN_TASK
from cockpit.elements import elements_of, kind_of, name_of
from cockpit.visibility import Way
from database import dumps
from database.counting import MOST_COUNTED
from engine import clock
from engine.models import (
    ElementInstance,
    Incident,
    ProcessDefinition,
    ProcessInstance,
    ProcessState,
    Timer,
    UserTask,
    Variable,
)

#: Cases on one page of the list.
PAGE_SIZE = 50
#: A timer that is this late was not fired by any worker: a healthy one needs seconds.
TIMER_GRACE = timedelta(minutes=2)


class Trouble(StrEnum):
    """What the list can be narrowed to besides the state."""

    INCIDENT = "incident"
    OVERDUE = "overdue"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class InstanceFilter:
    """What the list shows; every field left empty means "all"."""

    state: ProcessState | None = None
    process_id: str | None = None
    #: Part of the title or of a variable's value, `name=value` for one variable, or an instance key.
    text: str = ""
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last row of a page: the next page begins after it."""

    started_at: datetime
    key: int


@dataclass(frozen=True, slots=True)
class Position:
    """One place where a case stands now."""

    element_id: str
    #: The BPMN tag, for an element without a name.
    kind: str
    name: str
    #: The user who has taken the task; null: nobody has, or it is not a person's.
    assignee: str | None = None
    candidate_groups: Sequence[str] = ()
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class InstanceRow:
    """One case in the list."""

    key: int
    title: str
    process_id: str
    process_name: str
    version: int
    state: str
    started_at: datetime
    started_by: str
    ended_at: datetime | None
    parent_key: int | None
    suspended_at: datetime | None
    incidents: int = 0
    #: The earliest due date that has passed, in UTC.
    overdue_since: datetime | None = None
    positions: Sequence[Position] = ()


@dataclass(frozen=True, slots=True)
class InstancePage:
    """One page of the list; `next` is null on the last."""

    rows: Sequence[InstanceRow]
    next: Cursor | None


@dataclass(frozen=True, slots=True)
class InstanceCounts:
    """How many of the cases that a user may see are in each state, and how many live ones are in trouble.

    No number is counted further than MOST_COUNTED.
    """

    by_state: dict[str, int] = field(default_factory=dict)
    incident: int = 0
    overdue: int = 0
    suspended: int = 0

    @property
    def total(self) -> int:
        """All cases, live and ended."""
        return sum(self.by_state.values())


def has_incident() -> ColumnElement[bool]:
    """Condition: the case has an open incident."""
    return exists().where(Incident.instance_key == ProcessInstance.key, OPEN_INCIDENT)


def is_overdue(now: datetime) -> ColumnElement[bool]:
    """Condition: the case has an open user task past its due date, or a timer that should have fired."""
    return or_(
        exists().where(
            UserTask.instance_key == ProcessInstance.key,
            OPEN_TASK,
            UserTask.due_at < now,
        ),
        exists().where(Timer.instance_key == ProcessInstance.key, Timer.due_at < now - TIMER_GRACE),
    )


def is_suspended() -> ColumnElement[bool]:
    """Condition: somebody has suspended the case, and it has not ended since."""
    return _live_and(ProcessInstance.suspended_at.is_not(None))


def page(
    session: Session,
    ways: Sequence[Way],
    wanted: InstanceFilter,
    after: Cursor | None = None,
    size: int = PAGE_SIZE,
) -> InstancePage:
    """Return the cases that match `wanted` and one of `ways`, newest first, beginning after `after`."""
    now = clock.now(session)
    seen = [[way.condition, *_conditions(wanted, now, way.few), *_following(after)] for way in ways]
    if len(seen) > 1:
        # The newest of each way, among which the newest of all are.
        conditions = [_one_of([_newest(select(ProcessInstance.key).where(*each), size) for each in seen])]
    else:
        conditions = seen[0]
    query = (
        select(ProcessInstance, ProcessDefinition.name)
        .join(ProcessDefinition, ProcessDefinition.key == ProcessInstance.definition_key)
        .where(*conditions)
    )
    found = session.execute(_newest(query, size)).all()
    rows = [_row(instance, name) for instance, name in found[:size]]
    last = Cursor(rows[-1].started_at, rows[-1].key) if len(found) > size else None
    return InstancePage(_with_situation(session, rows, now), last)


def _following(after: Cursor | None) -> list[ColumnElement[bool]]:
    if after is None:
        return []
    return [
        # Where the index can begin, which the alternatives do not tell.
        ProcessInstance.started_at <= after.started_at,
        or_(
            ProcessInstance.started_at < after.started_at,
            and_(ProcessInstance.started_at == after.started_at, ProcessInstance.key < after.key),
        ),
    ]


def _newest(query: Select[*tuple[Any, ...]], size: int) -> Select[*tuple[Any, ...]]:
    """Return the part of `query` that fills a page and tells whether there is another one."""
    return query.order_by(ProcessInstance.started_at.desc(), ProcessInstance.key.desc()).limit(size + 1)


def counts(session: Session, ways: Sequence[Way], wanted: InstanceFilter) -> InstanceCounts:
    """Return how many cases each state has, with the process and text of `wanted` applied; one query."""
    now = clock.now(session)
    narrowed = replace(wanted, state=None, trouble=None)
    seen = [(way, and_(way.condition, *_conditions(narrowed, now, way.few))) for way in ways]
    by_state = [
        _number(
            [select(ProcessInstance.key).where(each, _state(way.few) == state) for way, each in seen],
        )
        for state in ProcessState
    ]
    # What waits belongs to a case that lives: to ask for its state as well would let SQLite begin with all that do.
    late = (UserTask, and_(OPEN_TASK, UserTask.due_at < now)), (Timer, Timer.due_at < now - TIMER_GRACE)
    incident = _number([_with(Incident, OPEN_INCIDENT).where(each) for _, each in seen])
    overdue = _number([_with(model, is_late).where(each) for model, is_late in late for _, each in seen])
    suspended = _number([select(ProcessInstance.key).where(each, is_suspended()) for _, each in seen])
    *states, incidents, lates, held = session.execute(select(*by_state, incident, overdue, suspended)).one()
    return InstanceCounts(dict(zip(ProcessState, states, strict=True)), incidents, lates, held)


def _with(model: type[Incident | UserTask | Timer], condition: ColumnElement[bool]) -> Select[int]:
    return select(ProcessInstance.key).join(model, model.instance_key == ProcessInstance.key).where(condition)


def _number(queries: Sequence[Select[int]]) -> ColumnElement[int]:
    """Return how many different keys the queries find; MOST_COUNTED + 1 once that many rows were looked at."""
    limited = [query.limit(MOST_COUNTED + 1).cte() for query in queries]
    keys = union(*(select(each.c.key) for each in limited)).subquery()
    full = or_(*(select(func.count()).select_from(each).scalar_subquery() > MOST_COUNTED for each in limited))
    return case((full, MOST_COUNTED + 1), else_=select(func.count()).select_from(keys).scalar_subquery())


def process_choices(session: Session, ways: Sequence[Way]) -> list[tuple[str, str]]:
    """Return id and latest name of every process that has a case the user may see, by name."""
    seen = or_(*(_with_a_case(way) for way in ways))
    rows = session.execute(
        select(ProcessDefinition.process_id, ProcessDefinition.name).where(seen).order_by(ProcessDefinition.version)
    )
    names = {process_id: name or process_id for process_id, name in rows}
    return sorted(names.items(), key=lambda item: item[1])


def _with_a_case(way: Way) -> ColumnElement[bool]:
    if way.few:
        return ProcessDefinition.process_id.in_(select(ProcessInstance.process_id).where(way.condition))
    return exists().where(ProcessInstance.process_id == ProcessDefinition.process_id, way.condition)


def matching(session: Session, visible: ColumnElement[bool], wanted: InstanceFilter) -> ColumnElement[bool]:
    """Return the condition for all the cases that a list shows, on whichever of its pages."""
    found = select(ProcessInstance.key).where(visible, *_conditions(wanted, clock.now(session)))
    # A query of its own: the one that it narrows may be of incidents, which some of the conditions look at.
    return ProcessInstance.key.in_(found.correlate(None))


def _one_of(queries: Sequence[Select[*tuple[Any, ...]]]) -> ColumnElement[bool]:
    keys = union(*(select(query.subquery().c.key) for query in queries)).subquery()
    return ProcessInstance.key.in_(select(keys.c.key))


def _live_and(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return and_(ProcessInstance.state == ProcessState.ACTIVE, condition)


def _state(few: bool) -> ColumnElement[str]:
    """Return the state; where few cases are asked, so that SQLite does not begin with all of that state instead."""
    return func.coalesce(ProcessInstance.state, "") if few else ProcessInstance.state.expression


def _conditions(wanted: InstanceFilter, now: datetime, few: bool = False) -> list[ColumnElement[bool]]:
    """Return what `wanted` asks; `few`: of few cases, at which the query begins."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.state is not None:
        conditions.append(_state(few) == wanted.state)
    if wanted.process_id:
        process_id = func.coalesce(ProcessInstance.process_id, "") if few else ProcessInstance.process_id.expression
        conditions.append(process_id == wanted.process_id)
    if wanted.trouble is Trouble.INCIDENT:
        # Those with incidents are few: they are where the search begins.
        conditions.append(_live_and(ProcessInstance.key.in_(select(Incident.instance_key).where(OPEN_INCIDENT))))
    if wanted.trouble is Trouble.OVERDUE:
        conditions.append(_live_and(is_overdue(now)))
    if wanted.trouble is Trouble.SUSPENDED:
        conditions.append(is_suspended())
    if wanted.text.strip():
        conditions.append(_matches(wanted.text.strip()))
    return conditions


def _matches(text: str) -> ColumnElement[bool]:
    value = type_coerce(Variable.value, Text)
    name, equals, rest = text.partition("=")
    if equals and name.strip():
        condition = and_(Variable.name == name.strip(), value.icontains(_inside_json(rest.strip()), autoescape=True))
        return exists().where(Variable.instance_key == ProcessInstance.key, condition)
    conditions: list[ColumnElement[bool]] = [
        ProcessInstance.title.icontains(text, autoescape=True),
        exists().where(
            Variable.instance_key == ProcessInstance.key,
            value.icontains(_inside_json(text), autoescape=True),
        ),
    ]
    # 19 digits is the most that a key has; more would not fit the column's type.
    if text.isascii() and text.isdecimal() and len(text) <= 18:
        conditions.append(ProcessInstance.key == int(text))
    return or_(*conditions)


def _inside_json(text: str) -> str:
    # Values are kept as JSON text, so quotes and backslashes have to be looked for as JSON writes them.
    return dumps(text)[1:-1]


def _row(instance: ProcessInstance, process_name: str) -> InstanceRow:
    return InstanceRow(
        key=instance.key,
        title=instance.title,
        process_id=instance.process_id,
        process_name=process_name or instance.process_id,
        version=instance.version,
        state=instance.state,
        started_at=instance.started_at,
        started_by=instance.started_by,
        ended_at=instance.ended_at,
        parent_key=instance.parent_key,
        suspended_at=instance.suspended_at,
    )


def _with_situation(session: Session, rows: Sequence[InstanceRow], now: datetime) -> list[InstanceRow]:
    live = [row.key for row in rows if row.state == ProcessState.ACTIVE]
    if not live:
        return list(rows)
    incidents: dict[int, int] = dict(
        session.execute(
            select(Incident.instance_key, func.count())
            .where(Incident.instance_key.in_(live), OPEN_INCIDENT)
            .group_by(Incident.instance_key)
        ).all()
    )
    positions = positions_of(session, live)
    late_timers: dict[int, datetime] = {
        key: due_at
        for key, due_at in session.execute(
            select(Timer.instance_key, func.min(Timer.due_at))
            .where(Timer.instance_key.in_(live), Timer.due_at < now - TIMER_GRACE)
            .group_by(Timer.instance_key)
        )
        if key is not None
    }
    completed = []
    for row in rows:
        mine = positions.get(row.key, [])
        late = [position.due_at for position in mine if position.due_at is not None and position.due_at < now]
        if row.key in late_timers:
            late.append(late_timers[row.key])
        completed.append(
            replace(
                row,
                incidents=incidents.get(row.key, 0),
                overdue_since=min(late) if late else None,
                positions=mine,
            )
        )
    return completed


#: Elements that only contain others, so that a case stands at what is inside them.
_CONTAINERS = ("PROCESS", "SUB_PROCESS", "EVENT_SUB_PROCESS", "MULTI_INSTANCE_BODY")


def positions_of(session: Session, instance_keys: Sequence[int]) -> dict[int, list[Position]]:
    """Return where each live case stands: its live elements, with holder and due date of the user tasks among them."""
    found: dict[int, list[Position]] = {}
    rows = session.execute(
        select(ElementInstance, UserTask)
        .outerjoin(
            UserTask,
            and_(UserTask.element_instance_key == ElementInstance.key, OPEN_TASK),
        )
        .where(
            ElementInstance.instance_key.in_(instance_keys),
            LIVE_ELEMENT,
            ElementInstance.element_type.not_in(_CONTAINERS),
        )
        .order_by(ElementInstance.key)
    ).all()
    elements = elements_of(session, {visit.definition_key for visit, _ in rows})
    for visit, task in rows:
        drawn = elements[visit.definition_key]
        found.setdefault(visit.instance_key, []).append(
            Position(
                element_id=visit.element_id,
                kind=kind_of(drawn, visit.element_id),
                name=name_of(drawn, visit.element_id),
                assignee=task.assignee if task is not None else None,
                candidate_groups=task.candidate_groups if task is not None else (),
                due_at=task.due_at if task is not None else None,
            )
        )
    return found
