"""A wrong value in a form: said at its field, by the browser and by the server, and nothing entered is lost."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.people import Office, field
from tests.browser.test_repair_order import CASE, RECEPTION
from tests.library.repair_shop import RepairShop

pytestmark = pytest.mark.browser


def test_a_missing_value_is_said_at_its_field(office: Office) -> None:
    receptionist = office.person("wang.fang")
    receptionist.start("进厂维修", {**RECEPTION, "电话": ""})
    form = receptionist.page.locator("[data-baton-form].is-ready")
    expect(field(form, "电话")).to_contain_text("此项必填。")
    expect(field(form, "客户名称")).not_to_contain_text("此项必填。")
    expect(form.get_by_label("客户诉求")).to_have_value("刹车有异响")

    receptionist.fill({"电话": "13800000001"})
    receptionist.press("start")
    expect(receptionist.page.get_by_role("status")).to_be_visible()


def test_what_the_browser_lets_through_the_server_says_at_the_field(office: Office) -> None:
    receptionist = office.person("wang.fang")
    page = receptionist.page
    page.goto("/start/repair-order")
    receptionist.fill({**RECEPTION, "车号": ""})
    # A browser that does not check forms sends what is there.
    page.get_by_role("button", name="发起", exact=True).evaluate("(button) => { button.formNoValidate = true; }")
    receptionist.press("start")

    expect(page.get_by_role("alert").first).to_contain_text("您填写的内容都还在")
    form = page.locator("[data-baton-form].is-ready")
    expect(field(form, "车号").locator(".fjs-form-field-error")).to_be_visible()
    expect(form.get_by_label("客户诉求")).to_have_value("刹车有异响")
    expect(form.get_by_label("直接报价或送修")).to_be_checked()
    expect(field(form, "车种")).to_contain_text("轿车")

    receptionist.fill({"车号": "粤B12345"})
    receptionist.press("start")
    expect(page.get_by_role("status")).to_be_visible()


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/St_Johns", "Asia/Shanghai"])
def test_a_time_is_the_time_in_the_shop_wherever_the_computer_thinks_it_is(
    office: Office, shop: RepairShop, zone: str
) -> None:
    shop.start()
    shop.do("estimate")
    receptionist = office.person("wang.fang", zone=zone)
    page = receptionist.page
    receptionist.take("业务洽谈", CASE)
    # No signature yet: the server sends the form back with what was entered.
    receptionist.fill({"客户决定": "同意进厂维修", "交车时间": "2025/03/29 22:30", "已介绍质量保证规定": True})
    page.get_by_role("button", name="完成", exact=True).evaluate("(button) => { button.formNoValidate = true; }")
    receptionist.press("complete")
    expect(page.get_by_role("alert").first).to_be_visible()
    form = page.locator("[data-baton-form].is-ready")
    day, time = field(form, "交车时间").locator("input.fjs-input").all()
    expect(day).to_have_value("2025/3/29")
    expect(time).to_have_value("22:30")

    receptionist.fill({"客户签字（签字人）": "陈先生"})
    receptionist.press("complete")
    expect(page.get_by_role("status")).to_be_visible()
    assert shop.play.only("repair-order").variables["promisedTime"] == "2025-03-29T22:30:00+08:00"
