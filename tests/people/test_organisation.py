"""Loading the organisation that a library assigns its work to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from database import transaction
from people import organisation, service
from people.errors import InvalidOrganisation, SignInRefused
from tests.conftest import MONDAY

ORGANISATION: dict[str, Any] = {
    "groups": [{"id": "业务接待员", "name_en": "Receptionist"}, {"id": "业务主管", "name_en": "Business supervisor"}],
    "users": [
        {"username": "wang.fang", "name": "王芳", "password_demo": True, "groups": ["业务接待员"], "role": "staff"},
        {"username": "song.ping", "name": "宋萍", "groups": ["业务接待员", "业务主管"], "role": "process owner"},
    ],
}


def load(session: Session, directory: Path, content: object, password: str = "baton") -> None:
    """Write the file and load it."""
    path = directory / "organisation.json"
    path.write_text(json.dumps(content))
    with transaction(session):
        organisation.load(session, organisation.read(path), password=password, at=MONDAY)


def test_users_come_with_their_groups_roles_and_the_given_password(session: Session, tmp_path: Path) -> None:
    load(session, tmp_path, ORGANISATION)

    user = service.authenticate(session, "song.ping", "baton")
    assert (user.name, user.role, user.group_ids) == ("宋萍", "process owner", {"业务接待员", "业务主管"})
    assert [user.username for user in service.members(session, ["业务主管"])] == ["song.ping"]
    assert [group.label("en") for group in service.list_groups(session)] == ["Business supervisor", "Receptionist"]


def test_loading_again_changes_nobody(session: Session, tmp_path: Path) -> None:
    load(session, tmp_path, ORGANISATION)
    load(session, tmp_path, ORGANISATION, password="another")

    assert len(service.list_users(session)) == 2
    with pytest.raises(SignInRefused):
        service.authenticate(session, "wang.fang", "another")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ({"groups": []}, "users"),
        ({"groups": [], "users": [{"username": "x", "name": "x", "role": "emperor"}]}, "role"),
        ({"groups": [], "users": [{"username": "x", "name": "x", "groups": ["没有"]}]}, "没有"),
    ],
)
def test_a_file_that_cannot_be_right_is_refused_and_nothing_is_made(
    session: Session, tmp_path: Path, content: object, complaint: str
) -> None:
    with pytest.raises(InvalidOrganisation, match=complaint):
        load(session, tmp_path, content)

    assert list(service.list_users(session)) == []
