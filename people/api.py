"""JSON endpoints of people: users and groups, and who one is oneself."""

from __future__ import annotations

from flask import Blueprint

from database.extension import db
from database.rest import Results, endpoint
from people import search
from people.login import signed_in_user
from people.shapes import (
    GroupQuery,
    GroupShape,
    MemberQuery,
    MemberShape,
    MyselfShape,
    UserQuery,
    UserShape,
)

blueprint = Blueprint("people_api", __name__, url_prefix="/v2")


@blueprint.get("/authentication/me")
@endpoint
def get_authentication() -> MyselfShape:
    """Get who you are and in which groups you work."""
    user = signed_in_user()
    return MyselfShape(username=user.username, display_name=user.name, groups=sorted(user.group_ids), roles=[user.role])


@blueprint.post("/users/search")
@endpoint
def search_users(query: UserQuery) -> Results[UserShape]:
    """Search the users whom you may see."""
    return search.users(db.session(), signed_in_user(), query)


@blueprint.get("/users/<username>")
@endpoint
def get_user(username: str) -> UserShape:
    """Get a user."""
    return search.user(db.session(), signed_in_user(), username)


@blueprint.post("/groups/search")
@endpoint
def search_groups(query: GroupQuery) -> Results[GroupShape]:
    """Search groups."""
    return search.groups(db.session(), query)


@blueprint.get("/groups/<group_id>")
@endpoint
def get_group(group_id: str) -> GroupShape:
    """Get a group."""
    return search.group(db.session(), group_id)


@blueprint.post("/groups/<group_id>/users/search")
@endpoint
def search_users_for_group(group_id: str, query: MemberQuery) -> Results[MemberShape]:
    """Search the members of a group whom you may see."""
    return search.members(db.session(), signed_in_user(), group_id, query)
