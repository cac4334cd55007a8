"""Signals: broadcast to everything that waits for them, and to signal start events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import expressions, locks, suspension, waits
from engine.elements.definitions import SignalDefinition
from engine.keys import new_key
from engine.models import ProcessInstance, SignalSubscription
from engine.variables import checked

if TYPE_CHECKING:
    from engine.elements.base import Element
    from engine.tokens import Token
    from engine.workflow import Execution


def open_subscription(host: Token, event: Element, definition: SignalDefinition, part: int = 0) -> None:
    """Subscribe the token to the signal of `event`; raises ElementFailure when its name is no text."""
    execution = host.execution
    name = expressions.evaluate(host, definition.name, "signal name")
    if not isinstance(name, str) or not name:
        raise expressions.unusable(host, definition.name, "The signal name must be a text.")
    waits.add(
        host,
        SignalSubscription,
        key=new_key(),
        signal_name=expressions.short(host, definition.name, name, "signal name"),
        instance_key=execution.instance_key,
        definition_key=execution.definition_key,
        process_id=execution.process.process_id,
        element_id=event.id,
        part=part,
    )


@dataclass(frozen=True, slots=True)
class CatchSignal:
    """Hand a signal to the element that subscribed to it; a subscription that is gone by now takes nothing."""

    subscription_key: int
    variables: dict[str, Any]
    action = "catch signal"

    def apply(self, execution: Execution) -> None:
        """Trigger the event with the signal's variables."""
        subscription = execution.session.get(SignalSubscription, self.subscription_key, populate_existing=True)
        host = execution.find(subscription.element_instance_key) if subscription else None
        if subscription is None or host is None:
            return
        event = execution.process.element(subscription.element_id)
        execution.audit(self.action, element_id=event.id, details={"name": subscription.signal_name})
        execution.trigger(host, event, dict(self.variables), subscription.part)


def broadcast(session: Session, name: str, variables: dict[str, Any] | None = None, *, actor: str = "") -> list[int]:
    """Send a signal to every element that waits for it now and start an instance at every signal start event.

    Returns the keys of the instances reached; raises InvalidVariables.
    """
    from engine.execution import execute, start_at

    payload = checked(variables or {})
    root_key = select(ProcessInstance.root_key).where(ProcessInstance.key == SignalSubscription.instance_key)
    locks.lock_all(session, select(root_key.scalar_subquery()).where(SignalSubscription.signal_name == name))
    subscriptions = session.execute(
        select(
            SignalSubscription.key,
            SignalSubscription.instance_key,
            SignalSubscription.definition_key,
            SignalSubscription.process_id,
            SignalSubscription.element_id,
            SignalSubscription.part,
            root_key.scalar_subquery().label("root_key"),
        )
        .where(
            SignalSubscription.signal_name == name,
            SignalSubscription.instance_key.is_(None) | ~suspension.is_suspended(SignalSubscription.instance_key),
        )
        .order_by(SignalSubscription.key)
    ).all()
    inside = {
        (row.process_id, row.element_id, row.part) for row in subscriptions if row.instance_key is not None
    }  # fmt: skip
    reached = []
    for subscription in subscriptions:
        if subscription.instance_key is None:
            place = (subscription.process_id, subscription.element_id, subscription.part)
            if place in inside and _awaited(session, subscription.definition_key, subscription.element_id):
                continue  # an instance that another trigger has started waits for this one
            outcome = start_at(
                session,
                subscription.definition_key,
                subscription.element_id,
                payload,
                part=subscription.part,
                actor=actor,
            )
            reached.append(outcome.instance_key)
            continue
        locks.lock(session, subscription.root_key)
        if waits.still(session, SignalSubscription, subscription.key):
            reached.append(subscription.instance_key)
            execute(session, subscription.instance_key, CatchSignal(subscription.key, payload), actor=actor)
    return reached


def _awaited(session: Session, definition_key: int, element_id: str) -> bool:
    from engine import definitions  # the elements that it reads subscribe here

    process = definitions.process(session, definition_key)
    return process.is_awaited_inside(process.element(element_id))
