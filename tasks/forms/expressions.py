"""FEEL in forms: conditions, computed values, limits and options, against the data of the form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import feel
from database import loads


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression at one place of a form sees, and the surroundings that it is evaluated in."""

    names: Mapping[str, Any]
    environment: feel.Environment

    def evaluate(self, text: str) -> Any:
        """Return the value of FEEL `text` (a leading `=` is ignored) as JSON data.

        What cannot be evaluated is null, as in the browser: somebody who fills in a form cannot repair its expressions.
        """
        try:
            value = feel.parse(text.removeprefix("=")).evaluate(self.names, self.environment).value
        except feel.FeelError:
            return None
        # By way of text, which keeps all digits.
        return loads(feel.dumps(value))

    @property
    def today(self) -> date:
        """The current date in the company's time zone."""
        return self.environment.now.astimezone(self.environment.zone).date()


def is_expression(value: Any) -> bool:
    """Return whether a property of a schema is FEEL and not plain text."""
    return isinstance(value, str) and value.startswith("=")


def problem(text: str) -> str | None:
    """Return what is wrong with FEEL `text` (a leading `=` is ignored), or None."""
    try:
        feel.parse(text.removeprefix("="))
    except feel.FeelError as error:
        return str(error)
    return None
