"""Plays processes on the real engine and database: starts instances, completes tasks, moves the clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from database import transaction
from engine import clock, definitions, messages
from engine.execution import Command, Outcome, create_instance, execute
from engine.models import (
    ElementInstance,
    ElementState,
    FormDefinition,
    Incident,
    IncidentState,
    Job,
    JobState,
    ProcessInstance,
    Timer,
    UserTask,
    UserTaskState,
    Variable,
)
from engine.user_tasks import CompleteUserTask
from engine.worker import run_due
from processes.service import Deployed, Resource, deploy
from tasks import forms
from tasks.service import form_environment
from tasks.variables import visible


class Player:
    """A database with deployed processes, and the hands that work on it."""

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self.sessions = sessions

    def deploy(self, *resources: Resource) -> Deployed:
        """Deploy resources together."""
        with self.sessions() as session, transaction(session):
            return deploy(session, resources, "tests")

    def start(self, process_id: str, variables: dict[str, Any] | None = None, *, by: str = "tests") -> Case:
        """Start an instance of the newest version of a process."""
        with self.sessions() as session, transaction(session):
            outcome = create_instance(session, definitions.latest(session, process_id), variables, actor=by)
        return Case(self, outcome.instance_key)

    def publish(
        self, name: str, correlation_key: str = "", variables: dict[str, Any] | None = None, **options: Any
    ) -> list[int]:
        """Publish a message; return the keys of the instances it reached."""
        with self.sessions() as session, transaction(session):
            return messages.publish(session, name, correlation_key, variables, **options).instance_keys

    def instances(self, process_id: str) -> list[Case]:
        """Return all instances of a process, oldest first."""
        with self.sessions() as session:
            keys = session.scalars(
                select(ProcessInstance.key)
                .where(ProcessInstance.process_id == process_id)
                .order_by(ProcessInstance.key)
            )
            return [Case(self, key) for key in keys]

    def only(self, process_id: str) -> Case:
        """Return the one instance of a process."""
        cases = self.instances(process_id)
        assert len(cases) == 1, f"{len(cases)} instances of {process_id}"
        return cases[0]

    @property
    def now(self) -> datetime:
        """The engine's clock, in UTC."""
        with self.sessions() as session:
            return clock.now(session)

    def advance(self, by: timedelta) -> None:
        """Move the clock forward and let the worker do all that has become due, in the order of the due dates."""
        target = self.now + by
        while True:
            with self.sessions() as session:
                due_at = session.scalar(select(Timer.due_at).order_by(Timer.due_at).limit(1))
            if due_at is None or due_at > target:
                break
            self.set_clock(max(due_at, self.now))
            if not run_due(self.sessions):
                break
        self.set_clock(target)
        run_due(self.sessions)

    def set_clock(self, at: datetime) -> None:
        """Pin the clock without letting the worker run."""
        with self.sessions() as session, transaction(session):
            clock.pin(session, at)

    def run_due(self) -> int:
        """Let the worker do what is due now."""
        return run_due(self.sessions)


