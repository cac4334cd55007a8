"""Values that no database or clock can hold are refused by every endpoint; none makes the server fail."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.api.conftest import Browse, Connect, deploy, repair_files
from tests.diagrams import chain, diagram, end, start

_CAR = {"plate": "粤B12345", "kind": "small"}

#: Half of a character, as an escape.
_HALF = "\\ud800"
_HUGE = 10**40


@pytest.fixture
def root(connect: Connect, http: Browse) -> httpx.Client:
    """An administrator; one repair is under way."""
    deploy(connect("owner"), *repair_files())
    root = http("root")
    root.post("/process-instances", json={"processDefinitionId": "car-repair", "variables": _CAR})
    return root


def _key(root: httpx.Client) -> str:
    return str(root.post("/user-tasks/search").json()["items"][0]["userTaskKey"])


_BEYOND: list[tuple[str, dict[str, Any]]] = [
    ("/user-tasks/search", {"filter": {"name": _HALF}}),
    ("/user-tasks/search", {"filter": {"name": "\x00"}}),
    ("/user-tasks/search", {"filter": {"priority": _HUGE}}),
    ("/user-tasks/search", {"filter": {"priority": {"$in": [_HUGE]}}}),
    ("/user-tasks/search", {"filter": {"userTaskKey": str(_HUGE)}}),
    ("/user-tasks/search", {"filter": {"dueDate": "0001-01-01T00:00:00+14:00"}}),
    ("/user-tasks/search", {"filter": {"dueDate": "9999-12-31T23:59:59-14:00"}}),
    ("/user-tasks/search", {"page": {"from": _HUGE}}),
    ("/user-tasks/search", {"page": {"limit": _HUGE}}),
    ("/user-tasks/search", {"sort": [{"field": "name"}], "page": {"after": "WyJcdWQ4MDAiLCAxXQ=="}}),
    ("/user-tasks/search", {"page": {"after": "[" * 5000}}),
    ("/process-instances", {"processDefinitionId": "car-repair", "processDefinitionVersion": _HUGE}),
    ("/process-instances", {"processDefinitionId": _HALF}),
    ("/process-instances", {"processDefinitionKey": _HUGE}),
    ("/process-instances", {"processDefinitionId": "car-repair", "variables": {**_CAR, "customer": _HALF}}),
    ("/process-instances", {"processDefinitionId": "car-repair", "variables": _CAR, "requestTimeout": _HUGE}),
    ("/messages/publication", {"name": "m", "timeToLive": _HUGE}),
    ("/messages/publication", {"name": "m", "correlationKey": _HALF}),
    ("/messages/correlation", {"name": "m", "variables": {_HALF: 1}}),
    ("/signals/broadcast", {"signalName": _HALF}),
    ("/jobs/activation", {"type": "t", "timeout": _HUGE, "maxJobsToActivate": 1}),
    ("/jobs/activation", {"type": "t", "timeout": 1, "maxJobsToActivate": _HUGE}),
    ("/jobs/1/failure", {"retries": _HUGE}),
    ("/jobs/1/failure", {"retryBackOff": _HUGE}),
    ("/jobs/1/completion", {"result": {"type": "userTask", "corrections": {"assignee": "\x00"}}}),
    ("/jobs/1/completion", {"result": {"type": "userTask", "corrections": {"priority": _HUGE}}}),
    ("/jobs/1/completion", {"result": {"type": "userTask", "denied": True, "deniedReason": "\x00"}}),
    ("/jobs/1/failure", {"errorMessage": "\x00"}),
    ("/jobs/1/error", {"errorCode": "\x00"}),
    ("/jobs/activation", {"type": "\x00", "timeout": 1, "maxJobsToActivate": 1}),
    ("/jobs/batch-update", {"filter": {"type": "t"}, "changeset": {"retries": _HUGE}}),
    ("/process-instances/cancellation", {"filter": {"processInstanceKey": str(_HUGE)}}),
    ("/process-instances/cancellation", {"filter": {"state": "ACTIVE"}, "reason": "\x00"}),
    ("/batch-operations/search", {"filter": {"batchOperationKey": str(_HUGE)}}),
    ("/batch-operation-items/search", {"page": {"from": _HUGE}}),
    ("/conditionals/evaluation", {"variables": {_HALF: 1}}),
    ("/expression/evaluation", {"expression": "1", "scopeKey": str(_HUGE)}),
    ("/decision-definitions/evaluation", {"decisionDefinitionId": "\x00"}),
    ("/decision-definitions/evaluation", {"decisionDefinitionKey": str(_HUGE)}),
    ("/decision-instances/search", {"filter": {"decisionEvaluationInstanceKey": _HALF}}),
    ("/process-instances/1/modification", {"terminateInstructions": [{"elementId": "\x00"}]}),
    ("/process-instances/1/modification", {"terminateInstructions": [{"elementInstanceKey": str(_HUGE)}]}),
    ("/process-instances/1/modification", {"activateInstructions": [{"elementId": _HALF}]}),
    ("/process-instances/1/migration", {"targetProcessDefinitionKey": _HUGE, "mappingInstructions": []}),
]


def test_a_value_beyond_all_bounds_is_refused(root: httpx.Client) -> None:
    for path, body in _BEYOND:
        content = json.dumps(body).replace("\\\\ud800", "\\ud800")
        response = root.post(path, content=content)
        assert (response.status_code, response.json()["title"]) == (400, "BAD_REQUEST"), (path, body, response.text)


_CHANGES: list[dict[str, Any]] = [
    {"dueDate": "0001-01-01T00:00:00+14:00"},
    {"dueDate": "tomorrow"},
    {"priority": _HUGE},
    {"priority": 101},
    {"candidateGroups": [1]},
]


def test_a_task_is_not_changed_to_what_cannot_be(root: httpx.Client) -> None:
    before = root.get(f"/user-tasks/{_key(root)}").json()
    for change in _CHANGES:
        response = root.patch(f"/user-tasks/{before['userTaskKey']}", json={"changeset": change})
        assert response.status_code == 400, (change, response.text)
        assert root.get(f"/user-tasks/{before['userTaskKey']}").json() == before


def test_deep_variables_are_refused(root: httpx.Client) -> None:
    deep = "[" * 900 + "]" * 900
    content = f'{{"processDefinitionId": "car-repair", "variables": {{"plate": "A", "deep": {deep}}}}}'
    assert root.post("/process-instances", content=content).status_code == 400


def test_numbers_beyond_64_bits_are_kept(root: httpx.Client) -> None:
    key = root.post("/process-instances/search").json()["items"][0]["processInstanceKey"]
    content = f'{{"variables": {{"huge": {_HUGE}, "exact": 0.1000000000000000000000000001}}}}'
    assert root.put(f"/element-instances/{key}/variables", content=content).status_code == 204
    found = root.post("/variables/search", json={"filter": {"name": {"$in": ["huge", "exact"]}}}).json()["items"]
    assert {item["name"]: item["value"] for item in found} == {
        "huge": str(_HUGE),
        "exact": "0.1000000000000000000000000001",
    }


def test_an_id_that_no_index_takes_is_refused(root: httpx.Client) -> None:
    longest = "".join(chr(0x4E00 + number * 79 % 20_000) for number in range(4000))
    file = diagram(start(), end(), chain("start", "end"), process_id=longest)

    response = root.post("/deployments", files={"resources": ("long.bpmn", file.content)})

    assert response.status_code == 400
    assert "255 characters" in response.text
