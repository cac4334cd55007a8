"""Language and time zone of the pages, and how they write instants."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from flask import Flask, current_app, g, has_request_context, request
from flask_babel import Babel, format_datetime, get_locale, get_timezone, ngettext
from flask_babel import gettext as _
from flask_login import current_user
from markupsafe import Markup

from database.extension import db
from engine import clock
from people.pages import LOCALE_COOKIE
from people.service import LOCALES

#: A deadline that is nearer than this is shown as soon due.
SOON = timedelta(hours=4)

_DEFAULT_LOCALE = LOCALES[0]


def init_app(app: Flask, zone: ZoneInfo) -> None:
    """Let the pages of `app` speak the reader's language and show the company's time."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(Path(__file__).parent / "translations")
    app.config["BABEL_DEFAULT_LOCALE"] = _DEFAULT_LOCALE
    Babel(app, locale_selector=select_locale, timezone_selector=lambda: zone.key)
    app.add_template_filter(instant)
    app.add_template_filter(ago)
    app.add_template_filter(due)
    app.add_template_filter(duration)


def select_locale() -> str:
    """Return the language for this request: the user's, the browser's cookie, what the browser asks for, Chinese."""
    if not has_request_context():
        return _DEFAULT_LOCALE
    if current_user and current_user.is_authenticated and current_user.locale in LOCALES:
        return str(current_user.locale)
    if (cookie := request.cookies.get(LOCALE_COOKIE)) in LOCALES:
        return str(cookie)
    return request.accept_languages.best_match(LOCALES) or _DEFAULT_LOCALE


def language() -> str:
    """Return `zh` or `en`."""
    return str(get_locale() or _DEFAULT_LOCALE)


def zone() -> str:
    """Return the IANA name of the company's time zone."""
    return str(get_timezone())


def now() -> datetime:
    """Return the instant (UTC) of this request; the same for the whole page."""
    if "now" not in g:
        g.now = clock.now(db.session())
    value = g.now
    assert isinstance(value, datetime)
    return value


def instant(value: datetime | None) -> Markup:
    """Write an instant shortly, in the company's zone: the year only when it is another one."""
    if value is None:
        return Markup("")
    return _time_element(value, _short(value))


def ago(value: datetime | None) -> Markup:
    """Write how long ago an instant was: `3 hours ago`."""
    if value is None:
        return Markup("")
    passed = now() - value
    if passed < timedelta(minutes=1):
        return _time_element(value, _("just now"))
    return _time_element(value, _("%(duration)s ago", duration=duration(passed)))


def due(value: datetime | None) -> Markup:
    """Write a deadline relative to now, `in 3 days` or `2 hours overdue`, marked when it is late or soon."""
    if value is None:
        return Markup("")
    left = value - now()
    if left < timedelta(0):
        return _time_element(value, _("%(duration)s overdue", duration=duration(-left)), "b-due b-due--late")
    classes = "b-due b-due--soon" if left < SOON else "b-due"
    return _time_element(value, _("in %(duration)s", duration=duration(left)), classes)


def duration(value: timedelta) -> str:
    """Write a positive duration in the one unit that says most: `3 days`, `2 hours`, `5 minutes`."""
    minutes = int(value.total_seconds() // 60)
    if minutes < 60:
        return str(ngettext("%(num)d minute", "%(num)d minutes", max(minutes, 1)))
    if minutes < 48 * 60:
        return str(ngettext("%(num)d hour", "%(num)d hours", minutes // 60))
    return str(ngettext("%(num)d day", "%(num)d days", minutes // (24 * 60)))


def _short(value: datetime) -> str:
    zone = ZoneInfo(current_app.config["ZONE"])
    same_year = value.astimezone(zone).year == now().astimezone(zone).year
    if language() == "zh":
        pattern = "M月d日 HH:mm" if same_year else "y年M月d日 HH:mm"
    else:
        pattern = "d MMM, HH:mm" if same_year else "d MMM y, HH:mm"
    return str(format_datetime(value, pattern))


def _time_element(value: datetime, text: str, classes: str = "") -> Markup:
    return Markup('<time datetime="{}" title="{}" class="{}">{}</time>').format(
        value.isoformat(timespec="seconds"), format_datetime(value, "full"), classes, text
    )
