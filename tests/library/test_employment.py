"""Employment: application, test, offer, papers, contract, probation, and every way out (document 000, 702-738)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tasks.errors import InvalidForm
from tests.conftest import MakeUser
from tests.library.personnel_office import PersonnelOffice
from tests.library.repair_shop import SHANGHAI
from tests.play import Case, Player


@pytest.fixture
def office(play: Player, make_user: MakeUser) -> PersonnelOffice:
    """The personnel office on Monday 2025-03-03 at nine."""
    return PersonnelOffice(play, make_user)


def local(*moment: int) -> datetime:
    """A moment in the company's zone."""
    year, month, day, *clock = moment
    return datetime(year, month, day, *clock, tzinfo=SHANGHAI)


def passed(office: PersonnelOffice, **applied: Any) -> Case:
    """An applicant has passed qualification check and ability test on Monday 2025-03-10."""
    case = office.apply(**applied)
    office.do("send-exam-notice")
    office.wait_until_local(2025, 3, 10, 9)
    office.do("check-qualification")
    office.do("test-ability")
    return case


def reported(office: PersonnelOffice, **applied: Any) -> Case:
    """The applicant has the offer and reports for duty on Monday 2025-03-17."""
    case = passed(office, **applied)
    office.do("send-offer")
    office.wait_until_local(2025, 3, 17, 9)
    office.do("report-for-duty")
    return case


def on_probation(office: PersonnelOffice) -> Case:
    """The contract is signed: probation from 2025-03-17 to 2025-06-17."""
    case = reported(office)
    office.do("collect-documents")
    office.do("sign-contract")
    return case


def at_the_verdicts(office: PersonnelOffice) -> Case:
    """Ten days before the end of the probation, both sides are asked."""
    case = on_probation(office)
    office.wait_until_local(2025, 6, 7)
    return case


def test_an_applicant_becomes_a_regular_employee(office: PersonnelOffice) -> None:
    case = office.apply()
    assert case.title == "赵小明 · 机修工"
    assert office.task("send-exam-notice").candidate_groups == ["人事管理人员"]
    office.do("send-exam-notice")
    office.wait_until_local(2025, 3, 10, 9)
    office.do("check-qualification")
    assert office.task("test-ability").candidate_groups == ["部门主管"]
    office.do("test-ability")
    office.do("send-offer")
    office.do("report-for-duty")
    office.do("collect-documents")
    office.do("sign-contract")
    assert office.todo == ["terminate-early"], "nothing but the way out until the verdicts"
    office.wait_until_local(2025, 6, 7)
    assert office.todo == ["department-verdict", "employee-verdict", "terminate-early"]
    office.do("department-verdict")
    assert case.state == "ACTIVE"
    office.do("employee-verdict")
    assert office.todo == []
    assert case.state == "COMPLETED"
    assert case.visits("regular-employee") == 1
    assert case.variables["regular"] == {"regularSince": "2025-06-17", "status": "正式合同工"}


def test_the_test_notice_is_due_after_two_working_days(office: PersonnelOffice) -> None:
    office.apply()
    due_at = office.task("send-exam-notice").due_at
    assert due_at is not None
    assert due_at.astimezone(SHANGHAI).date() == local(2025, 3, 5).date()


@pytest.mark.parametrize("result", ["unqualified", "absent"])
def test_who_does_not_qualify_is_told_and_not_hired(office: PersonnelOffice, result: str) -> None:
    case = office.apply()
    office.do("send-exam-notice")
    office.do("check-qualification", qualification=result)
    assert office.todo == ["send-rejection"]
    office.do("send-rejection")
    assert case.state == "COMPLETED"
    assert case.visits("not-hired") == 1


def test_who_fails_the_test_is_told_and_not_hired(office: PersonnelOffice) -> None:
    case = office.apply()
    office.do("send-exam-notice")
    office.do("check-qualification")
    office.do("test-ability", abilityTest="failed")
    office.do("send-rejection")
    assert case.visits("not-hired") == 1


def test_the_offer_is_due_five_days_after_the_test(office: PersonnelOffice) -> None:
    passed(office)
    assert office.task("send-offer").due_at == local(2025, 3, 15, 23, 59, 59)


def test_a_late_offer_is_pressed_for_by_the_manager_and_still_goes_out(office: PersonnelOffice) -> None:
    case = passed(office)
    office.wait_until_local(2025, 3, 15, 23, 59, 58)
    assert office.todo == ["send-offer"]
    office.wait(seconds=1)
    assert office.todo == ["send-offer", "supervise-offer"]
    assert office.task("supervise-offer").candidate_groups == ["经理"]
    office.do("supervise-offer")
    office.do("send-offer")
    assert case.visits("offer-supervised") == 1
    assert office.todo == ["report-for-duty"]


