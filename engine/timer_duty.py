"""The duty that fires timers: claims a batch of those that are due, and fires each instance's in one transaction.

A claim keeps workers from doing the same work twice; that a timer fires once does not depend on it, because a timer
that has fired is gone. The claims of a worker that dies run out after `leases.TIMER_LEASE`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import bindparam, func, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from database import transaction
from database.retrying import away, retrying
from engine import clock, leases, locks, starts, timer_failures
from engine.duties import AT_ONCE, Turn
from engine.errors import EngineError
from engine.execution import execute
from engine.models import ProcessInstance, Timer
from engine.timer_failures import ReportTimerFailure
from engine.timers import CHANNEL, FireTimer

_log = structlog.get_logger("baton.timers")

#: Timers claimed at one go; those that are left when the turn is over are given back.
BATCH = 100

#: How long a due timer is left alone whose instance is in somebody else's hands.
_BUSY = timedelta(milliseconds=200)


_REAL_NOW = bindparam("real_now", type_=Timer.claimed_until.type)
#: When a claim ends that is made now.
_LONGEST = bindparam("longest", type_=Timer.claimed_until.type)
_UNCLAIMED = leases.over(Timer.claimed_until, _REAL_NOW, _LONGEST)

# Built once: building a statement costs as much as running it.
NEXT = select(Timer.next_at).where(_UNCLAIMED).order_by(Timer.next_at).limit(1)
#: When the first of the due timers that workers have in hand would be left to others.
FREED = select(func.min(Timer.claimed_until)).where(
    Timer.next_at <= bindparam("now", type_=Timer.next_at.type),
    Timer.claimed_until > _REAL_NOW,
)
#: Only by the instant, which is what the index gives: many timers may be due at the same one.
DUE = (
    select(Timer.key, Timer.instance_key, ProcessInstance.root_key)
    .outerjoin(ProcessInstance, ProcessInstance.key == Timer.instance_key)
    .where(Timer.next_at <= bindparam("now", type_=Timer.next_at.type), _UNCLAIMED)
    .order_by(Timer.next_at)
    .limit(bindparam("most"))
    .with_for_update(of=Timer, skip_locked=True)
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A due timer that this worker has in hand."""

    key: int
    #: Null: it is of a start event.
    instance_key: int | None
    root_key: int | None


class TimerDuty:
    """Fires what is due, whichever worker is first."""

    name = "timers"
    channel = CHANNEL

    def take(self, turn: Turn) -> float:
        """Claim due timers and fire them; return how many seconds there are until the next one is due."""
        wait = _seconds_until_due(turn)
        if wait > 0:
            return wait
        groups = _by_instance(claim(turn))
        try:
            while groups:
                _fire_all(turn, groups[0])
                del groups[0]
                if turn.over:
                    break
        finally:
            if groups:
                give_back(turn, [each.key for group in groups for each in group])
        return AT_ONCE


def _seconds_until_due(turn: Turn) -> float:
    with turn.sessions() as session:
        now, real_now = clock.now(session), leases.now(session)
        next_at = session.scalar(NEXT, {"real_now": real_now, "longest": real_now + leases.TIMER_LEASE})
        if next_at is not None and next_at <= now:
            return 0.0
        freed_at = session.scalar(FREED, {"now": now, "real_now": real_now})
    # The clock may be one that stands still, and is set.
    waits = [turn.idle_seconds]
    if next_at is not None:
        waits.append((next_at - now).total_seconds())
    if freed_at is not None:
        waits.append((freed_at - real_now).total_seconds())
    return min(waits)


def claim(turn: Turn) -> list[Claim]:
    """Return due timers, oldest first, that no other worker has in hand, and keep them for this one for a while."""

    def attempt() -> list[Claim]:
        with turn.sessions() as session, transaction(session):
            real_now = leases.now(session)
            until = real_now + leases.TIMER_LEASE
            due = session.execute(
                DUE, {"now": clock.now(session), "real_now": real_now, "longest": until, "most": BATCH}
            )
            claims = [Claim(*row) for row in due]
            _mark(session, [each.key for each in claims], turn.worker, until)
        return claims

    return retrying(attempt)


def give_back(turn: Turn, keys: Sequence[int]) -> None:
    """Let others have claimed timers at once."""
    try:
        with turn.sessions() as session, transaction(session):
            session.execute(
                update(Timer)
                .where(Timer.key.in_(keys), Timer.claimed_by == turn.worker)
                .values(claimed_by=None, claimed_until=None)
            )
    except SQLAlchemyError as error:
        _log.warning("claims could not be given back and run out", timers=len(keys), error=str(error))


def _mark(session: Session, keys: Sequence[int], worker: str | None, until: object) -> None:
    if keys:
        session.execute(update(Timer).where(Timer.key.in_(keys)).values(claimed_by=worker, claimed_until=until))


def _by_instance(claims: Iterable[Claim]) -> list[list[Claim]]:
    """Return the claims of each instance together, in the order in which they came; start timers one by one."""
    groups: dict[int, list[Claim]] = defaultdict(list)
    for each in claims:
        groups[each.instance_key or -each.key].append(each)
    return list(groups.values())


def _fire_all(turn: Turn, group: Sequence[Claim]) -> None:
    """Fire an instance's timers together; when that fails, one by one, so that a bad one holds up no other."""
    if len(group) > 1:
        try:
            retrying(lambda: _fire(turn, group))
            return
        except Exception as error:
            if away(error):
                raise
            _log.info("timers are fired one by one", instance=group[0].instance_key, error=str(error))
    for each in group:
        _fire_one(turn, each)


def _fire_one(turn: Turn, each: Claim) -> None:
    try:
        retrying(lambda: _fire(turn, [each]))
    except Exception as error:
        if away(error):
            raise
        failure = error
        level = _log.warning if isinstance(error, EngineError) else _log.exception
        level("timer could not be fired", timer=each.key, instance=each.instance_key, error=str(error))
        retrying(lambda: _put_off(turn, each, failure))


def _fire(turn: Turn, group: Sequence[Claim]) -> None:
    with turn.sessions() as session, transaction(session):
        first = group[0]
        if first.instance_key is None or first.root_key is None:
            starts.fire(session, first.key)
        elif locks.try_lock(session, first.root_key):
            for each in group:
                execute(session, first.instance_key, FireTimer(each.key), root_key=first.root_key)
        else:
            # Somebody works on the instance; nobody waits for him here.
            _mark(session, [each.key for each in group], None, leases.now(session) + _BUSY)


def _put_off(turn: Turn, each: Claim, error: Exception) -> None:
    with turn.sessions() as session, transaction(session):
        failures = timer_failures.put_off(session, each.key)
    if each.instance_key is None or not timer_failures.deserves_incident(error, failures):
        return
    report = ReportTimerFailure(each.key, f"{type(error).__name__}: {error}")
    try:
        with turn.sessions() as session, transaction(session):
            execute(session, each.instance_key, report)
    except (EngineError, ValueError):
        _log.exception("failing timer could not be reported", timer=each.key, instance=each.instance_key)
