"""Making a decision outside of any process, as one does to try it out or to use it from a program."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

import feel
from database import dumps
from engine import clock, rules
from engine.configuration import configuration
from engine.decisions import DecisionModel, Description
from engine.errors import NotFound
from engine.keys import new_key
from engine.models import DecisionDefinition, DecisionRequirements
from processes.decision_shapes import (
    DecisionRequest,
    DecisionResult,
    EvaluatedDecision,
    evaluated_inputs,
    matched_rules,
)
from processes.errors import InvalidExpression


def decide(session: Session, wanted: DecisionRequest) -> DecisionResult:
    """Make a decision and those that it requires; that one fails is a result, too. Raises NotFound, InvalidExpression.

    Nothing is written: only what an instance decides is kept.
    """
    definition, model = _definition(session, wanted)
    key = new_key()
    siblings = {
        row.decision_id: row
        for row in session.scalars(
            select(DecisionDefinition).where(DecisionDefinition.requirements_key == definition.requirements_key)
        )
    }
    settings = configuration(session)
    environment = feel.Environment(now=clock.now(session), zone=settings.zone, calendar=settings.calendar)
    try:
        context = {name: feel.from_json(value) for name, value in wanted.variables.items()}
    except (feel.FeelError, TypeError, ValueError) as error:
        raise InvalidExpression(f"The variables cannot be used: {error}") from None
    made: list[EvaluatedDecision] = []
    failed, reason = None, None
    for decision_id in model.required(definition.decision_id):
        row = siblings.get(decision_id)
        if row is None:
            continue  # a decision service is no decision of its own
        try:
            made.append(_made(model, row, context, environment, f"{key}-{len(made) + 1}"))
        except (feel.FeelError, ValueError) as error:  # ValueError: a number that JSON cannot hold
            failed, reason = decision_id, str(error)
            break
    requirements = session.get_one(DecisionRequirements, definition.requirements_key)
    return DecisionResult(
        decision_definition_id=definition.decision_id,
        decision_definition_key=definition.key,
        decision_definition_name=definition.name,
        decision_definition_version=definition.version,
        decision_evaluation_key=key,
        decision_instance_key=key,
        decision_requirements_id=requirements.requirements_id,
        decision_requirements_key=requirements.key,
        output=dumps(None) if failed is not None else made[-1].output,
        failed_decision_definition_id=failed,
        failure_message=reason,
        evaluated_decisions=made,
    )


def _definition(session: Session, wanted: DecisionRequest) -> tuple[DecisionDefinition, DecisionModel]:
    if wanted.decision_definition_id is not None:
        return rules.latest(session, wanted.decision_definition_id)
    definition = session.get(DecisionDefinition, wanted.decision_definition_key)
    if definition is None:
        raise NotFound("decision definition", wanted.decision_definition_key)
    return definition, rules.model(session, definition.requirements_key)


def _made(
    model: DecisionModel,
    row: DecisionDefinition,
    context: dict[str, feel.Value],
    environment: feel.Environment,
    instance_key: str,
) -> EvaluatedDecision:
    """Make one decision; raises FeelError, also when its rules contradict their hit policy."""
    outcome = model.evaluate(row.decision_id, context, environment)
    if outcome.violations:
        raise feel.FeelError("; ".join(violation.message for violation in outcome.violations))
    matched = rules.matched(outcome)
    description = model.descriptions.get(row.decision_id, Description())
    return EvaluatedDecision(
        decision_definition_id=row.decision_id,
        decision_definition_key=row.key,
        decision_definition_name=row.name,
        decision_definition_type=description.kind,
        decision_definition_version=row.version,
        decision_evaluation_instance_key=instance_key,
        output=dumps(feel.to_json(outcome.value)),
        matched_rules=matched_rules(description, row.decision_id, matched),
        evaluated_inputs=evaluated_inputs(description, row.decision_id, matched),
    )
