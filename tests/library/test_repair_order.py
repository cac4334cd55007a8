"""The repair order, from the customer's arrival to the exit: every branch, deadline and failure path of the diagram."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.library.repair_shop import SHANGHAI, RepairShop
from tests.play import Case

MONDAY_NINE = datetime(2025, 3, 3, 9, 0, tzinfo=SHANGHAI)


def to_workshop(shop: RepairShop, **promised_in: float) -> Case:
    """From arrival to the workshop's receipt; promised in ten hours if nothing else is said."""
    order = shop.start()
    shop.do("estimate")
    shop.do("negotiate", promisedTime=shop.later(**promised_in or {"hours": 10}))
    hand_over(shop)
    return order


def hand_over(shop: RepairShop) -> None:
    """From the signed repair order to the workshop's receipt, for a job of one team."""
    shop.do("receive-car")
    shop.do("receive-articles")
    shop.do("open-file")
    shop.do("enter-team")
    shop.do("wash")
    shop.do("sign-receipt")


def make_ready(shop: RepairShop, **clean: Any) -> None:
    """From the repair to the vehicle that stands ready."""
    shop.do("repair")
    shop.do("inspect")
    shop.do("collect-papers")
    shop.do("clean", **clean)


def to_yard(shop: RepairShop) -> Case:
    """From arrival to the check in the yard, for a customer who waits in the shop."""
    order = to_workshop(shop)
    make_ready(shop, customerWaiting=True)
    shop.do("receive-customer")
    shop.do("settle")
    shop.do("hand-over-papers")
    return order


def test_a_car_is_received_repaired_and_picked_up(shop: RepairShop) -> None:
    order = shop.start()
    assert shop.todo == ["estimate"]
    shop.do("estimate")
    shop.do("negotiate", promisedTime=shop.later(hours=10))
    shop.do("receive-car")
    shop.do("receive-articles")
    assert shop.todo == ["enter-team", "open-file"]
    shop.do("open-file")
    shop.do("enter-team")
    shop.do("wash")
    shop.do("sign-receipt")
    assert shop.task("repair").candidate_groups == ["机电班组"]
    shop.do("repair")
    shop.do("inspect")
    assert shop.todo == ["clean", "collect-papers"]
    shop.do("clean")
    shop.do("collect-papers")
    assert shop.todo == []
    shop.wait(hours=9)
    shop.do("notify")
    shop.do("receive-customer")
    shop.do("settle")
    shop.do("hand-over-papers")
    shop.do("check-yard")
    shop.do("see-off")
    assert order.state == "COMPLETED"
    assert shop.running == ["follow-up-service"]


def test_the_case_is_called_by_plate_and_customer(shop: RepairShop) -> None:
    assert shop.start().title == "粤B12345 · 陈先生"


@pytest.mark.parametrize(("phone", "followed_up"), [("13800000001", ["follow-up-service"]), ("", [])])
def test_a_question_is_answered_and_followed_up_if_there_is_a_phone_number(
    shop: RepairShop, phone: str, followed_up: list[str]
) -> None:
    order = shop.start(visitPurpose="consultation")
    shop.do("answer-consultation", customerPhone=phone)
    assert order.state == "COMPLETED"
    assert shop.running == followed_up


def test_diagnosis_calls_the_specialist_when_there_is_a_difficulty(shop: RepairShop) -> None:
    shop.start(visitPurpose="diagnosis", diagnosisConsent="agreed")
    shop.do("diagnose", diagnosisOutcome="specialist", diagnosisDifficulty="间歇性熄火")
    assert shop.task("assist-diagnosis").candidate_groups == ["技术部专职技术员"]
    shop.do("assist-diagnosis")
    assert shop.todo == ["estimate"]


def test_diagnosis_goes_straight_to_the_estimate_when_it_is_clear(shop: RepairShop) -> None:
    shop.start(visitPurpose="diagnosis", diagnosisConsent="agreed")
    shop.do("diagnose")
    assert shop.todo == ["estimate"]


