"""Events that come in from other systems: messages, signals, changed circumstances."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from engine import messages, signals, starts
from engine.keys import new_key
from engine.messages import Publication
from engine.starts import StartedByCondition
from people.errors import Forbidden
from people.models import User
from people.permissions import may_act_as_machine
from webhooks.errors import NobodyWaits


def publish(
    session: Session,
    user: User,
    name: str,
    correlation_key: str,
    variables: dict[str, Any],
    *,
    time_to_live: timedelta,
    message_id: str | None,
) -> Publication:
    """Publish a message; raises Forbidden, DuplicateMessage, InvalidVariables."""
    _require_sender(user)
    return messages.publish(
        session,
        name,
        correlation_key,
        variables,
        time_to_live=time_to_live,
        message_id=message_id,
        actor=user.username,
    )


def correlate(session: Session, user: User, name: str, correlation_key: str, variables: dict[str, Any]) -> Publication:
    """Hand a message to whoever waits for it now; raises Forbidden, NobodyWaits, InvalidVariables."""
    _require_sender(user)
    publication = messages.publish(session, name, correlation_key, variables, actor=user.username)
    if not publication.instance_keys:
        raise NobodyWaits(name, correlation_key)
    return publication


def broadcast(session: Session, user: User, name: str, variables: dict[str, Any]) -> int:
    """Broadcast a signal and return a key for it; raises Forbidden, InvalidVariables."""
    _require_sender(user)
    signals.broadcast(session, name, variables, actor=user.username)
    return new_key()


def evaluate_conditions(
    session: Session, user: User, variables: dict[str, Any], definition_key: int | None
) -> list[StartedByCondition]:
    """Start what begins under these circumstances; raises Forbidden, NotFound, InvalidVariables."""
    _require_sender(user)
    return starts.evaluate_conditions(session, variables, definition_key=definition_key, actor=user.username)


def _require_sender(user: User) -> None:
    # A message can move any case on or start one, whoever takes part in it.
    if not may_act_as_machine(user):
        raise Forbidden("Other systems sign in as a user with the role of a worker or manager.")
