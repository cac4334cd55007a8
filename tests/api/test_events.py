"""Messages, signals and incidents through Camunda's published client."""

from __future__ import annotations

import pytest
from camunda_orchestration_sdk import CamundaClient
from camunda_orchestration_sdk.errors import ConflictError, NotFoundError
from camunda_orchestration_sdk.models import (
    IncidentResolutionRequest,
    IncidentSearchQuery,
    MessageCorrelationRequest,
    MessagePublicationRequest,
    ProcessCreationById,
    SetVariableRequest,
    SignalBroadcastRequest,
)

from tests.api.conftest import Browse, Connect, deploy
from tests.conftest import MONDAY
from tests.diagrams import catches, chain, diagram, end, flow, gateway, message, node, signal, start, user


@pytest.fixture
def boss(connect: Connect) -> CamundaClient:
    """A manager; the process `p` waits for the message `paid` of its order, then for the signal `open`."""
    process = diagram(
        start(),
        node("intermediateCatchEvent", "payment", catches("message", "paid")),
        node("intermediateCatchEvent", "morning", catches("signal", "open")),
        user("deliver"),
        end(),
        chain("start", "payment", "morning", "deliver", "end"),
        extra=message("paid", "=order") + signal("open"),
    )
    deploy(connect("owner"), process)
    return connect("boss")


def _create(client: CamundaClient, order: str) -> str:
    request = {"processDefinitionId": "p", "variables": {"order": order}}
    return client.create_process_instance(data=ProcessCreationById.from_dict(request)).process_instance_key


def test_a_message_is_handed_to_the_instance_that_waits_for_it(boss: CamundaClient) -> None:
    keys = [_create(boss, order) for order in ("A-1", "A-2")]
    request = {"name": "paid", "correlationKey": "A-2", "variables": {"amount": 12.5}}
    reached = boss.correlate_message(data=MessageCorrelationRequest.from_dict(request))
    assert reached.process_instance_key == keys[1]
    found = boss.search_variables().items
    assert [item.value for item in found if item.name == "amount"] == ["12.5"]


def test_a_message_that_nobody_waits_for_is_not_found(boss: CamundaClient) -> None:
    with pytest.raises(NotFoundError):
        boss.correlate_message(data=MessageCorrelationRequest.from_dict({"name": "paid", "correlationKey": "nobody"}))


def test_a_published_message_waits_for_its_receiver(boss: CamundaClient) -> None:
    request = {"name": "paid", "correlationKey": "A-3", "timeToLive": 60_000, "messageId": "m1"}
    published = boss.publish_message(data=MessagePublicationRequest.from_dict(request))
    assert published.message_key.isdecimal()
    _create(boss, "A-3")
    boss.broadcast_signal(data=SignalBroadcastRequest(signal_name="open"))
    assert [task.element_id for task in boss.search_user_tasks().items] == ["deliver"]


def test_the_same_message_is_not_taken_twice(boss: CamundaClient, http: Browse) -> None:
    request = {"name": "paid", "correlationKey": "A-4", "timeToLive": 60_000, "messageId": "m1"}
    answers = [http("boss").post("/messages/publication", json=request) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 409]


def test_a_signal_reaches_everybody_who_waits(boss: CamundaClient) -> None:
    for order in ("A-1", "A-2"):
        _create(boss, order)
        boss.correlate_message(data=MessageCorrelationRequest.from_dict({"name": "paid", "correlationKey": order}))
    result = boss.broadcast_signal(data=SignalBroadcastRequest.from_dict({"signalName": "open", "variables": {"x": 1}}))
    assert result.signal_key.isdecimal()
    assert [task.element_id for task in boss.search_user_tasks().items] == ["deliver", "deliver"]


def test_another_system_sends_messages_and_signals(boss: CamundaClient, connect: Connect) -> None:
    _create(boss, "A-5")
    robot = connect("robot")
    robot.correlate_message(data=MessageCorrelationRequest.from_dict({"name": "paid", "correlationKey": "A-5"}))
    robot.broadcast_signal(data=SignalBroadcastRequest(signal_name="open"))
    assert [task.element_id for task in boss.search_user_tasks().items] == ["deliver"]