@dataclass(frozen=True)
class Case:
    """One process instance as a test sees it."""

    player: Player
    key: int

    def execute(self, command: Command, *, by: str = "tests") -> Outcome:
        """Give the instance a command."""
        with self.player.sessions() as session, transaction(session):
            return execute(session, self.key, command, actor=by)

    # --- user tasks

    def open_tasks(self) -> list[UserTask]:
        """Return the open user tasks of the instance, oldest first; those of called processes are their own."""
        with self.player.sessions() as session:
            return list(
                session.scalars(
                    select(UserTask)
                    .where(UserTask.instance_key == self.key, UserTask.state == UserTaskState.CREATED)
                    .order_by(UserTask.key)
                )
            )

    @property
    def todo(self) -> list[str]:
        """The element ids of the open user tasks, sorted."""
        return sorted(task.element_id for task in self.open_tasks())

    def task(self, element_id: str) -> UserTask:
        """Return the one open user task at an element."""
        found = [task for task in self.open_tasks() if task.element_id == element_id]
        assert len(found) == 1, (
            f"{len(found)} open tasks at {element_id}; open: {self.todo}; incidents: {self.incidents}"
        )
        return found[0]

    def complete(self, element_id: str, variables: dict[str, Any] | None = None, *, by: str = "tests") -> Outcome:
        """Complete the one open user task at an element with plain variables."""
        return self.execute(CompleteUserTask(self.task(element_id).key, variables or {}), by=by)

    def submit(self, element_id: str, entered: dict[str, Any], *, by: str = "tests") -> Outcome:
        """Fill the form of the one open user task as a person does: validated, and only its fields are kept."""
        task = self.task(element_id)
        assert task.form_key is not None, f"{element_id} has no form"
        with self.player.sessions() as session:
            form = session.get(FormDefinition, task.form_key)
            assert form is not None
            validation = forms.validate(form.schema, entered, visible(session, task), form_environment(session))
        assert not validation.errors, f"{element_id}: {validation.errors}"
        return self.execute(CompleteUserTask(task.key, validation.variables), by=by)

    # --- state

    @property
    def state(self) -> str:
        """ACTIVE, COMPLETED or TERMINATED."""
        with self.player.sessions() as session:
            instance = session.get(ProcessInstance, self.key)
            assert instance is not None
            return instance.state

    @property
    def title(self) -> str:
        """What people call the case."""
        with self.player.sessions() as session:
            instance = session.get(ProcessInstance, self.key)
            assert instance is not None
            return instance.title

    @property
    def variables(self) -> dict[str, Any]:
        """The variables of the instance's own scope."""
        with self.player.sessions() as session:
            rows = session.execute(select(Variable.name, Variable.value).where(Variable.scope_key == self.key))
            return {row.name: row.value for row in rows}

    @property
    def incidents(self) -> list[Incident]:
        """The open incidents."""
        with self.player.sessions() as session:
            return list(
                session.scalars(
                    select(Incident).where(Incident.instance_key == self.key, Incident.state == IncidentState.ACTIVE)
                )
            )

    def jobs(self) -> list[Job]:
        """Return the open jobs."""
        with self.player.sessions() as session:
            return list(
                session.scalars(
                    select(Job).where(Job.instance_key == self.key, Job.state.in_([JobState.CREATED, JobState.FAILED]))
                )
            )

    def timers(self) -> dict[str, datetime]:
        """Return when (UTC) which timer event is due next, by element id."""
        with self.player.sessions() as session:
            rows = session.execute(select(Timer.element_id, Timer.due_at).where(Timer.instance_key == self.key))
            return {row.element_id: row.due_at for row in rows}

    def visits(self, element_id: str, state: ElementState = ElementState.COMPLETED) -> int:
        """Return how often the instance has been at an element and left it in this way."""
        with self.player.sessions() as session:
            return len(
                session.scalars(
                    select(ElementInstance.key).where(
                        ElementInstance.instance_key == self.key,
                        ElementInstance.element_id == element_id,
                        ElementInstance.state == state,
                    )
                ).all()
            )

    def live(self, element_id: str) -> list[int]:
        """Return the keys of the live visits of an element."""
        with self.player.sessions() as session:
            return list(
                session.scalars(
                    select(ElementInstance.key).where(
                        ElementInstance.instance_key == self.key,
                        ElementInstance.element_id == element_id,
                        ElementInstance.state == ElementState.ACTIVE,
                    )
                )
            )

    def trail(self) -> list[str]:
        """Return the ids of the elements visited, in the order in which they were entered."""
        with self.player.sessions() as session:
            return list(
                session.scalars(
                    select(ElementInstance.element_id)
                    .where(ElementInstance.instance_key == self.key)
                    .order_by(ElementInstance.key)
                )
            )

    def children(self, process_id: str) -> list[Case]:
        """Return the instances of a process that this instance has called."""
        with self.player.sessions() as session:
            keys = session.scalars(
                select(ProcessInstance.key).where(
                    ProcessInstance.parent_key == self.key, ProcessInstance.process_id == process_id
                )
            )
            return [Case(self.player, key) for key in keys]

    def child(self, process_id: str) -> Case:
        """Return the one active instance of a process that this instance has called."""
        found = [case for case in self.children(process_id) if case.state == "ACTIVE"]
        assert len(found) == 1, f"{len(found)} active children of {process_id}"
        return found[0]
