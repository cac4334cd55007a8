"""Moving cases to another version: what becomes of each element, and what that would mean for each running case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cockpit.conditions import LIVE_ELEMENT
from cockpit.elements import Elements, elements_of, kind_of, name_of, with_names
from engine import definitions
from engine.elements.definitions import SequenceFlow
from engine.migration import MigrationPlan, candidates, suggest
from engine.models import ElementInstance, ProcessDefinition, ProcessInstance, ProcessState

#: Cases that a dry run shows; the others are judged when it is their turn.
SHOWN = 200


@dataclass(frozen=True, slots=True)
class Choice:
    """An element, event or flow of a version, in words."""

    id: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Row:
    """What one element of the old version becomes."""

    source: Choice
    #: Running cases have so many tokens there.
    live: int
    choices: Sequence[Choice]
    #: The id of what it becomes; empty: nothing.
    target_id: str
    #: It becomes what has the same id and name, so nobody need think about it.
    unchanged: bool


@dataclass(frozen=True, slots=True)
class Change:
    """An active element, or an event that is waited for, and what it would become."""

    before: Choice
    after: Choice


@dataclass(frozen=True, slots=True)
class Preview:
    """What would become of one case; with problems it would stay as it is."""

    instance_key: int
    title: str
    problems: Sequence[str]
    changes: Sequence[Change] = ()
    #: Events that are waited for no longer, and that begin to be.
    closed: Sequence[Choice] = ()
    opened: Sequence[Choice] = ()


def rows(session: Session, source_key: int, target_key: int, chosen: dict[str, str] | None = None) -> list[Row]:
    """Return what each element of a version becomes in another, those with live tokens first.

    `chosen` is what somebody wants; None: what has the same id and kind. Raises NotFound.
    """
    source, target = definitions.process(session, source_key), definitions.process(session, target_key)
    drawn = elements_of(session, [source_key, target_key])
    wanted = suggest(source, target) if chosen is None else chosen
    live = _live(session, source_key)
    found = []
    for element_id, target_ids in candidates(source, target).items():
        before = _choice(drawn[source_key], source.flows, element_id)
        choices = [_choice(drawn[target_key], target.flows, target_id) for target_id in target_ids]
        target_id = wanted.get(element_id, "")
        same = target_id == element_id and any(choice == before for choice in choices)
        found.append(Row(before, live.get(element_id, 0), choices, target_id, same))
    return sorted(found, key=lambda row: row.live == 0)


def previews(session: Session, source_key: int, plan: MigrationPlan) -> tuple[list[Preview], int]:
    """Return what would become of the oldest running cases of a version, and how many there are in all.

    Nothing is changed: the caller must roll the session's transaction back. Raises NotFound.
    """
    drawn = elements_of(session, [source_key, plan.target_definition_key])
    source = definitions.process(session, source_key)
    target = definitions.process(session, plan.target_definition_key)
    running = select(ProcessInstance.key, ProcessInstance.title).where(
        ProcessInstance.definition_key == source_key, ProcessInstance.state == ProcessState.ACTIVE
    )
    total = session.scalar(select(func.count()).select_from(running.subquery())) or 0
    titles = {row.key: row.title for row in session.execute(running.order_by(ProcessInstance.key).limit(SHOWN))}

    def old(element_id: str) -> Choice:
        return _choice(drawn[source_key], source.flows, element_id)

    def new(element_id: str) -> Choice:
        return _choice(drawn[plan.target_definition_key], target.flows, element_id)

    found = []
    for preview in plan.dry_run(session, titles):
        steps = [*preview.report.elements, *preview.report.kept]
        found.append(
            Preview(
                instance_key=preview.instance_key,
                title=titles[preview.instance_key],
                problems=[with_names(drawn[source_key], problem) for problem in preview.problems],
                changes=list(dict.fromkeys(Change(old(step.source_id), new(step.target_id)) for step in steps)),
                closed=[old(element_id) for element_id in preview.report.closed],
                opened=[new(element_id) for element_id in preview.report.opened],
            )
        )
    return found, total


def newest_other(session: Session, process_id: str) -> tuple[int, int] | None:
    """Return the version that most cases run in apart from the newest, and the newest; None if there is only one."""
    keys = session.scalars(
        select(ProcessDefinition.key)
        .where(ProcessDefinition.process_id == process_id)
        .order_by(ProcessDefinition.version.desc())
    ).all()
    if len(keys) < 2:
        return None
    counts = session.execute(
        select(ProcessInstance.definition_key, func.count())
        .where(ProcessInstance.definition_key.in_(keys[1:]), ProcessInstance.state == ProcessState.ACTIVE)
        .group_by(ProcessInstance.definition_key)
    )
    running = dict(counts.all())
    return max(keys[1:], key=lambda key: running.get(key, 0)), keys[0]


def _live(session: Session, definition_key: int) -> dict[str, int]:
    counts = session.execute(
        select(ElementInstance.element_id, func.count())
        .where(
            ElementInstance.definition_key == definition_key,
            LIVE_ELEMENT,
            ElementInstance.element_type.not_in(("PROCESS", "MULTI_INSTANCE_BODY", "STANDARD_LOOP_BODY")),
        )
        .group_by(ElementInstance.element_id)
    )
    return dict(counts.all())


def _choice(drawn: Elements, flows: dict[str, SequenceFlow], element_id: str) -> Choice:
    flow = flows.get(element_id)
    if flow is not None:
        return Choice(element_id, "sequenceFlow", flow.name or f"{name_of(drawn, flow.source_id)} →")
    return Choice(element_id, kind_of(drawn, element_id), name_of(drawn, element_id))
