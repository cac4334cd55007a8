"""Users and groups are changed by administrators only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from people import service
from people.models import Role, User
from tests.conftest import PASSWORD, MakeUser

SignIn = Callable[[User], FlaskClient]


@pytest.fixture
def admin(sign_in: SignIn, make_user: MakeUser) -> FlaskClient:
    """The browser of an administrator."""
    return sign_in(make_user("admin", role="admin"))


def new_user(**changes: Any) -> dict[str, Any]:
    """What the form for a new user sends."""
    return {"username": "li.na", "name": "李娜", "password": "first password", "role": "staff", "groups": [], **changes}


@pytest.mark.parametrize("role", [role.value for role in Role if role != Role.ADMIN])
def test_nobody_else_sees_or_changes_people(sign_in: SignIn, make_user: MakeUser, session: Session, role: str) -> None:
    make_user("li.na", "业务接待员")
    browser = sign_in(make_user("wang.fang", role=role))

    answers = [
        browser.get("/admin/people"),
        browser.get("/admin/people/li.na"),
        browser.post("/admin/people", data=new_user(username="mallory")),
        browser.post("/admin/people/li.na", data={"name": "x", "role": "staff"}),
        browser.post("/admin/people/wang.fang", data={"name": "x", "role": "admin", "active": "on"}),
        browser.post("/admin/people/li.na/password", data={"password": "another one"}),
        browser.post("/admin/groups", data={"group_id": "新组"}),
    ]

    assert [answer.status_code for answer in answers] == [403] * 7
    assert {user.username: user.role for user in service.list_users(session)} == {"li.na": "staff", "wang.fang": role}
    assert [group.id for group in service.list_groups(session)] == ["业务接待员"]


def test_somebody_who_is_not_signed_in_is_asked_who_it_is(client: FlaskClient) -> None:
    assert client.get("/admin/people").headers["Location"].startswith("/sign-in")


def test_a_new_user_can_sign_in(admin: FlaskClient, client: FlaskClient, session: Session) -> None:
    admin.post("/admin/groups", data={"group_id": "业务接待员", "name_en": "Receptionist"})

    assert admin.post("/admin/people", data=new_user(groups=["业务接待员"])).status_code == 302

    assert client.post("/sign-in", data={"username": "li.na", "password": "first password"}).status_code == 302
    assert service.get_user(session, "li.na").group_ids == {"业务接待员"}
    assert "Receptionist" in admin.get("/admin/people").text


@pytest.mark.parametrize(
    ("changes", "status", "sentence"),
    [
        ({"username": "li na"}, 400, "A username has letters, digits"),
        ({"username": "admin"}, 409, "There is a user of that name already."),
        ({"name": " "}, 400, "A name is needed"),
        ({"password": "short"}, 400, "A password has at least 8 characters."),
        ({"role": "emperor"}, 400, "This role cannot be given"),
        ({"groups": ["没有"]}, 400, "One of these groups does not exist any more."),
    ],
)
def test_a_wrong_value_is_told_at_its_field_and_nothing_is_made(
    admin: FlaskClient, session: Session, changes: dict[str, Any], status: int, sentence: str
) -> None:
    answer = admin.post("/admin/people", data=new_user(**changes))

    assert answer.status_code == status
    assert sentence in answer.text
    assert [user.username for user in service.list_users(session)] == ["admin"]


def test_role_groups_and_access_can_be_changed(
    admin: FlaskClient, make_user: MakeUser, client: FlaskClient, session: Session
) -> None:
    make_user("li.na", "业务接待员")
    make_user("zhou.yan", "跟踪业务员")

    admin.post("/admin/people/li.na", data={"name": "李娜", "role": "manager", "groups": ["跟踪业务员"]})

    user = service.get_user(session, "li.na")
    assert (user.role, user.group_ids, user.active) == ("manager", {"跟踪业务员"}, False)
    assert client.post("/sign-in", data={"username": "li.na", "password": PASSWORD}).status_code == 401


def test_administrators_cannot_lock_themselves_out(admin: FlaskClient, session: Session) -> None:
    assert admin.post("/admin/people/admin", data={"name": "Admin", "role": "admin"}).status_code == 400
    assert admin.post("/admin/people/admin", data={"name": "Admin", "role": "staff", "active": "on"}).status_code == 400

    user = service.get_user(session, "admin")
    assert (user.active, user.role) == (True, "admin")


def test_a_reset_password_replaces_the_old_one(admin: FlaskClient, make_user: MakeUser, client: FlaskClient) -> None:
    make_user("li.na")

    admin.post("/admin/people/li.na/password", data={"password": "another one"})

    assert client.post("/sign-in", data={"username": "li.na", "password": PASSWORD}).status_code == 401
    assert client.post("/sign-in", data={"username": "li.na", "password": "another one"}).status_code == 302


def test_an_unknown_user_is_not_found(admin: FlaskClient) -> None:
    assert admin.get("/admin/people/nobody").status_code == 404


def test_a_name_is_shown_as_text_whatever_it_holds(admin: FlaskClient, make_user: MakeUser) -> None:
    make_user("li.na", name="<script>alert(1)</script>")

    assert "<script>alert(1)" not in admin.get("/admin/people").text
