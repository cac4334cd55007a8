"""Suspension: nothing happens in an instance, and nothing of it is lost, until somebody resumes it.

A suspended instance keeps its state ACTIVE and has `suspended_at`. Its timers do not fire (they fire at once when it is
resumed), its user tasks and jobs cannot be completed and its jobs are handed to nobody, messages are not correlated
(one that is buffered is when it is resumed), signals pass by, conditions are looked at when it is resumed. Called
instances are suspended and resumed with their caller, so that none of them ends into a caller that stands still.
It can be cancelled, migrated, and its variables and the assignment of its tasks can be changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, exists, select, update

from engine import messages, wakeup
from engine.errors import NotSuspended, Suspended
from engine.models import ProcessInstance, ProcessState, Timer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.workflow import Execution


def is_suspended(instance_key: Any) -> ColumnElement[bool]:
    """Return the condition that the instance which a column names is suspended."""
    return exists().where(ProcessInstance.key == instance_key, ProcessInstance.suspended_at.is_not(None))


@dataclass(frozen=True, slots=True)
class SuspendInstance:
    """Let nothing happen in the instance and in those it has called."""

    reason: str = ""
    action = "suspend process instance"

    def apply(self, execution: Execution) -> None:
        """Suspend; raises Suspended when it is already."""
        for member in _with_called(execution):
            if not member.suspended:
                member.suspended = True
                member.changes.update(ProcessInstance, member.instance_key, suspended_at=member.now)
                member.audit(self.action, details={"reason": self.reason})


@dataclass(frozen=True, slots=True)
class ResumeInstance:
    """Let the instance and those it has called go on: what has become due meanwhile happens now."""

    reason: str = ""
    action = "resume process instance"
    while_suspended = True

    def apply(self, execution: Execution) -> None:
        """Resume; raises NotSuspended, and Suspended when its caller is suspended."""
        if not execution.suspended:
            raise NotSuspended(execution.instance_key)
        if execution.parent_key is not None and execution.hierarchy.load(execution.parent_key).suspended:
            raise Suspended(execution.parent_key)
        for member in _with_called(execution):
            if member.suspended:
                member.suspended = False
                member.conditions_due = True
                member.changes.update(ProcessInstance, member.instance_key, suspended_at=None)
                _hurry_timers(member)
                member.new_subscriptions += messages.opened_by(member.session, member.instance_key)
                member.audit(self.action, details={"reason": self.reason})


def _hurry_timers(execution: Execution) -> None:
    """Let timers that were put off be fired when they are due, which may be now."""
    execution.session.execute(
        update(Timer)
        .where(Timer.instance_key == execution.instance_key, Timer.next_at > Timer.due_at)
        .values(next_at=Timer.due_at, failures=0)
        .execution_options(synchronize_session=False)
    )
    wakeup.notify(execution.session, "timers")


def _with_called(execution: Execution) -> Iterator[Execution]:
    """Yield an execution and those of all live instances that it has called, directly or not."""
    yield execution
    called = select(ProcessInstance.key).where(
        ProcessInstance.parent_key == execution.instance_key, ProcessInstance.state == ProcessState.ACTIVE
    )
    for key in execution.session.scalars(called.order_by(ProcessInstance.key)).all():
        yield from _with_called(execution.hierarchy.load(key))
