"""Process instances through Camunda's published client: create, find, look inside, change, end."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from camunda_orchestration_sdk import CamundaClient
from camunda_orchestration_sdk.errors import BadRequestError, ConflictError
from camunda_orchestration_sdk.models import (
    CancelProcessInstanceRequest,
    CreateProcessInstanceResult,
    ElementInstanceSearchQuery,
    ProcessCreationById,
    ProcessCreationByKey,
    ProcessInstanceResult,
    ProcessInstanceSearchQuery,
    SetVariableRequest,
    UserTaskCompletionRequest,
    VariableSearchQuery,
)

from tests.api.conftest import Browse, Connect, deploy, repair_files
from tests.conftest import MONDAY
from tests.diagrams import boundary, chain, diagram, end, flow, node, script, start, timer, user
from tests.play import Player

CAR = {"plate": "粤B12345", "customer": "李雷", "kind": "small"}


@pytest.fixture
def shop(connect: Connect) -> Connect:
    """The repair shop's process deployed."""
    deploy(connect("owner"), *repair_files())
    return connect


def _create(client: CamundaClient, process_id: str = "car-repair", **body: object) -> CreateProcessInstanceResult:
    request = {"processDefinitionId": process_id, "variables": CAR, **body}
    return client.create_process_instance(data=ProcessCreationById.from_dict(request))


def _found(client: CamundaClient, **wanted: object) -> list[ProcessInstanceResult]:
    return client.search_process_instances(data=ProcessInstanceSearchQuery.from_dict({"filter": wanted})).items


def test_an_instance_says_what_it_is(shop: Connect) -> None:
    wang = shop("wang")
    created = _create(wang)
    assert (created.process_definition_id, created.process_definition_version) == ("car-repair", 1)
    instance = wang.get_process_instance(process_instance_key=created.process_instance_key)
    assert (instance.state.value, instance.start_date, instance.end_date) == ("ACTIVE", MONDAY, None)
    assert (instance.has_incident, instance.parent_process_instance_key) == (False, None)
    assert instance.root_process_instance_key == instance.process_instance_key
    assert _found(wang) == [instance]


def test_an_instance_is_created_of_the_version_that_is_named(shop: Connect) -> None:
    owner, wang = shop("owner"), shop("wang")
    first, second = (
        diagram(start(), user("a"), end(), chain("start", "a", "end")),
        diagram(start(), user("b"), end(), chain("start", "b", "end")),
    )
    keys = [
        item.process_definition.process_definition_key
        for resource in (first, second)
        for item in deploy(owner, resource).deployments
        if item.process_definition
    ]
    by_key = wang.create_process_instance(data=ProcessCreationByKey(process_definition_key=keys[0]))
    by_version = _create(wang, "p", processDefinitionVersion=1)
    latest = _create(wang, "p")
    assert [created.process_definition_version for created in (by_key, by_version, latest)] == [1, 1, 2]


def test_a_caller_waits_for_the_result(connect: Connect) -> None:
    deploy(connect("owner"), diagram(start(), script("sum", "a + b", "total"), end(), chain("start", "sum", "end")))
    body = {"variables": {"a": 1, "b": 2}, "awaitCompletion": True}
    assert _create(connect("wang"), "p", **body).variables.to_dict() == {"a": 1, "b": 2, "total": 3}
    only = _create(connect("wang"), "p", **body, fetchVariables=["total"])
    assert only.variables.to_dict() == {"total": 3}


def test_a_caller_does_not_wait_for_ever(shop: Connect, http: Browse) -> None:
    body = {"processDefinitionId": "car-repair", "variables": CAR, "awaitCompletion": True, "requestTimeout": 1}
    response = http("wang").post("/process-instances", json=body)
    assert (response.status_code, response.json()["title"]) == (504, "GATEWAY_TIMEOUT")
    assert len(_found(shop("wang"), state="ACTIVE")) == 1


def test_a_manager_ends_an_instance(shop: Connect) -> None:
    boss = shop("boss")
    key = _create(boss).process_instance_key
    boss.cancel_process_instance(process_instance_key=key, data=CancelProcessInstanceRequest())
    instance = boss.get_process_instance(process_instance_key=key)
    assert (instance.state.value, instance.end_date) == ("TERMINATED", MONDAY)
    with pytest.raises(ConflictError):
        boss.cancel_process_instance(process_instance_key=key, data=CancelProcessInstanceRequest())


def test_element_instances_tell_the_way_of_the_token(shop: Connect) -> None:
    wang = shop("wang")
    key = _create(wang).process_instance_key
    query = {"filter": {"processInstanceKey": key}, "sort": [{"field": "elementInstanceKey"}]}
    found = wang.search_element_instances(data=ElementInstanceSearchQuery.from_dict(query)).items
    assert [(visit.element_id, visit.type_.value, visit.state.value) for visit in found] == [
        ("start", "START_EVENT", "COMPLETED"),
        ("estimate", "USER_TASK", "ACTIVE"),
    ]
    assert found[1].element_name == "估价"
    assert wang.get_element_instance(element_instance_key=found[1].element_instance_key) == found[1]


def test_the_way_of_an_instance_is_told_by_flows_and_counts(shop: Connect) -> None:
    wang = shop("wang")
    key = _create(wang).process_instance_key
    task = wang.search_user_tasks().items[0].user_task_key
    wang.complete_user_task(user_task_key=task, data=UserTaskCompletionRequest.from_dict({"variables": {"price": 5}}))
    flows = wang.get_process_instance_sequence_flows(process_instance_key=key).items
    assert [flow.sequence_flow_id for flow in flows] == ["start-estimate", "estimate-repair"]
    counts = wang.get_process_instance_statistics(process_instance_key=key).items
    assert {count.element_id: (count.active, count.completed) for count in counts} == {
        "start": (0, 1),
        "estimate": (0, 1),
        "repair": (1, 0),
    }


