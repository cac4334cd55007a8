"""The own profile: password and language."""

from __future__ import annotations

from collections.abc import Callable

from flask.testing import FlaskClient

from people.models import User
from tests.conftest import PASSWORD, MakeUser

NEW = "battery staple"


def change(browser: FlaskClient, current: str, new: str, repeated: str) -> tuple[int, str]:
    """Fill in the password form and return the answer's status and text."""
    answer = browser.post("/profile/password", data={"current": current, "password": new, "repeated": repeated})
    return answer.status_code, answer.text


def test_a_new_password_counts_at_once_and_ends_the_other_sessions(
    sign_in: Callable[[User], FlaskClient], client: FlaskClient, make_user: MakeUser
) -> None:
    user = make_user("wang.fang")
    here, elsewhere = sign_in(user), sign_in(user)

    assert change(here, PASSWORD, NEW, NEW)[0] == 302

    assert here.get("/profile").status_code == 200
    assert elsewhere.get("/profile").status_code == 302
    assert client.post("/sign-in", data={"username": "wang.fang", "password": PASSWORD}).status_code == 401
    assert client.post("/sign-in", data={"username": "wang.fang", "password": NEW}).status_code == 302


def test_a_password_is_only_changed_by_somebody_who_knows_it(
    sign_in: Callable[[User], FlaskClient], make_user: MakeUser
) -> None:
    browser = sign_in(make_user("wang.fang"))

    status, text = change(browser, "wrong", NEW, NEW)

    assert status == 400
    assert "This is not your current password." in text


def test_a_password_that_is_too_short_or_mistyped_is_refused(
    sign_in: Callable[[User], FlaskClient], make_user: MakeUser
) -> None:
    browser = sign_in(make_user("wang.fang"))

    assert "A password has at least 8 characters." in change(browser, PASSWORD, "short", "short")[1]
    assert "The two passwords differ." in change(browser, PASSWORD, NEW, NEW + "s")[1]


def test_the_language_is_kept_with_the_user(sign_in: Callable[[User], FlaskClient], make_user: MakeUser) -> None:
    user = make_user("wang.fang")
    sign_in(user).post("/language", data={"locale": "zh", "next": "/profile"})

    assert '<html lang="zh">' in sign_in(user).get("/profile").text


def test_the_language_is_kept_in_the_browser_before_sign_in(client: FlaskClient) -> None:
    assert '<html lang="en">' in client.get("/sign-in").text

    client.post("/language", data={"locale": "zh", "next": "/sign-in"})

    assert '<html lang="zh">' in client.get("/sign-in").text


def test_an_unknown_language_is_refused(client: FlaskClient) -> None:
    assert client.post("/language", data={"locale": "xx"}).status_code == 400
