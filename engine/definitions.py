"""Deployed definitions as the engine uses them: parsed once per process of the operating system, then cached by key."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import decisions, parser
from engine.errors import NotFound
from engine.models import DecisionDefinition, DecisionRequirements, ProcessDefinition
from engine.process import Process

#: Definitions kept parsed.
CACHE_SIZE = 500


T = TypeVar("T")


class _Cache(Generic[T]):
    """A least-recently-used cache that is safe for threads; definitions are immutable, so nothing goes stale."""

    def __init__(self) -> None:
        self._items: OrderedDict[int, T] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: int, make: Callable[[], T]) -> T:
        with self._lock:
            if key in self._items:
                self._items.move_to_end(key)
                return self._items[key]
        item = make()
        with self._lock:
            self._items[key] = item
            while len(self._items) > CACHE_SIZE:
                self._items.popitem(last=False)
        return item


_processes: _Cache[Process] = _Cache()
_decisions: _Cache[decisions.DecisionModel] = _Cache()


def process(session: Session, definition_key: int) -> Process:
    """Return the graph of a process definition; raises NotFound."""

    def make() -> Process:
        row = session.execute(
            select(ProcessDefinition.xml, ProcessDefinition.process_id).where(ProcessDefinition.key == definition_key)
        ).one_or_none()
        if row is None:
            raise NotFound("process definition", definition_key)
        return parser.parse(row.xml.encode())[row.process_id]

    return _processes.get(definition_key, make)


def latest(session: Session, process_id: str, version_tag: str | None = None) -> ProcessDefinition:
    """Return the newest version of a process, or the newest with this version tag; raises NotFound."""
    statement = select(ProcessDefinition).where(ProcessDefinition.process_id == process_id)
    if version_tag is not None:
        statement = statement.where(ProcessDefinition.version_tag == version_tag)
    definition = session.scalar(statement.order_by(ProcessDefinition.version.desc()).limit(1))
    if definition is None:
        raise NotFound("process", process_id)
    return definition


def deployed_with(session: Session, process_id: str, definition_key: int) -> ProcessDefinition:
    """Return the version of a process from the deployment of another definition, else the newest; raises NotFound."""
    deployment = select(ProcessDefinition.deployment_key).where(ProcessDefinition.key == definition_key)
    together = session.scalar(
        select(ProcessDefinition).where(
            ProcessDefinition.process_id == process_id,
            ProcessDefinition.deployment_key == deployment.scalar_subquery(),
        )
    )
    return together if together is not None else latest(session, process_id)


def decision(session: Session, decision_id: str) -> tuple[DecisionDefinition, decisions.DecisionModel]:
    """Return the newest version of a decision and the model it is in; raises NotFound."""
    definition = session.scalar(
        select(DecisionDefinition)
        .where(DecisionDefinition.decision_id == decision_id)
        .order_by(DecisionDefinition.version.desc())
        .limit(1)
    )
    if definition is None:
        raise NotFound("decision", decision_id)
    key = definition.requirements_key

    def make() -> decisions.DecisionModel:
        xml = session.scalar(select(DecisionRequirements.xml).where(DecisionRequirements.key == key))
        assert xml is not None, "foreign key"
        return decisions.parse(xml.encode())

    return definition, _decisions.get(key, make)
