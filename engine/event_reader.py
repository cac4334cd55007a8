"""Reading event definitions: what an event waits for or throws, with the global elements that it refers to."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lxml import etree

from engine.elements.definitions import (
    CancelDefinition,
    CompensateDefinition,
    ConditionalDefinition,
    ErrorDefinition,
    EscalationDefinition,
    EventDefinition,
    LinkDefinition,
    MessageDefinition,
    SignalDefinition,
    TerminateDefinition,
    TimerDefinition,
)
from engine.extensions import BPMN, extension, extensions, local_name


class EventReader:
    """Reads the definitions of the events of one file and reports what is wrong with them."""

    def __init__(
        self, global_elements: Mapping[str, etree._Element], problem: Callable[[etree._Element, str], None]
    ) -> None:
        self._globals = global_elements
        self._problem = problem

    def definitions(self, node: etree._Element) -> tuple[EventDefinition, ...]:
        """Return the definitions of an event, in order; none for an event without."""
        if node.find(f"{BPMN}eventDefinitionRef") is not None:
            self._problem(node, "The definition of an event must stand in the event, not be referred to.")
        self._refuse_extensions(node)
        found = [
            self._definition(node, child)
            for child in node
            if isinstance(child.tag, str) and child.tag.startswith(BPMN) and child.tag.endswith("EventDefinition")
        ]
        return tuple(definition for definition in found if definition is not None)

    def _refuse_extensions(self, node: etree._Element) -> None:
        """Report what would be passed over in silence: nothing that Camunda 8 adds to a definition is executed."""
        for definition in node:
            for child in extensions(definition):
                self._problem(node, f"The extension zeebe:{local_name(child)} is not executed by this server.")

    def message(self, node: etree._Element, reference: str | None) -> MessageDefinition:
        """Return the message that an element refers to."""
        message = self._global(node, reference, "message")
        if message is None:
            return MessageDefinition("", None)
        if not message.get("name"):
            self._problem(node, "The message has no name.")
        subscription = extension(message, "subscription")
        key = subscription.get("correlationKey") if subscription is not None else None
        return MessageDefinition(message.get("name") or "", key or None)

    def _definition(self, node: etree._Element, definition: etree._Element) -> EventDefinition | None:
        match local_name(definition):
            case "timerEventDefinition":
                return self._timer(node, definition)
            case "messageEventDefinition":
                return self.message(node, definition.get("messageRef"))
            case "signalEventDefinition":
                signal = self._global(node, definition.get("signalRef"), "signal")
                return SignalDefinition((signal.get("name") if signal is not None else "") or "")
            case "errorEventDefinition":
                return ErrorDefinition(self._code(node, definition.get("errorRef"), "error"))
            case "escalationEventDefinition":
                return EscalationDefinition(self._code(node, definition.get("escalationRef"), "escalation"))
            case "linkEventDefinition":
                return LinkDefinition(definition.get("name") or "")
            case "terminateEventDefinition":
                return TerminateDefinition()
            case "compensateEventDefinition":
                return CompensateDefinition(definition.get("activityRef"))
            case "cancelEventDefinition":
                return CancelDefinition()
            case "conditionalEventDefinition":
                condition = (definition.findtext(f"{BPMN}condition") or "").strip()
                if not condition:
                    self._problem(node, "The conditional event has no condition.")
                return ConditionalDefinition(condition)
            case name:
                self._problem(node, f"The event definition {name} is not executed by this server.")
                return None

    def _timer(self, node: etree._Element, definition: etree._Element) -> EventDefinition | None:
        for kind, tag in (("date", "timeDate"), ("duration", "timeDuration"), ("cycle", "timeCycle")):
            text = (definition.findtext(BPMN + tag) or "").strip()
            if text:
                return TimerDefinition(kind, text)  # type: ignore[arg-type]
        self._problem(node, "The timer has no date, duration or cycle.")
        return None

    def _code(self, node: etree._Element, reference: str | None, kind: str) -> str | None:
        if not reference:
            return None
        found = self._global(node, reference, kind)
        return (found.get(f"{kind}Code") if found is not None else None) or None

    def _global(self, node: etree._Element, reference: str | None, kind: str) -> etree._Element | None:
        found = self._globals.get((reference or "").split(":")[-1])
        if found is None or local_name(found) != kind:
            sentence = f"There is no {kind} “{reference}”." if reference else f"The element refers to no {kind}."
            self._problem(node, sentence)
            return None
        return found
