"""Decisions through Camunda's published client: make them, and look at those that instances have made."""

from __future__ import annotations

from typing import Any

import pytest
from camunda_orchestration_sdk import CamundaClient
from camunda_orchestration_sdk.errors import NotFoundError
from camunda_orchestration_sdk.models import (
    DecisionDefinitionSearchQuery,
    DecisionEvaluationByID,
    DecisionEvaluationByKey,
    DecisionInstanceSearchQuery,
    DecisionRequirementsSearchQuery,
    ProcessCreationById,
)

from processes.service import Resource
from tests.api.conftest import Browse, Connect, deploy
from tests.conftest import MONDAY
from tests.diagrams import chain, diagram, end, node, start, user

#: A discount by the price, which a literal expression computes from hours.
DISCOUNT = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="prices" name="Prices" namespace="tests">
  <decision id="discount" name="Discount">
    <informationRequirement id="needs"><requiredDecision href="#price"/></informationRequirement>
    <decisionTable id="table" hitPolicy="UNIQUE">
      <input id="in" label="the price"><inputExpression id="e" typeRef="number"><text>price</text></inputExpression>
      </input>
      <output id="out" name="discount" typeRef="number"/>
      <rule id="low"><inputEntry id="a"><text>&lt; 100</text></inputEntry>
        <outputEntry id="b"><text>0</text></outputEntry></rule>
      <rule id="high"><inputEntry id="c"><text>&gt;= 100</text></inputEntry>
        <outputEntry id="d"><text>0.10</text></outputEntry></rule>
    </decisionTable>
  </decision>
  <decision id="price" name="Price"><variable id="v" name="price" typeRef="number"/>
    <literalExpression id="l"><text>hours * 60</text></literalExpression></decision>
  <decision id="clash" name="Clash"><decisionTable id="both" hitPolicy="UNIQUE">
    <output id="o" name="clash" typeRef="number"/>
    <rule id="r1"><outputEntry id="p"><text>1</text></outputEntry></rule>
    <rule id="r2"><outputEntry id="q"><text>2</text></outputEntry></rule>
  </decisionTable></decision>