def test_without_consent_the_estimate_goes_by_symptom(shop: RepairShop) -> None:
    order = shop.start(visitPurpose="diagnosis", diagnosisConsent="by-symptom")
    shop.do("estimate", faultSystem="unknown")
    assert order.variables["estimating"] == {"method": "symptom", "explainQuality": False, "priceRisk": True}


def test_without_consent_the_customer_may_leave_without_a_fee(shop: RepairShop) -> None:
    order = shop.start(visitPurpose="diagnosis", diagnosisConsent="leave")
    assert order.variables["exitFee"] == 0
    shop.do("leave")
    assert order.state == "COMPLETED"
    assert shop.running == ["follow-up-service"]


def test_an_item_price_has_to_be_explained(shop: RepairShop) -> None:
    order = shop.start()
    shop.do("estimate", itemPricingReasons=["customer-named"], faultSystem="unknown")
    assert order.variables["estimating"] == {"method": "item", "explainQuality": True, "priceRisk": False}


@pytest.mark.parametrize(
    ("parts", "no_warranty"),
    [
        ({"partsSupply": "customer"}, True),
        ({"partsGrade": "aftermarket", "keyPartsAftermarket": True}, True),
        ({"partsGrade": "aftermarket", "keyPartsAftermarket": False}, False),
        ({}, False),
    ],
)
def test_own_parts_and_aftermarket_key_parts_have_no_warranty(
    shop: RepairShop, parts: dict[str, Any], no_warranty: bool
) -> None:
    order = shop.start()
    shop.do("estimate", **parts)
    assert order.variables["warranty"]["noWarranty"] is no_warranty
    assert bool(order.variables["warranty"]["remark"]) is no_warranty


@pytest.mark.parametrize(("purpose", "fee", "decision"), [("repair", 50, "refuse"), ("diagnosis", 150, "appointment")])
def test_who_leaves_without_repair_pays_for_estimate_and_diagnosis(
    shop: RepairShop, purpose: str, fee: int, decision: str
) -> None:
    order = shop.start(visitPurpose=purpose, diagnosisConsent="agreed")
    if purpose == "diagnosis":
        shop.do("diagnose")
    shop.do("estimate")
    shop.do("negotiate", customerDecision=decision, appointmentTime=shop.later(days=3))
    assert order.variables["exitFee"] == fee
    assert shop.task("leave").candidate_groups == ["结算员"]
    shop.do("leave")
    assert order.state == "COMPLETED"
    [follow_up] = shop.play.instances("follow-up-service")
    assert follow_up.variables["visitKind"] == "visit"


def test_the_customers_signatures_are_kept_with_their_time(shop: RepairShop) -> None:
    order = shop.start()
    shop.do("estimate")
    shop.do("negotiate", promisedTime=shop.later(hours=10))
    shop.do("receive-car", documentsDifference="yes", differenceDescription="保险单过期", differenceSignedBy="陈先生")
    shop.do("receive-articles")
    signatures = order.variables["intakeSignatures"]
    assert [signature["document"] for signature in signatures] == ["进厂维修单", "证件差异", "随车物品清单"]
    assert {signature["at"] for signature in signatures} == {"2025-03-03T09:00:00+08:00"}


def test_no_signature_is_kept_for_documents_without_differences(shop: RepairShop) -> None:
    order = to_workshop(shop)
    documents = [signature["document"] for signature in order.variables["intakeSignatures"]]
    assert documents == ["进厂维修单", "随车物品清单"]


def test_the_business_file_is_due_the_same_day(shop: RepairShop) -> None:
    shop.start()
    shop.do("estimate")
    shop.do("negotiate", promisedTime=shop.later(hours=10))
    shop.do("receive-car")
    shop.do("receive-articles")
    due_at = shop.task("open-file").due_at
    assert due_at is not None
    assert due_at.astimezone(SHANGHAI) == datetime(2025, 3, 3, 23, 59, 59, tzinfo=SHANGHAI)


