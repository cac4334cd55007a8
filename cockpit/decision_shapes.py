"""Decisions that were made as the API shows them (Camunda 8.9's shapes)."""

from __future__ import annotations

from typing import Literal

from database.rest import (
    DEFAULT_TENANT,
    InstantCondition,
    InstantText,
    KeyCondition,
    KeyText,
    NullableKeyText,
    NumberCondition,
    Request,
    SearchQuery,
    Shape,
    TextCondition,
)
from processes.decision_shapes import EvaluatedInput, MatchedRuleShape


class DecisionInstanceRow(Shape):
    """A decision that was made, in a list; the result is JSON text."""

    decision_evaluation_instance_key: str
    decision_evaluation_key: KeyText
    decision_definition_id: str
    decision_definition_key: KeyText
    decision_definition_name: str
    decision_definition_type: str
    decision_definition_version: int
    root_decision_definition_key: KeyText
    evaluation_date: InstantText
    result: str
    #: Null of a decision that somebody has asked for through the API.
    process_definition_key: NullableKeyText
    process_instance_key: NullableKeyText
    root_process_instance_key: NullableKeyText
    element_instance_key: NullableKeyText
    #: What fails in an instance is an incident instead.
    state: Literal["EVALUATED", "FAILED"]
    evaluation_failure: str | None
    business_id: None = None
    tenant_id: str = DEFAULT_TENANT


class DecisionInstanceShape(DecisionInstanceRow):
    """A decision that was made, with what led to its result."""

    evaluated_inputs: list[EvaluatedInput]
    matched_rules: list[MatchedRuleShape]


class DecisionInstanceFilter(Request):
    """What decisions that were made are searched by; all that is given must hold."""

    decision_evaluation_instance_key: TextCondition | None = None
    decision_evaluation_key: KeyCondition | None = None
    decision_definition_id: TextCondition | None = None
    decision_definition_key: KeyCondition | None = None
    decision_definition_name: TextCondition | None = None
    decision_definition_type: TextCondition | None = None
    decision_definition_version: NumberCondition | None = None
    decision_requirements_key: KeyCondition | None = None
    root_decision_definition_key: KeyCondition | None = None
    evaluation_date: InstantCondition | None = None
    evaluation_failure: TextCondition | None = None
    process_definition_key: KeyCondition | None = None
    process_instance_key: KeyCondition | None = None
    element_instance_key: KeyCondition | None = None
    state: TextCondition | None = None
    tenant_id: TextCondition | None = None


class DecisionInstanceQuery(
    SearchQuery[
        DecisionInstanceFilter,
        Literal[
            "decisionDefinitionId",
            "decisionDefinitionKey",
            "decisionDefinitionName",
            "decisionDefinitionType",
            "decisionDefinitionVersion",
            "decisionEvaluationInstanceKey",
            "decisionEvaluationKey",
            "elementInstanceKey",
            "evaluationDate",
            "evaluationFailure",
            "processDefinitionKey",
            "processInstanceKey",
            "rootDecisionDefinitionKey",
            "state",
            "tenantId",
        ],
    ]
):
    """A search of decisions that were made."""
