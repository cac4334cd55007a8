"""Pages of the people room: sign in and out, the own profile, users and groups."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user, login_required, login_user, logout_user

from database import transaction
from database.extension import db
from people import login, service
from people.errors import Forbidden, InvalidUser, SignInRefused, TooManyAttempts, UsernameTaken
from people.login import signed_in_user
from people.models import Role
from people.permissions import may_administer

blueprint = Blueprint("people", __name__, template_folder="templates")

#: The cookie that keeps the language of somebody who has not signed in.
LOCALE_COOKIE = "baton_locale"

_YEAR_SECONDS = 365 * 24 * 3600


@blueprint.get("/sign-in")
def sign_in() -> ResponseReturnValue:
    """Ask who it is."""
    if current_user.is_authenticated:
        return redirect(local_target(request.args.get("next")))
    return render_template("people/sign_in.html", username="", error=None)


@blueprint.post("/sign-in")
def sign_in_submit() -> ResponseReturnValue:
    """Open a session."""
    username = request.form.get("username", "").strip()
    try:
        user = login.sign_in(username, request.form.get("password", ""), request.remote_addr or "")
    except SignInRefused:
        error, status = _("The username or the password is wrong."), 401
    except TooManyAttempts:
        error, status = _("Too many failed attempts. Please try again in 15 minutes."), 429
    else:
        login_user(user)
        return redirect(local_target(request.args.get("next")))
    return render_template("people/sign_in.html", username=username, error=error), status


@blueprint.post("/sign-out")
@login_required
def sign_out() -> ResponseReturnValue:
    """End the session."""
    logout_user()
    return redirect(url_for("people.sign_in"))


@blueprint.post("/language")
def set_language() -> ResponseReturnValue:
    """Change the language of the pages, for the user or at least for this browser."""
    locale = request.form.get("locale", "")
    if locale not in service.LOCALES:
        raise InvalidUser("locale", "The pages speak Chinese (zh) and English (en).")
    if current_user.is_authenticated:
        with transaction(db.session()) as session:
            service.set_locale(session, signed_in_user(), locale)
    response = redirect(local_target(request.form.get("next")))
    response.set_cookie(
        LOCALE_COOKIE, locale, max_age=_YEAR_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure
    )
    return response


@blueprint.get("/profile")
@login_required
def profile() -> ResponseReturnValue:
    """Show the user's own data."""
    return render_template("people/profile.html", errors={})


@blueprint.post("/profile/password")
@login_required
def change_password() -> ResponseReturnValue:
    """Let the user choose a new password."""
    user, new = signed_in_user(), request.form.get("password", "")
    if new != request.form.get("repeated", ""):
        return render_template("people/profile.html", errors={"repeated": _("The two passwords differ.")}), 400
    try:
        with transaction(db.session()) as session:
            service.change_password(session, user, request.form.get("current", ""), new)
    except InvalidUser as error:
        return render_template("people/profile.html", errors={error.field: _sentence(error)}), 400
    # The change has ended all sessions of the user; this one goes on.
    login_user(service.get_user(db.session(), user.username))
    flash(_("Your password is changed."))
    return redirect(url_for("people.profile"))


@blueprint.get("/admin/people")
@login_required
def users() -> ResponseReturnValue:
    """List users and groups."""
    _require_administration()
    return _users_page()


@blueprint.post("/admin/people")
@login_required
def create_user() -> ResponseReturnValue:
    """Make a user."""
    _require_administration()
    form = request.form
    try:
        with transaction(db.session()) as session:
            user = service.create_user(
                session,
                username=form.get("username", "").strip(),
                name=form.get("name", ""),
                password=form.get("password", ""),
                role=form.get("role", Role.STAFF.value),
                groups=form.getlist("groups"),
                at=login.now(),
            )
    except InvalidUser as error:
        return _users_page({error.field: _sentence(error)}), 400
    except UsernameTaken:
        return _users_page({"username": _("There is a user of that name already.")}), 409
    flash(_("%(name)s can sign in now.", name=user.name))
    return redirect(url_for("people.users"))


@blueprint.get("/admin/people/<username>")
@login_required
def user(username: str) -> ResponseReturnValue:
    """Show one user for changing."""
    _require_administration()
    return _user_page(username)


@blueprint.post("/admin/people/<username>")
@login_required
def update_user(username: str) -> ResponseReturnValue:
    """Change a user's name, role, groups, and whether they may sign in."""
    form = request.form
    try:
        with transaction(db.session()) as session:
            changed = service.update_user(
                session,
                signed_in_user(),
                username,
                name=form.get("name", ""),
                role=form.get("role", ""),
                active="active" in form,
                groups=form.getlist("groups"),
            )
    except InvalidUser as error:
        return _user_page(username, {error.field: _sentence(error)}), 400
    flash(_("%(name)s is saved.", name=changed.name))
    return redirect(url_for("people.users"))


@blueprint.post("/admin/people/<username>/password")
@login_required
def reset_password(username: str) -> ResponseReturnValue:
    """Give a user a new password."""
    try:
        with transaction(db.session()) as session:
            service.reset_password(session, signed_in_user(), username, request.form.get("password", ""))
    except InvalidUser as error:
        return _user_page(username, {error.field: _sentence(error)}), 400
    flash(_("The new password is set; the user has to sign in again."))
    if username == signed_in_user().username:
        login_user(service.get_user(db.session(), username))
    return redirect(url_for("people.user", username=username))


@blueprint.post("/admin/groups")
@login_required
def save_group() -> ResponseReturnValue:
    """Make a group, or change its English name."""
    form = request.form
    try:
        with transaction(db.session()) as session:
            group = service.create_group(session, signed_in_user(), form.get("group_id", ""), form.get("name_en", ""))
    except InvalidUser as error:
        _require_administration()
        return _users_page({error.field: _sentence(error)}), 400
    flash(_("The group %(group)s is saved.", group=group.id))
    return redirect(url_for("people.users"))


def _require_administration() -> None:
    if not may_administer(signed_in_user()):
        raise Forbidden("Only administrators change users and groups.")


def _users_page(errors: dict[str, str] | None = None) -> str:
    session = db.session()
    return render_template(
        "people/users.html",
        users=service.list_users(session),
        groups=service.list_groups(session),
        roles=list(Role),
        errors=errors or {},
        form=request.form,
    )


def _user_page(username: str, errors: dict[str, str] | None = None) -> str:
    session = db.session()
    return render_template(
        "people/user.html",
        user=service.get_user(session, username),
        groups=service.list_groups(session),
        roles=list(Role),
        errors=errors or {},
    )


def _sentence(error: InvalidUser) -> str:
    sentences = {
        "username": _("A username has letters, digits and . _ - @ only, at most 100 of them."),
        "password": _("A password has at least 8 characters."),
        "current": _("This is not your current password."),
        "name": _("A name is needed, of at most 100 characters."),
        "group_id": _("A group needs a name of at most 100 characters."),
        "groups": _("One of these groups does not exist any more."),
        "role": _("This role cannot be given: unknown, or you would take your own administration away."),
    }
    return str(sentences.get(error.field, error))


def local_target(target: str | None) -> str:
    """Return the address to go on to: `target` when it is a path of ours, else the start."""
    # Only a path of our own: a link from elsewhere must not lead on from here to another site.
    if target and target.startswith("/") and not target.startswith(("//", "/\\")) and not urlsplit(target).netloc:
        return target
    return url_for("home")
