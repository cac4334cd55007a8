"""The places that the page head leads to, each for those whom it serves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext
from flask_login import login_required
from werkzeug.exceptions import HTTPException

from people.login import signed_in_user
from people.models import User
from people.permissions import may_administer, may_manage, may_set_calendar


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the navigation."""

    path: str
    label: str
    allowed: Callable[[User], bool]
    #: Where pages that belong to it are besides.
    also: str | None = None

    @property
    def is_current(self) -> bool:
        """Whether the page shown is this place or lies below it."""
        beginnings = [path for path in (self.path, self.also) if path]
        return any(request.path == path or request.path.startswith(f"{path}/") for path in beginnings)


_PLACES = (
    Place("/tasks", lazy_gettext("Worklist"), lambda user: True),
    Place("/start", lazy_gettext("Start"), lambda user: True),
    Place("/instances", lazy_gettext("Cases"), lambda user: True, also="/batches"),
    Place("/stalled", lazy_gettext("Stalled"), may_manage),
    Place("/processes", lazy_gettext("Processes"), lambda user: True),
    Place("/calendar", lazy_gettext("Calendar"), may_set_calendar),
    Place("/admin/people", lazy_gettext("People"), may_administer),
)


def places(user: User) -> list[Place]:
    """Return where `user` may go from every page."""
    return [place for place in _PLACES if place.allowed(user) and _exists(place.path)]


@login_required
def home() -> ResponseReturnValue:
    """Lead to the user's first place."""
    return redirect(places(signed_in_user())[0].path)


def here() -> str:
    """Return the address at which this page, or the one whose form was refused, is shown again."""
    if request.method == "GET":
        return request.full_path
    came_from = urlsplit(request.referrer or "")
    if _exists(request.path):
        return request.path
    if came_from.netloc == request.host and _exists(came_from.path):
        return came_from._replace(scheme="", netloc="", fragment="").geturl()
    return url_for("home")


def _exists(path: str) -> bool:
    try:
        current_app.url_map.bind("localhost").match(path, method="GET")
    except HTTPException:
        return False
    return True
