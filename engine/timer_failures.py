"""Timers that cannot be fired: put off for longer each time, and shown to people as an incident after a while."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session

from engine import clock, waits, wakeup
from engine.errors import NotActive
from engine.models import Incident, IncidentState, Timer

if TYPE_CHECKING:
    from engine.workflow import Execution

#: The type of the incident; it stops nothing but the timer.
TIMER_FAILURE = "TIMER_FAILURE"

#: How long a timer that could not be fired is left alone: doubled each time, up to the longest.
FIRST_RETRY = timedelta(minutes=1)
LONGEST_RETRY = timedelta(hours=1)

#: Failures in a row after which people are told. The attempts go on: what is in the way may go away by itself.
MOST_FAILURES = 3


def put_off(session: Session, timer_key: int) -> int:
    """Let workers leave a timer alone for a while, and return how often in a row it has failed; 0: it is gone."""
    failures = session.scalar(select(Timer.failures).where(Timer.key == timer_key).with_for_update())
    if failures is None:
        return 0
    pause = min(FIRST_RETRY * 2 ** min(failures, 10), LONGEST_RETRY)
    session.execute(
        update(Timer)
        .where(Timer.key == timer_key)
        .values(next_at=clock.now(session) + pause, failures=failures + 1, claimed_by=None, claimed_until=None)
    )
    return failures + 1


def deserves_incident(error: Exception, failures: int) -> bool:
    """Return whether people should be told: not where they know already that the instance cannot go on."""
    return failures == MOST_FAILURES and not isinstance(error, NotActive)


@dataclass(frozen=True, slots=True)
class ReportTimerFailure:
    """Tell people that a timer cannot be fired."""

    timer_key: int
    reason: str
    action = "report timer failure"
    while_suspended = True
    while_unreadable = True

    def apply(self, execution: Execution) -> None:
        """Raise an incident beside whatever the timer's element does; nothing happens when the timer is gone."""
        timer = execution.session.get(Timer, self.timer_key, populate_existing=True)
        if timer is None:
            return
        token = execution.find(timer.element_instance_key) or execution.root
        message = f"The timer “{timer.element_id}” cannot be fired: {self.reason}"
        key = waits.add_incident(token, TIMER_FAILURE, message, {"timer": timer.key})
        execution.audit(self.action, element_id=timer.element_id, subject_key=key)


def overcome(execution: Execution, timer: Row[Any]) -> None:
    """Close the incident of a timer that has been fired after all."""
    if timer.failures < MOST_FAILURES:
        return
    open_ones = select(Incident.key, Incident.details).where(
        Incident.instance_key == execution.instance_key,
        Incident.type == TIMER_FAILURE,
        Incident.state == IncidentState.ACTIVE,
    )
    for row in execution.session.execute(open_ones):
        if row.details.get("timer") == timer.key:
            execution.changes.update(
                Incident, row.key, state=IncidentState.RESOLVED, resolved_at=execution.now, resolved_by=""
            )


def try_again(execution: Execution, incident: Incident) -> None:
    """Let workers fire the timer of an incident at once that a person has resolved."""
    values = {"next_at": execution.now, "failures": 0}
    execution.changes.update(Timer, incident.details["timer"], **values)
    wakeup.notify(execution.session, "timers")
