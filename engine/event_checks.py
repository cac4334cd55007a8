"""What is wrong with an event: definitions that make no sense where it stands, or that are not executed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import feel
from engine import timers
from engine.elements.base import Element
from engine.elements.definitions import (
    CancelDefinition,
    CompensateDefinition,
    ConditionalDefinition,
    ErrorDefinition,
    EscalationDefinition,
    LinkDefinition,
    MessageDefinition,
    SignalDefinition,
    TerminateDefinition,
    TimerDefinition,
)
from engine.elements.events import BoundaryEvent, IntermediateCatchEvent, StartEvent
from engine.elements.throw_events import EndEvent, IntermediateThrowEvent, ThrowEvent
from engine.process import Process

_ENVIRONMENT = feel.Environment(now=datetime(2026, 1, 1, tzinfo=UTC))

_STARTS_PROCESS = TimerDefinition | MessageDefinition | SignalDefinition | ConditionalDefinition
_STARTS_EVENT_SUB_PROCESS = (
    TimerDefinition
    | MessageDefinition
    | SignalDefinition
    | ConditionalDefinition
    | ErrorDefinition
    | EscalationDefinition
)
_THROWN_IN_FLOW = MessageDefinition | SignalDefinition | EscalationDefinition | CompensateDefinition | LinkDefinition
_THROWN_AT_END = (
    MessageDefinition
    | SignalDefinition
    | ErrorDefinition
    | EscalationDefinition
    | CompensateDefinition
    | TerminateDefinition
    | CancelDefinition
)


def check(process: Process, element: Element) -> Iterator[str]:
    """Yield what is wrong with an event, or with what another element waits for."""
    starts_process = element in process.triggers()
    for definition in element.definitions:
        match definition:
            case MessageDefinition(_, None) if not starts_process and not isinstance(element, ThrowEvent):
                yield "A message that an instance waits for needs a correlation key (zeebe:subscription)."
            case ErrorDefinition(None) | EscalationDefinition(None) if isinstance(element, ThrowEvent):
                yield "The event throws no code: its reference has none."
            case LinkDefinition(name) if isinstance(element, ThrowEvent):
                targets = [target for target in catching_links(process, element) if definition in target.definitions]
                if len(targets) != 1:
                    yield f"The link “{name}” has {len(targets)} targets in this scope; it needs one."
            case TimerDefinition():
                yield from _timer(element, definition)
            case CancelDefinition():
                yield from _cancel(process, element)
            case CompensateDefinition(activity_id) if isinstance(element, ThrowEvent) and activity_id:
                if activity_id not in process.task_specs:
                    yield f"The activity “{activity_id}” that it undoes does not exist."
    yield from _place(process, element, starts_process)
    if len(element.definitions) > 1 and isinstance(element, EndEvent | IntermediateThrowEvent):
        alone = (ErrorDefinition, LinkDefinition, CancelDefinition)
        if any(isinstance(definition, alone) for definition in element.definitions):
            yield "An error, a link or a cancellation is thrown alone, not beside other definitions."


def _place(process: Process, element: Element, starts_process: bool) -> Iterator[str]:
    """Say which definitions make no sense, or are not executed, where the event stands."""
    found = element.definitions
    if isinstance(element, StartEvent) and element.details.scope_id == process.root.id:
        if not all(isinstance(definition, _STARTS_PROCESS) for definition in found):
            yield "A process is started by a timer, a message, a signal or a condition only."
    elif isinstance(element, StartEvent):
        if any(isinstance(definition, CompensateDefinition) for definition in found):
            yield from _compensation_start(process, element)
        elif not all(isinstance(definition, _STARTS_EVENT_SUB_PROCESS) for definition in found):
            yield (
                "An event sub-process is started by a timer, a message, a signal, a condition, an error or an "
                "escalation only."
            )
        if not element.interrupting and any(isinstance(definition, ErrorDefinition) for definition in found):
            yield "An error always ends what is around it, so its start event must be interrupting."
    elif isinstance(element, IntermediateThrowEvent):
        if not all(isinstance(definition, _THROWN_IN_FLOW) for definition in found):
            yield (
                "An intermediate throw event throws a message, a signal, an escalation, a compensation or a link only."
            )
    elif isinstance(element, EndEvent) and not all(isinstance(definition, _THROWN_AT_END) for definition in found):
        yield (
            "An end event throws a message, a signal, an error, an escalation, a compensation or a cancellation, or "
            "terminates, and does nothing else."
        )


def _compensation_start(process: Process, event: StartEvent) -> Iterator[str]:
    """Say what is wrong with the start of an event sub-process by which a sub-process undoes itself."""
    inside = process.element(event.details.scope_id or "")
    around = process.element(inside.details.scope_id or "")
    if around.kind not in ("subProcess", "transaction"):
        yield "A compensation event sub-process stands directly inside of the sub-process that it undoes."
    if len(event.definitions) > 1:
        yield "A compensation event sub-process is started by nothing else."


def catching_links(process: Process, thrower: Element) -> list[Element]:
    """Return the catching events of the scope in which a link is thrown."""
    return [
        element
        for element in process.elements
        if isinstance(element, IntermediateCatchEvent) and element.details.scope_id == thrower.details.scope_id
    ]


def _cancel(process: Process, element: Element) -> Iterator[str]:
    if isinstance(element, BoundaryEvent):
        host = process.task_specs.get(element.host_id)
        if host is not None and host.kind != "transaction":
            yield "A cancel event can only be attached to a transaction."
        return
    scope = element
    while scope.details.scope_id is not None and scope.kind != "transaction":
        scope = process.element(scope.details.scope_id)
    if scope.kind != "transaction":
        yield "A cancel end event stands inside of a transaction."
    elif not any(CancelDefinition() in event.definitions for event in scope.boundary_events):
        yield "The transaction around this event has no cancel event at its border."


def _timer(element: Element, definition: TimerDefinition) -> Iterator[str]:
    if not definition.text.startswith("="):
        try:
            timers.schedule(definition.kind, definition.text, _ENVIRONMENT.now, _ENVIRONMENT)
        except timers.InvalidTimer as error:
            yield str(error)
    interrupts = isinstance(element, BoundaryEvent | StartEvent) and element.interrupting
    waits_once = isinstance(element, IntermediateCatchEvent) or (
        interrupts and not (isinstance(element, StartEvent) and element.details.scope_id == element.process.root.id)
    )
    if definition.kind == "cycle" and waits_once:
        yield "A cycle can only repeat where nothing is interrupted; use a date or a duration."


__all__ = ["catching_links", "check"]