</definitions>"""


@pytest.fixture
def wang(connect: Connect) -> CamundaClient:
    """A receptionist; the decision and a process that makes it are deployed."""
    called = '<zeebe:calledDecision decisionId="discount" resultVariable="discount"/>'
    process = diagram(
        start(),
        node("businessRuleTask", "rule", extensions=called),
        user("after"),
        end(),
        chain("start", "rule", "after", "end"),
    )
    deploy(connect("owner"), Resource("prices.dmn", DISCOUNT.encode()), process)
    return connect("wang")


def test_a_decision_is_made_with_those_that_it_requires(wang: CamundaClient) -> None:
    by_id = DecisionEvaluationByID.from_dict({"decisionDefinitionId": "discount", "variables": {"hours": 2}})
    made = wang.evaluate_decision(data=by_id)
    assert (made.output, made.failure_message, made.decision_requirements_id) == ("0.1", None, "prices")
    price, discount = made.evaluated_decisions
    assert (price.decision_definition_id, price.decision_definition_type, price.output) == (
        "price",
        "LITERAL_EXPRESSION",
        "120",
    )
    assert (discount.decision_definition_type, discount.output) == ("DECISION_TABLE", "0.1")
    (compared,) = discount.evaluated_inputs
    assert (compared.input_id, compared.input_name, compared.input_value) == ("in", "the price", "120")
    (rule,) = discount.matched_rules
    assert (rule.rule_id, rule.rule_index) == ("high", 2)
    assert [(given.output_id, given.output_value) for given in rule.evaluated_outputs] == [("out", "0.1")]
    by_key = DecisionEvaluationByKey.from_dict(
        {"decisionDefinitionKey": price.decision_definition_key, "variables": {"hours": 3}}
    )
    assert wang.evaluate_decision(data=by_key).output == "180"


def test_a_decision_that_fails_says_which_and_why(wang: CamundaClient, http: Browse) -> None:
    made = wang.evaluate_decision(data=DecisionEvaluationByID.from_dict({"decisionDefinitionId": "clash"}))
    assert (made.output, made.failed_decision_definition_id, made.evaluated_decisions) == ("null", "clash", [])
    assert "UNIQUE" in str(made.failure_message)
    with pytest.raises(NotFoundError):
        wang.evaluate_decision(data=DecisionEvaluationByID.from_dict({"decisionDefinitionId": "other"}))
    plain = http("wang")
    both = {"decisionDefinitionId": "clash", "decisionDefinitionKey": "1"}
    bodies: list[dict[str, Any]] = [{}, both, {"decisionDefinitionId": "clash", "variables": [1]}]
    answers = [plain.post("/decision-definitions/evaluation", json=body) for body in bodies]
    assert [answer.status_code for answer in answers] == [400] * 3


def test_dmn_files_are_found_and_read(wang: CamundaClient) -> None:
    query = {"filter": {"decisionRequirementsId": "prices"}, "sort": [{"field": "version", "order": "DESC"}]}
    (found,) = wang.search_decision_requirements(data=DecisionRequirementsSearchQuery.from_dict(query)).items
    key = found.decision_requirements_key
    assert (found.decision_requirements_name, found.resource_name, found.version) == ("Prices", "prices.dmn", 1)
    assert wang.get_decision_requirements(decision_requirements_key=key) == found
    assert wang.get_decision_requirements_xml(decision_requirements_key=key) == DISCOUNT
    inside = DecisionDefinitionSearchQuery.from_dict({"filter": {"decisionRequirementsKey": key}})
    decisions = wang.search_decision_definitions(data=inside).items
    assert sorted(decision.decision_definition_id for decision in decisions) == ["clash", "discount", "price"]
    with pytest.raises(NotFoundError):
        wang.get_decision_requirements(decision_requirements_key="4711")


def test_what_an_instance_has_decided_is_found_by_those_who_may_see_it(
    wang: CamundaClient, connect: Connect, http: Browse
) -> None:
    request = {"processDefinitionId": "p", "variables": {"hours": 1}}
    instance = wang.create_process_instance(data=ProcessCreationById.from_dict(request))
    query = {
        "filter": {"processInstanceKey": instance.process_instance_key, "decisionDefinitionId": "discount"},
        "sort": [{"field": "evaluationDate"}],
    }
    (found,) = wang.search_decision_instances(data=DecisionInstanceSearchQuery.from_dict(query)).items
    assert (found.result, found.state.value, found.evaluation_date) == ("0", "EVALUATED", MONDAY)
    assert found.decision_definition_type.value == "DECISION_TABLE"
    key = found.decision_evaluation_instance_key
    whole = wang.get_decision_instance(decision_evaluation_instance_key=key)
    assert [rule.rule_id for rule in whole.matched_rules] == ["low"]
    assert [(given.input_name, given.input_value) for given in whole.evaluated_inputs] == [("the price", "60")]
    by_key = DecisionInstanceSearchQuery.from_dict({"filter": {"decisionEvaluationInstanceKey": key}})
    assert [item.decision_evaluation_key for item in wang.search_decision_instances(data=by_key).items] == [
        found.decision_evaluation_key
    ]
    assert connect("li").search_decision_instances().items == []
    li = http("li")
    evaluation = found.decision_evaluation_key
    answers = [li.get(f"/decision-instances/{text}") for text in (key, f"{evaluation}-2", "12-1", "x")]
    assert [answer.status_code for answer in answers] == [403, 404, 404, 404]


def test_what_was_asked_for_through_the_api_is_kept(wang: CamundaClient, connect: Connect, http: Browse) -> None:
    by_id = DecisionEvaluationByID.from_dict({"decisionDefinitionId": "discount", "variables": {"hours": 2}})
    made = wang.evaluate_decision(data=by_id)
    boss = connect("boss")
    query = {
        "filter": {"decisionEvaluationKey": made.decision_evaluation_key},
        "sort": [{"field": "decisionDefinitionType", "order": "DESC"}],
    }
    for client in (wang, boss):
        found = client.search_decision_instances(data=DecisionInstanceSearchQuery.from_dict(query)).items
        assert [(item.decision_definition_id, item.result) for item in found] == [("price", "120"), ("discount", "0.1")]
        assert {item.root_decision_definition_key for item in found} == {made.decision_definition_key}
        assert {item.process_instance_key for item in found} == {None}
    key = made.evaluated_decisions[1].decision_evaluation_instance_key
    whole = boss.get_decision_instance(decision_evaluation_instance_key=key)
    assert [rule.rule_id for rule in whole.matched_rules] == ["high"]
    assert [(given.input_name, given.input_value) for given in whole.evaluated_inputs] == [("the price", "120")]
    tables = {"filter": {"decisionDefinitionType": "DECISION_TABLE"}}
    (table,) = boss.search_decision_instances(data=DecisionInstanceSearchQuery.from_dict(tables)).items
    assert table.decision_evaluation_instance_key == key
    assert connect("li").search_decision_instances().items == []
    assert http("li").get(f"/decision-instances/{key}").status_code == 403


def test_a_decision_that_failed_is_kept_with_the_reason(wang: CamundaClient) -> None:
    made = wang.evaluate_decision(data=DecisionEvaluationByID.from_dict({"decisionDefinitionId": "clash"}))
    failed = DecisionInstanceSearchQuery.from_dict({"filter": {"state": "FAILED"}})
    (found,) = wang.search_decision_instances(data=failed).items
    assert (found.decision_evaluation_key, found.evaluation_failure) == (
        made.decision_evaluation_key,
        made.failure_message,
    )
    assert found.result == "null"
