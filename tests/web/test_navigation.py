"""The page head leads everybody to their places."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from people.models import User
from tests.conftest import MakeUser

SignIn = Callable[[User], FlaskClient]


def places(page: str) -> list[str]:
    """Return where the head of a page leads to."""
    return re.findall(r'href="([^"]+)"', navigation(page))


def navigation(page: str) -> str:
    """Return the navigation in the head of a page."""
    return page.split("<nav", 1)[1].split("</nav>", 1)[0]


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("staff", ["/tasks", "/start", "/instances", "/processes"]),
        ("process owner", ["/tasks", "/start", "/instances", "/processes", "/calendar"]),
        ("manager", ["/tasks", "/start", "/instances", "/stalled", "/processes"]),
        ("admin", ["/tasks", "/start", "/instances", "/stalled", "/processes", "/calendar", "/admin/people"]),
    ],
)
def test_each_role_has_its_places_and_all_of_them_open(
    sign_in: SignIn, make_user: MakeUser, role: str, expected: list[str]
) -> None:
    browser = sign_in(make_user("wang.fang", role=role))

    found = places(browser.get("/profile").text)

    assert found == expected
    assert [browser.get(path).status_code for path in found] == [200] * len(found)


def test_the_place_where_one_is_stands_out(sign_in: SignIn, make_user: MakeUser) -> None:
    browser = sign_in(make_user("wang.fang", role="manager"))

    for path, place in (("/instances", "/instances"), ("/batches", "/instances"), ("/stalled", "/stalled")):
        head = navigation(browser.get(path).text)
        assert re.findall(r'href="([^"]+)" aria-current="page"', head) == [place]


def test_the_start_is_the_worklist(sign_in: SignIn, make_user: MakeUser, client: FlaskClient) -> None:
    assert sign_in(make_user("wang.fang")).get("/").headers["Location"] == "/tasks"
    assert client.get("/").headers["Location"].startswith("/sign-in")


@pytest.mark.parametrize(
    ("came_from", "leads_to"),
    [
        ("http://localhost/profile?tab=password", "/profile?tab=password"),
        # A form that was refused twice, another site, and nobody knows.
        ("http://localhost/profile/password", "/"),
        ("http://elsewhere/profile", "/"),
        (None, "/"),
    ],
)
def test_on_a_refused_form_the_other_language_leads_back_to_the_form(
    sign_in: SignIn, make_user: MakeUser, came_from: str | None, leads_to: str
) -> None:
    browser = sign_in(make_user("wang.fang"))
    headers = {"Referer": came_from} if came_from else {}

    refused = browser.post("/profile/password", data={"current": "wrong", "new": "short"}, headers=headers)

    assert f'name="next" value="{leads_to}"' in refused.text


def test_a_refused_form_that_has_an_address_of_its_own_is_shown_again(sign_in: SignIn, make_user: MakeUser) -> None:
    browser = sign_in(make_user("admin", role="admin"))

    refused = browser.post("/sign-in", data={"username": "nobody", "password": "wrong"})

    assert 'name="next" value="/sign-in"' in refused.text
