"""User tasks through Camunda's published client: find, give, take back, change, fill in, complete."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from camunda_orchestration_sdk import CamundaClient
from camunda_orchestration_sdk.errors import ConflictError
from camunda_orchestration_sdk.models import (
    ProcessCreationById,
    UserTaskAssignmentRequest,
    UserTaskCompletionRequest,
    UserTaskResult,
    UserTaskSearchQuery,
    UserTaskUpdateRequest,
    UserTaskVariableSearchQueryRequest,
)

from tests.api.conftest import Browse, Connect, deploy, repair_files
from tests.conftest import MONDAY
from tests.tasks.conftest import RECEPTION

CAR = {"plate": "粤B12345", "customer": "李雷", "kind": "small"}


@pytest.fixture
def estimate(connect: Connect) -> UserTaskResult:
    """The first task of a repair, nobody's yet."""
    deploy(connect("owner"), *repair_files())
    wang = connect("wang")
    wang.create_process_instance(
        data=ProcessCreationById.from_dict({"processDefinitionId": "car-repair", "variables": CAR})
    )
    return _found(wang)[0]


def _found(client: CamundaClient, **wanted: object) -> list[UserTaskResult]:
    return client.search_user_tasks(data=UserTaskSearchQuery.from_dict({"filter": wanted})).items


def test_a_task_says_what_it_is(estimate: UserTaskResult, connect: Connect) -> None:
    task = connect("wang").get_user_task(user_task_key=estimate.user_task_key)
    assert task == estimate
    assert (task.name, task.element_id, task.state.value) == ("估价", "estimate", "CREATED")
    assert (task.candidate_groups, task.candidate_users, task.assignee) == ([RECEPTION], [], None)
    assert (task.process_definition_id, task.process_definition_version, task.process_name) == (
        "car-repair",
        1,
        "car-repair",
    )
    assert task.root_process_instance_key == task.process_instance_key
    assert task.creation_date == MONDAY
    assert task.due_date == datetime(2025, 3, 3, 5, 0, tzinfo=UTC)
    assert task.completion_date is None
    assert task.priority == 50


def test_a_task_is_given_and_put_back(estimate: UserTaskResult, connect: Connect) -> None:
    wang, key = connect("wang"), estimate.user_task_key
    wang.assign_user_task(user_task_key=key, data=UserTaskAssignmentRequest(assignee="wang"))
    assert [task.assignee for task in _found(wang, assignee="wang")] == ["wang"]
    wang.unassign_user_task(user_task_key=key)
    assert _found(wang, assignee={"$exists": True}) == []


def test_a_task_that_somebody_has_is_not_taken_without_override(estimate: UserTaskResult, connect: Connect) -> None:
    boss, key = connect("boss"), estimate.user_task_key
    boss.assign_user_task(user_task_key=key, data=UserTaskAssignmentRequest(assignee="wang"))
    with pytest.raises(ConflictError, match="assigned to wang"):
        boss.assign_user_task(user_task_key=key, data=UserTaskAssignmentRequest(assignee="boss", allow_override=False))
    boss.assign_user_task(user_task_key=key, data=UserTaskAssignmentRequest(assignee="boss"))
    assert boss.get_user_task(user_task_key=key).assignee == "boss"


def test_a_manager_changes_dates_candidates_and_priority(estimate: UserTaskResult, connect: Connect) -> None:
    boss, key = connect("boss"), estimate.user_task_key
    changes = {
        "dueDate": "2025-03-04T09:00:00+08:00",
        "followUpDate": "2025-03-03T12:00:00Z",
        "candidateGroups": ["人事"],
        "candidateUsers": ["zhang"],
        "priority": 90,
    }
    boss.update_user_task(user_task_key=key, data=UserTaskUpdateRequest.from_dict({"changeset": changes}))
    task = boss.get_user_task(user_task_key=key)
    assert (task.due_date, task.follow_up_date) == (
        datetime(2025, 3, 4, 1, 0, tzinfo=UTC),
        datetime(2025, 3, 3, 12, 0, tzinfo=UTC),
    )
    assert (task.candidate_groups, task.candidate_users, task.priority) == (["人事"], ["zhang"], 90)
    assert [len(_found(connect(name))) for name in ("wang", "li", "zhang")] == [0, 1, 1]