def test_variables_are_json_text(shop: Connect) -> None:
    wang = shop("wang")
    key = _create(wang).process_instance_key
    query = {"filter": {"processInstanceKey": key}, "sort": [{"field": "name", "order": "DESC"}]}
    found = wang.search_variables(data=VariableSearchQuery.from_dict(query)).items
    assert [(variable.name, variable.value) for variable in found] == [
        ("plate", '"粤B12345"'),
        ("kind", '"small"'),
        ("customer", '"李雷"'),
    ]
    assert {variable.scope_key for variable in found} == {key}
    assert wang.get_variable(variable_key=found[0].variable_key).value == '"粤B12345"'


def test_a_long_value_is_shortened_in_lists_unless_it_is_wanted(connect: Connect) -> None:
    deploy(connect("owner"), diagram(start(), user("a"), end(), chain("start", "a", "end")))
    wang = connect("wang")
    _create(wang, "p", variables={"long": "长" * 9000})
    shortened = wang.search_variables(data=VariableSearchQuery.from_dict({"filter": {"isTruncated": True}})).items
    assert [(variable.is_truncated, len(variable.value)) for variable in shortened] == [(True, 8191)]
    whole = wang.search_variables(truncate_values=False).items
    assert [(variable.is_truncated, len(variable.value)) for variable in whole] == [(False, 9002)]
    assert json.loads(wang.get_variable(variable_key=whole[0].variable_key).value) == "长" * 9000


def test_a_manager_sets_variables_in_a_scope(shop: Connect) -> None:
    boss = shop("boss")
    key = _create(boss).process_instance_key
    visits = boss.search_element_instances(data=ElementInstanceSearchQuery.from_dict({"filter": {"state": "ACTIVE"}}))
    task = visits.items[0].element_instance_key
    for scope, body in (
        (key, {"variables": {"plate": "粤B99999"}}),
        (task, {"variables": {"note": "here"}, "local": True}),
    ):
        boss.create_element_instance_variables(element_instance_key=scope, data=SetVariableRequest.from_dict(body))
    found = boss.search_variables(data=VariableSearchQuery.from_dict({"filter": {"name": {"$in": ["plate", "note"]}}}))
    assert {(item.name, item.value, item.scope_key) for item in found.items} == {
        ("plate", '"粤B99999"', key),
        ("note", '"here"', task),
    }


def test_a_deadline_shows_in_the_instance(shop: Connect, play: Player) -> None:
    late = diagram(
        start(),
        user("wait"),
        end(),
        boundary("late", "wait", timer("Duration", "PT1H")),
        node("endEvent", "over"),
        chain("start", "wait", "end"),
        flow("late", "over"),
    )
    deploy(shop("owner"), late)
    boss = shop("boss")
    key = _create(boss, "p").process_instance_key
    play.advance(timedelta(hours=1))
    query = ElementInstanceSearchQuery.from_dict({"filter": {"processInstanceKey": key, "elementId": "wait"}})
    assert [visit.state.value for visit in boss.search_element_instances(data=query).items] == ["TERMINATED"]
    assert boss.get_process_instance(process_instance_key=key).end_date == MONDAY + timedelta(hours=1)


_FILTERS: list[tuple[dict[str, object], bool]] = [
    ({"state": "ACTIVE"}, True),
    ({"state": {"$in": ["COMPLETED", "TERMINATED"]}}, False),
    ({"processDefinitionName": "car-repair", "processDefinitionVersion": 1}, True),
    ({"processDefinitionVersionTag": {"$exists": True}}, False),
    ({"startDate": {"$gte": "2025-03-03T01:00:00Z"}}, True),
    ({"endDate": {"$exists": True}}, False),
    ({"hasIncident": False}, True),
    ({"hasIncident": True}, False),
    ({"hasRetriesLeft": True}, False),
    ({"variables": [{"name": "kind", "value": '"small"'}, {"name": "customer", "value": '"李雷"'}]}, True),
    ({"variables": [{"name": "kind", "value": {"$neq": '"small"'}}]}, False),
    ({"elementId": "estimate", "elementInstanceState": "ACTIVE"}, True),
    ({"elementId": "start", "elementInstanceState": "ACTIVE"}, False),
    ({"parentProcessInstanceKey": {"$exists": False}}, True),
    ({"errorMessage": {"$like": "*"}}, False),
    ({"$or": [{"state": "COMPLETED"}, {"processDefinitionId": {"$like": "car-*"}}]}, True),
]


def test_instances_are_found_by_each_of_their_properties(shop: Connect, http: Browse) -> None:
    created, wang = _create(shop("wang")), http("wang")
    for wanted, found in _FILTERS:
        answer = wang.post("/process-instances/search", json={"filter": wanted}).json()
        keys = [item["processInstanceKey"] for item in answer["items"]]
        assert keys == [created.process_instance_key] * found, wanted
        assert answer["page"]["totalItems"] == int(found), wanted


@pytest.mark.parametrize(
    "body",
    [
        {"runtimeInstructions": [{"type": "TERMINATE_PROCESS_INSTANCE", "afterElementId": "repair"}]},
        {"tags": ["express"]},
        {"businessId": "order-1"},
        {"tenantId": "other"},
    ],
)
def test_what_is_not_supported_is_refused_and_nothing_is_created(shop: Connect, body: dict[str, object]) -> None:
    wang = shop("wang")
    with pytest.raises(BadRequestError):
        _create(wang, **body)
    assert _found(wang) == []
