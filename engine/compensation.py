"""Compensation: which completed activities can be undone, and the handlers that undo them.

Each scope remembers its completed activities that have a handler; a completed sub-process hands what it remembers to
the scope around it. All handlers of a compensation are started at once (Camunda 8's rule).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.elements.definitions import CompensateDefinition

if TYPE_CHECKING:
    from engine.elements.base import Element
    from engine.tokens import Token

#: What a scope remembers of a completed activity: its id, the id of its handler (null: none of its own), the start
#: event of its compensation event sub-process (null: it has none), and the entries of what was completed inside of it.
Entry = list[Any]


def note(token: Token) -> None:
    """Remember, as a token leaves a completed activity, what would undo it."""
    element = token.element
    inside = token.internal_data.get("completed", [])
    start_id = own_start(element)
    if element.kind == "eventSubProcess" or (element.compensation_handler_id is None and not inside and not start_id):
        return
    completed = token.scope.internal_data.setdefault("completed", [])
    completed.append([element.id, element.compensation_handler_id, start_id, inside])


def own_start(element: Element) -> str | None:
    """Return the id of the start event by which a sub-process undoes itself, or None."""
    return next(
        (
            event.id
            for event in element.event_starts
            if any(isinstance(definition, CompensateDefinition) for definition in event.definitions)
        ),
        None,
    )


def start(thrower: Token, scope: Token, activity_id: str | None) -> bool:
    """Start what undoes completed activities of `scope`; return whether there is any that `thrower` waits for."""
    completed: list[Entry] = scope.internal_data.get("completed", [])
    chosen = [entry for entry in completed if activity_id in (None, entry[0])]
    scope.internal_data["completed"] = [entry for entry in completed if entry not in chosen]
    count = sum(_undo(thrower, scope, entry) for entry in reversed(chosen))
    thrower.remember(handlers=count)
    return count > 0


def _undo(thrower: Token, scope: Token, entry: Entry) -> int:
    """Start what undoes one activity: its handler, its own event sub-process, or what is inside of it."""
    _, handler_id, start_id, inside = entry
    execution = thrower.execution
    if handler_id is not None:
        handler = execution.spawn(execution.process.element(handler_id), scope)
        handler.remember(undoes_for=thrower.key)
        return 1
    if start_id is not None:
        event = execution.process.element(start_id)
        assert event.details.scope_id is not None
        handler = execution.spawn(execution.process.element(event.details.scope_id), scope)
        # It may in turn undo what was completed beside it.
        handler.remember(undoes_for=thrower.key, start=start_id, payload={}, completed=inside)
        return 1
    return sum(_undo(thrower, scope, nested) for nested in reversed(inside))


def scope_of(thrower: Token) -> Token:
    """Return the scope whose completed activities a throw event undoes."""
    scope = thrower.scope
    if scope.element.kind != "eventSubProcess" or "undoes_for" in scope.internal_data:
        return scope
    return scope.scope  # an event sub-process undoes what was done around it


def handled(handler: Token, scope: Token) -> None:
    """Let the thrower go on when the last of its handlers has left."""
    thrower = scope.execution.find(handler.internal_data.get("undoes_for"))
    if thrower is None:
        return
    thrower.remember(handlers=thrower.internal_data["handlers"] - 1)
    if thrower.internal_data["handlers"] == 0:
        scope.execution.finish(thrower)