def test_an_empty_text_takes_a_due_date_away(estimate: UserTaskResult, connect: Connect, http: Browse) -> None:
    response = http("boss").patch(f"/user-tasks/{estimate.user_task_key}", json={"changeset": {"dueDate": ""}})
    assert response.status_code == 204
    assert connect("boss").get_user_task(user_task_key=estimate.user_task_key).due_date is None


def test_a_task_hands_out_its_form(estimate: UserTaskResult, connect: Connect) -> None:
    form = connect("wang").get_user_task_form(user_task_key=estimate.user_task_key)
    assert form.form_id == "estimate-form"
    assert form.form_key == estimate.form_key
    assert {component["key"] for component in json.loads(form.schema)["components"]} == {"plate", "price", "note"}


def test_a_task_hands_out_the_variables_that_it_sees(estimate: UserTaskResult, connect: Connect) -> None:
    query = UserTaskVariableSearchQueryRequest.from_dict({"sort": [{"field": "name"}]})
    found = connect("wang").search_user_task_variables(user_task_key=estimate.user_task_key, data=query)
    assert {item.name: json.loads(item.value) for item in found.items} == CAR
    assert found.page.total_items == 3


def test_money_keeps_every_digit(estimate: UserTaskResult, connect: Connect, http: Browse) -> None:
    body = '{"variables": {"price": 1234567890123456789.10}}'
    response = http("wang").post(f"/user-tasks/{estimate.user_task_key}/completion", content=body)
    assert response.status_code == 204, response.text
    found = http("boss").post("/variables/search", json={"filter": {"name": "price"}})
    assert [item["value"] for item in found.json()["items"]] == ["1234567890123456789.10"]


def test_who_completed_a_task_finds_it_among_the_completed(estimate: UserTaskResult, connect: Connect) -> None:
    wang = connect("wang")
    completion = UserTaskCompletionRequest.from_dict({"variables": {"price": 99.5}})
    wang.complete_user_task(user_task_key=estimate.user_task_key, data=completion)
    done = _found(wang, state="COMPLETED")
    assert [(task.element_id, task.assignee, task.completion_date) for task in done] == [("estimate", "wang", MONDAY)]


def test_a_task_completed_twice_is_a_conflict(estimate: UserTaskResult, connect: Connect) -> None:
    wang = connect("wang")
    completion = UserTaskCompletionRequest.from_dict({"variables": {"price": 99.5}})
    wang.complete_user_task(user_task_key=estimate.user_task_key, data=completion)
    with pytest.raises(ConflictError):
        wang.complete_user_task(user_task_key=estimate.user_task_key, data=completion)


_FILTERS: list[tuple[dict[str, object], bool]] = [
    ({"elementId": "estimate"}, True),
    ({"elementId": {"$in": ["estimate", "repair"]}}, True),
    ({"elementId": {"$notIn": ["estimate"]}}, False),
    ({"elementId": {"$like": "est*"}}, True),
    ({"elementId": {"$like": "est?"}}, False),
    ({"name": {"$neq": "估价"}}, False),
    ({"priority": {"$gte": 50, "$lt": 51}}, True),
    ({"priority": {"$gt": 50}}, False),
    ({"candidateGroup": RECEPTION}, True),
    ({"candidateGroup": {"$in": ["人事", "班组"]}}, False),
    ({"candidateGroup": {"$like": "业务*"}}, True),
    ({"candidateUser": {"$exists": True}}, False),
    ({"dueDate": {"$lte": "2025-03-03T13:00:00+08:00"}}, True),
    ({"dueDate": {"$lt": "2025-03-03T13:00:00+08:00"}}, False),
    ({"completionDate": {"$exists": False}}, True),
    ({"processDefinitionId": "car-repair", "state": "COMPLETED"}, False),
    ({"tenantId": "<default>"}, True),
    ({"processInstanceVariables": [{"name": "plate", "value": '"粤B12345"'}]}, True),
    ({"processInstanceVariables": [{"name": "plate", "value": {"$like": "*999*"}}]}, False),
    ({"$or": [{"elementId": "repair"}, {"assignee": {"$exists": False}}]}, True),
    ({"$or": [{"elementId": "repair"}, {"assignee": "wang"}]}, False),
]


def test_tasks_are_found_by_each_of_their_properties(estimate: UserTaskResult, http: Browse) -> None:
    wang = http("wang")
    for wanted, found in _FILTERS:
        answer = wang.post("/user-tasks/search", json={"filter": wanted}).json()
        assert [item["userTaskKey"] for item in answer["items"]] == [estimate.user_task_key] * found, wanted
        assert answer["page"]["totalItems"] == int(found), wanted
