"""The form island: a .form schema inside a page's own <form>."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Page, expect

from tests.web.frontend.conftest import Answer, Site, at_both_widths

pytestmark = pytest.mark.browser

SCHEMA: dict[str, Any] = {
    "type": "default",
    "id": "reception",
    "components": [
        {"type": "text", "text": "### 接待登记"},
        {
            "type": "textfield",
            "key": "plate",
            "label": "车牌号",
            "validate": {"required": True},
            "layout": {"row": "1"},
        },
        {"type": "number", "key": "mileage", "label": "里程（公里）", "validate": {"min": 0}, "layout": {"row": "1"}},
        {
            "type": "select",
            "key": "kind",
            "label": "类别",
            "values": [{"label": "保养", "value": "service"}, {"label": "事故", "value": "accident"}],
        },
        {"type": "checkbox", "key": "waiting", "label": "客户在店等候"},
        {"type": "textarea", "key": "wish", "label": "客户要求"},
        {"type": "datetime", "subtype": "date", "key": "day", "dateLabel": "预约日期"},
    ],
    "schemaVersion": 18,
}


def form_page(content: dict[str, Any], attributes: str = "") -> str:
    embedded = json.dumps(content).replace("<", "\\u003c")
    return f"""
    <div class="container-xl py-3"><form method="post" action="/complete">
      <input type="hidden" name="csrf_token" value="token-1">
      <div data-baton-form {attributes}><script type="application/json">{embedded}</script></div>
      <div class="b-actionbar"><button class="btn btn-primary" type="submit">完成</button>
        <button class="btn" type="submit" formnovalidate formaction="/draft">暂存</button></div>
    </form></div>"""


def open_form(site: Site, page: Page, content: dict[str, Any], attributes: str = "", language: str = "zh") -> None:
    page.goto(site.page(form_page(content, attributes), "form", language=language))
    page.locator("[data-baton-form].is-ready").wait_for()


def posted_variables(site: Site) -> dict[str, Any]:
    fields = parse_qs(site.posted[-1].body)
    variables: dict[str, Any] = json.loads(fields["variables"][0])
    return variables


@at_both_widths
def test_values_are_posted_as_json_with_the_csrf_token(site: Site, browser_page: Page) -> None:
    open_form(site, browser_page, {"schema": SCHEMA, "data": {"mileage": 1200}})
    browser_page.get_by_label("车牌号").fill("沪A 12345")
    browser_page.get_by_text("请选择").click()
    browser_page.get_by_text("事故").click()
    browser_page.get_by_label("客户在店等候").check()
    browser_page.get_by_role("button", name="完成").click()
    expect(browser_page.get_by_text("thanks")).to_be_visible()

    assert site.posted[-1].path == "/complete"
    assert parse_qs(site.posted[-1].body)["csrf_token"] == ["token-1"]
    variables = posted_variables(site)
    assert variables["plate"] == "沪A 12345"
    assert variables["mileage"] == 1200
    assert variables["kind"] == "accident"
    assert variables["waiting"] is True


@at_both_widths
def test_an_incomplete_form_stays_on_the_page_and_says_why_at_the_field(site: Site, browser_page: Page) -> None:
    open_form(site, browser_page, {"schema": SCHEMA})
    browser_page.get_by_role("button", name="完成").click()
    expect(browser_page.get_by_text("此项必填。")).to_be_visible()
    expect(browser_page.get_by_label("车牌号")).to_be_focused()
    assert site.posted == []


def test_a_draft_is_posted_without_validation(site: Site, browser_page: Page) -> None:
    open_form(site, browser_page, {"schema": SCHEMA})
    browser_page.get_by_label("客户要求").fill("异响")
    browser_page.get_by_role("button", name="暂存").click()
    expect(browser_page.get_by_text("thanks")).to_be_visible()
    assert site.posted[-1].path == "/draft"
    assert posted_variables(site)["wish"] == "异响"


def test_a_button_of_the_schema_means_the_main_button(site: Site, browser_page: Page) -> None:
    schema = {**SCHEMA, "components": [*SCHEMA["components"], {"type": "button", "label": "提交", "action": "submit"}]}
    open_form(site, browser_page, {"schema": schema, "data": {"plate": "沪B 1"}})
    browser_page.get_by_role("button", name="提交").click()
    expect(browser_page.get_by_text("thanks")).to_be_visible()
    assert [request.path for request in site.posted] == ["/complete"]


@at_both_widths
def test_server_errors_are_shown_at_their_fields_and_nothing_is_lost(site: Site, browser_page: Page) -> None:
    content = {
        "schema": SCHEMA,
        "data": {"plate": "沪A", "wish": "请检查刹车"},
        "errors": {"plate": ["车牌号不完整。"], "customer": ["客户不存在。"]},
    }
    open_form(site, browser_page, content)
    plate = browser_page.locator(".fjs-form-field", has=browser_page.get_by_label("车牌号"))
    expect(plate.get_by_text("车牌号不完整。")).to_be_visible()
    expect(browser_page.locator(".b-form-problems").get_by_text("客户不存在。")).to_be_visible()
    expect(browser_page.get_by_label("客户要求")).to_have_value("请检查刹车")

    browser_page.get_by_label("车牌号").fill("沪A 12345")
    expect(plate.get_by_text("车牌号不完整。")).to_have_count(0)
    browser_page.get_by_role("button", name="完成").click()
    expect(browser_page.get_by_text("thanks")).to_be_visible()
    assert posted_variables(site)["wish"] == "请检查刹车"


def test_a_refused_value_may_be_sent_again_after_another_field_was_corrected(site: Site, browser_page: Page) -> None:
    content = {"schema": SCHEMA, "data": {"plate": "沪A", "mileage": 5}, "errors": {"plate": ["里程与车辆不符。"]}}
    open_form(site, browser_page, content)
    browser_page.get_by_label("里程（公里）").fill("5000")
    browser_page.get_by_role("button", name="完成").click()
    expect(browser_page.get_by_text("thanks")).to_be_visible()
    assert posted_variables(site)["plate"] == "沪A"


def test_an_error_inside_a_dynamic_list_is_shown_in_its_row(site: Site, browser_page: Page) -> None:
    schema = {
        "type": "default",
        "components": [
            {
                "type": "dynamiclist",
                "path": "parts",
                "label": "配件",
                "isRepeating": True,
                "allowAddRemove": True,
                "components": [{"type": "textfield", "key": "name", "label": "名称"}],
            }
        ],
        "schemaVersion": 18,
    }
    data = {"parts": [{"name": "机油"}, {"name": "?"}]}
    open_form(site, browser_page, {"schema": schema, "data": data, "errors": {"parts[1].name": ["没有这种配件。"]}})
    fields = browser_page.locator(".fjs-form-field-textfield")
    expect(fields).to_have_count(2)
    expect(fields.nth(1).get_by_text("没有这种配件。")).to_be_visible()
    expect(fields.nth(0).get_by_text("没有这种配件。")).to_have_count(0)


def test_labels_are_translated_but_values_are_not(site: Site, browser_page: Page) -> None:
    labels = {"车牌号": "Plate", "类别": "Kind", "事故": "Accident", "客户要求": "Wishes"}
    content = {"schema": SCHEMA, "data": {"plate": "车牌号"}, "labels": labels}
    open_form(site, browser_page, content, language="en")
    expect(browser_page.get_by_label("Plate")).to_have_value("车牌号")
    browser_page.get_by_text("Select", exact=True).click()
    browser_page.get_by_text("Accident").click()
    browser_page.get_by_role("button", name="完成").click()
    expect(browser_page.get_by_text("thanks")).to_be_visible()
    assert posted_variables(site)["kind"] == "accident"


@at_both_widths
def test_a_form_for_reading_cannot_be_changed(site: Site, browser_page: Page) -> None:
    open_form(site, browser_page, {"schema": SCHEMA, "data": {"plate": "沪A"}}, "data-readonly")
    expect(browser_page.get_by_label("车牌号")).to_have_value("沪A")
    expect(browser_page.get_by_label("车牌号")).not_to_be_editable()


def test_a_form_that_htmx_swaps_in_starts_and_is_sent_by_htmx(site: Site, browser_page: Page) -> None:
    embedded = json.dumps({"schema": SCHEMA, "data": {"plate": "沪C"}}).replace("<", "\\u003c")
    form = f"""<form hx-post="/sent" hx-swap="outerHTML"><div data-baton-form>
      <script type="application/json">{embedded}</script></div><button type="submit">完成</button></form>"""
    site.answers["/part"] = Answer(form)
    site.answers["/sent"] = Answer("<p>sent</p>")
    browser_page.goto(site.page('<button hx-get="/part" hx-target="#here">打开</button><div id="here"></div>', "form"))
    browser_page.get_by_role("button", name="打开").click()
    expect(browser_page.get_by_label("车牌号")).to_have_value("沪C")
    browser_page.get_by_role("button", name="完成").click()
    expect(browser_page.get_by_text("sent")).to_be_visible()
    assert len(site.posted) == 1
    assert site.posted[0].headers["X-CSRFToken"] == "token-1"
    assert posted_variables(site)["plate"] == "沪C"
