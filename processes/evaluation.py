"""Trying out FEEL expressions, as one does while drawing a process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field
from sqlalchemy.orm import Session

import feel
from database.rest import NullableKeyText, Request, Shape, Tenant, Variables
from engine import clock
from engine.configuration import configuration
from engine.working_days import CurrentCalendar
from processes.errors import InvalidExpression

#: Most characters of an expression.
LONGEST_EXPRESSION = 20_000


class ExpressionRequest(Request):
    """An expression, with or without the leading `=`, and the variables that it reads."""

    expression: str = Field(max_length=LONGEST_EXPRESSION)
    variables: Variables | None = None
    #: The process instance or element instance whose variables it reads besides.
    scope_key: NullableKeyText = None
    tenant_id: Tenant | None = None


class ExpressionWarning(Shape):
    """Why a part of the value became null."""

    message: str


class ExpressionShape(Shape):
    """The value of an expression as JSON."""

    expression: str
    result: Any
    warnings: list[ExpressionWarning]
    #: There are no secrets that an expression could name.
    referenced_secrets: list[str] = Field(default_factory=list)


def evaluate(session: Session, wanted: ExpressionRequest, seen: Mapping[str, Any]) -> ExpressionShape:
    """Return the value of an expression with the variables `seen` in its scope, which those that it gives hide.

    Raises InvalidExpression when it does not parse or takes too much.
    """
    settings = configuration(session)
    environment = feel.Environment(now=clock.now(session), zone=settings.zone, calendar=CurrentCalendar(session))
    try:
        context = {name: feel.from_json(value) for name, value in (dict(seen) | (wanted.variables or {})).items()}
        found = feel.parse(wanted.expression.removeprefix("="), context).evaluate(context, environment)
        value = feel.to_json(found.value)
    except (feel.FeelError, TypeError, ValueError) as error:
        raise InvalidExpression(f"The expression cannot be evaluated: {error}") from None
    warnings = [ExpressionWarning(message=str(warning)) for warning in found.warnings]
    return ExpressionShape(expression=wanted.expression, result=value, warnings=warnings)
