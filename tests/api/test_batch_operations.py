"""Managers do the same to many instances through Camunda's published client, and see what became of each."""

from __future__ import annotations

from typing import Any

import pytest
from camunda_orchestration_sdk import CamundaClient
from camunda_orchestration_sdk.errors import BadRequestError, NotFoundError
from camunda_orchestration_sdk.models import (
    BatchOperationItemSearchQuery,
    BatchOperationSearchQuery,
    JobBatchUpdateRequest,
    JobFailRequest,
    ProcessCreationById,
    ProcessInstanceCancellationBatchOperationRequest,
    ProcessInstanceIncidentResolutionBatchOperationRequest,
    ProcessInstanceMigrationBatchOperationRequest,
    ProcessInstanceModificationBatchOperationRequest,
    ProcessInstanceResumptionBatchOperationRequest,
    ProcessInstanceSearchQuery,
    ProcessInstanceSuspensionBatchOperationRequest,
    UserTaskSearchQuery,
)

from tests.api.conftest import Browse, Connect, deploy
from tests.conftest import MONDAY
from tests.diagrams import chain, diagram, end, service, start, user
from tests.play import Player


@pytest.fixture
def boss(connect: Connect) -> CamundaClient:
    """A manager, with three instances at the first of two steps."""
    deploy(connect("owner"), diagram(start(), user("a"), user("b"), end(), chain("start", "a", "b", "end")))
    boss = connect("boss")
    for number in range(3):
        body = {"processDefinitionId": "p", "variables": {"number": number}}
        boss.create_process_instance(data=ProcessCreationById.from_dict(body))
    return boss


def _numbered(number: int) -> dict[str, Any]:
    return {"variables": [{"name": "number", "value": str(number)}]}


def _todo(client: CamundaClient) -> list[str]:
    open_tasks = UserTaskSearchQuery.from_dict({"filter": {"state": "CREATED"}, "sort": [{"field": "creationDate"}]})
    return [task.element_id for task in client.search_user_tasks(data=open_tasks).items]


def _states(client: CamundaClient, **wanted: Any) -> list[str]:
    query = ProcessInstanceSearchQuery.from_dict({"filter": wanted, "sort": [{"field": "processInstanceKey"}]})
    return [found.state.value for found in client.search_process_instances(data=query).items]


def _items(client: CamundaClient, key: str, **wanted: Any) -> list[tuple[str, str | None]]:
    body = {"filter": {"batchOperationKey": key, **wanted}, "sort": [{"field": "processInstanceKey"}]}
    found = client.search_batch_operation_items(data=BatchOperationItemSearchQuery.from_dict(body)).items
    return [(item.state.value, item.error_message) for item in found]


def test_instances_are_cancelled_together(boss: CamundaClient, play: Player) -> None:
    body = {"filter": {"processDefinitionId": "p", "$or": [_numbered(0), _numbered(2)]}}
    data = ProcessInstanceCancellationBatchOperationRequest.from_dict(body)
    begun = boss.cancel_process_instances_batch_operation(data=data)
    assert begun.batch_operation_type.value == "CANCEL_PROCESS_INSTANCE"
    key = begun.batch_operation_key
    operation = boss.get_batch_operation(batch_operation_key=key)
    assert (operation.state.value, operation.operations_total_count, operation.start_date) == ("CREATED", 2, None)
    play.run_due()
    assert _states(boss) == ["TERMINATED", "ACTIVE", "TERMINATED"]
    assert _states(boss, batchOperationKey=key) == ["TERMINATED"] * 2
    operation = boss.get_batch_operation(batch_operation_key=key)
    assert (operation.state.value, operation.start_date, operation.end_date) == ("COMPLETED", MONDAY, MONDAY)
    assert (operation.operations_completed_count, operation.operations_failed_count) == (2, 0)
    assert (operation.actor_id, str(operation.actor_type), operation.errors) == ("boss", "USER", [])
    assert _items(boss, key) == [("COMPLETED", None)] * 2


def test_one_that_cannot_be_modified_says_why(boss: CamundaClient, play: Player) -> None:
    moves = [{"sourceElementId": "a", "targetElementId": "b"}]

    def move(wanted: dict[str, Any]) -> str:
        body = {"filter": wanted, "moveInstructions": moves}
        data = ProcessInstanceModificationBatchOperationRequest.from_dict(body)
        return boss.modify_process_instances_batch_operation(data=data).batch_operation_key

    move(_numbered(1))
    play.run_due()
    key = move({"processDefinitionId": "p"})
    play.run_due()
    assert _todo(boss) == ["b"] * 3
    assert [state for state, _ in _items(boss, key)] == ["COMPLETED", "FAILED", "COMPLETED"]
    ((_, reason),) = _items(boss, key, state="FAILED")
    assert "“a”" in str(reason)
    assert boss.get_batch_operation(batch_operation_key=key).operations_failed_count == 1


