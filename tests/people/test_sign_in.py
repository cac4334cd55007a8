"""Signing in and out, and what keeps others from doing it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from database import transaction
from engine import clock
from people import service
from people.errors import SignInRefused
from people.models import SignInFailure, User
from people.service import FAILURE_LIMIT, FAILURE_WINDOW
from tests.conftest import PASSWORD, MakeUser


def enter(client: FlaskClient, username: str, password: str, target: str = "") -> int:
    """Fill in the sign-in page and return the answer's status."""
    return client.post(f"/sign-in{target}", data={"username": username, "password": password}).status_code


def test_the_right_password_opens_the_door(client: FlaskClient, make_user: MakeUser) -> None:
    make_user("wang.fang", name="王芳")

    assert enter(client, "wang.fang", PASSWORD) == 302
    assert "王芳" in client.get("/profile").text


def test_a_wrong_password_does_not_and_does_not_tell_why(client: FlaskClient, make_user: MakeUser) -> None:
    make_user("wang.fang")

    known = client.post("/sign-in", data={"username": "wang.fang", "password": "wrong"})
    unknown = client.post("/sign-in", data={"username": "nobody", "password": "wrong"})

    assert (known.status_code, unknown.status_code) == (401, 401)
    sentence = "The username or the password is wrong."
    assert sentence in known.text
    assert sentence in unknown.text
    assert client.get("/profile").status_code == 302


def test_an_unknown_user_costs_as_much_as_a_known_one(
    session: Session, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_user("wang.fang")
    verified: list[str] = []
    verify = PasswordHasher.verify

    def count(hasher: PasswordHasher, password_hash: str, password: str) -> bool:
        verified.append(password_hash)
        return verify(hasher, password_hash, password)

    monkeypatch.setattr(PasswordHasher, "verify", count)
    for username in ("wang.fang", "nobody"):
        with pytest.raises(SignInRefused):
            service.authenticate(session, username, "wrong")

    assert len(verified) == 2
    assert verified[0].split("$")[:4] == verified[1].split("$")[:4], "both hashes are made with the same cost"


def test_a_deactivated_user_stays_outside(client: FlaskClient, session: Session, make_user: MakeUser) -> None:
    make_user("wang.fang")
    admin = make_user("admin", role="admin")
    with transaction(session):
        service.update_user(session, admin, "wang.fang", name="王芳", role="staff", active=False, groups=[])

    assert enter(client, "wang.fang", PASSWORD) == 401


def test_deactivation_ends_the_open_session(
    sign_in: Callable[[User], FlaskClient], session: Session, make_user: MakeUser
) -> None:
    browser = sign_in(make_user("wang.fang"))
    admin = make_user("admin", role="admin")
    assert browser.get("/profile").status_code == 200

    with transaction(session):
        service.update_user(session, admin, "wang.fang", name="王芳", role="staff", active=False, groups=[])

    assert browser.get("/profile").status_code == 302


def test_too_many_wrong_passwords_close_the_door_for_a_while(
    client: FlaskClient, session: Session, make_user: MakeUser
) -> None:
    make_user("wang.fang")
    make_user("li.na")
    for _ in range(FAILURE_LIMIT):
        assert enter(client, "wang.fang", "wrong") == 401

    assert enter(client, "wang.fang", PASSWORD) == 429, "not even the right one is looked at"
    assert enter(client.application.test_client(), "li.na", PASSWORD) == 302, "others are not concerned"

    with transaction(session):
        clock.advance(session, FAILURE_WINDOW + timedelta(seconds=1))
    assert enter(client, "wang.fang", PASSWORD) == 302
    assert session.scalars(select(SignInFailure)).all() == []


def test_failures_from_one_address_do_not_lock_the_user_out_elsewhere(client: FlaskClient, make_user: MakeUser) -> None:
    make_user("wang.fang")
    attacker = client.application.test_client()
    attacker.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    for _ in range(FAILURE_LIMIT + 1):
        enter(attacker, "wang.fang", "wrong")

    assert enter(attacker, "wang.fang", PASSWORD) == 429
    assert enter(client, "wang.fang", PASSWORD) == 302


def test_old_failures_are_not_kept(session: Session) -> None:
    at = clock.now(session)
    with transaction(session):
        service.note_failure(session, "somebody", "192.0.2.1", at)
        service.note_failure(session, "somebody else", "192.0.2.1", at + FAILURE_WINDOW)

    assert [row.username for row in session.scalars(select(SignInFailure))] == ["somebody else"]


def test_a_password_hash_with_old_parameters_is_renewed_at_sign_in(
    client: FlaskClient, session: Session, make_user: MakeUser
) -> None:
    make_user("wang.fang")
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with transaction(session):
        service.get_user(session, "wang.fang").password_hash = weak

    assert enter(client, "wang.fang", PASSWORD) == 302

    session.expire_all()
    renewed = service.get_user(session, "wang.fang").password_hash
    assert renewed != weak
    assert not PasswordHasher().check_needs_rehash(renewed)


def test_signing_out_ends_the_session(sign_in: Callable[[User], FlaskClient], make_user: MakeUser) -> None:
    browser = sign_in(make_user("wang.fang"))

    browser.post("/sign-out")

    assert browser.get("/profile").headers["Location"].startswith("/sign-in")


def test_one_comes_back_to_the_page_that_one_wanted(client: FlaskClient, make_user: MakeUser) -> None:
    make_user("wang.fang")
    asked = client.get("/profile").headers["Location"]
    assert asked == "/sign-in?next=%2Fprofile"

    answer = client.post(asked, data={"username": "wang.fang", "password": PASSWORD})

    assert answer.headers["Location"] == "/profile"


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "/\\evil.example/", "javascript:1"])
def test_signing_in_never_leads_to_another_site(client: FlaskClient, make_user: MakeUser, target: str) -> None:
    make_user("wang.fang")

    answer = client.post(
        "/sign-in", query_string={"next": target}, data={"username": "wang.fang", "password": PASSWORD}
    )

    assert answer.headers["Location"] == "/"


def test_the_session_cookie_is_out_of_reach_for_scripts_and_other_sites(
    client: FlaskClient, make_user: MakeUser
) -> None:
    make_user("wang.fang")
    form = {"username": "wang.fang", "password": PASSWORD}

    plain = client.post("/sign-in", data=form).headers["Set-Cookie"]
    encrypted = client.application.test_client().post("/sign-in", data=form, base_url="https://baton.example")

    assert "HttpOnly" in plain
    assert "SameSite=Lax" in plain
    assert "Secure" in encrypted.headers["Set-Cookie"]
