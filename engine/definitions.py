"""Deployed processes as the engine uses them: parsed once, then cached by key."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import parser
from engine.cache import Cache
from engine.errors import NotFound
from engine.models import ProcessDefinition
from engine.process import Process
from engine.versions import deployed_with, latest

_processes: Cache[Process] = Cache()


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


__all__ = ["deployed_with", "latest", "process"]