def test_instances_are_migrated_after_a_look_at_what_would_happen(
    boss: CamundaClient, connect: Connect, play: Player, http: Browse, address: str
) -> None:
    old = boss.search_process_instances().items[0].process_definition_key
    deployed = deploy(
        connect("owner"), diagram(start(), user("one"), user("b"), end(), chain("start", "one", "b", "end"))
    )
    target = deployed.deployments[0].process_definition
    assert target is not None
    plan: dict[str, Any] = {"targetProcessDefinitionKey": target.process_definition_key, "mappingInstructions": []}
    body: dict[str, Any] = {"filter": {"processDefinitionKey": old}, "migrationPlan": plan}
    manager, preview = http("boss"), f"{address}/api/process-instances/migration/preview"

    query = {"targetProcessDefinitionKey": target.process_definition_key}
    suggested = manager.get(f"{address}/api/process-definitions/{old}/migration-plan", params=query).json()
    pairs = [(pair["sourceElementId"], pair["targetElementId"]) for pair in suggested["mappingInstructions"]]
    assert ("b", "b") in pairs
    assert not any("a" in pair for pair in pairs)

    (first, *others) = manager.post(preview, json=body).json()["items"]
    assert (len(others), first["elements"]) == (2, [])
    assert "has no mapping" in first["problems"][0]
    plan["mappingInstructions"] = [{"sourceElementId": "a", "targetElementId": "one"}]
    page = manager.post(preview, json={**body, "limit": 2}).json()
    assert (page["totalItems"], [item["problems"] for item in page["items"]]) == (3, [[], []])
    assert [step["targetElementId"] for step in page["items"][0]["elements"]] == ["one"]
    rest = manager.post(preview, json={**body, "after": page["items"][-1]["processInstanceKey"]}).json()
    assert (rest["totalItems"], len(rest["items"])) == (1, 1)
    assert _todo(boss) == ["a"] * 3

    data = ProcessInstanceMigrationBatchOperationRequest.from_dict(body)
    key = boss.migrate_process_instances_batch_operation(data=data).batch_operation_key
    play.run_due()
    assert (_todo(boss), _items(boss, key)) == (["one"] * 3, [("COMPLETED", None)] * 3)
    with pytest.raises(BadRequestError):
        boss.migrate_process_instances_batch_operation(
            data=ProcessInstanceMigrationBatchOperationRequest.from_dict(
                {**body, "migrationPlan": {**plan, "targetProcessDefinitionKey": "4711"}}
            )
        )


def test_instances_are_suspended_and_resumed_together(boss: CamundaClient, play: Player) -> None:
    body = {"filter": {"processDefinitionId": "p"}}
    boss.suspend_process_instances_batch_operation(data=ProcessInstanceSuspensionBatchOperationRequest.from_dict(body))
    play.run_due()
    assert _states(boss) == ["SUSPENDED"] * 3
    boss.resume_process_instances_batch_operation(data=ProcessInstanceResumptionBatchOperationRequest.from_dict(body))
    play.run_due()
    assert _states(boss) == ["ACTIVE"] * 3


def test_what_failed_in_many_instances_is_tried_again(connect: Connect, play: Player) -> None:
    deploy(connect("owner"), diagram(start(), service("s", "print"), end(), chain("start", "s", "end")))
    boss = connect("boss")
    for _ in range(2):
        boss.create_process_instance(data=ProcessCreationById.from_dict({"processDefinitionId": "p"}))
    for job in boss.search_jobs().items:
        boss.fail_job(job_key=job.job_key, data=JobFailRequest.from_dict({"retries": 0}))
    more = {"filter": {"type": "print"}, "changeset": {"retries": 7}}
    begun = boss.update_jobs_batch_operation(data=JobBatchUpdateRequest.from_dict(more))
    assert begun.batch_operation_type.value == "UPDATE_JOB"
    play.run_due()
    wanted = {"filter": {"hasIncident": True}}
    data = ProcessInstanceIncidentResolutionBatchOperationRequest.from_dict(wanted)
    key = boss.resolve_incidents_batch_operation(data=data).batch_operation_key
    play.run_due()
    assert _items(boss, key) == [("COMPLETED", None)] * 2
    assert {incident.state.value for incident in boss.search_incidents().items} == {"RESOLVED"}
    assert [job.retries for job in boss.search_jobs().items] == [7, 7]


