"""The process owner says when the company works: the week, days off and why, at a window."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.people import Office

pytestmark = pytest.mark.browser

HOURS = "08:30-12:00, 13:00-17:00"
DAY_OFF = "2025-03-12"
WHAT_FOR = "年中盘点"
REASON = "门店盘点一天"


def open_calendar(page: Page) -> None:
    """Go to the calendar the way that people go: by the links at the top of every page."""
    page.get_by_role("navigation").get_by_role("link", name="工作日历").click()
    expect(page.get_by_role("heading", name="工作日历")).to_be_visible()


def last_line(page: Page) -> Locator:
    """The last free line for a day that is different."""
    return page.locator(".p-line").filter(has=page.get_by_label("日期", exact=True)).last


def add_day_off(page: Page) -> None:
    """Enter a day off and what it is for."""
    line = last_line(page)
    line.get_by_label("日期", exact=True).fill(DAY_OFF)
    line.get_by_label("事由").fill(WHAT_FOR)


def save(page: Page) -> None:
    """Press the button that saves."""
    page.get_by_role("button", name="保存").click()


def test_new_hours_and_a_day_off_are_there_again_after_a_reload(office: Office) -> None:
    page = office.person("song.ping").page
    open_calendar(page)
    expect(page.get_by_text(WHAT_FOR)).to_have_count(0)
    page.get_by_label("星期二").fill(HOURS)
    page.get_by_label("星期六").fill("09:00-12:00")
    add_day_off(page)
    page.get_by_label("原因").fill(REASON)
    save(page)
    expect(page.get_by_role("status").first).to_contain_text("日历已保存")

    page.reload()
    expect(page.get_by_label("星期二")).to_have_value(HOURS)
    expect(page.get_by_label("星期六")).to_have_value("09:00-12:00")
    first = page.locator(".p-line").filter(has=page.get_by_label("日期", exact=True)).first
    expect(first.get_by_label("日期", exact=True)).to_have_value(DAY_OFF)
    expect(first.get_by_label("事由")).to_have_value(WHAT_FOR)
    special = page.get_by_role("listitem").filter(has_text=DAY_OFF)
    expect(special).to_contain_text("休息")
    expect(special).to_contain_text(WHAT_FOR)
    expect(page.get_by_role("listitem").filter(has_text=REASON)).to_contain_text("宋萍")


def test_an_end_before_the_start_is_refused_and_nothing_typed_is_lost(office: Office) -> None:
    page = office.person("song.ping").page
    open_calendar(page)
    tuesday = page.get_by_label("星期二").input_value()
    page.get_by_label("星期一").fill(HOURS)
    page.get_by_label("星期三").fill("17:00-08:00")
    add_day_off(page)
    page.get_by_label("原因").fill(REASON)
    save(page)
    expect(page.get_by_role("alert")).to_contain_text("星期三：请按 08:00-12:00, 13:30-17:30 的格式填写")
    expect(page.get_by_label("星期一")).to_have_value(HOURS)
    expect(page.get_by_label("星期二")).to_have_value(tuesday)
    expect(page.get_by_label("星期三")).to_have_value("17:00-08:00")
    expect(page.get_by_label("原因")).to_have_value(REASON)
    entered = page.locator(".p-line").filter(has=page.get_by_label("日期", exact=True)).first
    expect(entered.get_by_label("日期", exact=True)).to_have_value(DAY_OFF)
    expect(entered.get_by_label("事由")).to_have_value(WHAT_FOR)
    expect(page.get_by_role("listitem").filter(has_text=DAY_OFF)).to_have_count(0)

    # Only the wrong entry needs to be put right.
    page.get_by_label("星期三").fill("08:00-17:00")
    save(page)
    expect(page.get_by_role("status").first).to_contain_text("日历已保存")
    page.reload()
    expect(page.get_by_label("星期一")).to_have_value(HOURS)
    expect(page.get_by_label("星期三")).to_have_value("08:00-17:00")
    expect(page.get_by_role("listitem").filter(has_text=DAY_OFF)).to_contain_text(WHAT_FOR)


def test_on_a_phone_everything_of_it_is_within_reach(office: Office) -> None:
    page = office.person("song.ping", language="en", width=390).page
    page.goto("/calendar")
    expect(page.get_by_role("heading", name="Calendar", exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.get_by_label("Saturday").fill("09:00-12:00")
    page.get_by_label("Why?").fill("The season begins")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_contain_text("The calendar is saved.")
    page.reload()
    expect(page.get_by_label("Saturday")).to_have_value("09:00-12:00")


def test_staff_are_told_that_the_calendar_is_not_theirs(office: Office) -> None:
    page = office.person("wang.fang").page
    expect(page.get_by_role("link", name="工作日历")).to_have_count(0)
    page.goto("/calendar")
    expect(page.get_by_role("heading", name="您无权查看")).to_be_visible()
    expect(page.get_by_role("button", name="保存")).to_have_count(0)
