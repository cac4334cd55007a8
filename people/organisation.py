"""The organisation file: the groups and users that a library of processes assigns its work to."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy.orm import Session

from people import passwords, service
from people.errors import InvalidOrganisation
from people.models import Group, Role, User


class OrganisationGroup(BaseModel):
    """A group as the file declares it."""

    model_config = ConfigDict(extra="forbid")

    id: str
    name_en: str = ""


class OrganisationUser(BaseModel):
    """A user as the file declares it; passwords are never in the file."""

    model_config = ConfigDict(extra="ignore")

    username: str
    name: str
    groups: list[str] = []
    role: Role = Role.STAFF


class Organisation(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="ignore")

    groups: list[OrganisationGroup]
    users: list[OrganisationUser]


def read(path: Path) -> Organisation:
    """Return the organisation in the JSON file at `path`; raises InvalidOrganisation with what is wrong where."""
    try:
        return Organisation.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise InvalidOrganisation(f"{path}: {error}") from error


def load(session: Session, organisation: Organisation, *, password: str, at: datetime) -> list[User]:
    """Make the groups and users that do not exist yet, all with the same `password`; others stay as they are."""
    for group in organisation.groups:
        if session.get(Group, group.id) is None:
            service.save_group(session, group.id, group.name_en)
    groups = {group.id: group for group in service.list_groups(session)}
    # One hash for all of them: a password that everybody is told needs no salt of its own.
    password_hash = passwords.hash_password(password)
    users = []
    for entry in organisation.users:
        user = session.get(User, entry.username)
        if user is None:
            unknown = [group_id for group_id in entry.groups if group_id not in groups]
            if unknown:
                raise InvalidOrganisation(f"The user {entry.username} is in unknown groups: {', '.join(unknown)}.")
            user = User(
                username=entry.username,
                name=entry.name,
                password_hash=password_hash,
                role=entry.role.value,
                active=True,
                created_at=at,
                groups=[groups[group_id] for group_id in entry.groups],
            )
            session.add(user)
        users.append(user)
    session.flush()
    return users
