"""Jobs of listeners through Camunda's published client: what a worker sees of a change, and what it says of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from camunda_orchestration_sdk import CamundaClient
from camunda_orchestration_sdk.models import (
    ActivatedJobResult,
    JobActivationRequest,
    JobCompletionRequest,
    JobSearchQuery,
    ProcessCreationById,
    UserTaskAssignmentRequest,
    UserTaskCompletionRequest,
    UserTaskResult,
    UserTaskSearchQuery,
    UserTaskUpdateRequest,
)

from tests.api.conftest import Browse, Connect, deploy
from tests.diagrams import chain, diagram, end, start, user

DUE = datetime(2025, 3, 5, 1, 0, tzinfo=UTC)


def _listeners(kind: str, **types: str) -> str:
    """Return listeners with their job types by what they listen to."""
    rows = "".join(f'<zeebe:{kind}Listener eventType="{event}" type="{job}"/>' for event, job in types.items())
    return f"<zeebe:{kind}Listeners>{rows}</zeebe:{kind}Listeners>"


_LISTENERS = _listeners("execution", start="before", end="behind") + _listeners(
    "task", creating="route", assigning="redirect", updating="bound", completing="check"
)


@pytest.fixture
def boss(connect: Connect) -> CamundaClient:
    """A manager, with one instance of a process whose user task has a listener for everything."""
    deploy(connect("owner"), diagram(start(), user("work", _LISTENERS), end(), chain("start", "work", "end")))
    boss = connect("boss")
    boss.create_process_instance(data=ProcessCreationById.from_dict({"processDefinitionId": "p"}))
    return boss


def _activate(client: CamundaClient, job_type: str) -> ActivatedJobResult:
    request = {"type": job_type, "timeout": 60_000, "maxJobsToActivate": 5, "worker": "tests"}
    (job,) = client.activate_jobs(data=JobActivationRequest.from_dict(request)).jobs
    return job


def _complete(client: CamundaClient, job_type: str, **result: Any) -> ActivatedJobResult:
    job = _activate(client, job_type)
    body = {"result": {"type": "userTask", **result}} if result else {}
    client.complete_job(job_key=job.job_key, data=JobCompletionRequest.from_dict(body))
    return job


def _task(client: CamundaClient, state: str) -> UserTaskResult:
    query = UserTaskSearchQuery.from_dict({"filter": {"state": state, "elementId": "work"}})
    (task,) = client.search_user_tasks(data=query).items
    return task


def _listening(client: CamundaClient, **wanted: Any) -> list[tuple[str, str, str]]:
    query = {"filter": wanted, "sort": [{"field": "listenerEventType"}]}
    found = client.search_jobs(data=JobSearchQuery.from_dict(query)).items
    return [(job.type_, job.kind.value, job.listener_event_type.value) for job in found]


def test_listeners_look_at_every_change_of_a_task_and_correct_or_deny_it(boss: CamundaClient) -> None:
    before = _complete(boss, "before")
    assert (before.kind.value, before.listener_event_type.value) == ("EXECUTION_LISTENER", "START")
    assert before.user_task is None

    task = _task(boss, "CREATING")
    route = _complete(boss, "route", corrections={"candidateGroups": ["班组"], "priority": 70})
    assert (route.kind.value, route.listener_event_type.value) == ("TASK_LISTENER", "CREATING")
    assert route.user_task is not None
    assert (route.user_task.user_task_key, route.user_task.changed_attributes) == (task.user_task_key, [])
    created = _task(boss, "CREATED")
    assert (created.candidate_groups, created.priority) == (["班组"], 70)

    key = task.user_task_key
    boss.assign_user_task(user_task_key=key, data=UserTaskAssignmentRequest.from_dict({"assignee": "wang"}))
    assert _task(boss, "ASSIGNING").assignee is None
    redirect = _complete(boss, "redirect", corrections={"assignee": "boss"})
    assert redirect.user_task is not None
    assert (redirect.user_task.action, redirect.user_task.assignee) == ("assign", "wang")
    assert redirect.user_task.changed_attributes == ["assignee"]
    assert _task(boss, "CREATED").assignee == "boss"

    changes = {"changeset": {"dueDate": "2025-03-04T01:00:00Z", "priority": 10}}
    boss.update_user_task(user_task_key=key, data=UserTaskUpdateRequest.from_dict(changes))
    assert _task(boss, "UPDATING").priority == 70
    bound = _complete(boss, "bound", corrections={"dueDate": DUE.isoformat(), "priority": 40})
    assert bound.user_task is not None
    assert (bound.user_task.priority, bound.user_task.due_date) == (10, "2025-03-04T01:00:00.000Z")
    assert bound.user_task.changed_attributes == ["dueDate", "priority"]
    updated = _task(boss, "CREATED")
    assert (updated.due_date, updated.priority) == (DUE, 40)

    boss.complete_user_task(user_task_key=key, data=UserTaskCompletionRequest())
    assert _task(boss, "COMPLETING").completion_date is None
    _complete(boss, "check", denied=True, deniedReason="no price")
    assert _task(boss, "CREATED").due_date == DUE

    boss.complete_user_task(user_task_key=key, data=UserTaskCompletionRequest())
    assert _complete(boss, "check").listener_event_type.value == "COMPLETING"
    assert _complete(boss, "behind").listener_event_type.value == "END"
    assert _task(boss, "COMPLETED").assignee == "boss"
    assert _listening(boss, kind="EXECUTION_LISTENER") == [
        ("behind", "EXECUTION_LISTENER", "END"),
        ("before", "EXECUTION_LISTENER", "START"),
    ]
    asked = {"$in": ["ASSIGNING", "UPDATING"]}
    assert _listening(boss, kind="TASK_LISTENER", listenerEventType=asked) == [
        ("redirect", "TASK_LISTENER", "ASSIGNING"),
        ("bound", "TASK_LISTENER", "UPDATING"),
    ]


def test_a_listener_cannot_say_what_makes_no_sense(boss: CamundaClient, http: Browse) -> None:
    plain = http("boss")
    before = _activate(boss, "before").job_key
    refused = [plain.post(f"/jobs/{before}/completion", json={"result": {"type": "userTask", "denied": True}})]
    boss.complete_job(job_key=before, data=JobCompletionRequest())
    route = _activate(boss, "route").job_key
    results: list[dict[str, Any]] = [
        {"type": "userTask", "denied": True},
        {"type": "userTask", "denied": True, "corrections": {"priority": 1}},
        {"type": "userTask", "corrections": {"priority": 101}},
        {"type": "userTask", "corrections": {"dueDate": "tomorrow"}},
        {"type": "userTask", "corrections": {"name": "other"}},
        {"type": "adHocSubProcess", "activateElements": []},
    ]
    refused += [plain.post(f"/jobs/{route}/completion", json={"result": result}) for result in results]
    assert [answer.status_code for answer in refused] == [400] * 7
    assert "has a result" in refused[0].json()["detail"]
    task = _task(boss, "CREATING").user_task_key
    assert plain.post(f"/user-tasks/{task}/completion").status_code == 409
