"""FEEL against the variable scopes: what the engine asks of an expression, and how a failure is told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import feel
from engine.errors import ElementFailure
from engine.variables import LONGEST_NAME
from feel.temporal import Date, DateTime, Time, parse_date_time

if TYPE_CHECKING:
    from engine.elements.definitions import MessageDefinition
    from engine.tokens import Token
    from engine.variables import ScopeView


def evaluate_feel(token: Token, text: str, what: str, extra: Mapping[str, Any] | None = None) -> feel.Value:
    """Return the FEEL value of a text as written in the diagram: FEEL after a leading `=`, else the text itself."""
    if not text.startswith("="):
        return text
    execution = token.execution
    return _result(text[1:], execution.variables.view(token, extra), execution.environment, what).value


def evaluate(token: Token, text: str, what: str, extra: Mapping[str, Any] | None = None) -> Any:
    """Return the JSON value of a text as written in the diagram; raises ElementFailure."""
    if not text.startswith("="):
        return text
    value = evaluate_feel(token, text, what, extra)
    try:
        return feel.to_json(value)
    except (TypeError, ValueError) as error:
        sentence = f"The {what} gives a value that cannot be stored: {error}"
        raise ElementFailure("EXTRACT_VALUE_ERROR", sentence, expression=text) from None


def holds(token: Token, condition: str, what: str, extra: Mapping[str, Any] | None = None) -> bool:
    """Return whether a condition is true; anything but true or false is a failure."""
    text = condition.removeprefix("=")
    execution = token.execution
    view = execution.variables.view(token, extra)
    result = _result(text, view, execution.environment, what)
    if isinstance(result.value, bool):
        return result.value
    reasons = "; ".join(warning.message for warning in result.warnings)
    sentence = f"The {what} is {feel.kind(result.value)}, not true or false."
    raise ElementFailure(
        "EXTRACT_VALUE_ERROR",
        f"{sentence} ({reasons})" if reasons else sentence,
        expression=text,
        variables=dict(view.read),
    )


def correlation_key(token: Token, message: MessageDefinition) -> str:
    """Return the correlation key of a message at a token; raises ElementFailure when it is no text or number."""
    text = message.correlation_key or ""
    value = evaluate(token, text, "correlation key")
    if isinstance(value, bool) or value is None or isinstance(value, list | dict) or value == "":
        sentence = f"The correlation key of the message “{message.name}” must be a text or a number."
        raise unusable(token, text, sentence)
    return short(token, text, str(value), "correlation key")


def short(token: Token, text: str | None, name: str, what: str) -> str:
    """Return a name by which rows are found; raises ElementFailure when it is longer than an index takes."""
    if len(name) > LONGEST_NAME:
        raise unusable(token, text, f"The {what} may have {LONGEST_NAME} characters; this one has {len(name)}.")
    return name


def unusable(token: Token, text: str | None, sentence: str) -> ElementFailure:
    """Return the failure of a text that can be evaluated, but to something that is of no use where it stands."""
    read: dict[str, Any] = {}
    if text is not None and text.startswith("="):
        visible = token.execution.variables.visible(token)
        read = {name: visible.get(name) for name in sorted(feel.parse(text[1:]).variables)}
    return ElementFailure("EXTRACT_VALUE_ERROR", sentence, expression=text, variables=read)


def _result(text: str, view: ScopeView, environment: feel.Environment, what: str) -> feel.Result:
    try:
        return feel.parse(text).evaluate(view, environment)
    except feel.FeelError as error:
        sentence = f"The {what} cannot be evaluated: {error}"
        raise ElementFailure("EXTRACT_VALUE_ERROR", sentence, expression=text, variables=dict(view.read)) from None


def as_instant(value: object, environment: feel.Environment) -> datetime | None:
    """Return a FEEL date, date-time or ISO text as an instant in UTC; without a zone it is the company's wall time."""
    if isinstance(value, str):
        value = parse_date_time(value.strip())
    if isinstance(value, Date):
        value = DateTime(value, Time(0, 0, 0))
    if not isinstance(value, DateTime):
        return None
    try:
        wall = value.to_python()
        return (wall if wall.tzinfo else wall.replace(tzinfo=environment.zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def as_names(value: Any) -> list[str] | None:
    """Return a list of names from FEEL's list of strings or from a comma-separated string; None: neither."""
    if value is None:
        return []
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return [item.strip() for item in value if item.strip()]
    return None
