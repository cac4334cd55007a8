"""What starts instances without a person: timer, message and signal start events of the newest version of a process."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

import feel
from engine import clock, definitions, execution, timers
from engine.configuration import configuration
from engine.elements.base import Element
from engine.elements.definitions import EventDefinition, MessageDefinition, SignalDefinition, TimerDefinition
from engine.errors import EngineError
from engine.keys import new_key
from engine.models import MessageSubscription, ProcessDefinition, SignalSubscription, Timer
from engine.process import Process
from engine.variables import ScopeView


class StartNotSchedulable(EngineError):
    """A start event's expression cannot be evaluated without an instance."""

    def __init__(self, element_id: str, reason: str) -> None:
        super().__init__(f"The start event {element_id} cannot be scheduled: {reason}")
        self.element_id = element_id


def environment(session: Session) -> feel.Environment:
    """Return what FEEL may know of the world outside of any instance."""
    settings = configuration(session)
    return feel.Environment(now=clock.now(session), zone=settings.zone, calendar=settings.calendar)


def replace(session: Session, definition: ProcessDefinition, process: Process) -> None:
    """Let the start events of `definition` take the place of those of older versions; raises StartNotSchedulable."""
    for model in (Timer, MessageSubscription, SignalSubscription):
        older = select(ProcessDefinition.key).where(ProcessDefinition.process_id == definition.process_id)
        session.execute(delete(model).where(model.instance_key.is_(None), model.definition_key.in_(older)))
    for event in process.triggers():
        _open(session, definition, event)
    session.flush()


def _open(session: Session, definition: ProcessDefinition, event: Element) -> None:
    for part, found in enumerate(event.definitions):
        _open_part(session, definition, event, part, found)


def _open_part(
    session: Session, definition: ProcessDefinition, event: Element, part: int, found: EventDefinition
) -> None:
    row = {
        "definition_key": definition.key,
        "process_id": definition.process_id,
        "element_id": event.id,
        "part": part,
    }
    match found:
        case TimerDefinition(kind, text):
            now = clock.now(session)
            try:
                value = _value(session, event, text)
                due = timers.schedule(kind, value, now, environment(session))
            except timers.InvalidTimer as error:
                raise StartNotSchedulable(event.id, str(error)) from None
            session.add(Timer(key=new_key(), due_at=due.due_at, repetitions=due.repetitions, cycle=due.cycle, **row))
        case MessageDefinition(name):
            text_name = str(_value(session, event, name))
            session.add(
                MessageSubscription(
                    key=new_key(), message_name=text_name, correlation_key="", created_at=clock.now(session), **row
                )
            )
        case SignalDefinition(name):
            session.add(SignalSubscription(key=new_key(), signal_name=str(_value(session, event, name)), **row))


def _value(session: Session, event: Element, text: str) -> object:
    if not text.startswith("="):
        return text
    try:
        return feel.parse(text[1:]).evaluate(ScopeView([]), environment(session)).value
    except feel.FeelError as error:
        raise StartNotSchedulable(event.id, str(error)) from None


def fire(session: Session, timer_key: int) -> int | None:
    """Start an instance at a due start timer, set up its next time, and return the instance's key; None: it is gone."""
    timer = session.get(Timer, timer_key, populate_existing=True, with_for_update=True)
    if timer is None or timer.instance_key is not None:
        return None
    again = timers.following(timer, clock.now(session), environment(session))
    definition_key, element_id = timer.definition_key, timer.element_id
    if again is None:
        session.delete(timer)
    else:
        timer.due_at, timer.repetitions = again.due_at, again.repetitions
    session.flush()
    definitions.process(session, definition_key)
    return execution.start_at(session, definition_key, element_id, {}).instance_key
