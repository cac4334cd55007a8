"""Timers: when they are due, what fires them, and the start timers of deployed processes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cronsim import CronSim, CronSimError
from sqlalchemy import Row, bindparam, select
from sqlalchemy.orm import Session

import feel
from engine import expressions, timer_failures, waits, wakeup
from engine.duties import LISTENING_SECONDS
from engine.elements.definitions import TimerDefinition
from engine.errors import NotFound
from engine.expressions import as_instant
from engine.keys import new_key
from engine.models import Timer
from feel.durations import DaysTimeDuration, Duration, YearsMonthsDuration, parse_duration
from feel.temporal import DateTime

if TYPE_CHECKING:
    from engine.elements.base import Element
    from engine.tokens import Token
    from engine.workflow import Execution

#: The channel on which workers hear of timers that are due before they would look.
CHANNEL = "timers"

#: How long a timer of a suspended instance is left alone, unless the instance is resumed.
_SUSPENDED = timedelta(hours=1)

#: `repetitions` of a timer that fires for ever.
UNBOUNDED = -1


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a timer fires first, how often after that, and by which interval or cron text."""

    due_at: datetime
    repetitions: int = 0
    cycle: str | None = None


class InvalidTimer(ValueError):
    """A value is no date, duration or cycle."""


def schedule(kind: str, value: object, now: datetime, environment: feel.Environment) -> Schedule:
    """Return when a timer of this kind with this FEEL value is due, seen from `now` (UTC); raises InvalidTimer."""
    if kind == "date":
        instant = as_instant(value, environment)
        if instant is None:
            raise InvalidTimer("A timer date must be a date and time such as 2026-03-01T09:00:00+08:00.")
        return Schedule(instant)
    if kind == "duration":
        return Schedule(add(now, _duration(value), environment))
    return _cycle(value, now, environment)


def _duration(value: object) -> Duration:
    if isinstance(value, str):
        value = parse_duration(value.strip())
    if isinstance(value, DaysTimeDuration | YearsMonthsDuration):
        return value
    raise InvalidTimer("A timer duration must be an ISO 8601 duration such as PT2H or P3D.")


def add(instant: datetime, duration: Duration, environment: feel.Environment) -> datetime:
    """Return `instant` plus a duration, in UTC; months are counted in the company's zone; raises InvalidTimer."""
    try:
        if isinstance(duration, DaysTimeDuration):
            return instant + duration.to_python()
        local = DateTime.from_python(instant.astimezone(environment.zone))
        date = local.date.plus_months(duration.months)
        if date is None:
            raise OverflowError
        return DateTime(date, local.time).to_python().astimezone(UTC)
    except (OverflowError, ValueError):
        raise InvalidTimer("The timer lies outside of the years that a clock can show.") from None


def _cycle(value: object, now: datetime, environment: feel.Environment) -> Schedule:
    if not isinstance(value, str):
        raise InvalidTimer("A timer cycle must be a text such as R3/PT1H or a cron expression such as 0 0 9 * * MON.")
    text = value.strip()
    if not text.startswith("R"):
        return Schedule(next_cron(text, now, environment), UNBOUNDED, text)
    parts = text.split("/")
    count = parts[0][1:]
    if len(parts) not in (2, 3) or (count and not count.isdecimal()):
        raise InvalidTimer(f"“{text}” is no repeating interval; write R/PT1H or R3/2026-03-01T09:00:00Z/P1D.")
    interval = _duration(parts[-1])
    if isinstance(interval, DaysTimeDuration) and interval.nanoseconds <= 0:
        raise InvalidTimer("The interval of a cycle must be longer than nothing.")
    repetitions = int(count) if count else UNBOUNDED
    if repetitions == 0:
        raise InvalidTimer("A cycle that repeats zero times never fires.")
    if repetitions >= 2**31:
        raise InvalidTimer("A cycle that repeats more than 2147483647 times has no number of times: write R/PT1H.")
    if len(parts) == 3:
        first = as_instant(parts[1], environment)
        if first is None:
            raise InvalidTimer(f"“{parts[1]}” is no date and time.")
    else:
        first = add(now, interval, environment)
    return Schedule(first, repetitions - 1 if repetitions > 0 else UNBOUNDED, str(interval))


def next_cron(text: str, after: datetime, environment: feel.Environment) -> datetime:
    """Return the next instant (UTC) of a cron expression in five fields or Spring's six; raises InvalidTimer."""
    # Spring writes ? where the other of day of month and day of week decides.
    fields = _MACROS.get(text, text).replace("?", "*")
    try:
        found = next(CronSim(fields, after.astimezone(environment.zone)))
    except (CronSimError, StopIteration, OverflowError):
        raise InvalidTimer(f"“{text}” is no cron expression with a date to come.") from None
    return found.astimezone(UTC)