@pytest.mark.parametrize(("minute", "received"), [(4, "09:00"), (5, "09:10"), (14, "09:10"), (56, "10:00")])
def test_the_workshop_receipt_is_written_to_ten_minutes(shop: RepairShop, minute: int, received: str) -> None:
    order = shop.start()
    shop.do("estimate")
    shop.do("negotiate", promisedTime=shop.later(hours=10))
    for step in ("receive-car", "receive-articles", "enter-team", "wash"):
        shop.do(step)
    shop.wait(minutes=minute)
    shop.do("sign-receipt")
    assert order.variables["workshopReceivedAt"] == f"2025-03-03T{received}:00+08:00"


def test_statistics_are_registered_at_the_hand_over(shop: RepairShop) -> None:
    order = to_workshop(shop)
    assert order.variables["vehicleStatistics"] == {
        "date": "2025-03-03",
        "vehicles": 1,
        "vehicleType": "sedan",
        "repairCategory": "repair",
        "agreedPrice": 680,
        "teams": ["机电班组"],
    }


def test_several_teams_are_planned_by_the_workshop_supervisor_and_work_one_after_the_other(shop: RepairShop) -> None:
    shop.start()
    shop.do("estimate", repairTrades=["body", "paint"])
    shop.do("negotiate", promisedTime=shop.later(days=3))
    for step in ("receive-car", "receive-articles", "open-file"):
        shop.do(step)
    assert shop.task("plan-teams").candidate_groups == ["车间主管"]
    shop.do("plan-teams", teamPlan=[{"team": "钣金班组", "work": "整形"}, {"team": "喷漆班组", "work": "喷漆"}])
    shop.do("wash")
    shop.do("sign-receipt")
    assert shop.do("repair").candidate_groups == ["钣金班组"]
    assert shop.do("repair").candidate_groups == ["喷漆班组"]
    assert shop.todo == ["inspect"]


@pytest.mark.parametrize("entered", ["2025-03-03T19:00+08:00", "2025-03-03T11:00Z", "2025-03-03T06:00:00-05:00"])
def test_the_promised_time_is_kept_in_the_shops_own_time_wherever_it_was_entered(
    shop: RepairShop, entered: str
) -> None:
    order = shop.start()
    shop.do("estimate")
    shop.do("negotiate", promisedTime=entered)
    shop.do("receive-car")
    shop.do("receive-articles")
    assert order.variables["promisedTime"] == "2025-03-03T19:00:00+08:00"


# --- progress inquiry


def test_progress_is_asked_at_three_quarters_of_the_time_and_due_at_four_fifths(shop: RepairShop) -> None:
    to_workshop(shop, hours=10)
    shop.wait(hours=7, minutes=29)
    assert shop.todo == ["repair"]
    shop.wait(minutes=1)
    inquiry = shop.task("inquire")
    assert inquiry.candidate_groups == ["业务员"]
    assert inquiry.due_at == MONDAY_NINE + timedelta(hours=8)


def test_progress_without_anomaly_needs_nothing_else(shop: RepairShop) -> None:
    to_workshop(shop)
    shop.wait(hours=7, minutes=30)
    shop.do("inquire", expectedFinish=shop.later(hours=1))
    assert shop.todo == ["repair"]


def test_an_anomaly_calls_for_emergency_measures(shop: RepairShop) -> None:
    to_workshop(shop)
    shop.wait(hours=7, minutes=30)
    shop.do("inquire", repairAnomaly="yes", expectedFinish=shop.later(hours=2))
    assert shop.task("take-measures").candidate_groups == ["调度"]
    shop.do("take-measures")
    assert shop.todo == ["repair"]


