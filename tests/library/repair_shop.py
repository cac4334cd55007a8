"""The repair shop in a test: its library deployed, its people, and a clock that moves; people fill in the real forms."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from database import transaction
from engine import clock
from engine.models import Incident, IncidentState, ProcessInstance, ProcessState, UserTask, UserTaskState, Variable
from engine.worker import run_due
from people.models import User
from processes.service import Resource, deploy
from tasks import service, starting
from tests.library.repair_forms import ENTRIES

LIBRARY = Path(__file__).parents[2] / "bpmn"
SHANGHAI = ZoneInfo("Asia/Shanghai")


class RepairShop:
    """What the people of the shop see and do; a step is named by the id of its element in the diagram."""

    def __init__(self, sessions: sessionmaker[Session], people: list[User]) -> None:
        self._sessions = sessions
        self._people = people
        with sessions() as session, transaction(session):
            files = sorted(path for path in (LIBRARY / "auto-repair").iterdir() if path.is_file())
            resources = [Resource(f"auto-repair/{path.name}", path.read_bytes()) for path in files]
            self.warnings = deploy(session, resources).warnings

    def start(self, process_id: str = "repair-order", **entered: Any) -> int:
        """Start a process by its form, as somebody who may; return the instance's key."""
        values = {**ENTRIES["repair-order-reception"], **entered}
        with self._sessions() as session, transaction(session):
            return starting.start(session, self._member("业务接待员"), process_id, values).instance_key

    def do(self, element_id: str, **entered: Any) -> UserTask:
        """Complete the one open task of that element, as somebody of its groups; fields not named have a usual value."""
        task = self.task(element_id)
        with self._sessions() as session, transaction(session):
            assert task.form_id is not None
            person = self._candidate(task)
            service.complete(session, person, task.key, {**ENTRIES[task.form_id], **entered})
        return task

    def task(self, element_id: str) -> UserTask:
        """The one open task of that element."""
        found = [task for task in self.tasks() if task.element_id == element_id]
        assert len(found) == 1, f"{len(found)} tasks {element_id}; open: {[task.element_id for task in self.tasks()]}"
        return found[0]

    def tasks(self) -> list[UserTask]:
        """All open tasks."""
        with self._sessions() as session:
            query = select(UserTask).where(UserTask.state == UserTaskState.CREATED).order_by(UserTask.key)
            return list(session.scalars(query))

    def open(self) -> list[str]:
        """The elements of all open tasks, in alphabetical order; fails if the engine could not do something."""
        with self._sessions() as session:
            stuck = session.scalars(select(Incident).where(Incident.state == IncidentState.ACTIVE)).all()
            assert not stuck, [(incident.element_id, incident.message) for incident in stuck]
        return sorted(task.element_id for task in self.tasks())

    def running(self) -> list[str]:
        """The processes of all running instances, in alphabetical order."""
        with self._sessions() as session:
            query = select(ProcessInstance.process_id).where(ProcessInstance.state == ProcessState.ACTIVE)
            return sorted(session.scalars(query))

    def value(self, name: str, process_id: str = "repair-order") -> Any:
        """A variable of the newest instance of the process; None if it does not exist."""
        with self._sessions() as session:
            instance = select(ProcessInstance.key).where(ProcessInstance.process_id == process_id)
            key = session.scalar(instance.order_by(ProcessInstance.key.desc()).limit(1))
            return session.scalar(select(Variable.value).where(Variable.scope_key == key, Variable.name == name))

    def wait(self, **duration: float) -> None:
        """Let time pass and the worker fire what is due."""
        with self._sessions() as session, transaction(session):
            clock.advance(session, timedelta(**duration))
        run_due(self._sessions)

    def wait_until(self, at: datetime) -> None:
        """Let time pass until a moment, in the company's zone unless it says otherwise."""
        self.wait(seconds=(at.replace(tzinfo=at.tzinfo or SHANGHAI) - self.now()).total_seconds())

    def now(self) -> datetime:
        """The clock, in the company's zone."""
        with self._sessions() as session:
            return clock.now(session).astimezone(SHANGHAI)

    def later(self, **duration: float) -> str:
        """A moment so much later, as the form writes it: to the minute, with the zone's offset."""
        return (self.now() + timedelta(**duration)).isoformat(timespec="minutes")

    def _candidate(self, task: UserTask) -> User:
        for group in task.candidate_groups:
            return self._member(group)
        raise AssertionError(f"nobody is a candidate of {task.element_id}")

    def _member(self, group: str) -> User:
        return next(person for person in self._people if group in person.group_ids)


def staff(make_user: Callable[..., User]) -> list[User]:
    """Everybody of the organisation."""
    organisation = json.loads((LIBRARY / "organisation.json").read_text())
    return [
        make_user(user["username"], *user["groups"], role=user["role"], name=user["name"])
        for user in organisation["users"]
    ]
