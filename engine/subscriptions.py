"""Opening what events wait for: timers, messages and signals of an element, of its borders and of its scope."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import messages, signals, timers
from engine.elements.definitions import MessageDefinition, SignalDefinition, TimerDefinition

if TYPE_CHECKING:
    from engine.elements.base import Element
    from engine.tokens import Token


def open_event(host: Token, event: Element) -> None:
    """Open what an event waits for, on behalf of the token `host`; raises ElementFailure."""
    match event.definition:
        case TimerDefinition() as timer:
            timers.open_timer(host, event, timer)
        case MessageDefinition() as message:
            messages.open_subscription(host, event, message)
        case SignalDefinition() as signal:
            signals.open_subscription(host, event, signal)


def open_attached(token: Token) -> None:
    """Open what the boundary events and event sub-processes of a token's element wait for; raises ElementFailure."""
    for event in (*token.element.boundary_events, *token.element.event_starts):
        open_event(token, event)
