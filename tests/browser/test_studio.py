"""What a process owner does: edit a diagram, deploy it as the next version, be told what is wrong with it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import Office

pytestmark = pytest.mark.browser


@pytest.fixture
def modeler(office: Office) -> Page:
    """The repair order in the modeler, as the catalogue opens it."""
    page = office.person("song.ping").page
    page.goto("/processes")
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="进厂维修", exact=True))
    row.get_by_role("link", name="编辑").click()
    page.locator("[data-baton-modeler].is-ready").wait_for()
    return page


def open_properties(page: Page, element: str, group: str) -> None:
    """Select an element by its name in the diagram and open a group of its properties."""
    page.locator(".djs-element").filter(has_text=element).locator(".djs-hit").first.click()
    header = page.locator("#properties .bio-properties-panel-group-header").filter(has_text=group)
    header.click()


def test_a_renamed_task_is_deployed_as_version_two(modeler: Page) -> None:
    open_properties(modeler, "答复咨询", "常规")
    modeler.locator("#properties").get_by_label("名称").fill("答复客户咨询")
    expect(modeler.locator(".djs-container")).to_contain_text("答复客户咨询")
    modeler.get_by_role("button", name="部署为新版本").click()

    expect(modeler.get_by_role("heading", name="进厂维修 第 2 版")).to_be_visible()
    diagram = modeler.locator("[data-baton-diagram].is-ready")
    name = diagram.locator(".djs-element[data-element-id=answer-consultation] .djs-visual")
    expect(name).to_contain_text("答复客户咨询")
    expect(modeler.get_by_role("link", name="第 1 版")).to_be_visible()


def test_a_broken_condition_is_refused_at_its_element(modeler: Page) -> None:
    open_properties(modeler, "需技术诊断", "条件")
    modeler.locator("#properties").get_by_label("条件表达式").click()
    modeler.keyboard.press("Control+A")
    modeler.keyboard.type("visitPurpose = = 1")
    modeler.get_by_role("button", name="部署为新版本").click()

    problem = modeler.locator("#problems").get_by_role("listitem")
    expect(problem).to_have_count(1)
    expect(problem).to_contain_text("需技术诊断")
    expect(modeler.locator(".b-problem-badge")).to_have_count(1)

    modeler.goto("/processes")
    row = modeler.get_by_role("row").filter(has=modeler.get_by_role("link", name="进厂维修", exact=True))
    expect(row.locator("[data-label=版本]")).to_have_text("1")
