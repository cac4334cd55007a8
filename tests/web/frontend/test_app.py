"""What every page gets: keyboard lists, the CSRF token on htmx requests, questions, and a size that loads fast."""

from __future__ import annotations

import gzip

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.web.frontend.conftest import DIST, Answer, Site, at_both_widths

WORKLIST = """
<input aria-label="search">
<ul class="b-list" data-keyboard-list>
  <li><a href="#first">一</a> <button data-keyboard-claim onclick="document.title = 'claimed 1'">领取</button></li>
  <li><a href="#second">二</a> <button data-keyboard-claim onclick="document.title = 'claimed 2'">领取</button></li>
  <li><a href="#third">三</a></li>
</ul>"""


def show(page: Page, address: str) -> None:
    """Open a page and wait until it works: htmx begins in a timer, which is set before the page is loaded."""
    page.goto(address)
    page.evaluate("new Promise(done => setTimeout(done))")


def test_a_page_without_an_island_loads_under_200_kilobytes() -> None:
    transferred = sum(len(gzip.compress((DIST / name).read_bytes())) for name in ("app.css", "app.js"))
    assert transferred < 120_000, "leave 80 kB for the page itself"


def test_nothing_is_loaded_from_another_host() -> None:
    for style in DIST.glob("*.css"):
        content = style.read_text()
        assert "url(http" not in content, style.name
        assert "url(//" not in content, style.name


@at_both_widths
@pytest.mark.browser
def test_keys_move_claim_and_open(site: Site, browser_page: Page) -> None:
    show(browser_page, site.page(WORKLIST))
    rows = browser_page.locator("li")
    browser_page.keyboard.press("j")
    expect(rows.nth(0)).to_have_class("is-current")
    browser_page.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_have_class("is-current")
    expect(rows.nth(0)).not_to_have_class("is-current")
    browser_page.keyboard.press("c")
    expect(browser_page).to_have_title("claimed 2")
    browser_page.keyboard.press("End")
    browser_page.keyboard.press("j")
    expect(rows.nth(2)).to_have_class("is-current")
    browser_page.keyboard.press("k")
    browser_page.keyboard.press("Enter")
    expect(browser_page).to_have_url(site.address + "/#second")


@pytest.mark.browser
def test_keys_go_on_where_the_server_replaced_the_row(site: Site, browser_page: Page) -> None:
    site.answers["/claim"] = Answer("<li id='two'><a href='#two'>二，已领取</a></li>")
    rows = """<ul class="b-list" data-keyboard-list><li><a href="#one">一</a></li>
      <li id="two"><button data-keyboard-claim hx-post="/claim" hx-target="#two" hx-swap="outerHTML">领取</button></li>
      <li><a href="#three">三</a></li></ul>"""
    show(browser_page, site.page(rows))
    browser_page.keyboard.press("j")
    browser_page.keyboard.press("j")
    browser_page.keyboard.press("c")
    expect(browser_page.get_by_text("二，已领取")).to_be_visible()
    browser_page.keyboard.press("j")
    expect(browser_page.locator("li").nth(2)).to_have_class("is-current")


@pytest.mark.browser
def test_keys_mean_letters_while_someone_types(site: Site, browser_page: Page) -> None:
    show(browser_page, site.page(WORKLIST))
    browser_page.get_by_label("search").press_sequentially("jc")
    expect(browser_page.get_by_label("search")).to_have_value("jc")
    expect(browser_page.locator(".is-current")).to_have_count(0)


@pytest.mark.browser
def test_htmx_sends_the_csrf_token_and_shows_refusals(site: Site, browser_page: Page) -> None:
    site.answers["/claim"] = Answer("<p>已被他人领取。</p>", status=409)
    show(browser_page, site.page('<button hx-post="/claim" hx-target="#row">领取</button><div id="row"></div>'))
    browser_page.get_by_role("button").click()
    expect(browser_page.locator("#row")).to_contain_text("已被他人领取。")
    assert site.posted[0].headers["X-CSRFToken"] == "token-1"


@pytest.mark.browser
@pytest.mark.parametrize(
    "element",
    [
        '<button hx-post="/cancel" data-confirm="真的取消？">取消</button>',
        '<form method="post" action="/cancel" data-confirm="真的取消？"><button>取消</button></form>',
    ],
    ids=["button", "form"],
)
def test_a_question_is_asked_before_a_risky_step(site: Site, browser_page: Page, element: str) -> None:
    answers = [False, True]
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.message)
        if answers[len(asked) - 1]:
            dialog.accept()
        else:
            dialog.dismiss()

    browser_page.on("dialog", answer)
    show(browser_page, site.page(element))
    browser_page.get_by_role("button").click()
    assert site.posted == []
    browser_page.get_by_role("button").click()
    expect(browser_page.get_by_text("thanks")).to_be_visible()
    assert asked == ["真的取消？", "真的取消？"]
    assert len(site.posted) == 1
