"""Jobs through Camunda's published client: a worker fetches them and says what became of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from camunda_orchestration_sdk import CamundaClient
from camunda_orchestration_sdk.errors import BadRequestError, ConflictError, NotFoundError
from camunda_orchestration_sdk.models import (
    ActivatedJobResult,
    IncidentResolutionRequest,
    IncidentSearchQuery,
    JobActivationRequest,
    JobCompletionRequest,
    JobErrorRequest,
    JobFailRequest,
    JobSearchQuery,
    JobSearchResult,
    JobUpdateRequest,
    ProcessCreationById,
    ProcessInstanceSearchQuery,
)

from tests.api.conftest import Browse, Connect, deploy
from tests.conftest import MONDAY
from tests.diagrams import boundary, catches, chain, diagram, end, error, mapping, node, service, start, user
from tests.play import Player

MINUTE = 60_000


@pytest.fixture
def boss(connect: Connect) -> CamundaClient:
    """A manager, with one instance that waits for the job `print`; an error in it leads to a user task."""
    headers = '<zeebe:taskHeaders><zeebe:header key="paper" value="A4"/></zeebe:taskHeaders>'
    process = diagram(
        start(),
        service("print", "print", retries="2", extensions=headers + mapping({"page": "number + 1"})),
        boundary("jam", "print", catches("error", "JAM")),
        user("repair"),
        end(),
        node("endEvent", "done"),
        chain("start", "print", "done"),
        chain("jam", "repair", "end"),
        extra=error("JAM"),
    )
    deploy(connect("owner"), process)
    boss = connect("boss")
    request = {"processDefinitionId": "p", "variables": {"number": 41, "price": 0.1}}
    boss.create_process_instance(data=ProcessCreationById.from_dict(request))
    return boss


def _activate(client: CamundaClient, **body: object) -> list[ActivatedJobResult]:
    wanted = {"type": "print", "timeout": MINUTE, "maxJobsToActivate": 5, "worker": "press", "requestTimeout": -1}
    return client.activate_jobs(data=JobActivationRequest.from_dict({**wanted, **body})).jobs


def _job(client: CamundaClient) -> JobSearchResult:
    return client.search_jobs(data=JobSearchQuery.from_dict({"filter": {"type": "print"}})).items[0]


def _state(client: CamundaClient) -> str:
    return client.search_process_instances().items[0].state.value


def test_a_worker_gets_a_job_with_what_it_needs(boss: CamundaClient) -> None:
    (job,) = _activate(boss)
    assert (job.type_, job.worker, job.retries, job.element_id) == ("print", "press", 2, "print")
    assert job.variables.to_dict() == {"number": 41, "price": 0.1, "page": 42}
    assert job.custom_headers.to_dict() == {"paper": "A4"}
    assert job.deadline == (MONDAY + timedelta(minutes=1)).timestamp() * 1000
    assert _activate(boss) == []


def test_a_worker_gets_only_the_variables_that_it_names(boss: CamundaClient) -> None:
    (job,) = _activate(boss, fetchVariable=["page"])
    assert job.variables.to_dict() == {"page": 42}


def test_a_lease_that_has_run_out_lets_another_worker_have_the_job(boss: CamundaClient, play: Player) -> None:
    (job,) = _activate(boss)
    play.advance(timedelta(minutes=1))
    (again,) = _activate(boss, worker="second")
    assert (again.job_key, again.worker) == (job.job_key, "second")


def test_a_completed_job_moves_the_instance_on(boss: CamundaClient) -> None:
    (job,) = _activate(boss)
    boss.complete_job(job_key=job.job_key, data=JobCompletionRequest.from_dict({"variables": {"printed": True}}))
    assert _state(boss) == "COMPLETED"
    found = _job(boss)
    assert (found.state.value, found.end_time) == ("COMPLETED", MONDAY)
    with pytest.raises(ConflictError):
        boss.complete_job(job_key=job.job_key, data=JobCompletionRequest())


def test_a_failed_job_comes_back_after_its_back_off(boss: CamundaClient, play: Player) -> None:
    (job,) = _activate(boss)
    failure = {"retries": 1, "errorMessage": "no paper", "retryBackOff": 2 * MINUTE}
    boss.fail_job(job_key=job.job_key, data=JobFailRequest.from_dict(failure))
    assert _activate(boss) == []
    found = _job(boss)
    assert (found.state.value, found.error_message, found.has_failed_with_retries_left) == ("FAILED", "no paper", True)
    play.advance(timedelta(minutes=2))
    assert [again.retries for again in _activate(boss)] == [1]


def test_a_job_without_retries_is_an_incident_until_somebody_resolves_it(boss: CamundaClient) -> None:
    (job,) = _activate(boss)
    boss.fail_job(job_key=job.job_key, data=JobFailRequest.from_dict({"retries": 0, "errorMessage": "on fire"}))
    (incident,) = boss.search_incidents(data=IncidentSearchQuery.from_dict({"filter": {"jobKey": job.job_key}})).items
    assert (incident.error_type.value, incident.error_message, incident.state.value) == (
        "JOB_NO_RETRIES",
        "on fire",
        "ACTIVE",
    )
    assert boss.search_process_instances().items[0].has_incident
    boss.update_job(job_key=job.job_key, data=JobUpdateRequest.from_dict({"changeset": {"retries": 3}}))
    boss.resolve_incident(incident_key=incident.incident_key, data=IncidentResolutionRequest())
    assert boss.get_incident(incident_key=incident.incident_key).state.value == "RESOLVED"
    assert [again.retries for again in _activate(boss)] == [3]


def test_an_error_is_caught_by_the_diagram(boss: CamundaClient) -> None:
    (job,) = _activate(boss)
    error = {"errorCode": "JAM", "errorMessage": "paper jam", "variables": {"tray": 2}}
    boss.throw_job_error(job_key=job.job_key, data=JobErrorRequest.from_dict(error))
    assert [task.element_id for task in boss.search_user_tasks().items] == ["repair"]
    found = _job(boss)
    assert (found.state.value, found.error_code, found.error_message) == ("ERROR_THROWN", "JAM", "paper jam")


def test_a_lease_is_made_longer(boss: CamundaClient) -> None:
    (job,) = _activate(boss)
    boss.update_job(job_key=job.job_key, data=JobUpdateRequest.from_dict({"changeset": {"timeout": 10 * MINUTE}}))
    assert _job(boss).deadline == MONDAY + timedelta(minutes=10)


def test_the_lease_of_a_job_that_nobody_holds_cannot_be_changed(boss: CamundaClient) -> None:
    with pytest.raises(ConflictError):
        boss.update_job(job_key=_job(boss).job_key, data=JobUpdateRequest.from_dict({"changeset": {"timeout": MINUTE}}))


def test_an_unknown_job_is_not_found(boss: CamundaClient) -> None:
    with pytest.raises(NotFoundError):
        boss.complete_job(job_key="4711", data=JobCompletionRequest())


@pytest.mark.parametrize("body", [{"timeout": 0}, {"maxJobsToActivate": 0}, {"type": ""}, {"withLease": True}])
def test_an_activation_without_sense_is_refused(boss: CamundaClient, body: dict[str, object]) -> None:
    with pytest.raises(BadRequestError):
        _activate(boss, **body)


def test_another_system_does_jobs_and_nothing_else(boss: CamundaClient, connect: Connect, http: Browse) -> None:
    robot = connect("robot")
    (job,) = _activate(robot)
    robot.complete_job(job_key=job.job_key, data=JobCompletionRequest())
    assert _state(boss) == "COMPLETED"
    process = {"processDefinitionId": "p"}
    boss.create_process_instance(data=ProcessCreationById.from_dict(process))
    assert robot.search_process_instances().items == []
    assert robot.search_user_tasks().items == []
    key = boss.search_process_instances(data=ProcessInstanceSearchQuery.from_dict({"filter": {"state": "ACTIVE"}}))
    plain, instance = http("robot"), key.items[0].process_instance_key
    answers = [
        plain.post("/process-instances", json=process),
        plain.get(f"/process-instances/{instance}"),
        plain.post(f"/process-instances/{instance}/cancellation"),
        plain.put(f"/element-instances/{instance}/variables", json={"variables": {}}),
    ]
    assert [answer.status_code for answer in answers] == [403] * 4


def test_others_do_not_touch_jobs(boss: CamundaClient, http: Browse) -> None:
    wang, key = http("wang"), _job(boss).job_key
    answers = [
        wang.post("/jobs/activation", json={"type": "print", "timeout": MINUTE, "maxJobsToActivate": 1}),
        wang.post("/jobs/search"),
        wang.post(f"/jobs/{key}/completion"),
        wang.post(f"/jobs/{key}/failure"),
        wang.post(f"/jobs/{key}/error", json={"errorCode": "JAM"}),
        wang.patch(f"/jobs/{key}", json={"changeset": {"retries": 9}}),
    ]
    assert [answer.status_code for answer in answers] == [403] * 6
    found = _job(boss)
    assert (found.state.value, found.retries, found.deadline) == ("CREATED", 2, None)
    assert _state(boss) == "ACTIVE"
