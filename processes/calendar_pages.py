"""The page of the company's calendar: working hours, days off, extra working days."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_login import login_required

from database import transaction
from database.extension import db
from engine import clock
from engine.errors import NotActive
from people import service as people
from people.login import signed_in_user
from processes import working_hours
from processes.errors import InvalidCalendar
from processes.working_hours import Exceptional, Written

blueprint = Blueprint("calendar", __name__)

#: Why a day is not ordinary, as the calendar names it.
_HOLIDAYS = {
    "New Year's Day": lazy_gettext("New Year's Day"),
    "Chinese New Year's Eve": lazy_gettext("Chinese New Year's Eve"),
    "Chinese New Year (Spring Festival)": lazy_gettext("Spring Festival"),
    "Tomb-Sweeping Day": lazy_gettext("Tomb-Sweeping Day"),
    "Labor Day": lazy_gettext("Labour Day"),
    "Dragon Boat Festival": lazy_gettext("Dragon Boat Festival"),
    "Mid-Autumn Festival": lazy_gettext("Mid-Autumn Festival"),
    "National Day": lazy_gettext("National Day"),
    "Make-up working day": lazy_gettext("make-up working day"),
}


@blueprint.get("/calendar")
@login_required
def show() -> ResponseReturnValue:
    """Show when the company works, and who has changed that."""
    return _page()


@blueprint.post("/calendar")
@login_required
def change() -> ResponseReturnValue:
    """Change when the company works."""
    user, form = signed_in_user(), _entered()
    based_on = request.form.get("based_on", "")
    reason = request.form.get("reason", "")
    try:
        working_hours.require_owner(user)
        if not reason.strip():
            return _page(form, _("Say why: the reason is kept in the history of the calendar."), 400)
        with transaction(db.session()) as session:
            version = int(based_on) if based_on.isdecimal() and len(based_on) < 10 else 0
            working_hours.change(session, user, form, reason, version)
    except InvalidCalendar as refusal:
        return _page(form, _sentence(refusal), 400)
    except NotActive:
        return _page(
            None, _("Somebody has changed the calendar meanwhile. Nothing was saved: this is how it is now."), 409
        )
    flash(_("The calendar is saved. It holds for everything that is reckoned from now on."))
    return redirect(url_for("processes.calendar.show"))


def _page(form: Written | None = None, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    session = db.session()
    working_hours.require_owner(signed_in_user())
    found = working_hours.current(session)
    versions = working_hours.versions(session)
    today = clock.now(session).astimezone(ZoneInfo(current_app.config["ZONE"])).date()
    page = render_template(
        "processes/calendar.html",
        form=form or working_hours.written(found),
        refusal=refusal,
        reason=request.form.get("reason", ""),
        based_on=versions[0].version if versions else 0,
        versions=versions,
        names=people.names(session, {version.set_by for version in versions}),
        special=working_hours.special_days(found, today),
        hours=working_hours.hours,
        why=_why,
    )
    return page, status


def _why(reason: str | None) -> str:
    """Return the reason of a special day in the reader's language; what people have entered stays as it is."""
    if reason is None:
        return ""
    if reason.startswith("Day off (substituted"):
        return str(_("day off in exchange"))
    names = reason.removesuffix(" (observed)").split("; ")
    return ", ".join(str(_HOLIDAYS.get(name, name)) for name in names)


def _entered() -> Written:
    form = request.form
    lines = zip(form.getlist("date"), form.getlist("hours"), form.getlist("why"), strict=False)
    return Written(
        week={weekday: form.get(f"day-{weekday}", "").strip() for weekday in range(1, 8)},
        exceptions=[Exceptional(day.strip(), hours.strip(), why.strip()) for day, hours, why in lines if day.strip()],
        public_holidays=bool(form.get("public_holidays")),
    )


def _sentence(refusal: InvalidCalendar) -> str:
    days = [_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday")]
    text: str = _("The calendar needs at least one working day, and each date only once.")
    if refusal.place:
        text = _(
            "%(place)s: write hours like 08:00-12:00, 13:30-17:30, each ending after it begins, one after the other;"
            " nothing for a day off.",
            place=days[int(refusal.place) - 1] if len(refusal.place) == 1 else refusal.place,
        )
    return text
