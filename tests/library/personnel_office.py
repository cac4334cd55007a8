"""The personnel office in a test: its people fill in the real forms, on the deployed library, while the clock moves."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from database import transaction
from engine.models import UserTask
from tasks import service, starting
from tests.library.personnel_forms import ENTRIES
from tests.library.repair_shop import SHANGHAI, RepairShop
from tests.play import Case


class PersonnelOffice(RepairShop):
    """What the people of the personnel flows see and do; the company and its clock are those of the repair shop."""

    def apply(self, **entered: Any) -> Case:
        """The personnel clerk registers an application; fields not named have a usual value."""
        return self._begin("employment", "人事管理人员", {**ENTRIES["job-application"], **entered})

    def leave(self, **entered: Any) -> Case:
        """The office registers that an employee leaves; fields not named have a usual value."""
        return self._begin("exit-handover", "办公室", {**ENTRIES["exit-request"], **entered})

    def _begin(self, process_id: str, group: str, values: dict[str, Any]) -> Case:
        clerk = self._member(group)
        with self.play.sessions() as session, transaction(session):
            started = starting.start(session, clerk, process_id, values)
        return Case(self.play, started.instance_key)

    def do(self, element_id: str, **entered: Any) -> UserTask:
        """Complete the one open task at an element, as a member of its group; fields not named have a usual value."""
        return self._fill_in(self.task(element_id), entered)

    def sign(self, group: str, **entered: Any) -> UserTask:
        """Sign the hand-over of the department whose receivers are in this group."""
        tasks = [task for task in self._tasks() if task.element_id == "department-signs"]
        return self._fill_in(next(task for task in tasks if task.candidate_groups == [group]), entered)

    def _fill_in(self, task: UserTask, entered: dict[str, Any]) -> UserTask:
        assert task.form_id is not None
        person = self._candidate(task)
        with self.play.sessions() as session, transaction(session):
            service.complete(session, person, task.key, {**ENTRIES[task.form_id], **entered})
        return task

    def wait_until_local(self, *moment: int) -> None:
        """Let time pass until a moment in the company's zone: year, month, day, hour, minute, second."""
        year, month, day, *clock = moment
        self.wait_until(datetime(year, month, day, *clock, tzinfo=SHANGHAI))
