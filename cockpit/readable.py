"""Readable values: variables as people read them, in the reader's language and the company's zone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from flask_babel import format_date, format_datetime
from flask_babel import gettext as _

from database import dumps

#: Longer texts are cut on the page; the raw value is one click away.
LONGEST = 240


def readable(value: object, labels: Mapping[str, str] | None = None) -> str:
    """Return `value` as one line of text: options and parts by their labels, instants in the company's zone."""
    labels = labels or {}
    match value:
        case None | "":
            return "—"
        case bool():
            return labels.get("true" if value else "false") or (_("yes") if value else _("no"))
        case int() | Decimal() | float():
            return labels.get(str(value), str(value))
        case str():
            return _cut(labels[value] if value in labels else _instant(value) or value)
        case list():
            # Lists of contexts are tables, whose rows have commas of their own.
            between = _("; ") if any(isinstance(item, dict) for item in value) else _(", ")
            return _cut(between.join([readable(item, labels) for item in value])) if value else "—"
        case dict():
            parts = [f"{labels.get(name, name)}: {readable(item, labels)}" for name, item in value.items()]
            return _cut(_(", ").join(parts)) if parts else "—"
        case _:
            return _cut(dumps(value))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def _instant(text: str) -> str | None:
    """The text of a FEEL date or date-time; null: it is neither."""
    if len(text) < len("2026-01-01") or not text[:4].isdigit() or text[4] != "-":
        return None
    try:
        if len(text) == len("2026-01-01"):
            return str(format_date(date.fromisoformat(text), _("d MMM y")))
        # FEEL writes the zone's name after the offset: 2026-01-01T08:00:00+08:00[Asia/Shanghai]
        instant = datetime.fromisoformat(text.partition("[")[0].partition("@")[0])
    except ValueError:
        return None
    # Without a zone the text is local time already and must not be moved.
    moved = instant.tzinfo is not None
    return str(format_datetime(instant, _("d MMM y, HH:mm"), rebase=moved))


def pretty_json(value: object, indent: str = "") -> str:
    """Return `value` as indented JSON text with all digits of its numbers, for those who look behind the page."""
    inner = indent + "  "
    match value:
        case dict() if value:
            parts = [f"{inner}{dumps(str(name))}: {pretty_json(item, inner)}" for name, item in value.items()]
            return "{\n" + ",\n".join(parts) + f"\n{indent}}}"
        case list() | tuple() if value:
            return "[\n" + ",\n".join(f"{inner}{pretty_json(item, inner)}" for item in value) + f"\n{indent}]"
        case _:
            return dumps(value)
