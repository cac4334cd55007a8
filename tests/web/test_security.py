"""What every request must survive: forged requests, other sites, too much data."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from people import service
from people.models import User
from tests.conftest import PASSWORD, MakeUser
from web.application import create_app
from web.configuration import Configuration
from web.security import LARGEST_REQUEST

SignIn = Callable[[User], FlaskClient]


@pytest.fixture
def strict(app: Flask) -> Flask:
    """The application as it is served: forms need their token."""
    app.config["WTF_CSRF_ENABLED"] = True
    return app


def basic(username: str, password: str) -> dict[str, str]:
    """Return the header of HTTP Basic."""
    return {"Authorization": "Basic " + b64encode(f"{username}:{password}".encode()).decode()}


def token_in(page: str) -> str:
    """Return the CSRF token that a page carries."""
    found = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert found
    return found[1]


def test_a_form_without_its_token_is_refused(
    strict: Flask, sign_in: SignIn, make_user: MakeUser, session: Session
) -> None:
    browser = sign_in(make_user("wang.fang", locale="en"))

    answer = browser.post("/language", data={"locale": "zh"})

    assert answer.status_code == 400
    assert "Reload it and try again" in answer.text
    assert service.get_user(session, "wang.fang").locale == "en"


def test_the_same_form_with_its_token_is_taken(strict: Flask, sign_in: SignIn, make_user: MakeUser) -> None:
    browser = sign_in(make_user("wang.fang", locale="en"))
    token = token_in(browser.get("/profile").text)

    assert browser.post("/language", data={"locale": "zh", "csrf_token": token}).status_code == 302
    assert browser.post("/language", data={"locale": "en"}, headers={"X-CSRFToken": token}).status_code == 302


def test_nobody_signs_in_with_a_forged_form(strict: Flask, client: FlaskClient, make_user: MakeUser) -> None:
    make_user("wang.fang")

    assert client.post("/sign-in", data={"username": "wang.fang", "password": PASSWORD}).status_code == 400


def test_the_api_asks_who_it_is_in_its_own_format(client: FlaskClient) -> None:
    answer = client.get("/v2/topology")

    assert answer.status_code == 401
    assert answer.content_type == "application/problem+json"
    assert answer.json == {
        "type": "about:blank",
        "title": "UNAUTHORIZED",
        "status": 401,
        "detail": "Sign in, or send a username and password by HTTP Basic.",
        "instance": "/v2/topology",
    }
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_a_browser_gets_no_password_dialogue_from_the_api(client: FlaskClient) -> None:
    assert "WWW-Authenticate" not in client.get("/v2/topology", headers={"Sec-Fetch-Mode": "cors"}).headers


def test_the_api_takes_a_username_and_password_and_no_token(
    strict: Flask, client: FlaskClient, make_user: MakeUser
) -> None:
    make_user("wang.fang")

    assert client.post("/v2/nothing", headers=basic("wang.fang", PASSWORD)).status_code == 404
    assert client.post("/v2/nothing", headers=basic("wang.fang", "wrong")).status_code == 401
    assert client.post("/v2/nothing", headers=basic("nobody", PASSWORD)).status_code == 401


def test_a_remembered_password_is_forgotten_when_it_changes(
    client: FlaskClient, make_user: MakeUser, session: Session
) -> None:
    make_user("wang.fang")
    assert client.get("/v2/nothing", headers=basic("wang.fang", PASSWORD)).status_code == 404

    client.post("/sign-in", data={"username": "wang.fang", "password": PASSWORD})
    client.post(
        "/profile/password", data={"current": PASSWORD, "password": "battery staple", "repeated": "battery staple"}
    )

    stranger = client.application.test_client()
    assert stranger.get("/v2/nothing", headers=basic("wang.fang", PASSWORD)).status_code == 401
    assert stranger.get("/v2/nothing", headers=basic("wang.fang", "battery staple")).status_code == 404


def test_too_many_wrong_passwords_close_the_api_too(client: FlaskClient, make_user: MakeUser) -> None:
    make_user("wang.fang")

    statuses = [client.get("/v2/nothing", headers=basic("wang.fang", "wrong")).status_code for _ in range(6)]

    assert statuses == [401] * 5 + [429]


def test_the_api_with_a_session_needs_the_token(strict: Flask, sign_in: SignIn, make_user: MakeUser) -> None:
    browser = sign_in(make_user("wang.fang"))
    token = token_in(browser.get("/profile").text)

    refused = browser.post("/v2/nothing")

    assert refused.status_code == 400
    assert refused.content_type == "application/problem+json"
    assert browser.post("/v2/nothing", headers={"X-CSRFToken": token}).status_code == 404


def test_credentials_that_a_browser_adds_for_another_site_are_not_taken(
    strict: Flask, client: FlaskClient, make_user: MakeUser
) -> None:
    make_user("wang.fang")
    forged = {**basic("wang.fang", PASSWORD), "Sec-Fetch-Site": "cross-site"}

    assert client.post("/v2/nothing", headers=forged).status_code == 401


def test_pages_do_not_take_a_username_and_password(client: FlaskClient, make_user: MakeUser) -> None:
    make_user("wang.fang")

    assert client.get("/profile", headers=basic("wang.fang", PASSWORD)).status_code == 302


def test_every_answer_tells_the_browser_what_a_page_may_do(client: FlaskClient) -> None:
    for path in ("/sign-in", "/nothing", "/v2/topology", "/healthz"):
        headers = client.get(path).headers
        policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
        assert policy["script-src"] == "'self'"
        assert policy["frame-ancestors"] == "'none'"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"


def test_a_page_has_no_script_or_handler_of_its_own(sign_in: SignIn, make_user: MakeUser) -> None:
    browser = sign_in(make_user("admin", role="admin"))
    pages = [browser.get(path).text for path in ("/profile", "/admin/people", "/tasks", "/instances", "/processes")]

    for page in pages:
        assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", page)
        assert not re.search(r"<[^>]+\son\w+=", page)
        assert "javascript:" not in page


def test_more_than_the_server_takes_is_refused_cleanly(client: FlaskClient, make_user: MakeUser) -> None:
    make_user("wang.fang")
    much = b"x" * (LARGEST_REQUEST + 1)

    page = client.post("/sign-in", data={"username": much, "password": "x"})
    api = client.post(
        "/v2/user-tasks/search", data=much, content_type="application/json", headers=basic("wang.fang", PASSWORD)
    )

    assert page.status_code == 413
    assert "This is too large" in page.text
    assert api.status_code == 413
    assert api.content_type == "application/problem+json"


def test_a_proxy_is_believed_only_where_one_is_configured(
    client: FlaskClient, configuration: Configuration, make_user: MakeUser
) -> None:
    make_user("wang.fang")
    form = {"username": "wang.fang", "password": PASSWORD}

    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
    behind = create_app(replace(configuration, proxies=1))
    behind.config.update(TESTING=True, WTF_CSRF_ENABLED=False)

    alone = client.post("/sign-in", data=form, headers=forwarded)
    proxied = behind.test_client().post("/sign-in", data=form, headers=forwarded)

    assert "Secure" not in alone.headers["Set-Cookie"]
    assert "Secure" in proxied.headers["Set-Cookie"]
    assert "Strict-Transport-Security" in proxied.headers
