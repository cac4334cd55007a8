"""Exit hand-over: the form, every department's signature, and the leave without hand-over (document 000, line 782)."""

from __future__ import annotations

import pytest

from tasks.errors import InvalidForm
from tests.conftest import MakeUser
from tests.library.personnel_office import PersonnelOffice
from tests.library.repair_shop import SHANGHAI
from tests.play import Player

RECEIVERS = ["各部门接交人", "配件部", "财务部", "办公室"]


@pytest.fixture
def office(play: Player, make_user: MakeUser) -> PersonnelOffice:
    """The office on Monday 2025-03-03 at nine."""
    return PersonnelOffice(play, make_user)


def test_the_employee_is_released_when_every_department_has_signed(office: PersonnelOffice) -> None:
    case = office.leave()
    assert office.task("issue-notice").candidate_groups == ["办公室"]
    office.do("issue-notice")
    assert office.todo == ["department-signs"] * 4
    for group in RECEIVERS[:3]:
        office.sign(group, receiver=f"{group}的人")
    assert office.todo == ["department-signs"], "three signatures are not enough"
    office.sign("办公室", receiver="林晓雨", handoverRemark="钥匙两把")
    assert office.todo == ["release-employee"]
    signatures = case.variables["signatures"]
    assert [entry["department"] for entry in signatures] == ["所在部门", "配件部", "财务部", "办公室"]
    assert signatures[3] == {
        "department": "办公室",
        "receiver": "林晓雨",
        "signedOn": "2025-03-04",
        "remark": "钥匙两把",
    }
    office.do("release-employee")
    assert case.state == "COMPLETED"
    assert case.visits("released") == 1
    assert case.variables["handoverResult"] == "completed"


def test_each_department_has_a_task_of_its_own(office: PersonnelOffice) -> None:
    case = office.leave()
    office.do("issue-notice")
    tasks = [task for task in case.open_tasks() if task.element_id == "department-signs"]
    assert [task.candidate_groups for task in tasks] == [[group] for group in RECEIVERS]


def test_the_hand_over_is_due_after_three_working_days(office: PersonnelOffice) -> None:
    case = office.leave()
    office.do("issue-notice")
    due = {task.due_at.astimezone(SHANGHAI).date().isoformat() for task in case.open_tasks() if task.due_at}
    assert due == {"2025-03-06"}


def test_a_receiver_cannot_sign_what_is_not_complete(office: PersonnelOffice) -> None:
    office.leave()
    office.do("issue-notice")
    with pytest.raises(InvalidForm):
        office.sign("财务部", handoverComplete=False)
    assert office.todo == ["department-signs"] * 4


def test_the_office_is_reminded_every_three_days_three_times(office: PersonnelOffice) -> None:
    office.leave()
    office.do("issue-notice")
    office.sign("财务部")
    office.wait(days=2, hours=23)
    assert "remind-departments" not in office.todo
    for _ in range(3):
        office.wait(hours=1)
        office.do("remind-departments")
        office.wait(days=2, hours=23)
        assert "remind-departments" not in office.todo
    office.wait(days=30)
    assert office.todo == ["department-signs"] * 3, "no fourth reminder"


def test_no_reminder_after_the_last_signature(office: PersonnelOffice) -> None:
    office.leave()
    office.do("issue-notice")
    for group in RECEIVERS:
        office.sign(group)
    office.wait(days=10)
    assert office.todo == ["release-employee"]


@pytest.mark.parametrize("mode", ["death", "order"])
def test_who_cannot_hand_over_leaves_with_a_record(office: PersonnelOffice, mode: str) -> None:
    case = office.leave(leavingReason=mode)
    office.do("issue-notice", handoverMode=mode)
    assert office.todo == ["record-exception"]
    office.do("record-exception", exceptionKind=mode)
    assert case.state == "COMPLETED"
    assert case.visits("left-without-handover") == 1
    assert case.variables["handoverResult"] == "exempted"


def test_a_hand_over_that_becomes_impossible_is_broken_off_and_recorded(office: PersonnelOffice) -> None:
    case = office.leave()
    office.do("issue-notice")
    office.sign("财务部")
    office.wait(days=3)
    office.do("remind-departments", reminderResult="impossible")
    assert office.todo == ["record-exception"], "the open signatures are withdrawn"
    office.do("record-exception")
    assert case.visits("left-without-handover") == 1