def test_an_offer_in_time_is_not_pressed_for(office: PersonnelOffice) -> None:
    passed(office)
    office.do("send-offer")
    office.wait_until_local(2025, 3, 17)
    assert office.todo == ["report-for-duty"]


def test_who_does_not_report_can_get_another_date(office: PersonnelOffice) -> None:
    passed(office)
    office.do("send-offer")
    office.wait_until_local(2025, 3, 20, 23, 59, 58)
    assert office.todo == ["report-for-duty"], "three days of grace"
    office.wait(seconds=1)
    assert office.todo == ["decide-no-show"]
    office.do("decide-no-show", keepOffer="keep", reportingDate="2025-03-24")
    assert office.task("report-for-duty").due_at == local(2025, 3, 24, 23, 59, 59)
    office.wait_until_local(2025, 3, 27, 23, 59, 59)
    assert office.todo == ["decide-no-show"], "the new date is watched as well"


def test_who_does_not_report_can_lose_the_offer(office: PersonnelOffice) -> None:
    case = passed(office)
    office.do("send-offer")
    office.wait(days=20)
    office.do("decide-no-show", keepOffer="cancel")
    assert case.state == "COMPLETED"
    assert case.visits("did-not-report") == 1


@pytest.mark.parametrize(
    ("residence", "title", "due"),
    [
        ("local", "", {"photos": 3, "idCopies": 1, "permitCopies": 0, "titleCertificate": False}),
        ("local", "技师", {"photos": 3, "idCopies": 1, "permitCopies": 0, "titleCertificate": True}),
        ("nonLocal", "", {"photos": 3, "idCopies": 1, "permitCopies": 1, "titleCertificate": False}),
        ("nonLocal", "技师", {"photos": 3, "idCopies": 1, "permitCopies": 1, "titleCertificate": True}),
    ],
)
def test_the_papers_due_depend_on_residence_and_title(
    office: PersonnelOffice, residence: str, title: str, due: dict[str, object]
) -> None:
    case = reported(office, residence=residence, technicalTitle=title)
    assert case.variables["documents"] == due


def test_missing_papers_are_asked_for_until_all_are_there(office: PersonnelOffice) -> None:
    case = reported(office, residence="nonLocal", technicalTitle="技师")
    office.do("collect-documents", photosReceived=2, permitCopiesReceived=0, diplomaReceived=False)
    assert case.variables["missingDocuments"] == ["登记照", "暂住证复印件", "学历证书", "技术职称证件"]
    office.do("request-missing")
    office.do("collect-documents", permitCopiesReceived=1)
    assert case.variables["missingDocuments"] == ["技术职称证件"]
    office.do("request-missing")
    office.do("collect-documents", permitCopiesReceived=1, titleCertificateReceived=True)
    assert office.todo == ["sign-contract"]


def test_the_contract_needs_both_signatures(office: PersonnelOffice) -> None:
    reported(office)
    office.do("collect-documents")
    with pytest.raises(InvalidForm):
        office.do("sign-contract", contractSigned=False)
    assert office.todo == ["sign-contract"]


def test_probation_lasts_three_months_from_the_contract(office: PersonnelOffice) -> None:
    case = on_probation(office)
    assert case.variables["probation"] == {"start": "2025-03-17", "end": "2025-06-17", "limit": "2025-09-17"}


def test_the_verdicts_are_asked_for_ten_days_before_the_end(office: PersonnelOffice) -> None:
    on_probation(office)
    office.wait_until_local(2025, 6, 6, 23, 59, 59)
    assert office.todo == ["terminate-early"]
    office.wait(seconds=1)
    assert office.task("department-verdict").candidate_groups == ["部门主管"]
    assert office.task("employee-verdict").candidate_groups == ["人事管理人员"]
    assert office.task("department-verdict").due_at == local(2025, 6, 17, 23, 59, 59)
    assert office.task("employee-verdict").due_at == local(2025, 6, 17, 23, 59, 59)


def test_each_missing_verdict_is_pressed_for_by_the_manager_at_the_end(office: PersonnelOffice) -> None:
    case = at_the_verdicts(office)
    office.wait_until_local(2025, 6, 17, 23, 59, 59)
    assert office.todo.count("supervise-verdicts") == 2
    assert case.state == "ACTIVE", "nobody becomes regular without both verdicts"


def test_a_missing_statement_alone_is_pressed_for_once(office: PersonnelOffice) -> None:
    case = at_the_verdicts(office)
    office.do("department-verdict")
    office.wait_until_local(2025, 6, 18)
    assert office.task("supervise-verdicts").candidate_groups == ["经理"]
    office.do("supervise-verdicts")
    office.do("employee-verdict")
    assert case.visits("regular-employee") == 1