def test_a_promise_that_cannot_be_kept_is_told_early_and_moves_the_notice(shop: RepairShop) -> None:
    order = to_workshop(shop)
    shop.wait(hours=7, minutes=30)
    shop.do("inquire", repairAnomaly="yes", expectedFinish=shop.later(hours=6))
    shop.do("take-measures", promiseKept="no")
    shop.do("tell-delay-early", promisedTime="2025-03-04T12:00+08:00")
    assert order.variables["promisedTime"] == "2025-03-04T12:00:00+08:00"
    shop.wait(hours=10)
    assert shop.todo == ["repair"], "the old notice time has passed without a second call"
    make_ready(shop)
    assert order.timers() == {"notice-time": datetime(2025, 3, 4, 11, 0, tzinfo=SHANGHAI)}


@pytest.mark.parametrize("so_far", ["inquire", "take-measures", "tell-delay-early"])
def test_whatever_the_inquiry_has_come_to_ends_when_the_team_has_finished(shop: RepairShop, so_far: str) -> None:
    to_workshop(shop)
    shop.wait(hours=7, minutes=30)
    if so_far != "inquire":
        shop.do("inquire", repairAnomaly="yes", expectedFinish=shop.later(hours=6))
    if so_far == "tell-delay-early":
        shop.do("take-measures", promiseKept="no")
    assert shop.todo == sorted(["repair", so_far])
    shop.do("repair")
    assert shop.todo == ["inspect"]


def test_progress_is_not_asked_after_the_team_has_finished(shop: RepairShop) -> None:
    to_workshop(shop)
    shop.do("repair")
    shop.wait(hours=8)
    assert shop.todo == ["inspect"]


# --- additional items


def agree_to_extras(shop: RepairShop, hours: float = 4) -> None:
    """The team finds extra items and the customer agrees."""
    shop.do("repair", repairOutcome="extra")
    shop.do("report-extras")
    shop.do("call-customer")
    shop.do("fill-form", extraHours=hours)
    shop.do("tell-team")


def test_agreed_extra_items_move_the_promised_time_and_return_to_the_team(shop: RepairShop) -> None:
    order = to_workshop(shop, hours=10)
    agree_to_extras(shop)
    assert shop.todo == ["repair"]
    assert order.variables["promisedTime"] == "2025-03-03T23:00:00+08:00"
    assert [item["item"] for item in order.variables["extraItems"]] == ["更换制动盘"]
    assert shop.task("repair").due_at == MONDAY_NINE + timedelta(hours=14)


def test_extra_items_can_be_found_more_than_once(shop: RepairShop) -> None:
    order = to_workshop(shop, hours=10)
    agree_to_extras(shop)
    agree_to_extras(shop, hours=1.5)
    assert order.variables["promisedTime"] == "2025-03-04T00:30:00+08:00"
    assert len(order.variables["extraItems"]) == 2
    assert [record["decision"] for record in order.variables["extraRecords"]] == ["agree", "agree"]


def test_refused_extra_items_leave_the_promised_time(shop: RepairShop) -> None:
    order = to_workshop(shop, hours=10)
    shop.do("repair", repairOutcome="extra")
    shop.do("report-extras")
    shop.do("call-customer", customerAnswer="refuse")
    shop.do("tell-workshop")
    assert shop.todo == ["repair"]
    assert order.variables["promisedTime"] == "2025-03-03T19:00:00+08:00"
    assert order.variables["extraItems"] is None
    assert order.variables["extraRecords"][0]["listener"] == "黄伟"


def test_the_inquiry_follows_an_extended_promise(shop: RepairShop) -> None:
    to_workshop(shop, hours=10)
    agree_to_extras(shop, hours=10)
    shop.wait(hours=14, minutes=59)
    assert shop.todo == ["repair"]
    shop.wait(minutes=1)
    assert shop.todo == ["inquire", "repair"]