def test_an_operation_is_held_up_and_given_up(boss: CamundaClient, play: Player, http: Browse) -> None:
    data = ProcessInstanceCancellationBatchOperationRequest.from_dict({"filter": {"state": "ACTIVE"}})
    key = boss.cancel_process_instances_batch_operation(data=data).batch_operation_key
    boss.suspend_batch_operation(batch_operation_key=key)
    play.run_due()
    assert (boss.get_batch_operation(batch_operation_key=key).state.value, _states(boss)) == (
        "SUSPENDED",
        ["ACTIVE"] * 3,
    )
    boss.resume_batch_operation(batch_operation_key=key)
    boss.cancel_batch_operation(batch_operation_key=key)
    play.run_due()
    assert (_items(boss, key), _states(boss)) == ([("CANCELED", None)] * 3, ["ACTIVE"] * 3)
    assert http("boss").post(f"/batch-operations/{key}/cancellation").status_code == 409
    with pytest.raises(NotFoundError):
        boss.get_batch_operation(batch_operation_key="4711")
    query = {
        "filter": {"operationType": "CANCEL_PROCESS_INSTANCE", "state": {"$in": ["CANCELED"]}, "actorId": "boss"},
        "sort": [{"field": "endDate", "order": "DESC"}],
    }
    (found,) = boss.search_batch_operations(data=BatchOperationSearchQuery.from_dict(query)).items
    assert found.batch_operation_key == key


def test_a_wish_without_sense_is_refused(boss: CamundaClient, http: Browse, play: Player) -> None:
    manager, everything = http("boss"), {"filter": {"processDefinitionId": "p"}}
    refused: list[tuple[str, dict[str, Any]]] = [
        ("/process-instances/cancellation", {}),
        ("/process-instances/cancellation", {"filter": {}}),
        ("/process-instances/cancellation", {"filter": {"colour": "red"}}),
        ("/process-instances/cancellation", {"filter": {"processInstanceKey": 10**30}}),
        ("/process-instances/cancellation", {"filter": {"processInstanceKey": ["1"]}}),
        ("/process-instances/modification", {**everything, "moveInstructions": []}),
        ("/process-instances/migration", everything),
        ("/jobs/batch-update", {"filter": {"type": "x"}, "changeset": {}}),
        ("/jobs/batch-update", {"filter": {}, "changeset": {"retries": 1}}),
        ("/batch-operations/search", {"page": {"after": "x"}}),
        ("/batch-operation-items/search", {"filter": {"state": {"$gt": "A"}}}),
    ]
    for path, body in refused:
        answer = manager.post(path, json=body)
        assert answer.status_code == 400, (path, body, answer.text)
    cursor = boss.search_process_instances().page.end_cursor
    by_state = {"sort": [{"field": "state"}], "page": {"after": cursor}}
    assert manager.post("/batch-operations/search", json=by_state).status_code == 400
    assert boss.search_batch_operations().items == []
    play.run_due()
    assert _states(boss) == ["ACTIVE"] * 3
    with pytest.raises(BadRequestError):
        boss.cancel_process_instances_batch_operation(
            data=ProcessInstanceCancellationBatchOperationRequest.from_dict({"filter": {}})
        )


def test_only_managers_do_the_same_to_many(boss: CamundaClient, http: Browse, play: Player, address: str) -> None:
    data = ProcessInstanceCancellationBatchOperationRequest.from_dict({"filter": _numbered(7)})
    key = boss.cancel_process_instances_batch_operation(data=data).batch_operation_key
    wanted = {"filter": {"processDefinitionId": "p"}}
    plan = {"targetProcessDefinitionKey": "1", "mappingInstructions": []}
    bodies = {
        "/v2/process-instances/cancellation": wanted,
        "/v2/process-instances/suspension": wanted,
        "/v2/process-instances/resumption": wanted,
        "/v2/process-instances/incident-resolution": wanted,
        "/v2/process-instances/migration": {**wanted, "migrationPlan": plan},
        "/v2/process-instances/modification": {
            **wanted,
            "moveInstructions": [{"sourceElementId": "a", "targetElementId": "b"}],
        },
        "/api/process-instances/migration/preview": {**wanted, "migrationPlan": plan},
        "/v2/jobs/batch-update": {"filter": {"type": "x"}, "changeset": {"retries": 1}},
        "/v2/batch-operations/search": {},
        "/v2/batch-operation-items/search": {},
        f"/v2/batch-operations/{key}/cancellation": {},
        f"/v2/batch-operations/{key}/suspension": {},
        f"/v2/batch-operations/{key}/resumption": {},
    }
    for name in ("wang", "owner", "robot"):
        somebody = http(name)
        codes = {path: somebody.post(f"{address}{path}", json=body).status_code for path, body in bodies.items()}
        assert codes == dict.fromkeys(bodies, 403)
        assert somebody.get(f"/batch-operations/{key}").status_code == 403
    play.run_due()
    assert _states(boss) == ["ACTIVE"] * 3
