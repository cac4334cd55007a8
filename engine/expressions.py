"""FEEL against the variable scopes: what the engine asks of an expression, and how a failure is told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import feel
from engine import decisions
from engine.errors import ElementFailure
from feel.temporal import Date, DateTime, Time, parse_date_time

if TYPE_CHECKING:
    from engine.variables import ScopeView


def evaluate(text: str, view: ScopeView, environment: feel.Environment, what: str) -> feel.Result:
    """Return the result of FEEL `text` (without the leading `=`); raises ElementFailure when it cannot be evaluated."""
    try:
        return feel.parse(text).evaluate(view, environment)
    except feel.FeelError as error:
        sentence = f"The {what} cannot be evaluated: {error}"
        raise ElementFailure("EXTRACT_VALUE_ERROR", sentence, expression=text, variables=dict(view.read)) from None


def decide(
    model: decisions.DecisionModel, decision_id: str, view: ScopeView, environment: feel.Environment
) -> decisions.DecisionOutcome:
    """Return the outcome of a decision with the variables in view; raises ElementFailure when it cannot be made."""
    try:
        return model.evaluate(decision_id, view, environment)
    except (feel.FeelError, decisions.UnknownDecisionError) as error:
        sentence = f"The decision “{decision_id}” cannot be made: {error}"
        raise ElementFailure("DECISION_EVALUATION_ERROR", sentence, variables=dict(view.read)) from None


def matched_rules(outcome: decisions.DecisionOutcome) -> list[dict[str, Any]]:
    """Return the rules that matched, as they are kept in an instance's history."""
    return [
        {
            "decisionId": rule.decision_id,
            "ruleId": rule.rule_id,
            "number": rule.number,
            "inputs": feel.to_json(rule.inputs),
            "outputs": feel.to_json(rule.outputs),
        }
        for rule in outcome.matched
    ]


def failure(kind: str, sentence: str, text: str, evaluation: feel.Result | None, view: ScopeView) -> ElementFailure:
    """Return the failure of an expression whose value is of no use here, with FEEL's own warnings in it."""
    reasons = "; ".join(warning.message for warning in evaluation.warnings) if evaluation else ""
    return ElementFailure(
        kind, f"{sentence} ({reasons})" if reasons else sentence, expression=text, variables=dict(view.read)
    )


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