#: Spring's macros, which Camunda 8 accepts.
_MACROS = {
    "@yearly": "0 0 0 1 1 *",
    "@annually": "0 0 0 1 1 *",
    "@monthly": "0 0 0 1 * *",
    "@weekly": "0 0 0 * * 0",
    "@daily": "0 0 0 * * *",
    "@midnight": "0 0 0 * * *",
    "@hourly": "0 0 * * * *",
}


def open_timer(host: Token, event: Element, definition: TimerDefinition, part: int = 0) -> None:
    """Create the timer of `event` for the token that waits; raises ElementFailure when it cannot be computed."""
    execution = host.execution
    value = expressions.evaluate_feel(host, definition.text, f"timer {definition.kind}")
    try:
        due = schedule(definition.kind, value, execution.now, execution.environment)
    except InvalidTimer as error:
        sentence = f"{event.details.name or event.id}: {error}"
        raise expressions.unusable(host, definition.text, sentence) from None
    waits.add(
        host,
        Timer,
        key=new_key(),
        due_at=due.due_at,
        next_at=due.due_at,
        instance_key=execution.instance_key,
        definition_key=execution.definition_key,
        process_id=execution.process.process_id,
        element_id=event.id,
        part=part,
        repetitions=due.repetitions,
        cycle=due.cycle,
    )
    announce(execution.session, due.due_at, execution.now)


def following(timer: Timer | Row[Any], now: datetime, environment: feel.Environment) -> Schedule | None:
    """Return when a repeating timer fires next after it was due, or None when this was the last time.

    Repetitions that were missed because no worker ran are fired one by one, each at once (Camunda 8's rule).
    """
    if timer.repetitions == 0 or timer.cycle is None:
        return None
    left = timer.repetitions - 1 if timer.repetitions > 0 else UNBOUNDED
    try:
        if timer.cycle.startswith("P"):
            duration = parse_duration(timer.cycle)
            assert duration is not None
            return Schedule(add(timer.due_at, duration, environment), left, timer.cycle)
        return Schedule(next_cron(timer.cycle, max(timer.due_at, now), environment), left, timer.cycle)
    except InvalidTimer:
        return None  # the next time lies outside of the years that a clock can show, so it never comes


# Built once: building a statement costs as much as running it.
_ROW = select(*Timer.__table__.columns).where(Timer.key == bindparam("key"))


@dataclass(frozen=True, slots=True)
class FireTimer:
    """Let a due timer fire; a timer that is gone by now has fired or is not needed any more, and nothing happens."""

    timer_key: int
    action = "fire timer"
    while_suspended = True

    def apply(self, execution: Execution) -> None:
        """Trigger the event and set up its next repetition."""
        timer = execution.session.connection().execute(_ROW, {"key": self.timer_key}).one_or_none()
        if timer is None:
            return
        if execution.suspended:
            later = execution.now + _SUSPENDED
            execution.changes.update(Timer, timer.key, next_at=later, claimed_by=None, claimed_until=None)
            return
        host = execution.find(timer.element_instance_key)
        if host is None:
            raise NotFound("live element of timer", timer.key)
        event = execution.process.element(timer.element_id)
        execution.audit(self.action, element_id=event.id, subject_key=timer.key)
        timer_failures.overcome(execution, timer)
        following_time = following(timer, execution.now, execution.environment)
        if following_time is None:
            execution.changes.delete_wait(Timer, timer.key)
        else:
            execution.changes.update(Timer, timer.key, **again(following_time))
        execution.trigger(host, event, {}, timer.part)


def again(schedule: Schedule) -> dict[str, Any]:
    """Return the values of a repeating timer that has fired and waits for its next time."""
    return {
        "due_at": schedule.due_at,
        "next_at": schedule.due_at,
        "repetitions": schedule.repetitions,
        "failures": 0,
        "claimed_by": None,
        "claimed_until": None,
    }


def announce(session: Session, due_at: datetime, now: datetime) -> None:
    """Wake the workers for a new timer that is due before they would look again."""
    if due_at - now <= timedelta(seconds=LISTENING_SECONDS):
        wakeup.notify(session, CHANNEL)


def due(session: Session, now: datetime, limit: int) -> list[Timer]:
    """Return the timers to be fired at `now` (UTC), oldest first, whoever has them in hand."""
    statement = select(Timer).where(Timer.next_at <= now).order_by(Timer.next_at, Timer.key).limit(limit)
    return list(session.scalars(statement))
