"""Opening what events wait for: timers, messages, signals, conditions of an element, its borders and its scope."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import conditions, messages, signals, timers
from engine.elements.definitions import ConditionalDefinition, MessageDefinition, SignalDefinition, TimerDefinition

if TYPE_CHECKING:
    from engine.elements.base import Element
    from engine.tokens import Token


def open_event(host: Token, event: Element, *, but: int | None = None) -> None:
    """Open what an event waits for, on behalf of the token `host`; raises ElementFailure.

    `but` is the one of its definitions that has come already.
    """
    for part, definition in enumerate(event.definitions):
        if part == but:
            continue
        match definition:
            case TimerDefinition():
                timers.open_timer(host, event, definition, part)
            case MessageDefinition():
                messages.open_subscription(host, event, definition, part)
            case SignalDefinition():
                signals.open_subscription(host, event, definition, part)
            case ConditionalDefinition():
                conditions.watch(host, event, part)


def open_attached(token: Token) -> None:
    """Open what the boundary events and event sub-processes of a token's element wait for; raises ElementFailure."""
    for event in (*token.element.boundary_events, *token.element.event_starts):
        open_event(token, event)
