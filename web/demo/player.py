"""Plays the demo's cases on the real engine: people fill in forms, complete tasks, and meanwhile deadlines fire."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import clock, definitions, starts, timers
from engine.configuration import configuration
from engine.execution import execute
from engine.instances import SetVariables
from engine.models import ProcessInstance, Timer, UserTask, UserTaskState
from engine.timers import FireTimer
from people.models import User
from people.permissions import may_start
from people.service import get_user, list_users
from tasks import service as tasks
from tasks import starting
from tasks.variables import visible
from web.demo import hours
from web.demo.entries import Writer
from web.demo.stories import TO_THE_END, Story

#: Working time of a step, in a case that goes to its end; and the shortest in any other.
_USUAL, _SHORTEST = timedelta(minutes=40), timedelta(minutes=5)


@dataclass(slots=True)
class Case:
    """A story under way."""

    story: Story
    seed: int
    #: When the last step that the story tells is done.
    last_at: datetime
    #: Its process instances without callers; a finished case starts its follow-up.
    roots: list[int] = field(default_factory=list)
    done: int = 0
    #: How often each field with a sequence of values has been filled in.
    uses: dict[str, int] = field(default_factory=dict)
    slipped: bool = False

    def values(self) -> dict[str, object]:
        """Return what the story has for the fields of a form now."""
        return {
            name: value[min(self.uses.get(name, 0), len(value) - 1)] if isinstance(value, tuple) else value
            for name, value in self.story.values.items()
        }

    def note_use(self, names: Mapping[str, object]) -> None:
        """Go on to the next value of each field that was filled in."""
        for name in names:
            if isinstance(self.story.values.get(name), tuple):
                self.uses[name] = self.uses.get(name, 0) + 1


class Player:
    """Plays stories in the order of time, up to the demo's present."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._zone: ZoneInfo = configuration(session).zone

    def play(self, stories: Sequence[Story], present: datetime) -> list[Case]:
        """Play all stories up to the instant `present` (UTC), where the clock then stands still."""
        cases = [Case(story, seed, present - story.idle) for seed, story in enumerate(stories)]
        agenda = [(hours.opening(present - case.story.began, self._zone), case.seed) for case in cases]
        heapq.heapify(agenda)
        clock.pin(self._session, agenda[0][0])
        while agenda and agenda[0][0] <= present:
            at, seed = heapq.heappop(agenda)
            case = cases[seed]
            self._move_to(at)
            following = self._turn(case)
            if following is not None:
                heapq.heappush(agenda, (following, seed))
        self._move_to(present)
        for case in cases:
            if case.story.claimed:
                self._claim(case)
        return cases

    def _turn(self, case: Case) -> datetime | None:
        """Do the case's next step; return when the one after is done, None when the story is over."""
        story = case.story
        if not case.roots:
            self._start(case)
            return self._next_turn(case)
        if story.slip and case.done >= story.slip.after and not case.slipped:
            case.slipped = True
            self._slip(case)
        task = self._next_task(case)
        if task is None:
            return self._next_deadline(case)
        self._complete(case, task)
        case.done += 1
        return self._next_turn(case)

    def _next_turn(self, case: Case) -> datetime | None:
        """Return when the next step is done, so that the steps left fill the time that the story has for them."""
        left = case.story.steps - case.done
        if left <= 0:
            return None
        now = clock.now(self._session)
        pace = _USUAL
        if case.story.steps != TO_THE_END:
            pace = max(hours.worked(now, case.last_at, self._zone) / left, _SHORTEST)
        return hours.later(now, pace, self._zone).replace(second=0, microsecond=0)

    def _start(self, case: Case) -> None:
        process_id = case.story.process_id
        starter = self._starter(process_id, case.seed)
        form = starting.start_form(self._session, starter, process_id).form
        entered = self._writer(case).fill(form, {}) if form else {}
        started = starting.start(self._session, starter, process_id, entered)
        case.note_use(entered)
        case.roots.append(started.instance_key)
        self._forget()

    def _complete(self, case: Case, task: UserTask) -> None:
        worker = self._worker(task, case.seed)
        before = self._newest_root()
        entered: dict[str, object] = {}
        if task.form_key is not None:
            schema = tasks.form_schema(self._session, task.form_key)
            entered = self._writer(case).fill(schema, visible(self._session, task))
        tasks.complete(self._session, worker, task.key, entered)
        case.note_use(entered)
        case.roots += self._session.scalars(
            select(ProcessInstance.key).where(ProcessInstance.key > before, ProcessInstance.parent_key.is_(None))
        )
        self._forget()

    def _claim(self, case: Case) -> None:
        task = self._next_task(case)
        if task is not None:
            tasks.claim(self._session, self._worker(task, case.seed), task.key)
            self._forget()

    def _slip(self, case: Case) -> None:
        slip = case.story.slip
        if slip is not None:
            command = SetVariables(case.roots[0], dict(slip.variables))
            execute(
                self._session, case.roots[0], command, actor=self._starter(case.story.process_id, case.seed).username
            )
            self._forget()

    def _move_to(self, at: datetime) -> None:
        """Move the clock to `at` and let every deadline on the way fire in its own time."""
        while True:
            due = timers.due(self._session, at, 1)
            if not due:
                break
            timer = due[0]
            clock.pin(self._session, max(timer.due_at, clock.now(self._session)))
            if timer.instance_key is None:
                starts.fire(self._session, timer.key)
            else:
                execute(self._session, timer.instance_key, FireTimer(timer.key))
            self._forget()
        clock.pin(self._session, max(at, clock.now(self._session)))

    def _next_task(self, case: Case) -> UserTask | None:
        """Return the oldest open task of the case that somebody would do now."""
        return self._session.scalar(
            select(UserTask)
            .where(
                UserTask.root_key.in_(case.roots),
                UserTask.state == UserTaskState.CREATED,
                UserTask.element_id.not_in(case.story.leave_alone),
            )
            .order_by(UserTask.created_at, UserTask.key)
            .limit(1)
        )

    def _next_deadline(self, case: Case) -> datetime | None:
        """Return when somebody looks again at a case with nothing to do now; None: it waits for no deadline."""
        due_at = self._session.scalar(
            select(func.min(Timer.due_at))
            .join(ProcessInstance, ProcessInstance.key == Timer.instance_key)
            .where(ProcessInstance.root_key.in_(case.roots))
        )
        if due_at is None:
            return None
        return hours.later(max(due_at, clock.now(self._session)), _SHORTEST, self._zone)

    def _newest_root(self) -> int:
        return self._session.scalar(select(func.max(ProcessInstance.key))) or 0

    def _starter(self, process_id: str, seed: int) -> User:
        definition = definitions.latest(self._session, process_id)
        staff = [user for user in self._staff() if may_start(user, definition) and user.group_ids]
        at_the_start = [user for user in staff if not user.group_ids.isdisjoint(definition.starter_groups)] or staff
        return at_the_start[seed % len(at_the_start)]

    def _worker(self, task: UserTask, seed: int) -> User:
        if task.assignee:
            return get_user(self._session, task.assignee)
        candidates = [
            user
            for user in self._staff()
            if user.username in task.candidate_users or not user.group_ids.isdisjoint(task.candidate_groups)
        ] or self._staff()
        return candidates[seed % len(candidates)]

    def _staff(self) -> list[User]:
        return [user for user in list_users(self._session) if user.active]

    def _writer(self, case: Case) -> Writer:
        return Writer(case.values(), clock.now(self._session).astimezone(self._zone))

    def _forget(self) -> None:
        # The engine writes past the session's objects.
        self._session.flush()
        self._session.expunge_all()
