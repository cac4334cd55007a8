"""People at their windows: they sign in, fill forms by the labels they read, claim and complete."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Browser, Locator, Page, expect

from tests.conftest import PASSWORD

#: What a person enters: by label; a list of such entries for a list in the form.
Entry = dict[str, Any]


class Office:
    """Everybody who works on the server, each in a window of their own."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.failures: list[str] = []
        self._browser = browser
        self._address = address
        self._people: dict[str, Person] = {}

    def person(self, username: str, *, language: str = "zh", width: int = 1280, zone: str = "Asia/Shanghai") -> Person:
        """Return somebody who signs in the first time they are asked for; `zone` is the one of their computer."""
        if username not in self._people:
            context = self._browser.new_context(
                base_url=self._address,
                viewport={"width": width, "height": 844},
                locale={"zh": "zh-CN", "en": "en-GB"}[language],
                timezone_id=zone,
            )
            context.set_default_timeout(15_000)
            page = context.new_page()
            page.on("pageerror", lambda error: self.failures.append(f"{page.url}: {error}"))
            page.on("console", lambda message: self._listen(page, message.type, message.text))
            self._people[username] = Person(page, username, language)
        return self._people[username]

    def close(self) -> None:
        """Close all windows."""
        for person in self._people.values():
            person.page.context.close()

    def _listen(self, page: Page, kind: str, text: str) -> None:
        # The browser also reports each answer of 400 and above as an error; those are for the tests to judge.
        if kind == "error" and not text.startswith("Failed to load resource"):
            self.failures.append(f"{page.url}: {text}")


class Person:
    """Somebody at their window; words are those of their language."""

    def __init__(self, page: Page, username: str, language: str) -> None:
        self.page = page
        self._words = _WORDS[language]
        page.goto("/")
        page.get_by_label(self._words["username"]).fill(username)
        page.get_by_label(self._words["password"]).fill(PASSWORD)
        page.get_by_role("button", name=self._words["sign in"]).click()
        expect(page.get_by_role("heading", name=self._words["worklist"])).to_be_attached()

    def start(self, process: str, entry: Entry) -> None:
        """Start a process from the list of those that may be started."""
        self.page.goto("/start")
        self.page.get_by_role("link", name=process, exact=True).click()
        self.fill(entry)
        self.press("start")

    def do(self, task: str, case: str, entry: Entry) -> None:
        """Claim the task of a case in the worklist, open it, fill its form, complete it, and see that it is done."""
        self.take(task, case)
        self.finish(task, entry)

    def finish(self, task: str, entry: Entry) -> None:
        """Fill the form of the open task, complete it, and see that it is done."""
        self.fill(entry)
        self.press("complete")
        expect(self.page.get_by_role("status").first).to_contain_text(task)

    def take(self, task: str, case: str) -> None:
        """Claim the task of a case in the worklist of one's groups and open it."""
        self.page.goto("/tasks?whose=groups")
        row = self.row(task, case)
        row.get_by_role("button", name=self._words["claim"]).click()
        expect(row.get_by_text(self._words["me"], exact=True)).to_be_visible()
        row.get_by_role("link", name=task, exact=True).click()
        expect(self.page.get_by_role("heading", name=task)).to_be_visible()

    def row(self, task: str, case: str) -> Locator:
        """The row of the worklist for the task of a case."""
        named = self.page.get_by_role("link", name=task, exact=True)
        return self.page.get_by_role("row").filter(has=named).filter(has_text=case)

    def press(self, button: str) -> None:
        """Press a button that this module has the words for."""
        self.page.get_by_role("button", name=self._words[button], exact=True).click()

    def fill(self, entry: Entry) -> None:
        """Enter values at their labels, in the order given."""
        form = self.page.locator("[data-baton-form].is-ready")
        form.wait_for()
        for label, value in entry.items():
            _enter(form, label, value)

    def move_clock(self, by: str) -> None:
        """Move the demo's clock by the control at the top of every page."""
        self.clock.click()
        self.page.get_by_role("button", name=by, exact=True).click()
        self.page.wait_for_load_state()

    @property
    def clock(self) -> Locator:
        """The demo's clock at the top of every page."""
        return self.page.get_by_role("banner").locator("summary").filter(has=self.page.get_by_role("time"))


def field(form: Locator, label: str) -> Locator:
    """The part of a form that has this label, with its control and what is wrong with it."""
    exactly = re.compile(rf"^\s*{re.escape(label)}\s*\*?\s*$")
    named = form.page.locator(
        "xpath=./label | ./div[contains(@class, 'inline-label')]/label | .//div[contains(@class, 'subsection')]/label"
    ).filter(has_text=exactly)
    return form.locator(".fjs-form-field").filter(has=named).first


def _enter(form: Locator, label: str, value: Any) -> None:
    place = field(form, label)
    expect(place, f"the field {label}").to_be_visible()
    kinds = (place.get_attribute("class") or "").split()
    if "fjs-form-field-dynamiclist" in kinds:
        _enter_list(place, value)
    elif "fjs-form-field-radio" in kinds or "fjs-form-field-checklist" in kinds:
        for option in [value] if isinstance(value, str) else value:
            place.get_by_label(option, exact=True).check()
    elif "fjs-form-field-checkbox" in kinds:
        place.get_by_role("checkbox").set_checked(value)
    elif "fjs-form-field-select" in kinds:
        place.locator(".fjs-select-display").click()
        place.get_by_text(value, exact=True).last.click()
    elif "fjs-form-field-datetime" in kinds:
        date, time = value.split(" ")
        for part, text in zip(place.locator("input.fjs-input").all(), (date, time), strict=True):
            part.fill(text)
            part.press("Enter")
    else:
        place.locator("input, textarea").first.fill(value)


def _enter_list(place: Locator, rows: list[Entry]) -> None:
    shown = place.locator(".fjs-repeat-row-rows")
    for number, row in enumerate(rows):
        if shown.count() <= number:
            place.locator(".fjs-repeat-render-add").click()
        for label, value in row.items():
            _enter(shown.nth(number), label, value)


_WORDS = {
    "zh": {
        "username": "用户名",
        "password": "密码",
        "sign in": "登录",
        "worklist": "待办",
        "claim": "领取",
        "me": "我",
        "start": "发起",
        "complete": "完成",
    },
    "en": {
        "username": "Username",
        "password": "Password",
        "sign in": "Sign in",
        "worklist": "Worklist",
        "claim": "Claim",
        "me": "me",
        "start": "Start",
        "complete": "Complete",
    },
}
