"""Messages by Camunda 8's rules: subscriptions, a buffer with time to live, correlation once per process."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Select, delete, exists, func, select
from sqlalchemy.orm import Session

from database import advisory
from engine import clock, expressions, locks, waits
from engine.elements.definitions import MessageDefinition
from engine.errors import DuplicateMessage
from engine.keys import new_key
from engine.models import Message, MessageCorrelation, MessageSubscription, ProcessInstance
from engine.variables import checked

if TYPE_CHECKING:
    from engine.elements.base import Element
    from engine.tokens import Token
    from engine.workflow import Execution

#: How long a message that a diagram throws is kept for a receiver that is not there yet.
THROWN_TIME_TO_LIVE = timedelta(hours=1)

#: Attempts to lock all that a message will wake before the message itself.
_ATTEMPTS = 5
#: Subscriptions that one query looks for.
_BATCH = 10_000


class Opened(NamedTuple):
    """A subscription to which a message may be waiting already."""

    key: int
    message_name: str
    correlation_key: str


def open_subscription(host: Token, event: Element, definition: MessageDefinition, part: int = 0) -> None:
    """Subscribe the token to the message of `event`; raises ElementFailure without a name or correlation key."""
    execution = host.execution
    name = expressions.evaluate(host, definition.name, "message name")
    if not isinstance(name, str) or not name:
        raise expressions.unusable(host, definition.name, "The message name must be a text.")
    row = waits.add(
        host,
        MessageSubscription,
        key=new_key(),
        message_name=expressions.short(host, definition.name, name, "message name"),
        correlation_key=_correlation_key(host, definition),
        instance_key=execution.instance_key,
        definition_key=execution.definition_key,
        process_id=execution.process.process_id,
        element_id=event.id,
        part=part,
        created_at=execution.now,
    )
    execution.new_subscriptions.append(Opened(row["key"], row["message_name"], row["correlation_key"]))


def opened_by(session: Session, instance_key: int) -> list[Opened]:
    """Return the subscriptions of an instance, oldest first."""
    rows = session.execute(
        select(MessageSubscription.key, MessageSubscription.message_name, MessageSubscription.correlation_key)
        .where(MessageSubscription.instance_key == instance_key)
        .order_by(MessageSubscription.key)
    )
    return [Opened(*row) for row in rows]


def _correlation_key(host: Token, definition: MessageDefinition) -> str:
    """Return the key of the message that has started the instance for what it waits for besides, else the message's."""
    same: str | None = host.internal_data.get("correlation")
    if same is not None:
        return same
    if definition.correlation_key is None:
        return ""  # only what can start an instance has none: it waits for a message without one
    return expressions.correlation_key(host, definition)


@dataclass(frozen=True, slots=True)
class CorrelateMessage:
    """Hand a message to the element that subscribed to it; a subscription that is gone by now takes nothing."""

    subscription_key: int
    variables: dict[str, Any]
    message_key: int
    action = "correlate message"

    def apply(self, execution: Execution) -> None:
        """Trigger the event with the message's variables."""
        subscription = execution.session.get(MessageSubscription, self.subscription_key, populate_existing=True)
        if subscription is None:
            return
        host = execution.find(subscription.element_instance_key)
        if host is None:
            return
        event = execution.process.element(subscription.element_id)
        execution.audit(
            self.action,
            element_id=event.id,
            subject_key=self.message_key,
            details={"name": subscription.message_name, "variables": self.variables},
        )
        execution.trigger(host, event, dict(self.variables), subscription.part)


@dataclass(slots=True)
class Publication:
    """What became of a published message."""

    message_key: int
    instance_keys: list[int] = field(default_factory=list)