@pytest.mark.parametrize(("department", "employee"), [("unqualified", "agree"), ("qualified", "disagree")])
def test_when_one_side_disagrees_the_contract_ends_with_the_hand_over(
    office: PersonnelOffice, department: str, employee: str
) -> None:
    case = at_the_verdicts(office)
    office.do("department-verdict", departmentVerdict=department)
    office.do("employee-verdict", employeeVerdict=employee)
    assert office.todo == ["end-contract"]
    office.do("end-contract")
    hand_over = case.child("exit-handover")
    assert hand_over.title == "赵小明 · 车间"
    office.do("issue-notice")
    for group in ("各部门接交人", "配件部", "财务部", "办公室"):
        office.sign(group)
    office.do("release-employee", releasedOn="2025-06-20")
    assert case.state == "COMPLETED"
    assert case.visits("contract-ended") == 1
    assert case.variables["handoverResult"] == "completed"
    assert case.variables["releasedOn"] == "2025-06-20"


def test_either_side_can_end_the_probation_early(office: PersonnelOffice) -> None:
    case = on_probation(office)
    office.wait(days=24)
    office.do("terminate-early")
    assert office.todo == ["end-contract"]
    assert case.timers() == {}, "the verdicts are not asked for any more"
    office.do("end-contract")
    assert office.todo == ["issue-notice"]


def test_the_way_out_is_no_overdue_work_before_half_a_year(office: PersonnelOffice) -> None:
    on_probation(office)
    way_out = office.task("terminate-early")
    assert way_out.due_at is None
    assert way_out.follow_up_at == local(2025, 9, 17, 23, 59, 59)


def test_ending_early_withdraws_open_verdicts(office: PersonnelOffice) -> None:
    at_the_verdicts(office)
    office.do("department-verdict")
    office.do("terminate-early", terminationSide="company")
    assert office.todo == ["end-contract"]


def test_a_probation_can_be_extended_and_is_judged_again(office: PersonnelOffice) -> None:
    case = at_the_verdicts(office)
    office.do("department-verdict", departmentVerdict="extend")
    office.do("employee-verdict")
    assert office.task("approve-extension").candidate_groups == ["经理"]
    office.do("approve-extension", extensionMonths=2)
    assert case.variables["probation"] == {"start": "2025-03-17", "end": "2025-08-17", "limit": "2025-09-17"}
    assert office.todo == ["terminate-early"]
    office.wait_until_local(2025, 8, 7)
    office.do("department-verdict")
    office.do("employee-verdict")
    assert case.visits("regular-employee") == 1
    assert case.variables["regular"]["regularSince"] == "2025-08-17"


def test_an_extension_beyond_half_a_year_goes_back_to_the_manager(office: PersonnelOffice) -> None:
    case = at_the_verdicts(office)
    office.do("department-verdict", departmentVerdict="extend")
    office.do("employee-verdict")
    office.do("approve-extension", extensionMonths=2)
    office.wait_until_local(2025, 8, 7)
    office.do("department-verdict", departmentVerdict="extend")
    office.do("employee-verdict")
    office.do("approve-extension", extensionMonths=2)
    assert office.todo == ["approve-extension", "terminate-early"], "five months and two are too many"
    assert case.variables["probation"]["end"] == "2025-08-17"
    office.do("approve-extension", extensionMonths=1)
    assert case.variables["probation"]["end"] == "2025-09-17"


def test_after_half_a_year_both_sides_must_decide(office: PersonnelOffice) -> None:
    case = at_the_verdicts(office)
    office.do("department-verdict", departmentVerdict="extend")
    office.do("employee-verdict")
    office.do("approve-extension", extensionMonths=3)
    office.wait_until_local(2025, 9, 7)
    office.do("department-verdict", departmentVerdict="qualified")
    office.do("employee-verdict", employeeVerdict="extend")
    assert office.todo == ["department-verdict", "employee-verdict", "terminate-early"], "no extension is left"
    office.do("department-verdict")
    office.do("employee-verdict")
    assert case.visits("regular-employee") == 1


def test_a_refused_extension_asks_both_sides_again(office: PersonnelOffice) -> None:
    case = at_the_verdicts(office)
    office.do("department-verdict")
    office.do("employee-verdict", employeeVerdict="extend")
    office.do("approve-extension", extensionApproved=False)
    assert office.todo == ["department-verdict", "employee-verdict", "terminate-early"]
    assert case.variables["probation"]["end"] == "2025-06-17"


@pytest.mark.parametrize("months", [0, 4])
def test_an_extension_of_no_or_too_many_months_is_refused_at_the_field(office: PersonnelOffice, months: int) -> None:
    at_the_verdicts(office)
    office.do("department-verdict", departmentVerdict="extend")
    office.do("employee-verdict")
    with pytest.raises(InvalidForm):
        office.do("approve-extension", extensionMonths=months)
    assert office.todo == ["approve-extension", "terminate-early"]
