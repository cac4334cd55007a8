"""What managers and colleagues see of running cases: tokens, deadlines, what is stuck and who shall do it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.people import Office
from tests.browser.test_repair_order import CASE
from tests.library.repair_shop import RepairShop
from tests.library.test_repair_order import to_workshop

pytestmark = pytest.mark.browser


def test_the_token_moves_on_when_the_clock_reaches_a_deadline(office: Office, shop: RepairShop) -> None:
    to_workshop(shop)
    clerk = office.person("zhao.lei")
    page = clerk.page
    page.goto("/instances")
    page.get_by_role("link", name=CASE).click()
    diagram = page.locator("[data-baton-diagram].is-ready")
    expect(diagram.locator(".djs-element.b-active[data-element-id=repair]")).to_be_attached()
    expect(diagram.locator(".djs-element.b-active[data-element-id=inquire]")).to_have_count(0)
    expect(page.get_by_text("到进度查询时点")).not_to_have_count(0)

    clerk.move_clock("到下一个期限")
    expect(diagram.locator(".djs-element.b-active[data-element-id=inquire]")).to_be_attached()
    page.goto("/tasks?whose=groups")
    expect(clerk.row("查询工作进度", CASE)).to_be_visible()


def test_a_manager_gives_a_stalled_task_to_somebody(office: Office, shop: RepairShop) -> None:
    shop.start()
    manager = office.person("chen.guoqiang")
    manager.page.goto("/stalled")
    stalled = manager.page.get_by_role("row").filter(has_text=CASE)
    expect(stalled).to_have_count(0)
    manager.move_clock("一天")
    manager.move_clock("一小时")
    expect(stalled).to_contain_text("无人领取")
    expect(stalled).to_contain_text("拟定维修估价")

    stalled.locator("summary", has_text="转交").click()
    stalled.get_by_label("转交给谁").select_option(label="李娜")
    stalled.get_by_role("button", name="确定转交").click()
    expect(manager.page.get_by_role("status")).to_be_visible()

    receptionist = office.person("li.na")
    expect(receptionist.row("拟定维修估价", CASE)).to_be_visible()
    receptionist.page.goto("/tasks?whose=mine")
    expect(receptionist.row("拟定维修估价", CASE)).to_contain_text("我")


def test_staff_are_told_that_the_control_room_is_not_theirs(office: Office) -> None:
    staff = office.person("wang.fang")
    expect(staff.page.get_by_role("navigation").get_by_role("link", name="停滞")).to_have_count(0)
    staff.page.goto("/stalled")
    expect(staff.page.get_by_role("heading", name="您无权查看")).to_be_visible()