def test_staff_cannot_move_cases_by_messages(boss: CamundaClient, http: Browse) -> None:
    _create(boss, "A-1")
    wang = http("wang")
    answers = [
        wang.post("/messages/publication", json={"name": "paid", "correlationKey": "A-1"}),
        wang.post("/messages/correlation", json={"name": "paid", "correlationKey": "A-1"}),
        wang.post("/signals/broadcast", json={"signalName": "open"}),
    ]
    assert [answer.status_code for answer in answers] == [403] * 3
    visits = http("boss").post("/element-instances/search", json={"filter": {"state": "ACTIVE"}}).json()["items"]
    assert [visit["elementId"] for visit in visits] == ["payment"]


@pytest.fixture
def stuck(connect: Connect) -> str:
    """The key of an instance whose condition cannot be decided, because `amount` is missing."""
    process = diagram(
        start(),
        gateway("exclusive", "large", default="large-small"),
        user("big"),
        user("small"),
        end(),
        flow("start", "large"),
        flow("large", "big", "amount > 100"),
        flow("large", "small"),
        flow("big", "end"),
        flow("small", "end"),
    )
    deploy(connect("owner"), process)
    created = connect("boss").create_process_instance(data=ProcessCreationById(process_definition_id="p"))
    return created.process_instance_key


def test_an_incident_tells_what_failed_and_is_resolved_after_the_repair(connect: Connect, stuck: str) -> None:
    boss = connect("boss")
    query = IncidentSearchQuery.from_dict({"filter": {"processInstanceKey": stuck, "state": "ACTIVE"}})
    (incident,) = boss.search_incidents(data=query).items
    assert (incident.element_id, incident.error_type.value) == ("large", "EXTRACT_VALUE_ERROR")
    assert (incident.creation_time, incident.job_key) == (MONDAY, None)
    assert boss.search_process_instance_incidents(process_instance_key=stuck, data=query).items == [incident]
    visit = boss.get_element_instance(element_instance_key=incident.element_instance_key)
    assert (visit.has_incident, visit.incident_key) == (True, incident.incident_key)

    change = SetVariableRequest.from_dict({"variables": {"amount": 500}})
    boss.create_element_instance_variables(element_instance_key=stuck, data=change)
    boss.resolve_incident(incident_key=incident.incident_key, data=IncidentResolutionRequest())
    assert [task.element_id for task in boss.search_user_tasks().items] == ["big"]
    assert boss.search_incidents(data=query).items == []
    with pytest.raises(ConflictError):
        boss.resolve_incident(incident_key=incident.incident_key, data=IncidentResolutionRequest())


def test_an_incident_that_is_resolved_without_repair_leads_to_another(connect: Connect, stuck: str) -> None:
    boss = connect("boss")
    (incident,) = boss.search_incidents().items
    boss.resolve_incident(incident_key=incident.incident_key, data=IncidentResolutionRequest())
    states = {item.incident_key: item.state.value for item in boss.search_incidents().items}
    assert states.pop(incident.incident_key) == "RESOLVED"
    assert list(states.values()) == ["ACTIVE"]


def test_only_managers_resolve_change_and_cancel(connect: Connect, stuck: str, http: Browse) -> None:
    (incident,) = connect("boss").search_incidents().items
    owner = http("owner")
    answers = [
        owner.post(f"/incidents/{incident.incident_key}/resolution"),
        owner.put(f"/element-instances/{stuck}/variables", json={"variables": {"amount": 1}}),
        owner.post(f"/process-instances/{stuck}/cancellation"),
    ]
    assert [answer.status_code for answer in answers] == [403] * 3
    boss = connect("boss")
    assert boss.search_incidents().items == [incident]
    assert boss.search_variables().items == []
    assert boss.get_process_instance(process_instance_key=stuck).state.value == "ACTIVE"
