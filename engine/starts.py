"""What starts instances without a person: timer, message, signal and conditional start events.

Those of the newest version of a process count. There is no instance yet whose variables a condition could look at, so
conditions are looked at when somebody asks, with the variables that they give (Camunda 8's rule).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, exists, func, select
from sqlalchemy.orm import Session

import feel
from engine import clock, definitions, execution, timers
from engine.configuration import configuration
from engine.elements.base import Element
from engine.elements.definitions import (
    ConditionalDefinition,
    EventDefinition,
    MessageDefinition,
    SignalDefinition,
    TimerDefinition,
)
from engine.errors import EngineError
from engine.keys import new_key
from engine.models import MessageSubscription, ProcessDefinition, SignalSubscription, Timer
from engine.process import Process
from engine.variables import ScopeView, checked
from engine.working_days import CurrentCalendar


class StartNotSchedulable(EngineError):
    """A start event's expression cannot be evaluated without an instance."""

    def __init__(self, element_id: str, reason: str) -> None:
        super().__init__(f"The start event {element_id} cannot be scheduled: {reason}")
        self.element_id = element_id


def environment(session: Session) -> feel.Environment:
    """Return what FEEL may know of the world outside of any instance."""
    settings = configuration(session)
    return feel.Environment(now=clock.now(session), zone=settings.zone, calendar=CurrentCalendar(session))


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
            timers.announce(session, due.due_at, now)
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
    definition_key, element_id, part = timer.definition_key, timer.element_id, timer.part
    awaited = select(
        exists().where(
            Timer.process_id == timer.process_id,
            Timer.element_id == element_id,
            Timer.part == part,
            Timer.instance_key.is_not(None),
        )
    )
    if again is None:
        session.delete(timer)
    else:
        for name, value in timers.again(again).items():
            setattr(timer, name, value)
    session.flush()
    process = definitions.process(session, definition_key)
    if process.is_awaited_inside(process.element(element_id)) and session.scalar(awaited):
        return None  # an instance that another trigger has started waits for the same time
    return execution.start_at(session, definition_key, element_id, {}, part=part).instance_key


@dataclass(frozen=True, slots=True)
class StartedByCondition:
    """An instance that a condition has started."""

    instance_key: int
    definition_key: int


def evaluate_conditions(
    session: Session, variables: dict[str, Any], *, definition_key: int | None = None, actor: str = ""
) -> list[StartedByCondition]:
    """Start an instance at every conditional start event whose condition these variables fulfil; they get them, too.

    Looked at are the newest versions of all processes, or the one definition that is named. A condition that is null
    or cannot be evaluated is not fulfilled. Raises InvalidVariables, and NotFound for the key of no definition.
    """
    given = checked(variables)
    keys = [definition_key] if definition_key is not None else _newest(session)
    started = []
    for key in keys:
        for event in definitions.process(session, key).triggers():
            for part, definition in enumerate(event.definitions):
                if isinstance(definition, ConditionalDefinition) and _fulfilled(session, definition, given):
                    outcome = execution.start_at(session, key, event.id, given, part=part, actor=actor)
                    started.append(StartedByCondition(outcome.instance_key, key))
                    break  # an event that has several definitions starts one instance
    return started


def _newest(session: Session) -> list[int]:
    version = func.max(ProcessDefinition.version).label("version")
    newest = select(ProcessDefinition.process_id, version).group_by(ProcessDefinition.process_id).subquery()
    same = (newest.c.process_id == ProcessDefinition.process_id) & (newest.c.version == ProcessDefinition.version)
    return list(session.scalars(select(ProcessDefinition.key).join(newest, same).order_by(ProcessDefinition.key)))


def _fulfilled(session: Session, definition: ConditionalDefinition, variables: dict[str, Any]) -> bool:
    text = definition.condition.removeprefix("=")
    try:
        return feel.parse(text).evaluate(ScopeView([variables]), environment(session)).value is True
    except feel.FeelError:
        return False
