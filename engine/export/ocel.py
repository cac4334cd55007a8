"""OCEL 2.0, the format of object-centric event logs, as JSON: what happened to cases, user tasks and people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TextIO

from sqlalchemy.orm import Session

from database import dumps
from engine.export import history
from engine.export.history import Case, Command, Task, Visit

Entity = dict[str, Any]

_USER_TASK = "user task"
_USER = "user"


def write_ocel(session: Session, file: TextIO, process_id: str | None = None) -> int:
    """Write all cases, or those of one process, and return how many.

    Object types: each process (by its id), `user task`, `user`. Event types: the names of elements (one event for each
    visit that has ended) and the audited commands. Ids are the same in every export.
    """
    count = 0
    object_types, event_types = _Types(), _Types()
    users: set[str] = set()
    # Events come first: whatever happens while this is being written, their objects are there afterwards.
    file.write("{")
    with _array(file, "events") as write:
        for case in history.cases(session, process_id):
            users |= _users(case)
            for entity in _events(case):
                event_types.note(entity)
                write(entity)
    file.write(",\n")
    with _array(file, "objects") as write:
        for case in history.cases(session, process_id):
            for entity in _objects(case, with_callers=process_id is None):
                object_types.note(entity)
                write(entity)
            count += 1
        for user in sorted(users):
            entity = _object(_user_id(user), _USER, {}, [])
            object_types.note(entity)
            write(entity)
    for name, types in (("objectTypes", object_types), ("eventTypes", event_types)):
        file.write(",\n")
        with _array(file, name) as write:
            for entity in types.declarations():
                write(entity)
    file.write("}\n")
    return count


class _Types:
    """The types that were used, with the attributes that their members have."""

    def __init__(self) -> None:
        self._attributes: dict[str, dict[str, str]] = {}

    def note(self, entity: Entity) -> None:
        """Take down the type of an object or event."""
        attributes = self._attributes.setdefault(entity["type"], {})
        for attribute in entity["attributes"]:
            attributes.setdefault(attribute["name"], _KINDS.get(attribute["name"], "string"))

    def declarations(self) -> Iterator[Entity]:
        """Yield the declaration of each type."""
        for name, attributes in sorted(self._attributes.items()):
            yield {"name": name, "attributes": [{"name": key, "type": kind} for key, kind in attributes.items()]}


#: Attributes that are no texts.
_KINDS = {"version": "integer", "started": "time"}


@contextmanager
def _array(file: TextIO, name: str) -> Iterator[Any]:
    file.write(f'"{name}": [')
    separator = "\n"

    def write(entity: Entity) -> None:
        nonlocal separator
        file.write(separator + dumps(entity))
        separator = ",\n"

    yield write
    file.write("\n]")


def _objects(case: Case, *, with_callers: bool) -> Iterator[Entity]:
    instance = case.instance
    attributes = {
        "title": (instance.title, instance.started_at),
        "processName": (case.process_name, instance.started_at),
        "version": (instance.version, instance.started_at),
        "state": (instance.state, instance.ended_at or instance.started_at),
    }
    related = []
    if with_callers and instance.parent_key is not None:
        related.append((_instance_id(instance.parent_key), "called by"))
    yield _object(_instance_id(instance.key), instance.process_id, attributes, related)
    for task in case.tasks.values():
        given = {"name": (task.name, task.created_at), "state": (task.state, task.created_at)}
        yield _object(_task_id(task), _USER_TASK, given, [(_instance_id(instance.key), "of")])


def _object(
    object_id: str, kind: str, attributes: dict[str, tuple[Any, datetime]], related: list[tuple[str, str]]
) -> Entity:
    return {
        "id": object_id,
        "type": kind,
        "attributes": [{"name": name, "time": _time(at), "value": value} for name, (value, at) in attributes.items()],
        "relationships": [{"objectId": other, "qualifier": qualifier} for other, qualifier in related],
    }


def _events(case: Case) -> Iterator[Entity]:
    events = [
        (visit.ended_at, visit.last_key, -visit.key, _of_visit(case, visit))
        for visit in case.visits
        if visit.ended_at is not None
    ]
    events += [(command.at, command.key, 0, _of_command(case, command)) for command in case.commands]
    yield from (event for *_, event in sorted(events, key=lambda ranked: ranked[:3]))


def _of_visit(case: Case, visit: Visit) -> Entity:
    related = [(_instance_id(case.instance.key), "case")]
    if visit.task is not None:
        related.append((_task_id(visit.task), "task"))
        if visit.task.completed_by:
            related.append((_user_id(visit.task.completed_by), "done by"))
    attributes = {
        "elementId": visit.element_id,
        "elementType": visit.element_type,
        "state": visit.state,
        "started": _time(visit.started_at),
    }
    assert visit.ended_at is not None, "it has ended"
    return _event(f"element-instance-{visit.key}", visit.name, visit.ended_at, attributes, related)


def _of_command(case: Case, command: Command) -> Entity:
    related = [(_instance_id(case.instance.key), "case")]
    task = case.tasks.get(command.subject_key or 0)
    if task is not None:
        related.append((_task_id(task), "task"))
    if command.actor:
        related.append((_user_id(command.actor), "given by"))
    attributes = {"elementId": command.element_id or "", "details": dumps(command.details)}
    return _event(f"audit-{command.key}", command.action, command.at, attributes, related)


def _event(
    event_id: str, kind: str, at: datetime, attributes: dict[str, Any], related: list[tuple[str, str]]
) -> Entity:
    return {
        "id": event_id,
        "type": kind,
        "time": _time(at),
        "attributes": [{"name": name, "value": value} for name, value in attributes.items()],
        "relationships": [{"objectId": other, "qualifier": qualifier} for other, qualifier in related],
    }


def _users(case: Case) -> set[str]:
    """Return everybody who has done something in a case."""
    actors = {command.actor for command in case.commands}
    return (actors | {task.completed_by or "" for task in case.tasks.values()}) - {""}


def _instance_id(key: int) -> str:
    return f"process-instance-{key}"


def _task_id(task: Task) -> str:
    return f"user-task-{task.key}"


def _user_id(name: str) -> str:
    return f"user-{name}"


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
