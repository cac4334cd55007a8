"""Users and groups as the API shows them (Camunda 8.9's shapes)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from database.rest import Request, SearchQuery, Shape, TextCondition


class UserShape(Shape):
    """A person; there are no mail addresses here."""

    username: str
    name: str | None
    email: str | None = None


class UserFilter(Request):
    """What users are searched by; all that is given must hold."""

    username: TextCondition | None = None
    name: TextCondition | None = None


class UserQuery(SearchQuery[UserFilter, Literal["username", "name"]]):
    """A search of users."""


class GroupShape(Shape):
    """A group; the id is the role's name as diagrams write it, the name its English one where there is one."""

    group_id: str
    name: str
    description: str | None = None


class GroupFilter(Request):
    """What groups are searched by; all that is given must hold."""

    group_id: TextCondition | None = None
    name: TextCondition | None = None


class GroupQuery(SearchQuery[GroupFilter, Literal["groupId", "name"]]):
    """A search of groups."""


class MemberShape(Shape):
    """Somebody in a group."""

    username: str


class NoFilter(Request):
    """Nothing to search by."""


class MemberQuery(SearchQuery[NoFilter, Literal["username"]]):
    """A search of the members of a group."""


class MyselfShape(Shape):
    """Who is signed in; the roles are ours."""

    username: str
    display_name: str | None
    groups: list[str]
    roles: list[str]
    email: str | None = None
    authorized_components: list[str] = Field(default_factory=list)
    tenants: list[str] = Field(default_factory=list)
    sales_plan_type: str | None = None
    c8_links: dict[str, str] = Field(default_factory=dict, alias="c8Links")
    can_logout: bool = True
