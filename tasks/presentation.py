"""How the pages of the tasks room word things: labels of the library in the reader's language, values, errors."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask_babel import format_date, format_datetime, get_locale, lazy_gettext
from flask_babel import gettext as _
from markupsafe import Markup

from database import dumps
from processes import translations
from tasks.forms import Validation
from tasks.forms.shown import Fact

#: The language in which the library is written.
LIBRARY_LANGUAGE = "zh"

#: The folders of the library as people call them.
_FOLDERS = {
    "auto-repair": lazy_gettext("Auto repair"),
    "hr": lazy_gettext("Human resources"),
    "field-service": lazy_gettext("Field service"),
    "sales": lazy_gettext("Sales"),
    "customer-care": lazy_gettext("Customer care"),
    "retail": lazy_gettext("Retail"),
    "reception": lazy_gettext("Reception"),
    "it-service": lazy_gettext("IT service"),
    "media": lazy_gettext("Media"),
    "projects": lazy_gettext("Projects"),
    "property": lazy_gettext("Property"),
    "finance": lazy_gettext("Finance"),
    "hotel": lazy_gettext("Hotel"),
    "": lazy_gettext("Others"),
}


def label(text: str) -> str:
    """Return a label of the library (a name, a group, an option) in the reader's language."""
    return translations.translate(text, _language())


def documentation(text: str) -> str:
    """Return the first line of a process owner's text if there is one in the reader's language, else nothing."""
    translated = label(text)
    if translated == text and _language() != LIBRARY_LANGUAGE:
        return ""
    return translated.strip().partition("\n")[0]


def form(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a form's schema with its labels in the reader's language."""
    return translations.translate_form(schema, _language())


def island_json(value: Any) -> Markup:
    """Return JSON for a script element; other than `tojson` it keeps decimals as numbers with all their digits."""
    text = dumps(value)
    for character in "<>&'":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - nothing is left in it that HTML could read


def folder(name: str) -> str:
    """Return what people call a folder of the library."""
    if name in _FOLDERS:
        return str(_FOLDERS[name])
    return name.rpartition("/")[2].replace("-", " ").capitalize()


def names_matching(search: str, names: Iterable[str]) -> tuple[str, ...]:
    """Return those of `names` whose translation for the reader contains `search`; they are stored untranslated."""
    wanted = search.strip().casefold()
    if not wanted:
        return ()
    return tuple(name for name in names if wanted in label(name).casefold())


def fact(entry: Fact) -> tuple[str, str]:
    """Return a fact's label and value as text for the reader."""
    return label(entry.label), _value(entry.value, entry.type)


def _value(value: Any, kind: str) -> str:
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, list):
        return str(_(", ")).join(_value(item, kind) for item in value)
    if isinstance(value, Decimal | int):
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    if kind == "datetime" and isinstance(value, str):
        return _date(value)
    return label(value) if isinstance(value, str) else ""


def _date(text: str) -> str:
    try:
        if len(text) <= len("2025-03-31"):
            return str(format_date(date.fromisoformat(text), _("d MMM y")))
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    # A form's date and time without a zone is what stood on the clock on the wall.
    return str(format_datetime(moment, _("d MMM y, HH:mm"), rebase=moment.tzinfo is not None))


def errors(validation: Validation) -> dict[str, list[str]]:
    """Return the sentences for each place of a form in the reader's language."""
    return {
        place: [sentence.in_language(label if sentence.from_form else _plain_gettext) for sentence in sentences]
        for place, sentences in validation.errors.items()
    }


def _plain_gettext(message: str) -> str:
    # Placeholders are filled afterwards; gettext would fill them itself only if it was given values.
    return str(_(message))


def _language() -> str:
    return str(get_locale() or LIBRARY_LANGUAGE)
