"""What the server says of itself and of people, its clock, and the description of the API."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from camunda_orchestration_sdk.errors import ApiError, ForbiddenError
from camunda_orchestration_sdk.models import (
    ClockPinRequest,
    ElementInstanceSearchQuery,
    ExpressionEvaluationRequest,
    ExpressionEvaluationRequestVariables,
    GroupSearchQueryRequest,
    ProcessCreationById,
    UserSearchQueryRequest,
)
from flask import Flask

from tests.api.conftest import Browse, Connect, deploy, repair_files
from tests.conftest import MONDAY, PASSWORD
from tests.diagrams import chain, diagram, end, mapping, start, user
from tests.play import Player
from tests.tasks.conftest import RECEPTION, TEAM
from web.application import create_app
from web.configuration import Configuration


def test_a_client_finds_one_broker_that_works(connect: Connect) -> None:
    wang = connect("wang")
    wang.get_status()
    topology = wang.get_topology()
    assert (topology.cluster_size, topology.gateway_version) == (1, "8.9.0")
    assert [partition.health.value for partition in topology.brokers[0].partitions] == ["healthy"]
    assert wang.get_license().valid_license


def test_one_learns_who_one_is(connect: Connect) -> None:
    me = connect("wang").get_authentication()
    assert (me.username, me.display_name, me.groups, me.roles) == ("wang", "王芳", [RECEPTION], ["staff"])


def test_an_administrator_stops_the_clock_and_deadlines_follow_it(connect: Connect, play: Player) -> None:
    root = connect("root")
    later = MONDAY + timedelta(days=90)
    root.pin_clock(data=ClockPinRequest(timestamp=int(later.timestamp() * 1000)))
    assert play.now == later
    root.reset_clock()
    assert abs(play.now - datetime.now(UTC)) < timedelta(minutes=5)


def test_nobody_else_sets_the_clock(connect: Connect, play: Player) -> None:
    for person in ("wang", "boss", "owner"):
        with pytest.raises(ApiError, match="HTTP 403"):
            connect(person).pin_clock(data=ClockPinRequest(timestamp=0))
        with pytest.raises(ApiError, match="HTTP 403"):
            connect(person).reset_clock()
    assert play.now == MONDAY


@pytest.mark.parametrize("timestamp", [-1, 10**18, "now", None])
def test_an_instant_outside_time_is_refused(http: Browse, play: Player, timestamp: object) -> None:
    assert http("root").put("/clock", json={"timestamp": timestamp}).status_code == 400
    assert play.now == MONDAY


def test_a_server_on_real_time_refuses_to_set_its_clock(configuration: Configuration, staff: None) -> None:
    app = create_app(replace(configuration, clock_control=False))
    client = app.test_client()
    answers = [
        client.put("/v2/clock", json={"timestamp": 0}, auth=("root", PASSWORD)),
        client.post("/v2/clock/reset", auth=("root", PASSWORD)),
    ]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert "real time" in answers[0].get_json()["detail"]


def test_people_see_those_whom_they_work_with(connect: Connect) -> None:
    def seen(person: str) -> list[str]:
        query = UserSearchQueryRequest.from_dict({"sort": [{"field": "username"}]})
        return [str(user.username) for user in connect(person).search_users(data=query).items]

    assert seen("boss") == ["boss", "li", "owner", "robot", "root", "wang", "zhang"]
    assert seen("wang") == ["robot", "wang"]
    assert connect("boss").get_user(username="wang").name == "王芳"
    with pytest.raises(ForbiddenError):
        connect("wang").get_user(username="li")


def test_groups_are_named_as_in_the_diagrams(connect: Connect) -> None:
    boss = connect("boss")
    query = GroupSearchQueryRequest.from_dict({"filter": {"groupId": {"$in": [RECEPTION, TEAM]}}})
    assert {str(group.group_id) for group in boss.search_groups(data=query).items} == {RECEPTION, TEAM}
    assert boss.get_group(group_id=RECEPTION).group_id == RECEPTION
    assert [str(member.username) for member in boss.search_users_for_group(group_id=TEAM).items] == ["zhang"]


@pytest.fixture
def description(address: str) -> dict[str, Any]:
    """The OpenAPI document, as anybody may read it."""
    answer: dict[str, Any] = httpx.get(f"{address}/openapi.json").json()
    return answer


def test_the_description_names_every_endpoint(app: Flask, description: dict[str, Any]) -> None:
    served = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(("/v2/", "/api/"))
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = {(path, method) for path, methods in description["paths"].items() for method in methods}
    assert described == served
    names = [operation["operationId"] for methods in description["paths"].values() for operation in methods.values()]
    assert len(names) == len(set(names))


def test_every_reference_in_the_description_leads_somewhere(description: dict[str, Any]) -> None:
    references = set(re.findall(r"#/components/schemas/([^'\"]+)", str(description)))
    assert references
    assert references <= set(description["components"]["schemas"])


def test_answers_have_the_described_shape(connect: Connect, http: Browse, description: dict[str, Any]) -> None:
    deploy(connect("owner"), *repair_files())
    wang = http("wang")
    wang.post("/process-instances", json={"processDefinitionId": "car-repair", "variables": {"plate": "A"}})
    schemas = description["components"]["schemas"]
    for what, shape in (
        ("user-tasks", "UserTaskShape"),
        ("process-instances", "ProcessInstanceShape"),
        ("element-instances", "ElementInstanceShape"),
        ("variables", "VariableRow"),
        ("process-definitions", "ProcessDefinitionShape"),
        ("users", "UserShape"),
        ("groups", "GroupShape"),
    ):
        item = wang.post(f"/{what}/search").json()["items"][0]
        assert set(item) == set(schemas[shape]["properties"]) == set(schemas[shape]["required"]), what


@pytest.mark.parametrize(
    ("expression", "result"),
    [("=x + y", 0.3), ("= items[item > 1]", [2, 3]), ('"A" + null', None), ("=today()", "2025-03-03")],
)
def test_an_expression_is_tried_out(connect: Connect, expression: str, result: object) -> None:
    variables = ExpressionEvaluationRequestVariables.from_dict({"x": 0.1, "y": 0.2, "items": [1, 2, 3]})
    request = ExpressionEvaluationRequest(expression=expression, variables=variables)
    answer = connect("wang").evaluate_expression(data=request)
    assert (answer.expression, answer.result) == (expression, result)
    assert bool(answer.warnings) is (result is None)


def test_an_expression_reads_the_variables_of_a_scope(connect: Connect, http: Browse) -> None:
    deploy(connect("owner"), diagram(start(), user("a", mapping({"x": "x + 1"})), end(), chain("start", "a", "end")))
    boss = connect("boss")
    body = ProcessCreationById.from_dict({"processDefinitionId": "p", "variables": {"x": 1, "y": 5}})
    instance = boss.create_process_instance(data=body).process_instance_key
    visits = boss.search_element_instances(data=ElementInstanceSearchQuery.from_dict({"filter": {"elementId": "a"}}))
    inside = visits.items[0].element_instance_key
    variables = ExpressionEvaluationRequestVariables.from_dict({"y": 7})
    for scope, expected in ((instance, [1, 7]), (inside, [2, 7])):
        request = ExpressionEvaluationRequest(expression="=[x, y]", scope_key=scope, variables=variables)
        assert boss.evaluate_expression(data=request).result == expected
    asked = {"expression": "=x", "scopeKey": instance}
    assert http("li").post("/expression/evaluation", json=asked).status_code == 403
    assert http("boss").post("/expression/evaluation", json={**asked, "scopeKey": "4711"}).status_code == 404


@pytest.mark.parametrize("expression", ["=1 +", "=for x in 1..100000000 return x", "=" + "(" * 5000])
def test_an_expression_that_cannot_be_evaluated_is_refused(http: Browse, expression: str) -> None:
    response = http("wang").post("/expression/evaluation", json={"expression": expression})
    assert (response.status_code, response.json()["title"]) == (400, "BAD_REQUEST"), response.text
