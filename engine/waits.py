"""Waits: the rows of what a token waits for, and the letters under which its state remembers that it has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from database import Base
from engine import conditions
from engine.keys import new_key
from engine.models import (
    Incident,
    IncidentState,
    Job,
    LoopItems,
    MessageSubscription,
    SignalSubscription,
    Timer,
    UserTask,
)

if TYPE_CHECKING:
    from engine.elements.base import Element
    from engine.tokens import Token

#: What a token can wait for, by the letter under which its state remembers it.
_KINDS: dict[str, type[Base]] = {
    "t": Timer,
    "m": MessageSubscription,
    "s": SignalSubscription,
    "u": UserTask,
    "j": Job,
    "i": Incident,
    #: Nothing comes of these by themselves, but they go with their element like everything that it waits for.
    "l": LoopItems,
}
_LETTERS = {model: letter for letter, model in _KINDS.items()}
_ALL = "".join(_KINDS)
#: Waits of events attached to an activity or scope, as far as they are not its own.
_OF_EVENTS = "tms"


def add(token: Token, model: type[Base], **row: Any) -> dict[str, Any]:
    """Add a row for something that the token waits for."""
    held = token.internal_data.get("waits", "")
    letter = _LETTERS[model]
    if letter not in held:
        token.remember(waits=held + letter)
    return token.execution.changes.wait(model, element_instance_key=token.key, **row)


def add_incident(token: Token, kind: str, message: str, details: dict[str, Any], *, job_key: int | None = None) -> int:
    """Add an incident of the token and return its key."""
    execution = token.execution
    key = new_key()
    add(
        token,
        Incident,
        key=key,
        type=kind,
        message=message,
        details=details,
        state=IncidentState.ACTIVE,
        instance_key=execution.instance_key,
        definition_key=execution.definition_key,
        process_id=execution.process.process_id,
        element_id=token.element.id,
        job_key=job_key,
        created_at=execution.now,
        resolved_at=None,
        resolved_by=None,
    )
    execution.outcome.incident_keys.append(key)
    return key


def still(session: Session, model: type[MessageSubscription] | type[SignalSubscription], key: int) -> bool:
    """Return whether a subscription is there: one that was woken before may have ended this one."""
    return session.scalar(select(model.key).where(model.key == key)) is not None


def holds(token: Token, model: type[Base]) -> bool:
    """Return whether the token waits for something of this kind."""
    return _LETTERS[model] in token.internal_data.get("waits", "")


def close_all(token: Token, *, but: type[Base] | None = None) -> None:
    """End everything that the token waits for, except what is of the kind `but`."""
    conditions.forget(token)
    _close(token, _ALL if but is None else _ALL.replace(_LETTERS[but], ""))


def close_events(token: Token, events: Sequence[Element]) -> None:
    """End what some of the events wait for that the token waits for: its own, or attached to its element."""
    names = {event.id for event in events}
    conditions.forget(token, names)
    held = token.internal_data.get("waits", "")
    kinds = [_KINDS[letter] for letter in held if letter in _OF_EVENTS]
    if kinds and names:
        token.execution.changes.end_events(token.key, kinds, names)


def close(token: Token, model: type[Base]) -> None:
    """End the token's waits of one kind."""
    _close(token, _LETTERS[model])


def forget(token: Token, model: type[Base]) -> None:
    """Note that a wait has ended by itself, so that it need not be ended when the token leaves."""
    token.remember(waits=token.internal_data.get("waits", "").replace(_LETTERS[model], ""))


def suppose_all(token: Token) -> None:
    """Note that the token may wait for anything, for when it is not known what it waits for."""
    token.remember(waits=_ALL)


def _close(token: Token, letters: str) -> None:
    held = token.internal_data.get("waits", "")
    closing = [_KINDS[letter] for letter in held if letter in letters]
    if closing:
        token.execution.changes.end_waits(token.key, closing, token.execution.now)
        token.remember(waits="".join(letter for letter in held if letter not in letters))
