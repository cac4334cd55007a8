"""Users and groups as the API lists them: people see who shares a group with them; who sees all cases, everybody."""

from __future__ import annotations

from sqlalchemy import ColumnElement, func, or_, select, true
from sqlalchemy.orm import Session

from database.rest import Listing, Results, matching
from people.errors import Forbidden, GroupNotFound, UserNotFound
from people.models import Group, Membership, User
from people.permissions import may_see_all
from people.shapes import GroupQuery, GroupShape, MemberQuery, MemberShape, UserQuery, UserShape

_USERS: Listing[User] = Listing(
    User.username.expression, {"username": User.username.expression, "name": User.name.expression}
)
_GROUP_NAME = func.coalesce(func.nullif(Group.name_en, ""), Group.id)
_GROUPS: Listing[Group] = Listing(Group.id.expression, {"groupId": Group.id.expression, "name": _GROUP_NAME})
_MEMBERS: Listing[Membership] = Listing(Membership.username.expression, {"username": Membership.username.expression})


def users(session: Session, asking: User, query: UserQuery) -> Results[UserShape]:
    """Return the active users whom `asking` may see and `query` asks for; raises InvalidCursor."""
    columns = {"username": User.username, "name": User.name}
    rows = select(User.username, User.name).where(User.active, _visible(asking), *matching(query.filter, columns))
    return _USERS.find(session, rows, query, lambda row: UserShape(username=row[0], name=row[1]))


def user(session: Session, asking: User, username: str) -> UserShape:
    """Return a user whom `asking` may see; raises UserNotFound, Forbidden."""
    if session.get(User, username) is None:
        raise UserNotFound(username)
    query = select(User.username, User.name).where(User.username == username, _visible(asking))
    row = session.execute(query).one_or_none()
    if row is None:
        raise Forbidden("You share no group with this person.")
    return UserShape(username=row[0], name=row[1])


def groups(session: Session, query: GroupQuery) -> Results[GroupShape]:
    """Return the groups that `query` asks for; raises InvalidCursor."""
    columns = {"group_id": Group.id, "name": _GROUP_NAME}
    rows = select(Group.id, _GROUP_NAME).where(*matching(query.filter, columns))
    return _GROUPS.find(session, rows, query, lambda row: GroupShape(group_id=row[0], name=row[1]))


def group(session: Session, group_id: str) -> GroupShape:
    """Return a group; raises GroupNotFound."""
    found = session.get(Group, group_id)
    if found is None:
        raise GroupNotFound(group_id)
    return GroupShape(group_id=found.id, name=found.name_en or found.id)


def members(session: Session, asking: User, group_id: str, query: MemberQuery) -> Results[MemberShape]:
    """Return the active members of a group whom `asking` may see; raises GroupNotFound, InvalidCursor."""
    group(session, group_id)
    rows = (
        select(Membership.username)
        .join(User, User.username == Membership.username)
        .where(Membership.group_id == group_id, User.active, _visible(asking))
    )
    return _MEMBERS.find(session, rows, query, lambda username: MemberShape(username=username))


def _visible(asking: User) -> ColumnElement[bool]:
    if may_see_all(asking):
        return true()
    return or_(User.username == asking.username, User.groups.any(Group.id.in_(asking.group_ids)))
