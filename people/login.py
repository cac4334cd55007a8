"""Sign-in as the application sees it: the session cookie for pages, session or HTTP Basic for the API."""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from threading import Lock
from typing import Any, cast

from flask import Flask, Request, current_app, g, request
from flask_login import LoginManager, current_user
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from database.extension import db
from database.prepared import Prepared
from database.session import transaction
from people import permissions, service
from people.errors import SignInRefused, TooManyAttempts
from people.models import Group, Membership, User

#: Path prefixes of the JSON endpoints.
API_PREFIXES = ("/v2/", "/api/")

_EXTENSION = "people_clock"

#: The columns of a user, and of a group.
_USER, _GROUP = (tuple(model.__table__.columns) for model in (User, Group))

#: Every request asks it: the user once for each of their groups.
_BY_NAME = Prepared(
    select(*_USER, *_GROUP)
    .outerjoin(Membership, Membership.username == User.username)
    .outerjoin(Group, Group.id == Membership.group_id)
    .where(User.username == bindparam("name"))
    .order_by(Group.id)
)


def init_app(app: Flask, clock: Callable[[Session], datetime]) -> None:
    """Make `app` know who is asking; `clock` tells the instant (UTC) for a session."""
    manager = LoginManager(app)
    manager.login_view = "people.sign_in"
    manager.login_message = None
    # "strong" would end the session of a phone that moves from one network to the next.
    manager.session_protection = None
    manager.user_loader(_load_user)
    manager.request_loader(_load_from_basic)
    app.extensions[_EXTENSION] = clock


def signed_in_user() -> User:
    """Return the user of this request, to be read only; only for endpoints that require one."""
    return cast(User, current_user._get_current_object())


def known_username() -> str:
    """Return who makes this request as far as it is known by now, else nothing: the database is not asked for it."""
    # Where Flask-Login keeps whom it has loaded; `current_user` would load them, and the database may be away.
    return getattr(g.get("_login_user"), "username", "")


def _known(username: str) -> User | None:
    """Return the user as they are now, apart from the session: what a transaction does there costs no second look."""
    rows = _BY_NAME.rows(db.session().connection(), name=username)
    if not rows:
        return None
    user = User(**{column.key: value for column, value in zip(_USER, rows[0], strict=False)})
    of_groups = [row[len(_USER) :] for row in rows if row[len(_USER)] is not None]
    user.groups = [Group(**{column.key: value for column, value in zip(_GROUP, row, strict=True)}) for row in of_groups]
    return user


def now() -> datetime:
    """Return the current instant (UTC) by the application's clock."""
    clock: Callable[[Session], datetime] = current_app.extensions[_EXTENSION]
    return clock(db.session())


def is_api_request() -> bool:
    """Return whether this request is for a JSON endpoint."""
    return request.path.startswith(API_PREFIXES)


def uses_basic() -> bool:
    """Return whether this request brings its credentials itself, so that it cannot be forged by a link or form."""
    return (
        is_api_request()
        and request.authorization is not None
        and request.authorization.type == "basic"
        # A browser may add credentials that it remembers to what another site makes it send.
        and request.headers.get("Sec-Fetch-Site") in (None, "same-origin", "none")
    )


def refused_attempt() -> TooManyAttempts | None:
    """Return why this request's credentials were not even looked at, if so."""
    refusal: TooManyAttempts | None = g.get("refused_attempt")
    return refusal


def sign_in(username: str, password: str, address: str) -> User:
    """Return the user with this password, counting failures; raises SignInRefused or TooManyAttempts."""
    at = now()
    service.check_allowed(db.session(), username, address, at)
    try:
        user = service.authenticate(db.session(), username, password)
    except SignInRefused:
        with transaction(db.session()) as session:
            service.note_failure(session, username, address, at)
        raise
    with transaction(db.session()) as session:
        service.note_success(session, user, password, address)
    return user


def _load_user(session_id: str) -> User | None:
    version, _, username = session_id.partition(":")
    user = _known(username)
    if user is None or not user.active or str(user.credentials_version) != version:
        return None
    return user


def _load_from_basic(request: Request) -> User | None:
    credentials = request.authorization
    if credentials is None or not uses_basic():
        return None
    username, password = credentials.username or "", credentials.password or ""
    known = _known(username)
    if known is not None and known.active and _verified.holds(known, password):
        return known
    try:
        sign_in(username, password, request.remote_addr or "")
    except SignInRefused:
        return None
    except TooManyAttempts as refusal:
        # Asked for again and again during one request; only `refused_attempt` tells it.
        g.refused_attempt = refusal
        return None
    user = _known(username)
    if user is not None:
        _verified.add(user, password)
    return user


class VerifiedCredentials:
    """Credentials that were verified a short while ago: a client sends them with every request, and argon2 is slow.

    Kept as keyed digests of the password together with its stored hash, so that a new password counts at once.
    """

    def __init__(self, size: int = 1000) -> None:
        self._key = secrets.token_bytes(32)
        self._size = size
        self._entries: OrderedDict[bytes, None] = OrderedDict()
        self._lock = Lock()

    def holds(self, user: User, password: str) -> bool:
        """Return whether this password of this user was verified before."""
        entry = self._digest(user, password)
        with self._lock:
            if entry not in self._entries:
                return False
            self._entries.move_to_end(entry)
            return True

    def add(self, user: User, password: str) -> None:
        """Remember that this is the user's password."""
        with self._lock:
            self._entries[self._digest(user, password)] = None
            if len(self._entries) > self._size:
                self._entries.popitem(last=False)

    def _digest(self, user: User, password: str) -> bytes:
        message = "\0".join((user.username, user.password_hash, password)).encode()
        return hmac.digest(self._key, message, sha256)


_verified = VerifiedCredentials()


def template_globals() -> dict[str, Any]:
    """Return what templates may ask about the user's permissions."""
    return {
        name: getattr(permissions, name)
        for name in ("may_administer", "may_deploy", "may_manage", "may_see_all", "may_start", "may_work")
    }
