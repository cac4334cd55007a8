from __future__ import annotations

from flask.testing import FlaskClient

from tests.conftest import PASSWORD, MakeUser


def test_the_right_password_opens_the_door(client: FlaskClient, make_user: MakeUser) -> None:
    make_user("wang.fang", name="王芳")

    answer = client.post("/sign-in", data={"username": "wang.fang", "password": PASSWORD})

    assert answer.status_code == 302
    assert "王芳" in client.get("/profile").text
