"""The diagram island: tokens on a process, tied to the rows of the page."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.web.frontend.conftest import Site, at_both_widths, on_a_phone

pytestmark = pytest.mark.browser

ORDER = Path(__file__).parent / "order.bpmn"
PAGE = """
<div class="container-xl py-3">
  <div class="b-diagram" data-baton-diagram data-xml-url="/order.bpmn" data-state-url="/state"></div>
  <table class="b-list mt-3">
    <thead><tr><th>环节</th><th>期限</th></tr></thead>
    <tbody>
      <tr data-element-id="receive"><td data-label="环节">接待登记</td>
        <td data-label="期限"><span class="b-due">昨天</span></td></tr>
      <tr data-element-id="repair" data-diagram-focus><td data-label="环节">维修作业</td>
        <td data-label="期限"><span class="b-due b-due--late">迟 2 小时</span></td></tr>
    </tbody>
  </table>
</div>
<script>
  addEventListener('baton:element-selected', (event) => { document.title = event.detail.elementId; });
</script>
"""


def open_diagram(site: Site, page: Page, language: str = "zh") -> None:
    site.file("/order.bpmn", ORDER)
    site.json(
        "/state",
        {
            "active": [{"elementId": "repair", "count": 2}, {"elementId": "gone-in-this-version", "count": 1}],
            "incidents": [{"elementId": "repair", "count": 1}],
            "completed": [{"elementId": "start", "count": 1}, {"elementId": "receive", "count": 1}],
            "flows": ["flow-1", "flow-2"],
        },
    )
    page.goto(site.page(PAGE, "diagram", language=language))
    page.locator("[data-baton-diagram].is-ready").wait_for()


@at_both_widths
def test_tokens_incidents_and_the_way_are_drawn(site: Site, browser_page: Page) -> None:
    open_diagram(site, browser_page)
    expect(browser_page.get_by_role("button", name="2 个正在此处")).to_be_in_viewport()
    expect(browser_page.get_by_role("button", name="此处有 1 个故障")).to_be_in_viewport()
    expect(browser_page.locator(".djs-element.b-visited[data-element-id=receive]")).to_have_count(1)
    expect(browser_page.locator(".djs-connection.b-visited")).to_have_count(2)
    expect(browser_page.locator(".djs-element.b-visited[data-element-id=end]")).to_have_count(0)
    expect(browser_page.locator(".bjs-powered-by")).to_be_visible()


@at_both_widths
def test_a_click_on_an_element_marks_its_rows_and_tells_the_page(site: Site, browser_page: Page) -> None:
    open_diagram(site, browser_page)
    browser_page.locator(".djs-element[data-element-id=repair] .djs-hit").click()
    expect(browser_page.locator("tr[data-element-id=repair]")).to_have_class("is-selected")
    expect(browser_page).to_have_title("repair")
    expect(browser_page.locator("tr[data-element-id=receive]")).not_to_have_class("is-selected")


def test_a_click_on_a_row_marks_its_element(site: Site, browser_page: Page) -> None:
    open_diagram(site, browser_page)
    browser_page.get_by_text("维修作业").last.click()
    expect(browser_page.locator(".djs-element.b-selected[data-element-id=repair]")).to_have_count(1)


@pytest.mark.parametrize("target", ["document", "document.querySelector('[data-baton-diagram]')"])
def test_refresh_draws_the_new_state_and_nothing_of_the_old(site: Site, browser_page: Page, target: str) -> None:
    open_diagram(site, browser_page)
    site.json("/state", {"active": [{"elementId": "end", "count": 1}], "flows": ["flow-3"]})
    browser_page.evaluate(f"{target}.dispatchEvent(new CustomEvent('baton:refresh'))")
    expect(browser_page.get_by_role("button", name="1 个正在此处")).to_be_visible()
    expect(browser_page.locator(".b-token")).to_have_count(1)
    expect(browser_page.locator(".djs-connection.b-visited")).to_have_count(1)


@at_both_widths
def test_the_buttons_zoom_and_show_the_whole(site: Site, browser_page: Page) -> None:
    open_diagram(site, browser_page)
    task = browser_page.locator(".djs-element[data-element-id=repair] .djs-visual rect").first

    def task_width() -> float:
        box = task.bounding_box()
        assert box is not None
        return box["width"]

    browser_page.get_by_role("button", name="全图").click()
    whole = task_width()
    browser_page.get_by_role("button", name="放大").click()
    assert task_width() > whole
    browser_page.get_by_role("button", name="缩小").click()
    assert task_width() == pytest.approx(whole, rel=0.01)


@on_a_phone
def test_a_finger_moves_the_diagram(site: Site, browser_page: Page) -> None:
    open_diagram(site, browser_page)
    task = browser_page.locator(".djs-element[data-element-id=repair] .djs-visual rect").first
    before = task.bounding_box()
    assert before is not None
    devtools = browser_page.context.new_cdp_session(browser_page)
    devtools.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": 200, "y": 250}]})
    devtools.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": 170, "y": 240}]})
    devtools.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": 140, "y": 230}]})
    devtools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    after = task.bounding_box()
    assert after is not None
    assert after["x"] == pytest.approx(before["x"] - 60, abs=2)
    assert after["y"] == pytest.approx(before["y"] - 20, abs=2)


def test_a_diagram_that_cannot_be_loaded_says_so(site: Site, browser_page: Page) -> None:
    browser_page.goto(site.page('<div class="b-diagram" data-baton-diagram data-xml-url="/missing"></div>', "diagram"))
    expect(browser_page.get_by_role("alert")).to_contain_text("未能显示")
