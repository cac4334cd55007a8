"""The modeler island: edit, check, deploy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lxml import etree
from playwright.sync_api import Dialog, Page, expect

from tests.web.frontend.conftest import Site, at_both_widths

pytestmark = pytest.mark.browser

ORDER = Path(__file__).parent / "order.bpmn"
PROBLEMS = [
    {"elementId": "repair", "line": 24, "severity": "error", "message": "没有办理组。"},
    {"elementId": None, "line": 3, "severity": "warning", "message": "流程没有说明。"},
]


def modeler_page(attributes: str) -> str:
    return f"""
    <div class="container-fluid py-2">
      <div class="b-actionbar"><button id="check" class="btn">检查</button><button id="undo" class="btn">撤销</button>
        <button id="redo" class="btn">重做</button><button id="download" class="btn">下载</button>
        <button id="deploy" class="btn btn-primary">部署</button></div>
      <div class="row g-2">
        <div class="col-lg-9"><div data-baton-modeler {attributes} data-lint-url="/lint" data-deploy-url="/deploy"
          data-resource-name="order.bpmn" data-check-button="check" data-deploy-button="deploy"
          data-download-button="download" data-undo-button="undo" data-redo-button="redo"
          data-problems="problems" data-properties="properties"></div></div>
        <div class="col-lg-3"><div id="properties"></div></div>
      </div>
      <div id="problems" class="mt-2"></div>
    </div>"""


def open_modeler(site: Site, page: Page, attributes: str = 'data-xml-url="/order.bpmn"', language: str = "zh") -> None:
    site.file("/order.bpmn", ORDER)
    page.goto(site.page(modeler_page(attributes), "modeler", language=language))
    page.locator("[data-baton-modeler].is-ready").wait_for()


def rename_receive(page: Page, name: str) -> None:
    """Rename the first task as a person does: double click, type, click elsewhere."""
    page.locator(".djs-element[data-element-id=receive] .djs-hit").dblclick()
    page.keyboard.press("Control+A")
    page.keyboard.type(name)
    page.keyboard.press("Enter")


@at_both_widths
def test_checking_lists_the_problems_and_marks_the_elements(site: Site, browser_page: Page) -> None:
    site.json("/lint", {"problems": PROBLEMS})
    open_modeler(site, browser_page)
    browser_page.get_by_role("button", name="检查").click()
    expect(browser_page.locator("#problems li")).to_have_count(2)
    expect(browser_page.locator(".b-problem-badge")).to_have_count(1)
    assert site.posted[0].headers["X-CSRFToken"] == "token-1"
    assert etree.fromstring(site.posted[0].body.encode()).tag.endswith("definitions")

    browser_page.locator("#problems").get_by_text("没有办理组。").click()
    expect(browser_page.locator(".djs-element.selected[data-element-id=repair]")).to_have_count(1)
    expect(browser_page.locator("#properties")).to_contain_text("维修作业")

    site.json("/lint", {"problems": []})
    browser_page.get_by_role("button", name="检查").click()
    expect(browser_page.get_by_text("未发现问题。")).to_be_visible()
    expect(browser_page.locator(".b-problem-badge")).to_have_count(0)


@at_both_widths
def test_deploying_posts_the_edited_diagram(site: Site, browser_page: Page) -> None:
    site.json("/deploy", {"key": "2251799813685249", "version": 2, "url": "/processes/order"})
    open_modeler(site, browser_page)
    browser_page.evaluate("addEventListener('baton:deployed', (event) => { document.title = event.detail.key; })")
    expect(browser_page.get_by_role("button", name="撤销")).to_be_disabled()
    rename_receive(browser_page, "接车登记")
    expect(browser_page.get_by_role("button", name="撤销")).to_be_enabled()
    browser_page.get_by_role("button", name="部署").click()
    expect(browser_page.get_by_text("已部署为第 2 版。")).to_be_visible()
    expect(browser_page).to_have_title("2251799813685249")

    posted = json.loads(site.posted[-1].body)
    assert posted["resourceName"] == "order.bpmn"
    tree = etree.fromstring(posted["xml"].encode())
    assert tree.xpath("string(//*[@id='receive']/@name)") == "接车登记"
    zeebe = {"zeebe": "http://camunda.org/schema/zeebe/1.0"}
    assert tree.xpath("string(//zeebe:assignmentDefinition/@candidateGroups)", namespaces=zeebe) == "前台"


def test_a_refused_deployment_shows_its_problems_and_keeps_the_edit(site: Site, browser_page: Page) -> None:
    site.json("/deploy", {"problems": PROBLEMS}, status=400)
    open_modeler(site, browser_page)
    rename_receive(browser_page, "接车登记")
    browser_page.get_by_role("button", name="部署").click()
    expect(browser_page.locator("#problems li")).to_have_count(2)
    expect(browser_page.locator(".djs-container")).to_contain_text("接车登记")
    expect(browser_page.get_by_role("button", name="部署")).to_be_enabled()


def test_a_refusal_without_problems_says_what_the_server_said(site: Site, browser_page: Page) -> None:
    site.json("/deploy", {"title": "Forbidden", "detail": "只有流程负责人可以部署。"}, status=403)
    open_modeler(site, browser_page)
    browser_page.get_by_role("button", name="部署").click()
    expect(browser_page.get_by_text("只有流程负责人可以部署。")).to_be_visible()


def test_undo_and_redo(site: Site, browser_page: Page) -> None:
    open_modeler(site, browser_page)
    rename_receive(browser_page, "接车登记")
    canvas = browser_page.locator(".djs-container")
    expect(canvas).to_contain_text("接车登记")
    browser_page.get_by_role("button", name="撤销").click()
    expect(canvas).to_contain_text("接待登记")
    browser_page.get_by_role("button", name="重做").click()
    expect(canvas).to_contain_text("接车登记")


def test_the_diagram_can_be_downloaded(site: Site, browser_page: Page) -> None:
    open_modeler(site, browser_page)
    with browser_page.expect_download() as download:
        browser_page.get_by_role("button", name="下载").click()
    assert download.value.suggested_filename == "order.bpmn"
    tree = etree.parse(download.value.path())
    assert tree.xpath("count(//*[@id='repair'])") == 1


@at_both_widths
def test_a_new_process_begins_with_a_pool_and_its_lanes(site: Site, browser_page: Page) -> None:
    site.json("/deploy", {"key": "1", "version": 1})
    open_modeler(
        site, browser_page, 'data-process-id="quick-wash" data-process-name="快洗 &amp; 打蜡" data-lanes="前台，车间"'
    )
    expect(browser_page.locator(".djs-container")).to_contain_text("车间")
    browser_page.get_by_role("button", name="部署").click()
    expect(browser_page.get_by_text("已部署为第 1 版。")).to_be_visible()
    tree = etree.fromstring(json.loads(site.posted[-1].body)["xml"].encode())
    bpmn = {"bpmn": "http://www.omg.org/spec/BPMN/20100524/MODEL"}
    assert tree.xpath("string(//bpmn:process/@id)", namespaces=bpmn) == "quick-wash"
    assert tree.xpath("string(//bpmn:process/@name)", namespaces=bpmn) == "快洗 & 打蜡"
    assert tree.xpath("//bpmn:lane/@name", namespaces=bpmn) == ["前台", "车间"]
    assert tree.xpath("count(//bpmn:startEvent)", namespaces=bpmn) == 1


def test_leaving_with_unsaved_changes_asks_first(site: Site, browser_page: Page) -> None:
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    browser_page.on("dialog", stay)
    open_modeler(site, browser_page)
    browser_page.reload()
    browser_page.locator("[data-baton-modeler].is-ready").wait_for()
    assert asked == []
    rename_receive(browser_page, "接车登记")
    browser_page.reload()
    assert asked == ["beforeunload"]


@pytest.mark.parametrize(("language", "label", "header"), [("zh", "常规", "用户任务"), ("en", "General", "User Task")])
def test_the_properties_are_in_the_language_of_the_page(
    site: Site, browser_page: Page, language: str, label: str, header: str
) -> None:
    open_modeler(site, browser_page, language=language)
    browser_page.locator(".djs-element[data-element-id=receive] .djs-hit").click()
    expect(browser_page.locator("#properties").get_by_text(label, exact=True)).to_be_visible()
    expect(browser_page.locator("#properties").get_by_text(header, exact=True)).to_be_visible()
