"""Decisions that were made, as the API lists them: those of process instances that a user may see."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Row, Select, Text, cast, literal, select
from sqlalchemy.orm import Session

from cockpit.decision_shapes import DecisionInstanceQuery, DecisionInstanceRow, DecisionInstanceShape
from cockpit.visibility import instance_for, visible
from database import dumps
from database.rest import TENANT, Listing, Results, matching
from database.rest.shapes import LARGEST_KEY
from engine import rules
from engine.decisions import Description
from engine.errors import NotFound
from engine.models import DecisionDefinition, DecisionEvaluation, ProcessInstance
from people.models import User
from processes.decision_shapes import evaluated_inputs, matched_rules

#: Camunda 8 counts the decisions of one evaluation; what is kept is the first: the one that was asked for.
_NUMBER = "-1"
_INSTANCE_KEY = cast(DecisionEvaluation.key, Text) + literal(_NUMBER)
_WRITTEN = re.compile(rf"([0-9]{{1,19}}){_NUMBER}")

_COLUMNS = {
    "decision_evaluation_instance_key": _INSTANCE_KEY,
    "decision_evaluation_key": DecisionEvaluation.key,
    "decision_definition_id": DecisionEvaluation.decision_id,
    "decision_definition_key": DecisionEvaluation.decision_key,
    "decision_definition_name": DecisionDefinition.name,
    "decision_definition_version": DecisionDefinition.version,
    "decision_requirements_key": DecisionDefinition.requirements_key,
    "root_decision_definition_key": DecisionEvaluation.decision_key,
    "evaluation_date": DecisionEvaluation.at,
    "process_definition_key": ProcessInstance.definition_key,
    "process_instance_key": DecisionEvaluation.instance_key,
    "element_instance_key": DecisionEvaluation.element_instance_key,
    "state": literal("EVALUATED"),
    "tenant_id": TENANT,
}

_LISTING: Listing[DecisionEvaluation] = Listing(
    DecisionEvaluation.key.expression,
    {
        "decisionDefinitionId": DecisionEvaluation.decision_id.expression,
        "decisionDefinitionKey": DecisionEvaluation.decision_key.expression,
        "decisionDefinitionName": DecisionDefinition.name.expression,
        "decisionDefinitionVersion": DecisionDefinition.version.expression,
        "decisionEvaluationInstanceKey": DecisionEvaluation.key.expression,
        "decisionEvaluationKey": DecisionEvaluation.key.expression,
        "elementInstanceKey": DecisionEvaluation.element_instance_key.expression,
        "evaluationDate": DecisionEvaluation.at.expression,
        "processDefinitionKey": ProcessInstance.definition_key.expression,
        "processInstanceKey": DecisionEvaluation.instance_key.expression,
        "rootDecisionDefinitionKey": DecisionEvaluation.decision_key.expression,
        "state": literal("EVALUATED"),
        "tenantId": TENANT,
    },
)

_Found = Row[DecisionEvaluation, DecisionDefinition, ProcessInstance]


def search(session: Session, user: User, query: DecisionInstanceQuery) -> Results[DecisionInstanceRow]:
    """Return the decisions that `query` asks for, of instances that `user` may see; raises InvalidCursor."""
    rows = _rows().where(visible(session, user), *matching(query.filter, _COLUMNS))
    return _LISTING.find(
        session, rows, query, lambda row: DecisionInstanceRow(**_members(row, _description(session, row)))
    )


def one(session: Session, user: User, written_key: str) -> DecisionInstanceShape:
    """Return a decision that was made, by the key of its instance (`<evaluation>-1`); raises NotFound, Forbidden."""
    written = _WRITTEN.fullmatch(written_key)
    key = int(written[1]) if written else LARGEST_KEY + 1
    row = session.execute(_rows().where(DecisionEvaluation.key == key)).one_or_none() if key <= LARGEST_KEY else None
    if row is None:
        raise NotFound("decision instance", written_key)
    evaluation = row[0]
    instance_for(session, user, evaluation.instance_key)
    description = _description(session, row)
    return DecisionInstanceShape(
        **_members(row, description),
        evaluated_inputs=evaluated_inputs(description, evaluation.decision_id, evaluation.matched),
        matched_rules=matched_rules(description, evaluation.decision_id, evaluation.matched),
    )


def _rows() -> Select[DecisionEvaluation, DecisionDefinition, ProcessInstance]:
    return (
        select(DecisionEvaluation, DecisionDefinition, ProcessInstance)
        .join(DecisionDefinition, DecisionDefinition.key == DecisionEvaluation.decision_key)
        .join(ProcessInstance, ProcessInstance.key == DecisionEvaluation.instance_key)
    )


def _description(session: Session, row: _Found) -> Description:
    model = rules.model(session, row[1].requirements_key)
    return model.descriptions.get(row[0].decision_id, Description())


def _members(row: _Found, description: Description) -> dict[str, Any]:
    evaluation, definition, instance = row
    return {
        "decision_evaluation_instance_key": f"{evaluation.key}{_NUMBER}",
        "decision_evaluation_key": evaluation.key,
        "decision_definition_id": evaluation.decision_id,
        "decision_definition_key": evaluation.decision_key,
        "decision_definition_name": definition.name,
        "decision_definition_type": description.kind,
        "decision_definition_version": definition.version,
        "root_decision_definition_key": evaluation.decision_key,
        "evaluation_date": evaluation.at,
        "result": dumps(evaluation.output),
        "process_definition_key": instance.definition_key,
        "process_instance_key": instance.key,
        "root_process_instance_key": instance.root_key,
        "element_instance_key": evaluation.element_instance_key,
    }
