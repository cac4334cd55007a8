"""Actors: the people and groups behind usernames and group ids, read once for a whole page."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from people import service as people
from people.models import Group, Membership, Role, User


@dataclass(frozen=True, slots=True)
class Named:
    """A person, as pages show one."""

    username: str
    name: str


@dataclass(frozen=True, slots=True)
class Actors:
    """Names of users, labels of groups, and who works in which group."""

    names: dict[str, str] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    members: dict[str, Sequence[Named]] = field(default_factory=dict)

    def name(self, username: str) -> str:
        """Return the full name, or the username of somebody who is gone."""
        return self.names.get(username, username)

    def group_label(self, group_id: str, locale: str) -> str:
        """Return the group's name in the language `locale`."""
        group = self.groups.get(group_id)
        return group.label(locale) if group is not None else group_id

    def who(self, group_ids: Iterable[str], usernames: Iterable[str] = ()) -> list[Named]:
        """Return the members of the groups and the users themselves, each once."""
        found: dict[str, Named] = {}
        for group_id in group_ids:
            for person in self.members.get(group_id, ()):
                found.setdefault(person.username, person)
        for username in usernames:
            found.setdefault(username, Named(username, self.name(username)))
        return list(found.values())


def actors(session: Session, usernames: Collection[str | None], group_ids: Collection[str]) -> Actors:
    """Return what pages need to know of these users and groups; three queries, however many there are."""
    wanted = {username for username in usernames if username}
    members: dict[str, list[Named]] = {}
    rows = session.execute(
        select(Membership.group_id, User.username, User.name)
        .join(User, User.username == Membership.username)
        .where(Membership.group_id.in_(set(group_ids)), User.active)
        .order_by(User.name)
    )
    for group_id, username, name in rows:
        members.setdefault(group_id, []).append(Named(username, name))
    groups = session.scalars(select(Group).where(Group.id.in_(set(group_ids))))
    return Actors(
        names=people.names(session, wanted),
        groups={group.id: group for group in groups},
        members={group_id: tuple(persons) for group_id, persons in members.items()},
    )


def everybody(session: Session) -> list[Named]:
    """Return all active people by name: to whom a task can be given."""
    persons = select(User.username, User.name).where(User.active, User.role != Role.WORKER)
    rows = session.execute(persons.order_by(User.name))
    return [Named(username, name) for username, name in rows]
