"""Decisions as the API lists and evaluates them (Camunda 8.9's shapes)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from database import dumps
from database.rest import (
    DEFAULT_TENANT,
    KeyCondition,
    KeyText,
    NullableKeyText,
    NumberCondition,
    Request,
    SearchQuery,
    Shape,
    Tenant,
    TextCondition,
    Variables,
)
from database.rest.shapes import PlainText
from engine.decisions import Description


class DecisionRequirementsShape(Shape):
    """One version of a DMN file."""

    decision_requirements_id: str
    decision_requirements_key: KeyText
    decision_requirements_name: str
    resource_name: str
    version: int
    tenant_id: str = DEFAULT_TENANT


class DecisionRequirementsFilter(Request):
    """What DMN files are searched by; all that is given must hold."""

    decision_requirements_id: TextCondition | None = None
    decision_requirements_key: KeyCondition | None = None
    decision_requirements_name: TextCondition | None = None
    resource_name: TextCondition | None = None
    version: NumberCondition | None = None
    tenant_id: TextCondition | None = None


class DecisionRequirementsQuery(
    SearchQuery[
        DecisionRequirementsFilter,
        Literal["decisionRequirementsId", "decisionRequirementsKey", "decisionRequirementsName", "tenantId", "version"],
    ]
):
    """A search of DMN files."""


class DecisionRequest(Request):
    """Which decision is made, by its id (the latest version) or by its key, with which variables."""

    decision_definition_id: PlainText | None = None
    decision_definition_key: NullableKeyText = None
    variables: Variables = Field(default_factory=dict)
    tenant_id: Tenant | None = None

    @model_validator(mode="after")
    def _one_decision(self) -> Self:
        if (self.decision_definition_id is None) == (self.decision_definition_key is None):
            raise ValueError("name the decision either by decisionDefinitionId or by decisionDefinitionKey")
        return self


class EvaluatedInput(Shape):
    """What a column of a decision table was compared with; the value is JSON text."""

    input_id: str
    input_name: str
    input_value: str


class EvaluatedOutput(Shape):
    """What a rule gave in one column; the value is JSON text."""

    output_id: str
    output_name: str
    output_value: str
    rule_id: str | None
    rule_index: int | None


class MatchedRuleShape(Shape):
    """A rule of a decision table that matched; the index counts from 1."""

    rule_id: str
    rule_index: int
    evaluated_outputs: list[EvaluatedOutput]


class EvaluatedDecision(Shape):
    """One decision of those that led to the result; the output is JSON text."""

    decision_definition_id: str
    decision_definition_key: KeyText
    decision_definition_name: str
    decision_definition_type: str
    decision_definition_version: int
    decision_evaluation_instance_key: str
    output: str
    matched_rules: list[MatchedRuleShape]
    evaluated_inputs: list[EvaluatedInput]
    tenant_id: str = DEFAULT_TENANT


class DecisionResult(Shape):
    """What an evaluation gave, as JSON text; or which decision failed, and why."""

    decision_definition_id: str
    decision_definition_key: KeyText
    decision_definition_name: str
    decision_definition_version: int
    decision_evaluation_key: KeyText
    #: Camunda 8's older name of the evaluation's key.
    decision_instance_key: KeyText
    decision_requirements_id: str
    decision_requirements_key: KeyText
    output: str
    failed_decision_definition_id: str | None
    failure_message: str | None
    evaluated_decisions: list[EvaluatedDecision]
    tenant_id: str = DEFAULT_TENANT


def evaluated_inputs(
    description: Description, decision_id: str, matched: Sequence[dict[str, Any]]
) -> list[EvaluatedInput]:
    """Return what the columns of a table were compared with; it is known where a rule matched (see `engine.rules`)."""
    own = next((rule for rule in matched if rule["decisionId"] == decision_id), None)
    return [
        EvaluatedInput(input_id=description.inputs.get(label, label), input_name=label, input_value=dumps(value))
        for label, value in (own["inputs"] if own else {}).items()
    ]


def matched_rules(
    description: Description, decision_id: str, matched: Sequence[dict[str, Any]]
) -> list[MatchedRuleShape]:
    """Return the rules of one decision among those that matched (see `engine.rules`)."""
    return [
        MatchedRuleShape(
            rule_id=rule["ruleId"] or "",
            rule_index=rule["number"],
            evaluated_outputs=[
                EvaluatedOutput(
                    output_id=description.outputs.get(label, label),
                    output_name=label,
                    output_value=dumps(value),
                    rule_id=rule["ruleId"],
                    rule_index=rule["number"],
                )
                for label, value in rule["outputs"].items()
            ],
        )
        for rule in matched
        if rule["decisionId"] == decision_id
    ]