def test_a_postponed_inquiry_is_dropped_when_the_team_has_finished(shop: RepairShop) -> None:
    order = to_workshop(shop, hours=10)
    agree_to_extras(shop, hours=10)
    shop.wait(hours=8)
    shop.do("repair")
    assert "inquiry-due-again" not in order.timers()
    shop.wait(hours=8)
    assert shop.todo == ["inspect"]


# --- inspection


def test_a_failed_inspection_goes_back_to_the_team_and_the_third_to_the_supervisor(shop: RepairShop) -> None:
    order = to_workshop(shop)
    shop.do("repair")
    for failures in (1, 2):
        shop.do("inspect", inspectionResult="failed")
        assert order.variables["failedInspections"] == failures
        assert shop.task("rework").candidate_groups == ["机电班组"]
        shop.do("rework")
    shop.do("inspect", inspectionResult="failed")
    assert shop.task("settle-rework").candidate_groups == ["车间主管"]
    shop.do("settle-rework", teamPlan=[{"team": "养护班组", "work": "重做"}])
    assert shop.do("rework").candidate_groups == ["养护班组"]
    shop.do("inspect", inspectionResult="failed")
    assert shop.todo == ["settle-rework"], "and every further one"
    shop.do("settle-rework")
    shop.do("rework")
    shop.do("inspect")
    assert shop.todo == ["clean", "collect-papers"]


# --- pick-up notice


@pytest.mark.parametrize(("days", "hours_ahead"), [(1.9, 1), (2, 4), (5, 4)])
def test_the_customer_is_called_one_hour_ahead_and_four_for_two_days_or_more(
    shop: RepairShop, days: float, hours_ahead: int
) -> None:
    to_workshop(shop, days=days)
    make_ready(shop)
    shop.wait(days=days, hours=-hours_ahead, minutes=-11)
    assert shop.todo == []
    shop.wait(minutes=12)
    assert shop.todo == ["notify"]


def test_a_vehicle_that_is_ready_after_the_notice_time_is_told_at_once(shop: RepairShop) -> None:
    to_workshop(shop, hours=10)
    shop.wait(hours=9, minutes=30)
    shop.do("tell-delay", promisedTime=shop.later(minutes=40))
    make_ready(shop)
    shop.wait(minutes=0)
    assert shop.todo == ["notify"]


def test_a_customer_who_waits_in_the_shop_is_received_without_a_call(shop: RepairShop) -> None:
    order = to_workshop(shop)
    make_ready(shop, customerWaiting=True)
    assert shop.todo == ["receive-customer"]
    assert order.timers() == {}


def test_a_late_vehicle_is_told_at_the_notice_time(shop: RepairShop) -> None:
    order = to_workshop(shop, hours=10)
    shop.wait(hours=8, minutes=59)
    assert "tell-delay" not in shop.todo
    shop.wait(minutes=1)
    assert shop.task("tell-delay").candidate_groups == ["业务员"]
    shop.do("tell-delay", promisedTime="2025-03-04T12:00+08:00")
    assert order.variables["promisedTime"] == "2025-03-04T12:00:00+08:00"
    shop.wait_until(datetime(2025, 3, 4, 11, 0, tzinfo=SHANGHAI))
    assert "tell-delay" in shop.todo, "the new promise is watched like the first"


def test_a_new_promise_nearer_than_the_lead_time_is_not_told_twice(shop: RepairShop) -> None:
    to_workshop(shop, hours=10)
    shop.wait(hours=9)
    shop.do("tell-delay", promisedTime=shop.later(minutes=30))
    assert "tell-delay" not in shop.todo
    shop.wait(minutes=30)
    assert "tell-delay" in shop.todo, "the new promise has been broken too"


def test_a_promise_that_has_passed_at_the_receipt_is_told_at_once(shop: RepairShop) -> None:
    shop.start()
    shop.do("estimate")
    shop.do("negotiate", promisedTime=shop.later(hours=1))
    shop.wait(hours=2)
    hand_over(shop)
    shop.wait(minutes=0)
    assert shop.todo == ["inquire", "repair", "tell-delay"]


