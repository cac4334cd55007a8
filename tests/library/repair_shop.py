"""The repair shop in a test: its people fill in the real forms, on the deployed library, while the clock moves."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from database import transaction
from engine.models import Incident, IncidentState, ProcessInstance, ProcessState, UserTask, UserTaskState
from people.models import User
from tasks import service, starting
from tests.library.repair_forms import ENTRIES
from tests.play import Case, Player

ORGANISATION = Path(__file__).parents[2] / "bpmn" / "organisation.json"
SHANGHAI = ZoneInfo("Asia/Shanghai")


class RepairShop:
    """What the people of the shop see and do; a step is named by the id of its element in the diagram."""

    def __init__(self, play: Player, make_user: Callable[..., User]) -> None:
        self.play = play
        self._make_user = make_user
        self._organisation = json.loads(ORGANISATION.read_text())["users"]
        self._people: dict[str, User] = {}

    def moved_to(self, play: Player) -> RepairShop:
        """The same people at work on the database to which theirs was moved."""
        moved = RepairShop(play, self._make_user)
        moved._people = self._people
        return moved

    def start(self, **entered: Any) -> Case:
        """A receptionist registers a customer; fields not named have a usual value."""
        values = {**ENTRIES["repair-order-reception"], **entered}
        receptionist = self._member("业务接待员")
        with self.play.sessions() as session, transaction(session):
            started = starting.start(session, receptionist, "repair-order", values)
        return Case(self.play, started.instance_key)

    def do(self, element_id: str, **entered: Any) -> UserTask:
        """Complete the one open task at an element, as a member of its group; fields not named have a usual value."""
        task = self.task(element_id)
        assert task.form_id is not None
        person = self._candidate(task)
        with self.play.sessions() as session, transaction(session):
            service.complete(session, person, task.key, {**ENTRIES[task.form_id], **entered})
        return task

    def task(self, element_id: str) -> UserTask:
        """The one open task at an element, in whatever process."""
        found = [task for task in self._tasks() if task.element_id == element_id]
        assert len(found) == 1, f"{len(found)} open tasks at {element_id}; open: {self.todo}"
        return found[0]

    @property
    def todo(self) -> list[str]:
        """The elements of all open tasks of all processes, sorted; fails where the engine could not do something."""
        with self.play.sessions() as session:
            stuck = session.scalars(select(Incident).where(Incident.state == IncidentState.ACTIVE)).all()
            assert not stuck, [(incident.element_id, incident.message) for incident in stuck]
        return sorted(task.element_id for task in self._tasks())

    @property
    def running(self) -> list[str]:
        """The processes of all running instances, sorted."""
        with self.play.sessions() as session:
            query = select(ProcessInstance.process_id).where(ProcessInstance.state == ProcessState.ACTIVE)
            return sorted(session.scalars(query))

    def wait(self, **duration: float) -> None:
        """Let time pass, and everything happen that is due in it."""
        self.play.advance(timedelta(**duration))

    def wait_until(self, at: datetime) -> None:
        """Let time pass until a moment."""
        self.play.advance(at - self.play.now)

    @property
    def now(self) -> datetime:
        """The clock, in the company's zone."""
        return self.play.now.astimezone(SHANGHAI)

    def later(self, **duration: float) -> str:
        """A moment so much later, as the form writes it: to the minute, with the zone's offset."""
        return (self.now + timedelta(**duration)).isoformat(timespec="minutes")

    def _tasks(self) -> list[UserTask]:
        with self.play.sessions() as session:
            query = select(UserTask).where(UserTask.state == UserTaskState.CREATED).order_by(UserTask.key)
            return list(session.scalars(query))

    def _candidate(self, task: UserTask) -> User:
        assert task.candidate_groups, f"nobody is a candidate at {task.element_id}"
        return self._member(task.candidate_groups[0])

    def _member(self, group: str) -> User:
        """The first person of the organisation in that group, who comes into being when needed."""
        person = next(person for person in self._organisation if group in person["groups"])
        username = person["username"]
        if username not in self._people:
            self._people[username] = self._make_user(username, *person["groups"], role=person["role"])
        return self._people[username]
