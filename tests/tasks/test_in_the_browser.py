"""The worklist and a task in a real browser: keyboard, news, search, and a form that loses nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Thread

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from database import transaction
from people.models import User
from tasks import service
from tests.conftest import PASSWORD
from tests.play import Case, Player

pytestmark = pytest.mark.browser

OpenPage = Callable[[User], Page]


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """Where the application answers."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def open_page(chromium: Browser, address: str) -> OpenPage:
    """Open the worklist as a user who has signed in; the browser's own clock is the test's to move."""

    def sign_in(user: User) -> Page:
        page = chromium.new_context(base_url=address, locale="en-US").new_page()
        page.clock.install()
        page.goto("/sign-in")
        page.fill("[name=username]", user.username)
        page.fill("[name=password]", PASSWORD)
        page.press("[name=password]", "Enter")
        page.wait_for_url("**/tasks")
        return page

    return sign_in


@pytest.fixture
def cases(shop: Player) -> list[Case]:
    """Three cars at reception."""
    return [shop.start("car-repair", {"plate": plate, "customer": "x"}) for plate in ("A1", "A2", "A3")]


def test_the_worklist_is_worked_with_the_keyboard(cases: list[Case], wang: User, open_page: OpenPage) -> None:
    page = open_page(wang)
    second = page.locator(f"#task-{cases[1].task('estimate').key}")

    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("c")
    expect(second).to_contain_text("me")
    expect(second).to_be_focused()
    expect(page.locator("#count-mine")).to_have_text("1")
    assert [case.task("estimate").assignee for case in cases] == [None, "wang.fang", None]

    page.keyboard.press("Enter")
    page.wait_for_url(f"**/tasks/{cases[1].task('estimate').key}?whose=groups")


def test_the_open_worklist_stays_true_and_nothing_moves(
    cases: list[Case], shop: Player, wang: User, li: User, session: Session, open_page: OpenPage
) -> None:
    page = open_page(wang)
    rows = page.locator("tr[data-keyboard-row]")
    with transaction(session):
        service.claim(session, li, cases[0].task("estimate").key)
        service.complete(session, li, cases[1].task("estimate").key, {"price": 1})
    shop.start("car-repair", {"plate": "A4", "customer": "x"})

    page.clock.run_for(31_000)

    expect(rows.nth(0)).to_contain_text("李娜")
    expect(rows.nth(1)).to_contain_text("has been done or taken away")
    expect(rows.nth(2)).to_contain_text("A3")
    expect(rows).to_have_count(3)
    page.get_by_text("1 new task – show").click()
    expect(page.get_by_text("A4 x")).to_be_visible()
    expect(rows).to_have_count(2)


def test_searching_needs_no_reload(cases: list[Case], wang: User, open_page: OpenPage) -> None:
    page = open_page(wang)

    page.locator("[name=search]").press_sequentially("A2")
    page.clock.run_for(1_000)

    expect(page.locator("tr[data-keyboard-row]")).to_have_count(1)
    expect(page.locator("[name=search]")).to_be_focused()


def test_claiming_on_the_page_loses_nothing_that_was_typed(cases: list[Case], wang: User, open_page: OpenPage) -> None:
    page = open_page(wang)
    page.goto(f"/tasks/{cases[0].task('estimate').key}")
    page.locator(".fjs-form-field-textarea textarea").fill("左前门")

    page.get_by_role("button", name="Claim").click()
    expect(page.get_by_text("with me")).to_be_visible()
    assert cases[0].task("estimate").assignee == "wang.fang"

    page.get_by_role("button", name="Complete").click()
    expect(page.get_by_text("Field is required.")).to_be_visible()
    page.locator(".fjs-form-field-number input").fill("1280.50")
    page.clock.run_for(1_000)
    page.get_by_role("button", name="Complete").click()
    page.wait_for_url("**/tasks")

    expect(page.get_by_text("is done.")).to_be_visible()
    assert cases[0].todo == ["repair"]
    assert cases[0].variables["note"] == "左前门"
    assert str(cases[0].variables["price"]) == "1280.5"
