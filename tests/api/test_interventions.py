"""Managers change the course of instances through Camunda's published client: modify, migrate, suspend, restart."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from camunda_orchestration_sdk import CamundaClient
from camunda_orchestration_sdk.errors import BadRequestError, ConflictError, NotFoundError
from camunda_orchestration_sdk.models import (
    AdHocSubProcessActivateActivitiesInstruction,
    CancelProcessInstanceRequest,
    ElementInstanceSearchQuery,
    JobFailRequest,
    ProcessCreationById,
    ProcessInstanceMigrationInstruction,
    ProcessInstanceModificationInstruction,
    ProcessInstanceResult,
    ProcessInstanceSearchQuery,
    ResumeProcessInstanceRequest,
    SetVariableRequest,
    SuspendProcessInstanceRequest,
    UserTaskCompletionRequest,
    UserTaskSearchQuery,
    VariableSearchQuery,
)

from processes.service import Resource
from tests.api.conftest import Browse, Connect, deploy
from tests.conftest import MONDAY
from tests.diagrams import boundary, chain, diagram, end, flow, gateway, node, service, start, sub_process, timer, user
from tests.play import Player


def steps() -> Resource:
    """Two steps, then two in a sub-process."""
    inner = sub_process("inner", start("s"), user("c"), user("d"), end("e"), chain("s", "c", "d", "e"))
    return diagram(start(), user("a"), user("b"), inner, end(), chain("start", "a", "b", "inner", "end"))


@pytest.fixture
def boss(connect: Connect) -> CamundaClient:
    """A manager; the process of two steps and a sub-process is deployed."""
    deploy(connect("owner"), steps())
    return connect("boss")


def _create(client: CamundaClient, process_id: str = "p", **body: Any) -> str:
    request = {"processDefinitionId": process_id, **body}
    return client.create_process_instance(data=ProcessCreationById.from_dict(request)).process_instance_key


def _todo(client: CamundaClient, key: str) -> list[str]:
    query = UserTaskSearchQuery.from_dict({"filter": {"state": "CREATED", "processInstanceKey": key}})
    return sorted(task.element_id for task in client.search_user_tasks(data=query).items)


def _complete(client: CamundaClient, key: str, element_id: str) -> None:
    query = UserTaskSearchQuery.from_dict(
        {"filter": {"state": "CREATED", "processInstanceKey": key, "elementId": element_id}}
    )
    (task,) = client.search_user_tasks(data=query).items
    client.complete_user_task(user_task_key=task.user_task_key, data=UserTaskCompletionRequest())


def _live(client: CamundaClient, key: str, element_id: str) -> list[str]:
    wanted = {"processInstanceKey": key, "elementId": element_id, "state": "ACTIVE"}
    found = client.search_element_instances(data=ElementInstanceSearchQuery.from_dict({"filter": wanted})).items
    return [visit.element_instance_key for visit in found]


def _values(client: CamundaClient, **wanted: Any) -> dict[str, str]:
    found = client.search_variables(data=VariableSearchQuery.from_dict({"filter": wanted})).items
    return {variable.name: variable.value for variable in found}


def _modify(client: CamundaClient, key: str, **instructions: Any) -> None:
    data = ProcessInstanceModificationInstruction.from_dict(instructions)
    client.modify_process_instance(process_instance_key=key, data=data)


def _instance(client: CamundaClient, key: str) -> ProcessInstanceResult:
    return client.get_process_instance(process_instance_key=key)


def test_elements_are_activated_moved_and_terminated(boss: CamundaClient) -> None:
    key = _create(boss)
    with_variables = [{"variables": {"x": 1}}, {"variables": {"y": 2}, "scopeId": "inner"}]
    _modify(
        boss,
        key,
        activateInstructions=[{"elementId": "d", "variableInstructions": with_variables}],
        terminateInstructions=[{"elementId": "a"}],
    )
    assert _todo(boss, key) == ["d"]
    (inner,) = _live(boss, key, "inner")
    assert _values(boss, scopeKey=key) == {"x": "1"}
    assert _values(boss, scopeKey=inner) == {"y": "2"}

    inside = {"ancestorScopeType": "sourceParent"}
    source = {"sourceType": "byId", "sourceElementId": "d"}
    move = {"sourceElementInstruction": source, "targetElementId": "c", "ancestorScopeInstruction": inside}
    _modify(boss, key, moveInstructions=[move])
    assert (_todo(boss, key), _live(boss, key, "inner")) == (["c"], [inner])

    _modify(boss, key, activateInstructions=[{"elementId": "c", "ancestorElementInstanceKey": inner}])
    first, second = _live(boss, key, "c")
    source = {"sourceType": "byKey", "sourceElementInstanceKey": first}
    into = {"ancestorScopeType": "direct", "ancestorElementInstanceKey": inner}
    move = {"sourceElementInstruction": source, "targetElementId": "d", "ancestorScopeInstruction": into}
    _modify(boss, key, moveInstructions=[move])
    assert (_todo(boss, key), _live(boss, key, "c")) == (["c", "d"], [second])

    _modify(boss, key, terminateInstructions=[{"elementInstanceKey": second}])
    _complete(boss, key, "d")
    assert _instance(boss, key).state.value == "COMPLETED"


def test_a_modification_that_makes_no_sense_changes_nothing(boss: CamundaClient, http: Browse) -> None:
    key = _create(boss)
    (token,) = _live(boss, key, "a")
    by_id, by_key = (
        {"sourceType": "byId", "sourceElementId": "a"},
        {"sourceType": "byKey", "sourceElementInstanceKey": key},
    )
    bodies: list[dict[str, Any]] = [
        {},
        {"activateInstructions": [{"elementId": "unknown"}]},
        {"activateInstructions": [{"elementId": "start"}]},
        {"activateInstructions": [{"elementId": "b"}], "terminateInstructions": [{"elementId": "b"}]},
        {"terminateInstructions": [{"elementId": "a", "elementInstanceKey": token}]},
        {"moveInstructions": [{"sourceElementInstruction": {"sourceType": "other"}, "targetElementId": "b"}]},
        {"moveInstructions": [{"sourceElementInstruction": by_key, "targetElementId": "b"}]},
        {
            "moveInstructions": [
                {
                    "sourceElementInstruction": by_id,
                    "targetElementId": "c",
                    "ancestorScopeInstruction": {"ancestorScopeType": "direct", "ancestorElementInstanceKey": token},
                }
            ]
        },
    ]
    answers = [http("boss").post(f"/process-instances/{key}/modification", json=body) for body in bodies]
    assert [answer.status_code for answer in answers] == [400] * len(bodies)
    late = {"terminateInstructions": [{"elementInstanceKey": "4711"}]}
    assert http("boss").post(f"/process-instances/{key}/modification", json=late).status_code == 409
    with pytest.raises(NotFoundError):
        _modify(boss, "4711", activateInstructions=[{"elementId": "b"}])
    assert (_todo(boss, key), _live(boss, key, "a")) == (["a"], [token])


def test_an_instance_is_migrated_to_another_version(boss: CamundaClient, connect: Connect) -> None:
    key = _create(boss)
    deployed = deploy(
        connect("owner"), diagram(start(), user("one"), user("two"), end(), chain("start", "one", "two", "end"))
    )
    target = deployed.deployments[0].process_definition
    assert target is not None

    def migrate(client: CamundaClient, mapping: list[dict[str, str]], to: str) -> None:
        body = {"targetProcessDefinitionKey": to, "mappingInstructions": mapping}
        data = ProcessInstanceMigrationInstruction.from_dict(body)
        client.migrate_process_instance(process_instance_key=key, data=data)

    plan = [{"sourceElementId": "a", "targetElementId": "two"}]
    with pytest.raises(BadRequestError, match="has no mapping"):
        migrate(boss, [], target.process_definition_key)
    with pytest.raises(BadRequestError, match="mapped twice"):
        migrate(boss, plan * 2, target.process_definition_key)
    with pytest.raises(NotFoundError):
        migrate(boss, plan, "4711")
    assert (_instance(boss, key).process_definition_version, _todo(boss, key)) == (1, ["a"])
    migrate(boss, plan, target.process_definition_key)
    assert (_instance(boss, key).process_definition_version, _todo(boss, key)) == (2, ["two"])


def test_an_instance_begins_where_a_manager_wants(boss: CamundaClient) -> None:
    key = _create(boss, variables={"x": 1}, startInstructions=[{"elementId": "b"}, {"elementId": "d"}])
    assert (_todo(boss, key), _values(boss, scopeKey=key)) == (["b", "d"], {"x": "1"})
    with pytest.raises(BadRequestError):
        _create(boss, startInstructions=[{"elementId": "unknown"}])
    assert len(boss.search_process_instances().items) == 1


def test_a_suspended_instance_stands_still_until_it_is_resumed(connect: Connect, play: Player) -> None:
    waiting = diagram(
        start(),
        user("work"),
        boundary("late", "work", timer("Duration", "PT1H")),
        user("chase"),
        end(),
        end("end2"),
        chain("start", "work", "end"),
        chain("late", "chase", "end2"),
    )
    deploy(connect("owner"), waiting)
    boss = connect("boss")
    key = _create(boss)
    boss.suspend_process_instance(process_instance_key=key, data=SuspendProcessInstanceRequest())
    instance = _instance(boss, key)
    assert (instance.state.value, instance.suspended_date) == ("SUSPENDED", MONDAY)
    for state, expected in (("SUSPENDED", [key]), ("ACTIVE", [])):
        query = ProcessInstanceSearchQuery.from_dict({"filter": {"state": state}})
        assert [found.process_instance_key for found in boss.search_process_instances(data=query).items] == expected
    with pytest.raises(ConflictError):
        _complete(boss, key, "work")
    with pytest.raises(ConflictError):
        boss.suspend_process_instance(process_instance_key=key, data=SuspendProcessInstanceRequest())
    play.advance(timedelta(hours=2))
    assert _todo(boss, key) == ["work"]
    boss.resume_process_instance(process_instance_key=key, data=ResumeProcessInstanceRequest())
    assert (_instance(boss, key).state.value, _instance(boss, key).suspended_date) == ("ACTIVE", None)
    play.run_due()
    assert _todo(boss, key) == ["chase"]


def test_an_ended_instance_is_restarted_from_an_element(boss: CamundaClient, http: Browse, address: str) -> None:
    key = _create(boss, variables={"plate": "粤B12345", "price": 5})
    body = {"startInstructions": [{"elementId": "b"}], "variables": {"price": 6}, "reason": "ended by mistake"}
    url = f"{address}/api/process-instances/{key}/restart"
    manager = http("boss")
    assert manager.post(url, json=body).status_code == 409
    boss.cancel_process_instance(process_instance_key=key, data=CancelProcessInstanceRequest())
    assert manager.post(url, json={}).status_code == 400
    answer = manager.post(url, json=body)
    assert answer.status_code == 200, answer.text
    new = answer.json()["processInstanceKey"]
    assert (answer.json()["state"], _todo(boss, new)) == ("ACTIVE", ["b"])
    assert _values(boss, scopeKey=new) == {"plate": '"粤B12345"', "price": "6"}


def test_activities_of_an_ad_hoc_sub_process_are_started(connect: Connect, http: Browse) -> None:
    any_order = node("adHocSubProcess", "any", user("a") + user("b") + user("c") + flow("b", "c"))
    deploy(connect("owner"), diagram(start(), any_order, end(), chain("start", "any", "end")))
    boss = connect("boss")
    key = _create(boss)
    (scope,) = _live(boss, key, "any")

    def activate(client: CamundaClient, **body: Any) -> None:
        data = AdHocSubProcessActivateActivitiesInstruction.from_dict(body)
        client.activate_ad_hoc_sub_process_activities(ad_hoc_sub_process_instance_key=scope, data=data)

    activate(boss, elements=[{"elementId": "a", "variables": {"x": 1}}, {"elementId": "a", "variables": {"x": 2}}])
    assert _todo(boss, key) == ["a", "a"]
    assert sorted(_values(boss, scopeKey=visit)["x"] for visit in _live(boss, key, "a")) == ["1", "2"]
    activate(boss, elements=[{"elementId": "b"}], cancelRemainingInstances=True)
    assert _todo(boss, key) == ["b"]
    with pytest.raises(BadRequestError):
        activate(boss, elements=[{"elementId": "c"}])
    path = "/element-instances/ad-hoc-activities/{}/activation"
    elements = {"elements": [{"elementId": "a"}]}
    assert http("boss").post(path.format(4711), json=elements).status_code == 404
    assert http("boss").post(path.format(scope), json={"elements": []}).status_code == 400
    assert _todo(boss, key) == ["b"]


def test_everything_that_failed_in_an_instance_is_tried_again(connect: Connect, play: Player) -> None:
    broken = diagram(
        start(),
        gateway("parallel", "both"),
        service("s1", "one"),
        node("scriptTask", "s2", extensions='<zeebe:script expression="=assert(x, x != null)" resultVariable="y"/>'),
        end("end1"),
        end("end2"),
        chain("start", "both", "s1", "end1"),
        chain("both", "s2", "end2"),
    )
    deploy(connect("owner"), broken)
    boss = connect("boss")
    key = _create(boss)
    (job,) = boss.search_jobs().items
    boss.fail_job(job_key=job.job_key, data=JobFailRequest.from_dict({"retries": 0, "errorMessage": "no paper"}))
    assert len(boss.search_incidents().items) == 2
    boss.create_element_instance_variables(
        element_instance_key=key, data=SetVariableRequest.from_dict({"variables": {"x": 1}})
    )
    done = boss.resolve_process_instance_incidents(process_instance_key=key)
    assert done.batch_operation_type.value == "RESOLVE_INCIDENT"
    play.run_due()
    operation = boss.get_batch_operation(batch_operation_key=done.batch_operation_key)
    assert (operation.state.value, operation.operations_completed_count) == ("COMPLETED", 2)
    assert {incident.state.value for incident in boss.search_incidents().items} == {"RESOLVED"}
    assert (boss.search_jobs().items[0].retries, _values(boss, scopeKey=key)) == (1, {"x": "1", "y": "1"})
    with pytest.raises(NotFoundError):
        boss.resolve_process_instance_incidents(process_instance_key="4711")


def test_a_called_instance_tells_who_called_it(connect: Connect, http: Browse) -> None:
    def caller(process_id: str, called: str) -> Resource:
        extension = f'<zeebe:calledElement processId="{called}"/>'
        call = node("callActivity", "call", extensions=extension)
        return diagram(start(), call, end(), chain("start", "call", "end"), process_id=process_id)

    leaf = diagram(start(), user("work"), end(), chain("start", "work", "end"), process_id="leaf")
    deploy(connect("owner"), caller("top", "middle"), caller("middle", "leaf"), leaf)
    boss = connect("boss")
    top = _create(boss, "top")
    wanted = {"filter": {"processDefinitionId": "leaf"}}
    (inner,) = boss.search_process_instances(data=ProcessInstanceSearchQuery.from_dict(wanted)).items
    way = boss.get_process_instance_call_hierarchy(process_instance_key=inner.process_instance_key)
    assert [entry.process_definition_name for entry in way] == ["top", "middle", "leaf"]
    assert (way[0].process_instance_key, way[2].process_instance_key) == (top, inner.process_instance_key)
    (alone,) = boss.get_process_instance_call_hierarchy(process_instance_key=top)
    assert alone.process_instance_key == top
    assert http("li").get(f"/process-instances/{top}/call-hierarchy").status_code == 403


def test_only_managers_intervene(boss: CamundaClient, connect: Connect, http: Browse, address: str) -> None:
    key = _create(connect("wang"))
    (visit,) = _live(boss, key, "a")
    begin = {"startInstructions": [{"elementId": "b"}]}
    requests: list[tuple[str, dict[str, Any]]] = [
        ("/v2/process-instances", {"processDefinitionId": "p", **begin}),
        (f"/v2/process-instances/{key}/modification", {"terminateInstructions": [{"elementId": "a"}]}),
        (
            f"/v2/process-instances/{key}/migration",
            {"targetProcessDefinitionKey": _instance(boss, key).process_definition_key, "mappingInstructions": []},
        ),
        (f"/v2/process-instances/{key}/suspension", {}),
        (f"/v2/process-instances/{key}/resumption", {}),
        (f"/v2/process-instances/{key}/incident-resolution", {}),
        (f"/v2/element-instances/ad-hoc-activities/{visit}/activation", {"elements": [{"elementId": "a"}]}),
        (f"/api/process-instances/{key}/restart", begin),
    ]
    answers = [http(name).post(f"{address}{path}", json=body) for name in ("wang", "owner") for path, body in requests]
    assert [answer.status_code for answer in answers] == [403] * 16
    assert (_instance(boss, key).state.value, _todo(boss, key)) == ("ACTIVE", ["a"])
    assert len(boss.search_process_instances().items) == 1
