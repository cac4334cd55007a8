"""Decisions that an instance makes: the newest version, with the variables at a token, and a record of the outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

import feel
from engine import decisions
from engine.cache import Cache
from engine.errors import ElementFailure, NotFound
from engine.keys import new_key
from engine.models import DecisionDefinition, DecisionEvaluation, DecisionRequirements

if TYPE_CHECKING:
    from engine.tokens import Token


_models: Cache[decisions.DecisionModel] = Cache()


def latest(session: Session, decision_id: str) -> tuple[DecisionDefinition, decisions.DecisionModel]:
    """Return the newest version of a decision and the model it is in; raises NotFound."""
    definition = session.scalar(
        select(DecisionDefinition)
        .where(DecisionDefinition.decision_id == decision_id)
        .order_by(DecisionDefinition.version.desc())
        .limit(1)
    )
    if definition is None:
        raise NotFound("decision", decision_id)
    return definition, model(session, definition.requirements_key)


def model(session: Session, requirements_key: int) -> decisions.DecisionModel:
    """Return a deployed DMN file, ready to be evaluated; raises NotFound."""

    def make() -> decisions.DecisionModel:
        xml = session.scalar(select(DecisionRequirements.xml).where(DecisionRequirements.key == requirements_key))
        if xml is None:
            raise NotFound("decision requirements", requirements_key)
        return decisions.parse(xml.encode())

    return _models.get(requirements_key, make)


def decide(token: Token, decision_id: str) -> Any:
    """Make a decision with the variables visible at the token, keep a record of it, and return its result.

    Raises ElementFailure when it is not deployed or cannot be evaluated.
    """
    execution = token.execution
    try:
        definition, found = latest(execution.session, decision_id)
    except NotFound:
        raise ElementFailure("CALLED_DECISION_ERROR", f"The decision “{decision_id}” is not deployed.") from None
    view = execution.variables.view(token)
    try:
        outcome = found.evaluate(decision_id, view, execution.environment)
    except (feel.FeelError, decisions.UnknownDecisionError) as error:
        sentence = f"The decision “{decision_id}” cannot be made: {error}"
        raise ElementFailure("DECISION_EVALUATION_ERROR", sentence, variables=dict(view.read)) from None
    if outcome.violations:
        reasons = "; ".join(violation.message for violation in outcome.violations)
        sentence = f"The rules of the decision “{decision_id}” contradict its hit policy: {reasons}"
        raise ElementFailure("DECISION_EVALUATION_ERROR", sentence, variables=dict(view.read))
    output = feel.to_json(outcome.value)
    key = new_key()
    execution.changes.insert(
        DecisionEvaluation,
        key=key,
        evaluation_key=key,
        number=1,
        at=execution.now,
        instance_key=execution.instance_key,
        element_instance_key=token.key,
        element_id=token.element.id,
        actor="",
        decision_key=definition.key,
        decision_id=decision_id,
        root_decision_key=definition.key,
        output=output,
        matched=matched(outcome),
        failure=None,
    )
    return output


def matched(outcome: decisions.DecisionOutcome) -> list[dict[str, Any]]:
    """Return the rules that matched as plain data, values by the labels of their columns."""
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
