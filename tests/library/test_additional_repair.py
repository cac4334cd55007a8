"""Additional repair items: the calls, the answers, and what the workshop is told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.library.repair_shop import RepairShop
from tests.play import Case

FOUND: dict[str, Any] = {
    "orderNumber": "WX1",
    "plateNumber": "粤B12345",
    "vehicleModel": "卡罗拉",
    "customerName": "陈先生",
    "customerPhone": "13800000001",
    "reportingTeam": "机电班组",
    "foundItems": [{"item": "更换制动盘", "reason": "表面开裂"}],
    "foundHours": 4,
    "safetyRelated": "yes",
    "currentPromisedTime": "2025-03-03T19:00:00+08:00",
}


@pytest.fixture
def extras(shop: RepairShop) -> Case:
    """Extra items that the dispatcher has reported."""
    case = shop.play.start("additional-repair", FOUND)
    assert shop.task("report-extras").candidate_groups == ["调度"]
    shop.do("report-extras")
    return case


def test_an_agreement_is_handed_over_in_writing_with_its_time(shop: RepairShop, extras: Case) -> None:
    shop.do("call-customer")
    shop.wait(minutes=7)
    shop.do("fill-form", extraHours=2.5)
    assert shop.task("tell-team").candidate_groups == ["调度"]
    shop.do("tell-team")
    result = extras.variables
    assert result["extraItemsAgreed"] is True
    assert result["newPromisedTime"] == "2025-03-03T21:30:00+08:00"
    record = result["extraRecord"]
    assert (record["decision"], record["receiver"], record["hours"]) == ("agree", "黄伟", 2.5)
    assert record["handedAt"] == "2025-03-03T09:07:00+08:00"
    assert extras.state == "COMPLETED"


def test_a_refusal_is_told_orally_with_time_and_listener(shop: RepairShop, extras: Case) -> None:
    shop.do("call-customer", customerAnswer="refuse")
    shop.do("tell-workshop")
    record = extras.variables["extraRecord"]
    assert extras.variables["extraItemsAgreed"] is False
    assert (record["decision"], record["listener"], record["toldAt"]) == (
        "refuse",
        "黄伟",
        "2025-03-03T09:00:00+08:00",
    )
    assert extras.state == "COMPLETED"


def test_a_customer_who_is_not_reached_is_called_again_after_half_an_hour(shop: RepairShop, extras: Case) -> None:
    shop.do("call-customer", callOutcome="unreachable")
    shop.wait(minutes=29)
    assert shop.todo == []
    shop.wait(minutes=1)
    assert shop.todo == ["call-customer"]
    shop.do("call-customer")
    assert shop.todo == ["fill-form"]


def test_after_three_more_calls_the_repair_goes_on_without_the_extras(shop: RepairShop, extras: Case) -> None:
    shop.do("call-customer", callOutcome="unreachable")
    for _ in range(3):
        shop.wait(minutes=30)
        shop.do("call-customer", callOutcome="unreachable")
    assert shop.todo == ["tell-workshop"]
    shop.do("tell-workshop")
    record = extras.variables["extraRecord"]
    assert (record["decision"], len(record["calls"])) == ("unreachable", 4)
    assert extras.variables["extraItemsAgreed"] is False
