"""What managers enter into the forms of the control room: values of variables, as text or as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from cockpit.errors import InvalidValue
from database import dumps, loads

#: Rows for variables that a form offers beyond those that are filled.
SPARE_ROWS = 2


@dataclass(frozen=True, slots=True)
class Entered:
    """One row of a form: a variable's name, and its value as it was typed."""

    name: str = ""
    kind: str = "text"
    text: str = ""

    @classmethod
    def of(cls, name: str, value: object) -> Entered:
        """Return the row that would set a variable to what it is."""
        return cls(name, "text", value) if isinstance(value, str) else cls(name, "json", dumps(value))


def value(kind: str, text: str) -> object:
    """Return the value that was typed, `kind` being `text` or `json`; raises InvalidValue."""
    if kind == "text":
        return text
    try:
        return loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidValue(f"The value is not JSON: {error}") from error


def rows(form: MultiDict[str, str]) -> list[Entered]:
    """Return the rows that were filled: the parallel fields `name`, `kind` and `value`."""
    given = zip(form.getlist("name"), form.getlist("kind"), form.getlist("value"), strict=False)
    return [Entered(name.strip(), kind, text) for name, kind, text in given if name.strip() or text.strip()]


def variables(entered: list[Entered]) -> dict[str, Any]:
    """Return the variables of the rows; raises InvalidValue."""
    found: dict[str, Any] = {}
    for row in entered:
        if not row.name:
            raise InvalidValue("A variable needs a name.")
        found[row.name] = value(row.kind, row.text)
    return found
