"""Conditional events: what waits for the variables to fulfil a condition.

A condition is looked at when it is opened and whenever variables of the instance have been written; the event happens
when it becomes true, and again only after it was not. A condition that cannot be evaluated, or is null, is not true.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from engine import expressions
from engine.elements.definitions import ConditionalDefinition
from engine.errors import ElementFailure

if TYPE_CHECKING:
    from engine.elements.base import Element
    from engine.tokens import Token
    from engine.workflow import Execution


def watch(host: Token, event: Element, part: int) -> None:
    """Let the token wait until the condition becomes true."""
    watched = host.internal_data.setdefault("conditions", [])
    watched.append([event.name, part, False])
    host.execution.conditions_due = True


def forget(host: Token, event_ids: Collection[str] | None = None) -> None:
    """Let the token wait no more for the conditions of these events, or of any."""
    if "conditions" not in host.internal_data:
        return
    kept = [
        watched
        for watched in host.internal_data.pop("conditions")
        if event_ids is not None and host.execution.process.element(watched[0]).id not in event_ids
    ]
    if kept:
        host.remember(conditions=kept)


def look(execution: Execution) -> None:
    """Trigger every event whose condition has become true."""
    execution.conditions_due = False
    for token in list(execution.tasks.values()):
        for watched in list(token.internal_data.get("conditions", ())):
            name, part, before = watched
            if token.key not in execution.tasks or watched not in token.internal_data.get("conditions", ()):
                break  # an earlier event has ended what this one was attached to
            event = execution.process.element(name)
            definition = event.definitions[part]
            assert isinstance(definition, ConditionalDefinition)
            watched[2] = _true(token, definition)
            if watched[2] and not before:
                execution.trigger(token, event, {}, part)


def _true(token: Token, definition: ConditionalDefinition) -> bool:
    try:
        return expressions.holds(token, definition.condition, "condition")
    except ElementFailure:
        return False
