"""Decisions that were made, as the API lists them: by process instances, and through the API."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Text, and_, case, cast, literal, or_, select
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
from people.errors import Forbidden
from people.models import User
from people.permissions import may_see_all
from processes.decision_shapes import evaluated_inputs, matched_rules

#: Camunda 8's key of one decision among those of an evaluation.
_INSTANCE_KEY = cast(DecisionEvaluation.evaluation_key, Text) + literal("-") + cast(DecisionEvaluation.number, Text)
_WRITTEN = re.compile(r"([0-9]{1,19})-([0-9]{1,9})")

_STATE = case((DecisionEvaluation.failure.is_not(None), "FAILED"), else_="EVALUATED")

_COLUMNS = {
    "decision_evaluation_instance_key": _INSTANCE_KEY,
    "decision_evaluation_key": DecisionEvaluation.evaluation_key,
    "decision_definition_id": DecisionEvaluation.decision_id,
    "decision_definition_key": DecisionEvaluation.decision_key,
    "decision_definition_name": DecisionDefinition.name,
    "decision_definition_version": DecisionDefinition.version,
    "decision_requirements_key": DecisionDefinition.requirements_key,
    "root_decision_definition_key": DecisionEvaluation.root_decision_key,
    "evaluation_date": DecisionEvaluation.at,
    "evaluation_failure": DecisionEvaluation.failure,
    "process_definition_key": ProcessInstance.definition_key,
    "process_instance_key": DecisionEvaluation.instance_key,
    "element_instance_key": DecisionEvaluation.element_instance_key,
    "state": _STATE,
    "tenant_id": TENANT,
}

_SORTED: dict[str, ColumnElement[Any]] = {
    "decisionDefinitionId": DecisionEvaluation.decision_id.expression,
    "decisionDefinitionKey": DecisionEvaluation.decision_key.expression,
    "decisionDefinitionName": DecisionDefinition.name.expression,
    "decisionDefinitionVersion": DecisionDefinition.version.expression,
    "decisionEvaluationInstanceKey": DecisionEvaluation.key.expression,
    "decisionEvaluationKey": DecisionEvaluation.evaluation_key.expression,
    "elementInstanceKey": DecisionEvaluation.element_instance_key.expression,
    "evaluationDate": DecisionEvaluation.at.expression,
    "evaluationFailure": DecisionEvaluation.failure.expression,
    "processDefinitionKey": ProcessInstance.definition_key.expression,
    "processInstanceKey": DecisionEvaluation.instance_key.expression,
    "rootDecisionDefinitionKey": DecisionEvaluation.root_decision_key.expression,
    "state": _STATE,
    "tenantId": TENANT,
}

_Found = Row[DecisionEvaluation, DecisionDefinition, ProcessInstance | None]


def search(session: Session, user: User, query: DecisionInstanceQuery) -> Results[DecisionInstanceRow]:
    """Return the decisions that `query` asks for and `user` may see; raises InvalidCursor.

    Whoever sees every instance sees every decision; others those of their instances, and what they have asked for.
    """
    mine = and_(DecisionEvaluation.instance_key.is_(None), DecisionEvaluation.actor == user.username)
    rows = _rows().where(or_(visible(session, user), mine), *matching(query.filter, _COLUMNS))
    columns = _SORTED
    wanted = query.filter.decision_definition_type if query.filter is not None else None
    if wanted is not None or any(sort.field == "decisionDefinitionType" for sort in query.sort):
        kind = _kind(session)
        columns = _SORTED | {"decisionDefinitionType": kind}
        if wanted is not None:
            rows = rows.where(wanted.on(kind))
    listing: Listing[DecisionEvaluation] = Listing(DecisionEvaluation.key.expression, columns)
    return listing.find(
        session, rows, query, lambda row: DecisionInstanceRow(**_members(row, _description(session, row)))
    )


def one(session: Session, user: User, written_key: str) -> DecisionInstanceShape:
    """Return a decision that was made, by Camunda 8's key (`<evaluation>-<number>`); raises NotFound, Forbidden."""
    written = _WRITTEN.fullmatch(written_key)
    key, number = (int(written[1]), int(written[2])) if written else (0, 0)
    known = _rows().where(DecisionEvaluation.evaluation_key == key, DecisionEvaluation.number == number)
    row = session.execute(known).one_or_none() if 0 < key <= LARGEST_KEY else None
    if row is None:
        raise NotFound("decision instance", written_key)
    evaluation = row[0]
    if evaluation.instance_key is not None:
        instance_for(session, user, evaluation.instance_key)
    elif evaluation.actor != user.username and not may_see_all(user):
        raise Forbidden("Somebody else has asked for this decision.")
    description = _description(session, row)
    return DecisionInstanceShape(
        **_members(row, description),
        evaluated_inputs=evaluated_inputs(description, evaluation.decision_id, evaluation.matched),
        matched_rules=matched_rules(description, evaluation.decision_id, evaluation.matched),
    )


def _rows() -> Select[DecisionEvaluation, DecisionDefinition, ProcessInstance | None]:
    return (
        select(DecisionEvaluation, DecisionDefinition, ProcessInstance)
        .join(DecisionDefinition, DecisionDefinition.key == DecisionEvaluation.decision_key)
        .outerjoin(ProcessInstance, ProcessInstance.key == DecisionEvaluation.instance_key)
    )


def _kind(session: Session) -> ColumnElement[str]:
    """Return the kind of decision as a column; it stands in the DMN files alone."""
    definitions = session.execute(
        select(DecisionDefinition.key, DecisionDefinition.decision_id, DecisionDefinition.requirements_key)
    )
    kinds = {
        key: rules.model(session, requirements_key).descriptions.get(decision_id, Description()).kind
        for key, decision_id, requirements_key in definitions
    }
    return case(kinds, value=DecisionEvaluation.decision_key) if kinds else literal(Description().kind)


def _description(session: Session, row: _Found) -> Description:
    model = rules.model(session, row[1].requirements_key)
    return model.descriptions.get(row[0].decision_id, Description())


def _members(row: _Found, description: Description) -> dict[str, Any]:
    evaluation, definition, instance = row
    return {
        "decision_evaluation_instance_key": f"{evaluation.evaluation_key}-{evaluation.number}",
        "decision_evaluation_key": evaluation.evaluation_key,
        "decision_definition_id": evaluation.decision_id,
        "decision_definition_key": evaluation.decision_key,
        "decision_definition_name": definition.name,
        "decision_definition_type": description.kind,
        "decision_definition_version": definition.version,
        "root_decision_definition_key": evaluation.root_decision_key,
        "evaluation_date": evaluation.at,
        "evaluation_failure": evaluation.failure,
        "result": dumps(evaluation.output),
        "state": "EVALUATED" if evaluation.failure is None else "FAILED",
        "process_definition_key": instance.definition_key if instance is not None else None,
        "process_instance_key": evaluation.instance_key,
        "root_process_instance_key": instance.root_key if instance is not None else None,
        "element_instance_key": evaluation.element_instance_key,
    }
