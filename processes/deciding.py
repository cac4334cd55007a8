"""Making a decision outside of any process, as one does to try it out or to use it from a program; it is kept."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

import feel
from database import dumps
from engine import clock, rules
from engine.configuration import configuration
from engine.decisions import DecisionModel, Description
from engine.errors import NotFound
from engine.keys import new_key
from engine.models import DecisionDefinition, DecisionEvaluation, DecisionRequirements
from engine.working_days import CurrentCalendar
from processes.decision_shapes import (
    DecisionRequest,
    DecisionResult,
    EvaluatedDecision,
    evaluated_inputs,
    matched_rules,
)
from processes.errors import InvalidExpression


def decide(session: Session, wanted: DecisionRequest, actor: str) -> DecisionResult:
    """Make a decision and those that it requires, and keep what came out; that one fails is a result, too.

    Raises NotFound, InvalidExpression.
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
    environment = feel.Environment(now=clock.now(session), zone=settings.zone, calendar=CurrentCalendar(session))
    try:
        context = {name: feel.from_json(value) for name, value in wanted.variables.items()}
    except (feel.FeelError, TypeError, ValueError) as error:
        raise InvalidExpression(f"The variables cannot be used: {error}") from None
    made: list[DecisionEvaluation] = []
    # A decision service is no decision of its own.
    for row in filter(None, (siblings.get(decision_id) for decision_id in model.required(definition.decision_id))):
        kept = DecisionEvaluation(
            key=new_key(),
            evaluation_key=key,
            number=len(made) + 1,
            at=environment.now,
            actor=actor,
            decision_key=row.key,
            decision_id=row.decision_id,
            root_decision_key=definition.key,
            output=None,
            matched=[],
        )
        made.append(kept)
        try:
            kept.output, kept.matched = _make(model, row.decision_id, context, environment)
        except (feel.FeelError, ValueError) as error:  # ValueError: a number that JSON cannot hold
            kept.failure = str(error)
            break
    session.add_all(made)
    session.flush()
    requirements = session.get_one(DecisionRequirements, definition.requirements_key)
    last = made[-1]
    return DecisionResult(
        decision_definition_id=definition.decision_id,
        decision_definition_key=definition.key,
        decision_definition_name=definition.name,
        decision_definition_version=definition.version,
        decision_evaluation_key=key,
        decision_instance_key=key,
        decision_requirements_id=requirements.requirements_id,
        decision_requirements_key=requirements.key,
        output=dumps(last.output),
        failed_decision_definition_id=last.decision_id if last.failure is not None else None,
        failure_message=last.failure,
        evaluated_decisions=[_shape(model, siblings[kept.decision_id], kept) for kept in made if kept.failure is None],
    )


def _definition(session: Session, wanted: DecisionRequest) -> tuple[DecisionDefinition, DecisionModel]:
    if wanted.decision_definition_id is not None:
        return rules.latest(session, wanted.decision_definition_id)
    definition = session.get(DecisionDefinition, wanted.decision_definition_key)
    if definition is None:
        raise NotFound("decision definition", wanted.decision_definition_key)
    return definition, rules.model(session, definition.requirements_key)


def _make(
    model: DecisionModel, decision_id: str, context: dict[str, feel.Value], environment: feel.Environment
) -> tuple[Any, list[dict[str, Any]]]:
    """Return what a decision gives and the rules that matched; raises FeelError, also for a broken hit policy."""
    outcome = model.evaluate(decision_id, context, environment)
    if outcome.violations:
        raise feel.FeelError("; ".join(violation.message for violation in outcome.violations))
    return feel.to_json(outcome.value), rules.matched(outcome)


def _shape(model: DecisionModel, row: DecisionDefinition, kept: DecisionEvaluation) -> EvaluatedDecision:
    description = model.descriptions.get(row.decision_id, Description())
    return EvaluatedDecision(
        decision_definition_id=row.decision_id,
        decision_definition_key=row.key,
        decision_definition_name=row.name,
        decision_definition_type=description.kind,
        decision_definition_version=row.version,
        decision_evaluation_instance_key=f"{kept.evaluation_key}-{kept.number}",
        output=dumps(kept.output),
        matched_rules=matched_rules(description, row.decision_id, kept.matched),
        evaluated_inputs=evaluated_inputs(description, row.decision_id, kept.matched),
    )
