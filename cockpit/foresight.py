"""Foresight: what a change of a case leads to, found by making it in a transaction of which nothing remains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cockpit.conditions import OPEN_TASK
from cockpit.elements import elements_of, kind_of, name_of
from cockpit.history import Trouble, incidents
from cockpit.situation import ChildWait, EventWait, JobWait, NextTimer, Situation, TaskWait, situation
from engine.keys import new_key
from engine.models import Audit, ElementInstance, ElementState, ProcessInstance, ProcessState, UserTask

#: What carries others or only directs them is no step of its own.
_NOT_TOLD = ("PROCESS", "MULTI_INSTANCE_BODY", "STANDARD_LOOP_BODY", "EXCLUSIVE_GATEWAY", "START_EVENT")
_GATEWAYS = ("PARALLEL_GATEWAY", "INCLUSIVE_GATEWAY", "COMPLEX_GATEWAY")


@dataclass(frozen=True, slots=True)
class Waits:
    """What a case waits for, or waits for no longer."""

    tasks: Sequence[TaskWait] = ()
    jobs: Sequence[JobWait] = ()
    events: Sequence[EventWait] = ()
    timers: Sequence[NextTimer] = ()
    children: Sequence[ChildWait] = ()


@dataclass(frozen=True, slots=True)
class Visit:
    """A step that the case comes to or through."""

    element_id: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a change would lead to."""

    #: The case itself: a key that exists only when it was there before.
    instance_key: int
    state: str
    withdrawn: Waits
    begun: Waits
    #: Steps that the engine does at once on the way.
    passed: Sequence[Visit]
    #: Joins at which a branch begins to wait.
    joining: Sequence[Visit]
    failures: Sequence[Trouble]
    #: Open tasks of cases started by this one, which end with it, by the case's key.
    lost_tasks: dict[int, int] = field(default_factory=dict)
    #: Cases that get a message or signal from this one, or begin by it.
    others: int = 0

    @property
    def ends(self) -> bool:
        """Nothing is left of the case afterwards."""
        return self.state != ProcessState.ACTIVE

    @property
    def usernames(self) -> set[str | None]:
        """Whom the sentences name."""
        return {name for task in self._tasks for name in (task.assignee, *task.candidate_users)}

    @property
    def groups(self) -> set[str]:
        """The groups that the sentences name."""
        return {group for task in self._tasks for group in task.candidate_groups}

    @property
    def _tasks(self) -> list[TaskWait]:
        return [*self.withdrawn.tasks, *self.begun.tasks]


def foresee(session: Session, instance_key: int | None, change: Callable[[], int]) -> Foreseen:
    """Make a change, which returns the key of the case that it leaves, and tell what it has led to.

    `instance_key` is the case that is there before; None: the change starts one. The session's transaction must be a
    rehearsal. Raises what the change is refused with.
    """
    before = Situation((), (), (), (), ())
    lost: dict[int, int] = {}
    # Keys rise: whatever the change makes has a larger one.
    mark = new_key()
    if instance_key is not None:
        before = situation(session, session.get_one(ProcessInstance, instance_key))
        lost = _open_tasks(session, [child.key for child in before.children if child.ended_at is None])
    key = change()
    session.flush()
    instance = session.get_one(ProcessInstance, key, populate_existing=True)
    after = situation(session, instance)
    passed, joining = _visits(session, instance, mark)
    return Foreseen(
        instance_key=key,
        state=instance.state,
        withdrawn=_missing(before, after),
        begun=_missing(after, before),
        passed=passed,
        joining=joining,
        failures=[trouble for trouble in incidents(session, instance) if trouble.open and trouble.key > mark],
        lost_tasks=lost,
        others=_others(session, instance, mark),
    )


def _missing(these: Situation, those: Situation) -> Waits:
    """Return what only the first of two situations waits for; a case that has ended is not waited for."""
    gone = {wait.key for wait in those.tasks} | {wait.key for wait in those.jobs}
    gone |= {wait.key for wait in those.events} | {wait.key for wait in those.timers}
    live = {child.key for child in those.children if child.ended_at is None}
    return Waits(
        tasks=[task for task in these.tasks if task.key not in gone],
        jobs=[job for job in these.jobs if job.key not in gone],
        events=[event for event in these.events if event.key not in gone],
        timers=[timer for timer in these.timers if timer.key not in gone],
        children=[child for child in these.children if child.ended_at is None and child.key not in live],
    )


def _visits(session: Session, instance: ProcessInstance, mark: int) -> tuple[list[Visit], list[Visit]]:
    """Return the steps that were passed, and the joins where a branch waits, since `mark`."""
    drawn = elements_of(session, [instance.definition_key])[instance.definition_key]
    rows = session.scalars(
        select(ElementInstance)
        .where(
            ElementInstance.instance_key == instance.key,
            ElementInstance.key > mark,
            ElementInstance.element_type.not_in(_NOT_TOLD),
        )
        .order_by(ElementInstance.key)
    ).all()

    def visit(row: ElementInstance) -> Visit:
        return Visit(row.element_id, kind_of(drawn, row.element_id), name_of(drawn, row.element_id))

    passed = [visit(row) for row in rows if row.state == ElementState.COMPLETED]
    joining = [visit(row) for row in rows if row.state == ElementState.ACTIVE and row.element_type in _GATEWAYS]
    return passed, joining


def _open_tasks(session: Session, instance_keys: Sequence[int]) -> dict[int, int]:
    """Return how many tasks are open in each of these cases."""
    rows = session.execute(
        select(UserTask.instance_key, func.count())
        .where(UserTask.instance_key.in_(instance_keys), OPEN_TASK)
        .group_by(UserTask.instance_key)
    )
    return dict(rows.all())


def _others(session: Session, instance: ProcessInstance, mark: int) -> int:
    """Return how many cases outside of this one's hierarchy the change has reached."""
    hierarchy = select(ProcessInstance.key).where(ProcessInstance.root_key == instance.root_key)
    reached = select(func.count(Audit.instance_key.distinct())).where(
        Audit.key > mark,
        Audit.instance_key.not_in(hierarchy),
        Audit.action.in_(("correlate message", "catch signal", "create process instance")),
    )
    return session.scalar(reached) or 0