def publish(
    session: Session,
    name: str,
    correlation_key: str = "",
    variables: dict[str, Any] | None = None,
    *,
    time_to_live: timedelta = timedelta(0),
    message_id: str | None = None,
    actor: str = "",
) -> Publication:
    """Publish a message: to one waiting element per process, to message start events, and into the buffer.

    Raises InvalidVariables, and DuplicateMessage when a message with this name, correlation key and id is buffered.
    """
    payload = checked(variables or {})
    now = clock.now(session)
    _keep_others_out(session, name, correlation_key, shared=not correlation_key and not message_id)
    if message_id:
        same = exists().where(
            Message.name == name,
            Message.correlation_key == correlation_key,
            Message.message_id == message_id,
            Message.expires_at > now,
        )
        if session.scalar(select(same)):
            raise DuplicateMessage(f"A message “{name}” with the id “{message_id}” is still buffered.")
        session.execute(
            delete(Message).where(
                Message.name == name, Message.correlation_key == correlation_key, Message.message_id == message_id
            )
        )
    message = Message(
        key=new_key(),
        name=name,
        correlation_key=correlation_key,
        message_id=message_id or None,
        variables=payload,
        published_at=now,
        expires_at=now + time_to_live,
    )
    session.add(message)
    session.flush()
    publication = Publication(message.key)
    _correlate_waiting(session, message, publication, actor)
    _correlate_starts(session, message, publication, actor)
    if time_to_live <= timedelta(0):
        session.delete(message)
        session.flush()
    return publication


def _keep_others_out(session: Session, name: str, correlation_key: str, *, shared: bool) -> None:
    """Let nobody publish or wait for the message until the transaction ends; publishers may `share` that.

    So no message passes by somebody who begins to wait for it at the same moment, an id is used once, and of two
    messages that would start the same process one does. First come the instances that will be woken: a command holds
    its instance when it begins to wait, and whoever locks in another order might wait for it in a circle.
    """
    next_ones = (
        select(func.min(MessageSubscription.key))
        .join(ProcessInstance, ProcessInstance.key == MessageSubscription.instance_key)
        .where(
            MessageSubscription.message_name == name,
            MessageSubscription.correlation_key == correlation_key,
            ProcessInstance.suspended_at.is_(None),
        )
        .group_by(MessageSubscription.process_id)
    )
    roots = (
        select(ProcessInstance.root_key)
        .join(MessageSubscription, MessageSubscription.instance_key == ProcessInstance.key)
        .where(MessageSubscription.key.in_(next_ones))
    )
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        return
    for _ in range(_ATTEMPTS):
        locks.lock_all(session, roots)
        savepoint = connection.begin_nested()
        advisory.hold(session, advisory.Kind.MESSAGE, [_lock_name(name, correlation_key)], shared=shared)
        if locks.holds(session, connection.scalars(roots)):
            savepoint.commit()
            return
        # Somebody else has come to be the next one meanwhile; going back gives the message free again.
        savepoint.rollback()
    advisory.hold(session, advisory.Kind.MESSAGE, [_lock_name(name, correlation_key)], shared=shared)


def _lock_name(message_name: str, correlation_key: str) -> str:
    return f"{message_name}\0{correlation_key}"


def _reached(session: Session, message: Message) -> set[str]:
    return set(
        session.scalars(select(MessageCorrelation.process_id).where(MessageCorrelation.message_key == message.key))
    )


def _mark(session: Session, message_key: int, process_id: str, instance_key: int) -> None:
    session.add(MessageCorrelation(message_key=message_key, process_id=process_id, instance_key=instance_key))
    session.flush()


def _correlate_waiting(session: Session, message: Message, publication: Publication, actor: str) -> None:
    from engine.execution import execute  # the command that this module defines is what it executes

    reached = _reached(session, message)
    waiting = session.execute(
        select(
            MessageSubscription.key,
            MessageSubscription.process_id,
            MessageSubscription.instance_key,
            ProcessInstance.root_key,
        )
        .join(ProcessInstance, ProcessInstance.key == MessageSubscription.instance_key)
        .where(
            MessageSubscription.message_name == message.name,
            MessageSubscription.correlation_key == message.correlation_key,
            ProcessInstance.suspended_at.is_(None),
        )
        .order_by(MessageSubscription.key)
    ).all()
    for subscription in waiting:
        if subscription.process_id in reached:
            continue
        locks.lock(session, subscription.root_key)
        if not waits.still(session, MessageSubscription, subscription.key):
            continue
        reached.add(subscription.process_id)
        instance_key = subscription.instance_key
        _mark(session, message.key, subscription.process_id, instance_key)
        command = CorrelateMessage(subscription.key, message.variables, message.key)
        execute(session, instance_key, command, actor=actor)
        publication.instance_keys.append(instance_key)


