"""Use cases of users and groups: make them, change them, sign in."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from database import advisory
from people import passwords
from people.errors import Forbidden, InvalidUser, SignInRefused, TooManyAttempts, UsernameTaken, UserNotFound
from people.models import Group, Role, SignInFailure, User
from people.permissions import may_administer

#: Failed attempts for one username from one address before more are refused without looking at the password.
FAILURE_LIMIT = 5

#: How long failed attempts count, from the latest one on.
FAILURE_WINDOW = timedelta(minutes=15)

#: Languages of the pages.
LOCALES = ("zh", "en")

_ADMINISTRATORS = "Only administrators change users and groups."

_USERNAME = re.compile(r"[\w.@-]{1,100}")


def create_user(
    session: Session,
    *,
    username: str,
    name: str,
    password: str,
    at: datetime,
    role: str = Role.STAFF.value,
    groups: Collection[str] = (),
) -> User:
    """Make a user who can sign in from `at` on; raises UsernameTaken, or InvalidUser with the field that is wrong."""
    if not _USERNAME.fullmatch(username):
        raise InvalidUser("username", "A username has letters, digits and . _ - @ only, at most 100 of them.")
    _require_password(password)
    advisory.hold(session, advisory.Kind.PEOPLE)
    if session.get(User, username) is not None:
        raise UsernameTaken(username)
    user = User(
        username=username,
        name=_name(name),
        password_hash=passwords.hash_password(password),
        role=_role(role).value,
        active=True,
        created_at=at,
        groups=_groups(session, groups),
    )
    session.add(user)
    session.flush()
    return user


def get_user(session: Session, username: str) -> User:
    """Return the user; raises UserNotFound."""
    user = session.get(User, username)
    if user is None:
        raise UserNotFound(username)
    return user


def list_users(session: Session) -> Sequence[User]:
    """Return all users, the active ones first, by username."""
    return session.scalars(select(User).order_by(User.active.desc(), User.username)).all()


def list_groups(session: Session) -> Sequence[Group]:
    """Return all groups by id."""
    return session.scalars(select(Group).order_by(Group.id)).all()


def members(session: Session, group_ids: Collection[str]) -> Sequence[User]:
    """Return the active users who work in any of the groups, by username."""
    return session.scalars(
        select(User).where(User.active, User.groups.any(Group.id.in_(group_ids))).order_by(User.username)
    ).all()


def names(session: Session, usernames: Collection[str]) -> dict[str, str]:
    """Return the full names of those of the users who exist."""
    users = session.execute(select(User.username, User.name).where(User.username.in_(usernames)))
    return {user.username: user.name for user in users}


def check_allowed(session: Session, username: str, address: str, at: datetime) -> None:
    """Raise TooManyAttempts when sign-in as `username` from `address` has failed too often before `at`."""
    failure = session.get(SignInFailure, (username[:100], address[:100]))
    if failure is not None and failure.failures >= FAILURE_LIMIT and failure.last_at + FAILURE_WINDOW > at:
        raise TooManyAttempts(failure.last_at + FAILURE_WINDOW)


def authenticate(session: Session, username: str, password: str) -> User:
    """Return the active user with this password; raises SignInRefused, after the same time for every reason."""
    user = session.get(User, username)
    if user is None:
        passwords.waste_time(password)
        raise SignInRefused
    if not passwords.matches(user.password_hash, password) or not user.active:
        raise SignInRefused
    return user


def note_success(session: Session, user: User, password: str, address: str) -> None:
    """Forget the failed attempts of `user` from `address`, and renew a password hash made with older parameters."""
    session.execute(
        delete(SignInFailure).where(SignInFailure.username == user.username, SignInFailure.address == address[:100])
    )
    if passwords.is_outdated(user.password_hash):
        user.password_hash = passwords.hash_password(password)
    session.flush()


def note_failure(session: Session, username: str, address: str, at: datetime) -> None:
    """Count a failed attempt at `at`; attempts that no longer count are removed."""
    # One attempt at a time: many at once would count as one, and two would each remove what no longer counts.
    advisory.hold(session, advisory.Kind.SIGN_IN)
    session.execute(delete(SignInFailure).where(SignInFailure.last_at <= at - FAILURE_WINDOW))
    failure = session.get(SignInFailure, (username[:100], address[:100]))
    if failure is None:
        session.add(SignInFailure(username=username[:100], address=address[:100], failures=1, last_at=at))
    else:
        failure.failures += 1
        failure.last_at = at
    session.flush()


def change_password(session: Session, user: User, current: str, new: str) -> None:
    """Let `user` choose a new password; raises InvalidUser for `current` or `password`; other sessions end."""
    stored = get_user(session, user.username)
    if not passwords.matches(stored.password_hash, current):
        raise InvalidUser("current", "This is not your current password.")
    _set_password(session, stored, new)


def reset_password(session: Session, admin: User, username: str, new: str) -> None:
    """Give a user a new password, which ends their sessions; raises Forbidden, UserNotFound, InvalidUser."""
    _require_admin(admin)
    _set_password(session, get_user(session, username), new)


def update_user(
    session: Session, admin: User, username: str, *, name: str, role: str, active: bool, groups: Collection[str]
) -> User:
    """Change what a user is and does; raises Forbidden, UserNotFound, InvalidUser.

    Administrators cannot deactivate themselves or give up their role, so that one is always left.
    """
    # Two administrators who take each other's role away at once: the second is none any more.
    advisory.hold(session, advisory.Kind.PEOPLE)
    session.expire_all()
    admin = get_user(session, admin.username)
    if not admin.active:
        raise Forbidden(_ADMINISTRATORS)
    _require_admin(admin)
    user = get_user(session, username)
    if user.username == admin.username and (not active or role != Role.ADMIN):
        raise InvalidUser("role", "You cannot take your own administration away; ask another administrator.")
    if user.active and not active:
        user.credentials_version += 1
    user.name, user.role, user.active = _name(name), _role(role).value, active
    user.groups = _groups(session, groups)
    session.flush()
    return user


def set_locale(session: Session, user: User, locale: str) -> None:
    """Let the pages speak `locale` to the user from now on; raises InvalidUser for an unknown language."""
    if locale not in LOCALES:
        raise InvalidUser("locale", "The pages speak Chinese (zh) and English (en).")
    get_user(session, user.username).locale = locale
    session.flush()


def create_group(session: Session, admin: User, group_id: str, name_en: str) -> Group:
    """Make a group, or give an existing one another English name; raises Forbidden, InvalidUser."""
    _require_admin(admin)
    return save_group(session, group_id, name_en)


def save_group(session: Session, group_id: str, name_en: str) -> Group:
    """Make a group, or give an existing one another English name; raises InvalidUser for an empty id."""
    group_id = group_id.strip()
    if not group_id or len(group_id) > 100:
        raise InvalidUser("group_id", "A group needs a name of at most 100 characters.")
    advisory.hold(session, advisory.Kind.PEOPLE)
    group = session.get(Group, group_id)
    if group is None:
        group = Group(id=group_id)
        session.add(group)
    group.name_en = name_en.strip()[:100]
    session.flush()
    return group


def _set_password(session: Session, user: User, password: str) -> None:
    _require_password(password)
    user.password_hash = passwords.hash_password(password)
    user.credentials_version += 1
    session.flush()


def _require_admin(user: User) -> None:
    if not may_administer(user):
        raise Forbidden(_ADMINISTRATORS)


def _require_password(password: str) -> None:
    if not passwords.MINIMUM_LENGTH <= len(password) <= passwords.MAXIMUM_LENGTH:
        raise InvalidUser("password", f"A password has at least {passwords.MINIMUM_LENGTH} characters.")


def _name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > 100:
        raise InvalidUser("name", "A user needs a name of at most 100 characters.")
    return name


def _role(role: str) -> Role:
    try:
        return Role(role)
    except ValueError:
        raise InvalidUser("role", f"There is no role {role}; there are {', '.join(Role)}.") from None


def _groups(session: Session, group_ids: Collection[str]) -> list[Group]:
    found = list(session.scalars(select(Group).where(Group.id.in_(group_ids)).order_by(Group.id)))
    missing = set(group_ids) - {group.id for group in found}
    if missing:
        raise InvalidUser("groups", f"There is no group {', '.join(sorted(missing))}.")
    return found
