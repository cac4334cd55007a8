"""Who catches an error or an escalation, and the messages and signals that leave an instance when a command is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy.orm import Session

from engine import expressions
from engine.elements.definitions import ErrorDefinition, EscalationDefinition, MessageDefinition, SignalDefinition
from engine.errors import ElementFailure, EndlessExchange

if TYPE_CHECKING:
    from engine.elements.base import Element
    from engine.tokens import Token


#: Messages and signals that may be thrown because of each other during one command.
DEPTH_LIMIT = 25
_DEPTH = "engine_thrown_depth"


@dataclass(frozen=True, slots=True)
class Thrown:
    """A message or signal on its way out of an instance."""

    kind: Literal["message", "signal"]
    name: str
    correlation_key: str
    variables: dict[str, Any]


def send(session: Session, thrown: Thrown, actor: str) -> None:
    """Publish a thrown message, or broadcast a thrown signal; raises EndlessExchange when there is no end to it."""
    depth = session.info.get(_DEPTH, 0)
    if depth >= DEPTH_LIMIT:
        raise EndlessExchange(
            f"The {thrown.kind} “{thrown.name}” is one of more than {DEPTH_LIMIT} that processes throw because of each "
            "other without a wait in between."
        )
    session.info[_DEPTH] = depth + 1
    try:
        _send(session, thrown, actor)
    finally:
        session.info[_DEPTH] = depth


def _send(session: Session, thrown: Thrown, actor: str) -> None:
    from engine import messages, signals

    if thrown.kind == "signal":
        signals.broadcast(session, thrown.name, thrown.variables, actor=actor)
    else:
        messages.publish(
            session,
            thrown.name,
            thrown.correlation_key,
            thrown.variables,
            time_to_live=messages.THROWN_TIME_TO_LIVE,
            actor=actor,
        )


def throw_error(token: Token, code: str, message: str, variables: dict[str, Any]) -> None:
    """Send a BPMN error outward to whoever catches it; raises ElementFailure when nobody does."""
    caught = catcher_of_error(token, code)
    if caught is None:
        sentence = f"Nobody catches the error “{code}”." + (f" {message}" if message else "")
        raise ElementFailure("UNHANDLED_ERROR_EVENT", sentence)
    host, event = caught
    host.execution.trigger(host, event, variables)


def throw_escalation(token: Token, code: str) -> None:
    """Send an escalation outward; when nobody catches it, nothing happens (BPMN 2.0, 10.5.7)."""
    caught = catcher_of_escalation(token, code)
    if caught is not None:
        host, event = caught
        host.execution.trigger(host, event, {})


def throw_message(token: Token, message: MessageDefinition) -> None:
    """Publish the message when the command is done, with the element's local variables as its payload."""
    name = expressions.evaluate(token, message.name, "message name")
    key = expressions.correlation_key(token, message) if message.correlation_key else ""
    payload = token.execution.variables.local(token)
    text = expressions.short(token, message.name, str(name), "message name")
    token.execution.hierarchy.thrown.append(Thrown("message", text, key, payload))


def throw_signal(token: Token, signal: SignalDefinition) -> None:
    """Broadcast the signal when the command is done, with the element's local variables as its payload."""
    name = expressions.evaluate(token, signal.name, "signal name")
    payload = token.execution.variables.local(token)
    token.execution.hierarchy.thrown.append(Thrown("signal", str(name), "", payload))


def catcher_of_error(thrower: Token, code: str) -> tuple[Token, Element] | None:
    """Return the nearest host and event, outward from the thrower, that catch an error with this code."""
    return _catcher(thrower, ErrorDefinition, code)


def catcher_of_escalation(thrower: Token, code: str) -> tuple[Token, Element] | None:
    """Return the nearest host and event, outward from the thrower, that catch an escalation with this code."""
    return _catcher(thrower, EscalationDefinition, code)


def _catcher(
    thrower: Token, kind: type[ErrorDefinition] | type[EscalationDefinition], code: str
) -> tuple[Token, Element] | None:
    token: Token | None = thrower
    while token is not None:
        element = token.element
        # An event sub-process cannot catch for the activity that it is not inside of.
        events: list[Element] = [*element.boundary_events]
        if token is not thrower:
            events = [*element.event_starts, *events]
        # The event that names the code goes before one that catches everything.
        for wanted in (code, None):
            for event in events:
                if kind(wanted) in event.definitions and not _inside(thrower, token, event):
                    return token, event
        token = token.parent or _caller(token)
    return None


def _inside(thrower: Token, host: Token, event: Element) -> bool:
    """Whether the thrower is inside of the event sub-process that `event` starts: it does not catch its own."""
    if event.kind != "startEvent":
        return False
    token: Token | None = thrower
    while token is not None and token is not host:
        if token.element.details.id == event.details.scope_id:
            return True
        token = token.parent
    return False


def _caller(root: Token) -> Token | None:
    execution = root.execution
    if execution.parent_key is None:
        return None
    parent = execution.hierarchy.load(execution.parent_key)
    return parent.find(execution.parent_element_instance_key)
