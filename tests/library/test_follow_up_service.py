"""Follow-up service: the file, both calls, and the requests that come out of them."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.library.repair_shop import SHANGHAI, RepairShop
from tests.play import Case


@pytest.fixture
def left(shop: RepairShop) -> Case:
    """A customer has left on Monday at nine."""
    shop.play.publish(
        "客户离店",
        "WX1",
        {
            "orderNumber": "WX1",
            "plateNumber": "粤B12345",
            "vehicleModel": "卡罗拉",
            "vehicleType": "sedan",
            "customerName": "陈先生",
            "customerPhone": "13800000001",
            "visitKind": "repair",
            "exitTime": "2025-03-03T09:00:00+08:00",
            "repairItems": [{"item": "更换前制动片", "price": 680}],
        },
    )
    return shop.play.only("follow-up-service")


def file_written(shop: RepairShop) -> None:
    """The clerk has written the file and planned the next service."""
    shop.do("write-file")
    shop.do("plan-service")


def first_call(shop: RepairShop, request: str = "none") -> None:
    """The file is written and the first call made as soon as its window opens."""
    file_written(shop)
    shop.wait(days=3)
    shop.do("first-call", requestKind=request)


def test_file_and_plan_are_done_in_parallel_within_two_days(shop: RepairShop, left: Case) -> None:
    assert shop.todo == ["plan-service", "write-file"]
    for step in shop.todo:
        task = shop.task(step)
        assert task.candidate_groups == ["跟踪业务员"]
        assert task.due_at == datetime(2025, 3, 5, 9, 0, tzinfo=SHANGHAI)
    file_written(shop)
    shop.wait(days=2, hours=23)
    assert shop.todo == []


def test_an_overdue_file_is_urged_by_the_supervisor(shop: RepairShop, left: Case) -> None:
    shop.do("write-file")
    shop.wait(days=2)
    assert shop.task("urge-file").candidate_groups == ["业务主管"]
    shop.do("urge-file")
    assert shop.todo == ["plan-service"], "the clerk still has to do it"
    shop.wait(days=1)
    assert shop.todo == ["first-call", "plan-service"], "and the call does not wait for it"


def test_the_first_call_opens_on_the_third_day_and_is_due_after_a_week(shop: RepairShop, left: Case) -> None:
    file_written(shop)
    shop.wait(days=2, hours=23, minutes=59)
    assert shop.todo == []
    shop.wait(minutes=1)
    assert shop.task("first-call").due_at == datetime(2025, 3, 10, 9, 0, tzinfo=SHANGHAI)


def test_an_overdue_first_call_is_urged_by_the_supervisor(shop: RepairShop, left: Case) -> None:
    file_written(shop)
    shop.wait(days=7)
    assert shop.todo == ["first-call", "urge-call"]
    shop.do("urge-call")
    shop.do("first-call")
    assert shop.todo == []


def test_the_second_call_comes_a_week_after_the_first_and_ends_the_follow_up(shop: RepairShop, left: Case) -> None:
    first_call(shop)
    shop.wait(days=6, hours=23, minutes=59)
    assert shop.todo == []
    shop.wait(minutes=1)
    assert shop.task("second-call").due_at == datetime(2025, 3, 20, 9, 0, tzinfo=SHANGHAI)
    shop.do("second-call")
    assert left.state == "COMPLETED"
    register = left.variables["callRegister"]
    assert [(entry["call"], entry["at"]) for entry in register] == [
        (1, "2025-03-06T09:00:00+08:00"),
        (2, "2025-03-13T09:00:00+08:00"),
    ]


def test_an_overdue_second_call_is_urged_by_the_supervisor(shop: RepairShop, left: Case) -> None:
    first_call(shop)
    shop.wait(days=14)
    assert shop.todo == ["second-call", "urge-call"]


def test_a_request_answered_in_the_call_needs_no_study(shop: RepairShop, left: Case) -> None:
    first_call(shop, "answered")
    assert shop.todo == []
    assert left.variables["callRegister"][0]["requestText"] == "希望夜间取车"


def test_a_call_that_reaches_nobody_is_registered(shop: RepairShop, left: Case) -> None:
    file_written(shop)
    shop.wait(days=3)
    shop.do("first-call", callOutcome="unreachable")
    assert shop.todo == []
    assert left.variables["callRegister"][0]["outcome"] == "unreachable"


def test_a_solution_found_by_the_clerk_is_told_the_same_day(shop: RepairShop, left: Case) -> None:
    first_call(shop, "study")
    shop.wait(hours=30)
    shop.do("study")
    due_at = shop.task("answer-customer").due_at
    assert due_at is not None
    assert due_at.astimezone(SHANGHAI) == datetime(2025, 3, 7, 23, 59, 59, tzinfo=SHANGHAI)
    shop.do("answer-customer")
    assert shop.todo == []
    assert left.variables["callRegister"][1]["satisfied"] is True


def test_a_letter_of_answer_goes_into_the_letter_register(shop: RepairShop, left: Case) -> None:
    first_call(shop, "study")
    shop.do("study")
    shop.do("answer-customer", answerChannel="letter")
    assert [letter["text"] for letter in left.variables["letterRegister"]] == ["可以夜间取车"]
    assert len(left.variables["callRegister"]) == 1


def test_what_the_clerk_cannot_solve_goes_to_the_supervisor(shop: RepairShop, left: Case) -> None:
    first_call(shop, "study")
    shop.do("study", studyOutcome="unsolved")
    assert shop.task("supervisor-solves").candidate_groups == ["业务主管"]
    shop.do("supervisor-solves")
    assert shop.todo == ["answer-customer"]


def test_what_is_unsolved_after_two_days_goes_to_the_supervisor_by_itself(shop: RepairShop, left: Case) -> None:
    first_call(shop, "study")
    shop.wait(days=1, hours=23)
    assert shop.todo == ["study"]
    shop.wait(hours=1)
    assert shop.todo == ["supervisor-solves"]


def test_a_supervisor_without_a_solution_for_two_days_leaves_it_to_the_manager(shop: RepairShop, left: Case) -> None:
    first_call(shop, "study")
    shop.do("study", studyOutcome="unsolved")
    shop.wait(days=2)
    assert shop.task("manager-solves").candidate_groups == ["经理"]
    shop.do("manager-solves")
    assert shop.todo == ["answer-customer"]


def test_a_customer_who_is_not_satisfied_gets_another_solution(shop: RepairShop, left: Case) -> None:
    first_call(shop, "study")
    shop.do("study")
    shop.do("answer-customer", customerSatisfied="no")
    assert shop.todo == ["supervisor-solves"]
    shop.do("supervisor-solves")
    shop.do("answer-customer")
    assert shop.todo == []


def test_a_request_in_the_second_call_is_handled_and_then_it_is_over(shop: RepairShop, left: Case) -> None:
    first_call(shop)
    shop.wait(days=7)
    shop.do("second-call", requestKind="study", requestText="希望换车")
    shop.do("study")
    shop.do("answer-customer")
    assert left.state == "COMPLETED"


def test_an_answer_that_takes_long_moves_no_deadline_of_the_second_call(shop: RepairShop, left: Case) -> None:
    first_call(shop, "study")
    shop.wait(days=8)
    shop.do("manager-solves")
    shop.do("answer-customer")
    shop.wait(minutes=0)
    assert shop.task("second-call").due_at == datetime(2025, 3, 20, 9, 0, tzinfo=SHANGHAI)


def test_the_same_visit_is_followed_up_once(shop: RepairShop, left: Case) -> None:
    shop.play.publish("客户离店", "WX1", {"customerName": "陈先生"})
    assert len(shop.play.instances("follow-up-service")) == 1
