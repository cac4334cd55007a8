"""Compensation: which completed activities can be undone, and the handlers that undo them.

Each scope remembers its completed activities that have a handler; a completed sub-process hands what it remembers to
the scope around it. All handlers of a compensation are started at once (Camunda 8's rule).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.tokens import Token

#: What a scope remembers: id of the activity, id of its handler (null for a sub-process), what is inside of it.
Entry = list[object]


def note(token: Token) -> None:
    """Remember, as a token leaves a completed activity, what would undo it."""
    element = token.element
    inside = token.internal_data.get("completed", [])
    if element.compensation_handler_id is None and not inside:
        return
    if element.kind == "eventSubProcess":
        return
    completed = token.scope.internal_data.setdefault("completed", [])
    completed.append([element.id, element.compensation_handler_id, inside])


def start(thrower: Token, scope: Token, activity_id: str | None) -> bool:
    """Start the handlers of completed activities of `scope`; return whether there are any that `thrower` waits for."""
    completed: list[Entry] = scope.internal_data.get("completed", [])
    chosen = [entry for entry in completed if activity_id in (None, entry[0])]
    scope.internal_data["completed"] = [entry for entry in completed if entry not in chosen]
    handler_ids = [handler_id for entry in reversed(chosen) for handler_id in _handlers(entry)]
    execution = thrower.execution
    for handler_id in handler_ids:
        handler = execution.spawn(execution.process.element(handler_id), scope)
        handler.remember(undoes_for=thrower.key)
    thrower.remember(handlers=len(handler_ids))
    return bool(handler_ids)


def _handlers(entry: Entry) -> list[str]:
    _, handler_id, inside = entry
    if isinstance(handler_id, str):
        return [handler_id]
    assert isinstance(inside, list)
    return [inner for nested in reversed(inside) for inner in _handlers(nested)]


def handled(handler: Token, scope: Token) -> None:
    """Let the thrower go on when the last of its handlers has left."""
    thrower = scope.execution.find(handler.internal_data.get("undoes_for"))
    if thrower is None:
        return
    thrower.remember(handlers=thrower.internal_data["handlers"] - 1)
    if thrower.internal_data["handlers"] == 0:
        scope.execution.finish(thrower)
