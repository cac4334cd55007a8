"""Two administrators, or two attempts to sign in, at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from database import transaction
from people import service
from people.errors import Forbidden, UsernameTaken
from people.models import Group, SignInFailure, User
from tests.at_once import at_once
from tests.conftest import MONDAY, MakeUser

Do = Callable[[Callable[[Session], Any]], Callable[[], Any]]


@pytest.fixture
def do(sessions: sessionmaker[Session]) -> Do:
    """Make of a use case something that opens its own transaction."""

    def prepared(use_case: Callable[[Session], Any]) -> Callable[[], Any]:
        def run() -> Any:
            with sessions() as session, transaction(session):
                return use_case(session)

        return run

    return prepared


def test_a_username_is_given_once(do: Do) -> None:
    def create(session: Session) -> str:
        user = service.create_user(session, username="wang", name="王", password="correct horse", at=MONDAY)
        return user.username

    results = at_once(*[do(create)] * 3)

    assert results.count("wang") == 1
    assert [type(result) for result in results if result != "wang"] == [UsernameTaken] * 2


def test_a_group_comes_into_being_once(do: Do, session: Session) -> None:
    results = at_once(*[do(lambda session: service.save_group(session, "班组", "").id)] * 4)

    assert results == ["班组"] * 4
    assert session.scalars(select(Group.id)).all() == ["班组"]


def test_every_failed_attempt_to_sign_in_counts(do: Do, session: Session) -> None:
    results = at_once(*[do(lambda session: service.note_failure(session, "wang", "10.0.0.1", MONDAY))] * 6)

    assert results == [None] * 6
    assert session.scalar(select(func.sum(SignInFailure.failures))) == 6


def test_two_administrators_who_take_each_others_role_away_leave_one(
    do: Do, make_user: MakeUser, session: Session
) -> None:
    first, second = make_user("first", role="admin"), make_user("second", role="admin")

    def demote(by: User, whom: User) -> Callable[[], Any]:
        return do(
            lambda session: (
                service.update_user(
                    session, by, whom.username, name=whom.name, role="staff", active=True, groups=[]
                ).username
            )
        )

    results = at_once(demote(first, second), demote(second, first))

    assert [type(result) for result in results if isinstance(result, Exception)] == [Forbidden]
    assert session.scalar(select(func.count()).where(User.role == "admin")) == 1
