"""Reading one entered value: is it of the type that its component holds, and what is it exactly."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from tasks.forms import options
from tasks.forms.components import MANY_OF, ONE_OF, TEXT, Component
from tasks.forms.sentences import Sentence
from tasks.forms.sentences import mark as N_  # noqa: N812 - the catalogue's usual word for a marked message

#: FEEL calculates with 34 digits; a number with more could not be kept exactly.
DIGITS = 34
#: Powers of ten beyond which no amount of a business lies.
MAGNITUDE = 100

NOT_TEXT = N_("This must be text.")
NOT_A_NUMBER = N_("This must be a number.")
TOO_LONG_A_NUMBER = N_("This number has too many digits.")
NOT_YES_OR_NO = N_("This must be yes or no.")
NOT_AN_OPTION = N_("Please choose one of the options.")
NOT_A_LIST = N_("This must be a list.")
NOT_A_DATE = N_("This must be a date, for example 2025-03-31.")
NOT_A_TIME = N_("This must be a time, for example 16:30.")
NOT_A_DATE_TIME = N_("This must be a date and a time, for example 2025-03-31T16:30.")
NO_FILES = N_("Files cannot be uploaded here.")


class Refused(Exception):
    """The value cannot be taken; `sentence` says why."""

    def __init__(self, sentence: Sentence) -> None:
        super().__init__(str(sentence))
        self.sentence = sentence


def empty(component: Component) -> Any:
    """Return the value of a component that nobody has filled in, as the form in the browser sends it."""
    if component.type in TEXT:
        return ""
    if component.type in MANY_OF:
        return []
    return False if component.type == "checkbox" else None


def read(component: Component, value: Any, choices: Callable[[], list[Any]]) -> Any:
    """Return the value that `component` holds when `value` was entered; raises Refused.

    `choices` gives the values that may be chosen; it is only called for components that have options.
    """
    if component.type in ONE_OF:
        return _one_of(value, choices)
    if component.type in MANY_OF:
        return _many_of(value, choices)
    return _READERS[component.type](component, value)


def _text(component: Component, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Refused(Sentence(NOT_TEXT))
    return re.sub(r"[\r\n\t]", " ", value) if component.type == "textfield" else value


def _number(component: Component, value: Any) -> Any:
    if value is None or value == "":
        return None
    as_text = component.properties.get("serializeToString") is True
    number = as_decimal(value) if as_text or not isinstance(value, str) else None
    if number is None:
        raise Refused(Sentence(NOT_A_NUMBER))
    if len(number.as_tuple().digits) > DIGITS or abs(number.adjusted()) > MAGNITUDE:
        raise Refused(Sentence(TOO_LONG_A_NUMBER))
    if as_text:
        return value if isinstance(value, str) else str(number)
    return value if isinstance(value, int) else number


def as_decimal(value: Any) -> Decimal | None:
    """Return the finite number that a JSON number or its text means, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    try:
        number = Decimal(repr(value) if isinstance(value, float) else value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _checkbox(component: Component, value: Any) -> bool:
    if value is None:
        return False
    if not isinstance(value, bool):
        raise Refused(Sentence(NOT_YES_OR_NO))
    return value


def _one_of(value: Any, choices: Callable[[], list[Any]]) -> Any:
    if value is None or value == "":
        return None
    if not options.contains(choices(), value):
        raise Refused(Sentence(NOT_AN_OPTION))
    return value


def _many_of(value: Any, choices: Callable[[], list[Any]]) -> list[Any]:
    if value is None or value == "":
        return []
    if not isinstance(value, list):
        raise Refused(Sentence(NOT_A_LIST))
    allowed = choices()
    chosen: list[Any] = []
    for item in value:
        if not options.contains(allowed, item):
            raise Refused(Sentence(NOT_AN_OPTION))
        if not options.contains(chosen, item):
            chosen.append(item)
    return chosen


_DATE = r"\d{4}-\d{2}-\d{2}"
_TIME = r"\d{2}:\d{2}(:\d{2})?"
_ZONES = {"utc_offset": r"(Z|[+-]\d{2}:\d{2})", "utc_normalized": "Z"}


def _datetime(component: Component, value: Any) -> str | None:
    if value is None or value == "":
        return None
    subtype = component.properties.get("subtype", "date")
    zone = _ZONES.get(str(component.properties.get("timeSerializingFormat")), "")
    pattern, parse, message = {
        "time": (_TIME + zone, time.fromisoformat, NOT_A_TIME),
        "datetime": (_DATE + "T" + _TIME + zone, datetime.fromisoformat, NOT_A_DATE_TIME),
    }.get(subtype, (_DATE, date.fromisoformat, NOT_A_DATE))
    if not isinstance(value, str) or not re.fullmatch(pattern, value, re.ASCII):
        raise Refused(Sentence(message))
    try:
        parse(value)
    except ValueError:
        raise Refused(Sentence(message)) from None
    # The form in the browser leaves the seconds out; FEEL reads no time without them.
    return re.sub(r"^((?:.+T)?\d{2}:\d{2})(?!:)", r"\1:00", value)


def _file(component: Component, value: Any) -> None:
    if value is not None and value != "":
        raise Refused(Sentence(NO_FILES))


_READERS: dict[str, Callable[[Component, Any], Any]] = {
    "textfield": _text,
    "textarea": _text,
    "number": _number,
    "checkbox": _checkbox,
    "datetime": _datetime,
    "filepicker": _file,
}
