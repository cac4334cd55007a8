"""Progress: how far an operation on many cases is, and what became of each case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cockpit.elements import Elements, elements_of, kind_of, name_of, with_names
from cockpit.service import require_manager
from engine.errors import NotFound
from engine.models import (
    BatchItem,
    BatchItemState,
    BatchOperation,
    BatchState,
    Incident,
    ProcessDefinition,
    ProcessInstance,
)
from people.models import User

#: Cases that the page of an operation shows; those that failed come first.
SHOWN = 200
#: Operations that the list shows.
OPERATIONS = 50


@dataclass(frozen=True, slots=True)
class Item:
    """What became of one case, or of one incident in it."""

    instance_key: int
    title: str
    process_name: str
    state: str
    #: Why it failed.
    error: str | None
    #: The step whose incident was tried again, and its BPMN tag; empty when the whole case is meant.
    step_name: str = ""
    step_kind: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """One operation, and how many of its items are in each state."""

    operation: BatchOperation
    counts: dict[str, int]

    @property
    def done(self) -> int:
        """Items that a worker has seen to; not those that were left undone."""
        return sum(self.counts.get(state, 0) for state in (BatchItemState.COMPLETED, BatchItemState.FAILED))

    @property
    def failed(self) -> int:
        """Items that were refused or went wrong."""
        return self.counts.get(BatchItemState.FAILED, 0)

    @property
    def under_way(self) -> bool:
        """A worker has something to do, or would have if it were not held up."""
        return self.operation.state in (BatchState.CREATED, BatchState.ACTIVE, BatchState.SUSPENDED)


def progress(session: Session, user: User, key: int) -> Progress:
    """Return how far an operation is; raises Forbidden, NotFound."""
    require_manager(user)
    operation = session.get(BatchOperation, key)
    if operation is None:
        raise NotFound("batch operation", key)
    return Progress(operation, _counts(session, [key]).get(key, {}))


def recent(session: Session, user: User) -> list[Progress]:
    """Return the newest operations; raises Forbidden."""
    require_manager(user)
    found = session.scalars(select(BatchOperation).order_by(BatchOperation.key.desc()).limit(OPERATIONS)).all()
    counts = _counts(session, [operation.key for operation in found])
    return [Progress(operation, counts.get(operation.key, {})) for operation in found]


def items(session: Session, key: int) -> list[Item]:
    """Return what became of the items of an operation: failures first, then those that are still to be done."""
    rows = session.execute(
        select(BatchItem, ProcessInstance.title, ProcessDefinition, Incident)
        .join(ProcessInstance, ProcessInstance.key == BatchItem.instance_key)
        .join(ProcessDefinition, ProcessDefinition.key == ProcessInstance.definition_key)
        # Keys are unique among all things: only the item of an incident has the key of one.
        .outerjoin(Incident, Incident.key == BatchItem.item_key)
        .where(BatchItem.operation_key == key)
        .order_by(BatchItem.state != BatchItemState.FAILED, BatchItem.state, BatchItem.item_key)
        .limit(SHOWN)
    ).all()
    drawn = {definition.key for item, _, definition, _ in rows if item.error}
    # An incident may be of the version that the case ran in before.
    drawn |= {incident.definition_key for *_, incident in rows if incident}
    elements = elements_of(session, drawn)
    return [_item(item, title, definition, incident, elements) for item, title, definition, incident in rows]


def _item(
    item: BatchItem,
    title: str,
    definition: ProcessDefinition,
    incident: Incident | None,
    elements: Mapping[int, Elements],
) -> Item:
    # The engine's sentences name steps by their ids.
    error = with_names(elements[definition.key], item.error) if item.error else None
    found = Item(item.instance_key, title, definition.name or definition.process_id, item.state, error)
    if incident is None:
        return found
    known = elements[incident.definition_key]
    return replace(found, step_name=name_of(known, incident.element_id), step_kind=kind_of(known, incident.element_id))


def _counts(session: Session, keys: Sequence[int]) -> dict[int, dict[str, int]]:
    rows: Any = session.execute(
        select(BatchItem.operation_key, BatchItem.state, func.count())
        .where(BatchItem.operation_key.in_(keys))
        .group_by(BatchItem.operation_key, BatchItem.state)
    )
    found: dict[int, dict[str, int]] = {}
    for key, state, count in rows:
        found.setdefault(key, {})[state] = count
    return found
