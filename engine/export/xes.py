"""XES, the IEEE 1849 format of event logs: one trace for each case, with what happened in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO
from uuid import UUID

from lxml import etree
from sqlalchemy.orm import Session

from database import dumps
from engine.export import history
from engine.export.history import Case, Visit
from engine.models import ElementState

_NAMESPACE = "http://www.xes-standard.org/"
_EXTENSIONS = ("Concept", "Lifecycle", "Time", "Organizational", "Identity")
_PREFIXES = {"Organizational": "org"}
#: What XML cannot hold, however it is written.
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
#: What takes time: it has a start of its own; everything else is told once, when it is over.
_LASTING = re.compile(r"TASK$|CALL_ACTIVITY|SUB_PROCESS|TRANSACTION")


@dataclass(frozen=True, slots=True)
class _Event:
    at: datetime
    #: What orders events of the same instant.
    rank: tuple[int, ...]
    key: int
    identity: UUID
    name: str
    transition: str
    resource: str
    attributes: dict[str, str]


def write_xes(session: Session, file: BinaryIO, process_id: str | None = None, *, commands: bool = False) -> int:
    """Write all cases, or those of one process, and return how many; with `commands` the audited commands too.

    A trace's `concept:name` is the key of its process instance, an event's `concept:instance` that of its element
    instance or audit entry; `identity:id` is the same in every export.
    """
    count = 0
    with etree.xmlfile(file, encoding="utf-8") as document:
        document.write_declaration()
        attributes = {"xes.version": "1849.2016", "xes.features": "nested-attributes"}
        with document.element(f"{{{_NAMESPACE}}}log", attributes, nsmap={None: _NAMESPACE}):
            for node in _head(process_id):
                document.write(node, pretty_print=True)
            for case in history.cases(session, process_id):
                document.write(_trace(case, commands), pretty_print=True)
                count += 1
    return count


def _head(process_id: str | None) -> Iterator[etree._Element]:
    for name in _EXTENSIONS:
        prefix = _PREFIXES.get(name, name.lower())
        yield _node("extension", name=name, prefix=prefix, uri=f"http://www.xes-standard.org/{prefix}.xesext")
    of_traces = _node("global", scope="trace")
    _add(of_traces, "concept:name", "")
    yield of_traces
    of_events = _node("global", scope="event")
    _add(of_events, "concept:name", "")
    _add(of_events, "lifecycle:transition", "complete")
    _add(of_events, "time:timestamp", datetime.fromisoformat("1970-01-01T00:00:00+00:00"))
    yield of_events
    yield _node("classifier", name="Activity", keys="concept:name")
    yield _node("classifier", name="Activity and transition", keys="concept:name lifecycle:transition")
    yield _attribute("concept:name", process_id or "Baton")
    yield _attribute("lifecycle:model", "standard")


def _trace(case: Case, commands: bool) -> etree._Element:
    instance = case.instance
    trace = _node("trace")
    _add(trace, "concept:name", str(instance.key))
    _add(trace, "identity:id", history.identity("process instance", instance.key))
    _add(trace, "process", instance.process_id)
    _add(trace, "processName", case.process_name)
    _add(trace, "version", instance.version)
    _add(trace, "title", instance.title)
    _add(trace, "state", instance.state)
    _add(trace, "startedBy", instance.started_by)
    if instance.parent_key is not None:
        _add(trace, "calledBy", str(instance.parent_key))
    events = [event for visit in case.visits for event in _of_visit(visit)]
    if commands:
        events += _of_commands(case)
    for event in sorted(events, key=lambda event: (event.at, event.rank)):
        trace.append(_event(event))
    return trace


def _of_visit(visit: Visit) -> Iterator[_Event]:
    attributes = {"elementId": visit.element_id, "elementType": visit.element_type}
    resource = (visit.task.completed_by if visit.task is not None else None) or ""

    def event(at: datetime, rank: tuple[int, ...], transition: str, by: str) -> _Event:
        identity = history.identity("element instance", visit.key, "start" if transition == "start" else "end")
        return _Event(at, rank, visit.key, identity, visit.name, transition, by, attributes)

    if _LASTING.search(visit.element_type):
        yield event(visit.started_at, (visit.key, 0), "start", "")
    if visit.ended_at is not None:
        transition = "complete" if visit.state == ElementState.COMPLETED else "ate_abort"
        yield event(visit.ended_at, (visit.last_key, 1, -visit.key), transition, resource)


def _of_commands(case: Case) -> Iterator[_Event]:
    for command in case.commands:
        attributes = {"elementId": command.element_id or "", "details": dumps(command.details)}
        identity = history.identity("audit", command.key)
        yield _Event(
            command.at, (command.key, 0), command.key, identity, command.action, "complete", command.actor, attributes
        )


def _event(event: _Event) -> etree._Element:
    node = _node("event")
    _add(node, "concept:name", event.name)
    _add(node, "concept:instance", str(event.key))
    _add(node, "identity:id", event.identity)
    _add(node, "lifecycle:transition", event.transition)
    _add(node, "time:timestamp", event.at)
    if event.resource:
        _add(node, "org:resource", event.resource)
    for key, value in event.attributes.items():
        _add(node, key, value)
    return node


def _add(parent: etree._Element, key: str, value: Any) -> None:
    parent.append(_attribute(key, value))


def _attribute(key: str, value: Any) -> etree._Element:
    match value:
        case int():
            return _node("int", key=key, value=str(value))
        case datetime():
            return _node("date", key=key, value=value.isoformat(timespec="milliseconds"))
        case UUID():
            return _node("id", key=key, value=str(value))
    return _node("string", key=key, value=_NO_XML.sub("\ufffd", str(value)))


def _node(tag: str, /, **attributes: str) -> etree._Element:
    return etree.Element(f"{{{_NAMESPACE}}}{tag}", attributes)
