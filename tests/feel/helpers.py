"""Short ways to evaluate in tests."""

from __future__ import annotations

from typing import Any

import feel


def evaluate(text: str, /, **variables: object) -> Any:
    """The value of an expression with these variables, given as JSON or FEEL values."""
    return feel.parse(text).evaluate(feel.from_json(variables)).value


def as_json(text: str, /, **variables: object) -> Any:
    """The value of an expression as JSON data."""
    return feel.to_json(evaluate(text, **variables))


def warnings_of(text: str, /, **variables: object) -> list[str]:
    """Why parts of an expression became null."""
    result = feel.parse(text).evaluate(feel.from_json(variables))
    return [warning.message for warning in result.warnings]


def refusal(text: str) -> feel.FeelSyntaxError:
    """The syntax error of a text that is not FEEL."""
    try:
        feel.parse(text)
    except feel.FeelSyntaxError as error:
        return error
    raise AssertionError(f"{text!r} was accepted")
