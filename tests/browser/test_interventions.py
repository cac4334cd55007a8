"""Managers change the course of cases at their window: on the diagram, in the lists, on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from engine.instances import CancelInstance
from engine.models import ProcessInstance
from engine.modification import ActivateInstruction, ModifyInstance
from engine.user_tasks import AssignUserTask
from processes.service import Resource
from tests.browser.people import Office
from tests.browser.test_repair_order import CASE
from tests.library.conftest import LIBRARY
from tests.library.repair_shop import RepairShop
from tests.library.test_repair_order import to_workshop

pytestmark = pytest.mark.browser

REASON = "客户要求先报价"


def open_course(page: Page, link: str = "调整流转") -> None:
    """Open the page that changes the course of the case."""
    page.goto("/instances")
    page.get_by_role("link", name=CASE).click()
    page.get_by_role("link", name=link).click()
    page.locator("[data-baton-diagram].is-ready").wait_for()


def test_a_token_is_moved_on_the_diagram(office: Office, shop: RepairShop) -> None:
    case = shop.start()
    manager = office.person("chen.guoqiang")
    page = manager.page
    open_course(page)
    steps = page.locator("[data-baton-diagram] .djs-shape")
    steps.and_(page.locator("[data-element-id=estimate]")).click()
    expect(page.locator("[data-chooser-hint]")).to_contain_text("拟定维修估价")
    # Whose lane it is stays in sight where the lane's own head is not.
    expect(page.locator(".b-lane-head").filter(has_text="业务接待员")).to_be_visible()
    page.get_by_role("button", name="全图").click()
    steps.and_(page.locator("[data-element-id=receive-car]")).click()
    expect(page.locator(".c-place select").first).to_have_value("to:receive-car")
    expect(steps.and_(page.locator("[data-element-id=receive-car].b-to"))).to_be_attached()

    page.get_by_role("button", name="查看将会发生什么").click()
    verdict = page.locator("#verdict")
    expect(verdict).to_contain_text("拟定维修估价")
    expect(verdict).to_contain_text("撤回")
    assert case.todo == ["estimate"]
    page.get_by_label("为什么").fill(REASON)
    page.get_by_role("button", name="确定执行").click()
    expect(page.get_by_role("status").first).to_contain_text("事项已按您的选择继续")
    expect(page.locator("#actions")).to_contain_text(REASON)
    assert "estimate" not in case.todo


def test_a_step_is_started_in_addition_on_a_phone_with_the_lists_alone(office: Office, shop: RepairShop) -> None:
    case = to_workshop(shop)
    manager = office.person("chen.guoqiang", language="en", width=390)
    page = manager.page
    open_course(page, "Change the course")
    before = case.todo
    page.get_by_label("Step to start").select_option("estimate")
    page.get_by_role("button", name="See what will happen").click()
    expect(page.locator("#verdict")).to_contain_text("is created for")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.get_by_label("Why?").fill("The customer wants a second estimate")
    page.get_by_role("button", name="Do it").click()
    expect(page.get_by_role("status").first).to_contain_text("goes on as you have chosen")
    assert case.todo == sorted([*before, "estimate"])


def test_of_two_managers_the_second_sees_the_case_as_it_is_by_then(office: Office, shop: RepairShop) -> None:
    case = shop.start()
    page = office.person("chen.guoqiang").page
    open_course(page)
    page.locator(".c-place select").first.select_option("to:receive-car")
    page.get_by_role("button", name="查看将会发生什么").click()
    expect(page.locator("#verdict")).to_contain_text("撤回")
    page.get_by_label("为什么").fill(REASON)
    # Meanwhile somebody else does something with it.
    case.execute(AssignUserTask(case.task("estimate").key, "li.na"), by="li.na")

    page.get_by_role("button", name="确定执行").click()
    expect(page.get_by_role("alert")).to_contain_text("您查看之后事项已有变化")
    expect(page.get_by_role("alert")).to_contain_text("李娜")
    assert case.todo == ["estimate"]


def test_a_cancelled_case_is_started_anew(office: Office, shop: RepairShop) -> None:
    case = shop.start()
    case.execute(CancelInstance("误建"), by="chen.guoqiang")
    page = office.person("chen.guoqiang").page
    open_course(page, "重新开始")
    page.get_by_label("要启动的步骤").select_option("estimate")
    page.get_by_role("button", name="查看将会发生什么").click()
    expect(page.locator("#verdict")).to_contain_text("新建任务“拟定维修估价”")
    page.get_by_label("为什么").fill("取消有误")
    page.get_by_role("button", name="确定执行").click()
    expect(page.get_by_role("status").first).to_contain_text("这是新的事项")
    expect(page.locator("#waiting")).to_contain_text("拟定维修估价")
    expect(page.locator("#actions")).to_contain_text("取消有误")


def test_running_cases_are_moved_to_another_version_and_the_page_follows_the_worker(
    office: Office, shop: RepairShop
) -> None:
    moves, stays = shop.start(), shop.start(plate="粤B99999")
    stays.execute(ModifyInstance(activate=[ActivateInstruction("receive-car")], reason="test"))
    stays.execute(ModifyInstance(terminate=stays.live("estimate"), reason="test"))
    changed = (LIBRARY / "auto-repair" / "repair-order.bpmn").read_text().replace('"receive-car"', '"take-car"')
    shop.play.deploy(Resource("repair-order.bpmn", changed.encode()))
    page = office.person("chen.guoqiang").page
    page.goto("/processes/repair-order")
    page.get_by_role("link", name="将进行中的事项迁移到其他版本").click()
    expect(page.locator("#map-receive-car")).to_have_value("")
    page.get_by_role("button", name="查看将会发生什么").click()
    result = page.locator("#result")
    expect(result).to_contain_text("1 个事项可以迁移")
    expect(result).to_contain_text("“接收证件、视检车辆”正在进行，但没有对应的步骤")
    page.get_by_label("为什么").fill("新版流程生效")
    page.get_by_role("button", name="迁移全部可迁移的事项").click()
    expect(page.get_by_role("status")).to_contain_text("已处理 0 / 2")
    shop.play.run_due()
    # The page looks again by itself.
    expect(page.get_by_role("status")).to_contain_text("已处理 2 / 2")
    expect(page.get_by_role("status")).to_contain_text("1 个失败")
    versions = [instance.version for instance in (_instance(shop, moves.key), _instance(shop, stays.key))]
    assert versions == [2, 1]


def _instance(shop: RepairShop, key: int) -> ProcessInstance:
    with shop.play.sessions() as session:
        return session.get_one(ProcessInstance, key)


def test_several_cases_are_chosen_in_the_list_and_cancelled(office: Office, shop: RepairShop) -> None:
    first, second, other = shop.start(), shop.start(), shop.start()
    page = office.person("chen.guoqiang", language="en", width=390).page
    page.goto("/instances")
    page.get_by_text("Do the same to several cases").click()
    page.get_by_role("button", name="Tick all on this page").click()
    page.locator(f"input[name=case][value='{other.key}']").uncheck()
    page.get_by_label("What shall be done").select_option("cancel")
    page.get_by_label("Why?").fill("Entered twice")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Do it").click()
    expect(page.get_by_role("heading", name="Cancel cases")).to_be_visible()
    shop.play.run_due()
    expect(page.get_by_role("status")).to_contain_text("2 of 2")
    assert [case.state for case in (first, second, other)] == ["TERMINATED", "TERMINATED", "ACTIVE"]