def _correlate_starts(session: Session, message: Message, publication: Publication, actor: str) -> None:
    from engine.execution import start_at

    reached = _reached(session, message)
    starts = session.scalars(
        select(MessageSubscription).where(
            MessageSubscription.message_name == message.name, MessageSubscription.instance_key.is_(None)
        )
    ).all()
    for start in starts:
        if start.process_id in reached:
            continue
        if message.correlation_key and _started_by(session, message, start.process_id):
            continue
        outcome = start_at(
            session,
            start.definition_key,
            start.element_id,
            message.variables,
            part=start.part,
            actor=actor,
            only_for=message.correlation_key or None,
        )
        _mark(session, message.key, start.process_id, outcome.instance_key)
        publication.instance_keys.append(outcome.instance_key)


#: A message with a correlation key starts one instance per key at a time (Camunda 8's rule); the lock is a
#: subscription that no message can match and that goes with the instance.
_LOCK = "\x01started {}"


def start_lock(process_id: str) -> str:
    """Return the message name of the subscriptions that stand for "started by this correlation key"."""
    return _LOCK.format(process_id)


def hold_key(root: Token, event: Element, correlation_key: str) -> None:
    """Let no other message with this correlation key start the process while the instance of `root` is alive."""
    execution = root.execution
    waits.add(
        root,
        MessageSubscription,
        key=new_key(),
        message_name=start_lock(execution.process.process_id),
        correlation_key=correlation_key,
        instance_key=execution.instance_key,
        definition_key=execution.definition_key,
        process_id=execution.process.process_id,
        element_id=event.id,
        part=0,
        created_at=execution.now,
    )


def _started_by(session: Session, message: Message, process_id: str) -> bool:
    return bool(
        session.scalar(
            select(
                exists().where(
                    MessageSubscription.message_name == start_lock(process_id),
                    MessageSubscription.correlation_key == message.correlation_key,
                )
            )
        )
    )


def deliver_buffered(session: Session, subscriptions: list[Opened], actor: str) -> None:
    """Hand buffered messages to subscriptions that have just been opened, the oldest message first."""
    from engine.execution import execute

    names = {_lock_name(subscription.message_name, subscription.correlation_key) for subscription in subscriptions}
    advisory.hold(session, advisory.Kind.MESSAGE, names)
    now = clock.now(session)
    for key in _met(session, subscriptions, now):
        # Each may have taken a message, or ended a subscription, that another one was to have.
        oldest = _matches(now).where(MessageSubscription.key == key).order_by(Message.key).limit(1)
        # Whoever throws expired messages away waits until this one has been handed over.
        found = session.execute(oldest.with_for_update(of=Message, key_share=True, read=True))
        if (match := found.one_or_none()) is not None:
            _mark(session, match.message_key, match.process_id, match.instance_key)
            command = CorrelateMessage(key, match.variables, match.message_key)
            execute(session, match.instance_key, command, actor=actor)


def _met(session: Session, subscriptions: list[Opened], now: datetime) -> list[int]:
    """Return the keys of those of the subscriptions for which a message is waiting."""
    met: list[int] = []
    remaining = iter(subscriptions)
    while batch := [subscription.key for subscription in islice(remaining, _BATCH)]:
        keys = _matches(now).with_only_columns(MessageSubscription.key)
        found = set(session.scalars(keys.where(MessageSubscription.key.in_(batch))))
        met += [key for key in batch if key in found]
    return met


def _matches(now: datetime) -> Select[tuple[int, str, int, int, dict[str, Any]]]:
    """Return the query for subscriptions with messages that are waiting for them at `now` (UTC)."""
    return (
        select(
            MessageSubscription.key,
            MessageSubscription.process_id,
            MessageSubscription.instance_key,
            Message.key.label("message_key"),
            Message.variables,
        )
        .join(ProcessInstance, ProcessInstance.key == MessageSubscription.instance_key)
        .join(
            Message,
            (Message.name == MessageSubscription.message_name)
            & (Message.correlation_key == MessageSubscription.correlation_key),
        )
        .where(
            ProcessInstance.suspended_at.is_(None),
            Message.expires_at > now,
            ~exists().where(
                MessageCorrelation.message_key == Message.key,
                MessageCorrelation.process_id == MessageSubscription.process_id,
            ),
        )
    )


#: Expired messages that are deleted in one transaction.
_DROPPED_AT_ONCE = 1_000


def drop_expired(session: Session) -> int:
    """Delete messages whose time to live has ended, a batch of them at most; return how many."""
    expired = select(Message.key).where(Message.expires_at <= clock.now(session)).limit(_DROPPED_AT_ONCE)
    result = session.execute(delete(Message).where(Message.key.in_(expired)))
    return int(result.rowcount)  # type: ignore[attr-defined]