def test_a_delay_need_not_be_told_any_more_when_the_vehicle_is_ready(shop: RepairShop) -> None:
    to_workshop(shop, hours=10)
    shop.wait(hours=9)
    make_ready(shop)
    shop.wait(minutes=0)
    assert shop.todo == ["notify"]


def test_a_vehicle_ready_in_time_ends_the_countdown(shop: RepairShop) -> None:
    order = to_workshop(shop, hours=10)
    make_ready(shop)
    assert order.timers() == {"notice-time": MONDAY_NINE + timedelta(hours=9)}


def test_extra_items_beyond_two_days_make_the_lead_time_four_hours(shop: RepairShop) -> None:
    order = to_workshop(shop, hours=40)
    agree_to_extras(shop, hours=10)
    make_ready(shop)
    assert order.timers() == {"notice-time": MONDAY_NINE + timedelta(hours=46)}


# --- pick-up


def test_the_bill_is_summed_up_and_a_discount_is_decided_by_the_supervisor(shop: RepairShop) -> None:
    order = to_workshop(shop)
    make_ready(shop, customerWaiting=True)
    shop.do("receive-customer")
    assert order.variables["payableAmount"] == 680.5
    shop.do("settle", settlementOutcome="discount")
    assert shop.task("decide-discount").candidate_groups == ["业务主管"]
    shop.do("decide-discount", discountAmount=80.5)
    assert order.variables["payableAmount"] == 600
    shop.do("settle", settlementOutcome="discount")
    shop.do("decide-discount", discountAmount=9999)
    assert order.variables["payableAmount"] == 0
    shop.do("settle")
    assert shop.todo == ["hand-over-papers"]


def test_an_objection_to_the_quality_goes_back_to_inspection_but_not_to_the_till(shop: RepairShop) -> None:
    order = to_yard(shop)
    shop.do("check-yard", yardOutcome="quality")
    shop.do("inspect", inspectionResult="failed")
    shop.do("rework")
    shop.do("inspect")
    assert shop.todo == ["check-yard"]
    shop.do("check-yard")
    shop.do("see-off")
    assert order.state == "COMPLETED"


def test_another_objection_is_decided_by_the_business_supervisor(shop: RepairShop) -> None:
    to_yard(shop)
    shop.do("check-yard", yardOutcome="other")
    assert shop.task("decide-objection").candidate_groups == ["业务主管"]
    shop.do("decide-objection")
    assert shop.todo == ["check-yard"]
    shop.do("check-yard", yardOutcome="other")
    shop.do("decide-objection", objectionDecision="reinspect")
    assert shop.todo == ["inspect"]


def test_the_follow_up_starts_with_what_the_repair_order_knows(shop: RepairShop) -> None:
    order = to_yard(shop)
    shop.do("check-yard")
    shop.do("see-off", nextServiceDate="2025-09-01")
    assert order.state == "COMPLETED"
    known = shop.play.only("follow-up-service").variables
    assert known["orderNumber"] == "WX20250303090000-粤B12345"
    assert (known["plateNumber"], known["customerPhone"], known["visitKind"]) == ("粤B12345", "13800000001", "repair")
    assert (known["exitTime"], known["nextServiceDate"]) == ("2025-03-03T09:00:00+08:00", "2025-09-01")


def test_the_order_stays_open_until_the_business_file_is_there(shop: RepairShop) -> None:
    order = shop.start()
    shop.do("estimate")
    shop.do("negotiate", promisedTime=shop.later(hours=10))
    for step in ("receive-car", "receive-articles", "enter-team", "wash", "sign-receipt"):
        shop.do(step)
    make_ready(shop, customerWaiting=True)
    for step in ("receive-customer", "settle", "hand-over-papers", "check-yard", "see-off"):
        shop.do(step)
    assert shop.todo.count("open-file") == 1
    shop.do("open-file")
    assert order.state == "COMPLETED"
