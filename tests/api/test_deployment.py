"""Deployment over HTTP: what goes in as one unit, what the gate refuses, and what can be read afterwards."""

from __future__ import annotations

import json

import httpx
import pytest
from camunda_orchestration_sdk.models import DecisionDefinitionSearchQuery, ProcessDefinitionSearchQuery

from processes.service import Resource
from tests.api.conftest import Browse, Connect, deploy, repair_files
from tests.diagrams import chain, diagram, end, flow, gateway, start, user

_DECISION = b"""<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="prices" name="Prices" namespace="tests">
  <decision id="price" name="Price"><decisionTable id="table" hitPolicy="UNIQUE">
    <input id="in"><inputExpression id="expression" typeRef="string"><text>kind</text></inputExpression></input>
    <output id="out" name="price" typeRef="number"/>
    <rule id="r1"><inputEntry id="i1"><text>"small"</text></inputEntry>
      <outputEntry id="o1"><text>100</text></outputEntry></rule>
  </decisionTable></decision>
</definitions>"""

_BOMB = b"""<?xml version="1.0"?><!DOCTYPE bomb [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]><bomb>&d;</bomb>"""

_FOREIGN = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>"""


def _upload(client: httpx.Client, *resources: tuple[str, bytes]) -> httpx.Response:
    return client.post("/deployments", files=[("resources", resource) for resource in resources])


def _refused(response: httpx.Response) -> list[dict[str, object]]:
    assert response.status_code == 400, response.text
    answer = response.json()
    assert (answer["title"], answer["status"], answer["instance"]) == ("BAD_REQUEST", 400, "/v2/deployments")
    problems: list[dict[str, object]] = answer["problems"]
    for problem in problems:
        assert set(problem) == {"resource", "elementId", "line", "severity", "message"}
        assert problem["severity"] == "error"
    return problems


def _deployed(client: httpx.Client) -> int:
    total: int = client.post("/process-definitions/search").json()["page"]["totalItems"]
    return total


def test_files_are_deployed_as_one_unit(connect: Connect) -> None:
    deployed = deploy(connect("owner"), *repair_files(), Resource("prices.dmn", _DECISION))
    processes = [item.process_definition for item in deployed.deployments if item.process_definition]
    forms = [item.form for item in deployed.deployments if item.form]
    decisions = [item.decision_definition for item in deployed.deployments if item.decision_definition]
    requirements = [item.decision_requirements for item in deployed.deployments if item.decision_requirements]
    assert [(item.process_definition_id, item.process_definition_version) for item in processes] == [("car-repair", 1)]
    assert sorted(item.form_id for item in forms) == ["estimate-form", "reception-form"]
    assert [(item.decision_definition_id, item.name) for item in decisions] == [("price", "Price")]
    assert [(item.decision_requirements_id, item.resource_name) for item in requirements] == [("prices", "prices.dmn")]
    assert decisions[0].decision_requirements_key == requirements[0].decision_requirements_key


def test_an_unchanged_file_is_not_deployed_again(connect: Connect) -> None:
    owner = connect("owner")
    first, second = deploy(owner, *repair_files()), deploy(owner, *repair_files())
    assert first.deployment_key != second.deployment_key
    assert first.deployments == second.deployments


def test_what_was_deployed_can_be_read(connect: Connect) -> None:
    process, *forms = repair_files()
    deploy(connect("owner"), process, *forms)
    wang = connect("wang")
    (found,) = wang.search_process_definitions().items
    assert (found.process_definition_id, found.version, found.has_start_form) == ("car-repair", 1, True)
    assert wang.get_process_definition(process_definition_key=found.process_definition_key) == found
    xml = wang.get_process_definition_xml(process_definition_key=found.process_definition_key)
    assert xml.encode() == process.content
    form = wang.get_start_process_form(process_definition_key=found.process_definition_key)
    assert form.form_id == "reception-form"
    assert "plate" in {component["key"] for component in json.loads(form.schema)["components"]}
    assert wang.get_form_by_key(form_key=form.form_key) == form


def test_the_latest_version_is_found(connect: Connect) -> None:
    owner = connect("owner")
    for task in ("a", "b", "c"):
        deploy(owner, diagram(start(), user(task), end(), chain("start", task, "end")))
    query = {"filter": {"processDefinitionId": "p"}, "sort": [{"field": "version", "order": "DESC"}]}
    found = owner.search_process_definitions(data=ProcessDefinitionSearchQuery.from_dict(query)).items
    assert [item.version for item in found] == [3, 2, 1]
    latest = ProcessDefinitionSearchQuery.from_dict({"filter": {"isLatestVersion": True}})
    assert [item.version for item in owner.search_process_definitions(data=latest).items] == [3]


def test_decisions_can_be_read(connect: Connect) -> None:
    deploy(connect("owner"), Resource("prices.dmn", _DECISION))
    wang = connect("wang")
    query = DecisionDefinitionSearchQuery.from_dict({"filter": {"decisionDefinitionId": "price"}})
    (found,) = wang.search_decision_definitions(data=query).items
    assert (found.name, found.version, found.decision_requirements_name) == ("Price", 1, "Prices")
    assert wang.get_decision_definition(decision_definition_key=found.decision_definition_key) == found
    xml = wang.get_decision_definition_xml(decision_definition_key=found.decision_definition_key)
    assert xml.encode() == _DECISION


@pytest.mark.parametrize("person", ["wang", "boss"])
def test_only_process_owners_deploy(http: Browse, person: str) -> None:
    resource = diagram(start(), end(), chain("start", "end"))
    assert _upload(http(person), (resource.name, resource.content)).status_code == 403
    assert _deployed(http("owner")) == 0


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"<broken", "not well-formed"),
        (_BOMB, "document type"),
        (_FOREIGN, "document type"),
        (b"x" * 20_000_000, "20,000,000 bytes"),
    ],
    ids=["broken", "entity bomb", "external entity", "20 MB"],
)
def test_a_file_that_cannot_be_read_is_refused(http: Browse, content: bytes, sentence: str) -> None:
    owner = http("owner")
    (problem,) = _refused(_upload(owner, ("p.bpmn", content)))
    assert problem["resource"] == "p.bpmn"
    assert sentence in str(problem["message"])
    assert _deployed(owner) == 0


def test_more_than_the_server_reads_is_refused(http: Browse) -> None:
    answer = _upload(http("owner"), *((f"{number}.bpmn", b"x" * 20_000_000) for number in range(4)))
    assert (answer.status_code, answer.json()["title"]) == (413, "REQUEST_ENTITY_TOO_LARGE")


def test_a_large_body_elsewhere_is_refused(http: Browse) -> None:
    body = {"processDefinitionId": "p", "variables": {"text": "x" * 20_000_000}}
    answer = http("owner").post("/process-instances", json=body)
    assert (answer.status_code, answer.json()["title"]) == (413, "REQUEST_ENTITY_TOO_LARGE")


def test_each_problem_names_its_place(http: Browse) -> None:
    owner = http("owner")
    bad = diagram(
        start(),
        gateway("exclusive", "choice"),
        user("a", "<zeebe:formDefinition formId='nowhere'/>"),
        end(),
        flow("start", "choice"),
        flow("choice", "a", "1 +"),
        flow("a", "end"),
    )
    good = diagram(start(), end(), chain("start", "end"), process_id="good")
    problems = _refused(_upload(owner, (bad.name, bad.content), (good.name, good.content)))
    places = {problem["elementId"]: problem for problem in problems}
    assert {"choice-a", "a"} <= set(places)
    assert "nowhere" in str(places["a"]["message"])
    assert all(problem["resource"] == "p.bpmn" and problem["line"] for problem in problems)
    assert _deployed(owner) == 0


def test_a_diagram_without_a_start_is_refused(http: Browse) -> None:
    bad = diagram(user("a"), end(), chain("a", "end"))
    assert _refused(_upload(http("owner"), (bad.name, bad.content)))


def test_a_deployment_of_nothing_is_refused(http: Browse) -> None:
    assert _refused(http("owner").post("/deployments")) == [
        {
            "resource": None,
            "elementId": None,
            "line": None,
            "severity": "error",
            "message": "There is nothing to deploy.",
        }
    ]
    assert _refused(_upload(http("owner"), ("notes.txt", b"hello")))


def test_warnings_come_with_the_deployment(http: Browse) -> None:
    resource = diagram(
        start(), user("a", "<zeebe:assignmentDefinition candidateGroups='nobody'/>"), end(), chain("start", "a", "end")
    )
    answer = _upload(http("owner"), (resource.name, resource.content))
    assert answer.status_code == 200, answer.text
    (warning,) = answer.json()["warnings"]
    assert (warning["resource"], warning["severity"]) == ("p.bpmn", "warning")
    assert "nobody" in warning["message"]
