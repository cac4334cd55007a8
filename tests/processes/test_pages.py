"""The catalogue and the modeler's endpoints: who sees what runs, and how the next version comes about."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from database import transaction
from engine.execution import create_instance, execute
from engine.models import ProcessDefinition, UserTask
from engine.user_tasks import CompleteUserTask
from people.models import User
from processes.service import Resource, deploy
from tests.conftest import MakeUser

SignIn = Callable[[User], FlaskClient]

ORDER = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="d" targetNamespace="http://example.com">
<process id="order" name="{name}" isExecutable="true">
  <startEvent id="start"/>
  <sequenceFlow id="f1" sourceRef="start" targetRef="check"/>
  <userTask id="check" name="检查"><extensionElements><zeebe:userTask/></extensionElements></userTask>
  <sequenceFlow id="f2" sourceRef="check" targetRef="large"/>
  <exclusiveGateway id="large" default="f4"/>
  <sequenceFlow id="f3" sourceRef="large" targetRef="end">
    <conditionExpression xsi:type="tFormalExpression">{condition}</conditionExpression>
  </sequenceFlow>
  <sequenceFlow id="f4" sourceRef="large" targetRef="end"/>
  <endEvent id="end"/>
</process>
</definitions>"""


def order(name: str = "订单", condition: str = "=amount &gt; 10") -> str:
    """A process with one task and one decision."""
    return ORDER.format(name=name, condition=condition)


@pytest.fixture
def owner(make_user: MakeUser) -> User:
    """Somebody who may deploy."""
    return make_user("sun.owner", role="process owner", name="孙流程")


@pytest.fixture
def staff(make_user: MakeUser) -> User:
    """Somebody who may not."""
    return make_user("wang.fang", "业务接待员")


@pytest.fixture
def deployed(sessions: sessionmaker[Session], owner: User) -> ProcessDefinition:
    """The order process, in its first version."""
    with sessions() as session, transaction(session):
        return deploy(session, [Resource("sales/order.bpmn", order().encode())], owner.username).processes[0]


def start(sessions: sessionmaker[Session], definition: ProcessDefinition, *, fail: bool = False) -> None:
    """Start a case, and let it fail at its decision."""
    with sessions() as session, transaction(session):
        case = create_instance(session, definition, {"amount": "many"}, actor="wang.fang").instance_key
        if fail:
            task = session.scalars(select(UserTask.key).where(UserTask.instance_key == case)).one()
            execute(session, case, CompleteUserTask(task), actor="wang.fang")


def versions(sessions: sessionmaker[Session]) -> int:
    """Count the deployed versions of all processes."""
    with sessions() as session:
        return session.execute(select(func.count()).select_from(ProcessDefinition)).scalar_one()


def test_the_catalogue_counts_what_runs_and_what_failed(
    sessions: sessionmaker[Session], deployed: ProcessDefinition, staff: User, sign_in: SignIn
) -> None:
    start(sessions, deployed)
    start(sessions, deployed)
    start(sessions, deployed, fail=True)
    page = sign_in(staff).get("/processes").text
    assert "订单" in page
    assert "孙流程" in page
    assert '<a href="/instances?process=order&amp;state=ACTIVE">3</a>' in page
    assert '<a class="b-badge p-failed" href="/instances?process=order&amp;only=incident">1</a>' in page
    assert "/processes/order/edit" not in page


def test_the_detail_page_counts_tokens_at_each_element(
    sessions: sessionmaker[Session], deployed: ProcessDefinition, staff: User, sign_in: SignIn
) -> None:
    start(sessions, deployed)
    start(sessions, deployed)
    start(sessions, deployed, fail=True)
    browser = sign_in(staff)
    page = browser.get("/processes/order")
    assert "/processes/order/diagram.json?version=1" in page.text
    assert "/start/order" in page.text
    assert browser.get("/processes/order/diagram.json").json == {
        "active": [{"elementId": "check", "count": 2}, {"elementId": "large", "count": 1}],
        "incidents": [{"elementId": "large", "count": 1}],
        "completed": [],
        "flows": [],
    }


def test_the_file_is_answered_and_downloaded_as_it_was_deployed(
    deployed: ProcessDefinition, staff: User, sign_in: SignIn
) -> None:
    browser = sign_in(staff)
    assert browser.get("/processes/order/xml").text == order()
    download = browser.get("/processes/order/xml?version=1&download=")
    assert download.headers["Content-Disposition"] == "attachment; filename=order.bpmn"
    assert download.text == order()


def test_staff_see_processes_but_do_not_change_them(
    sessions: sessionmaker[Session], deployed: ProcessDefinition, staff: User, make_user: MakeUser, sign_in: SignIn
) -> None:
    for user in (staff, make_user("zhou.jie", role="manager")):
        browser = sign_in(user)
        assert browser.get("/processes/order").status_code == 200
        assert browser.get("/processes/order/edit").status_code == 403
        assert browser.get("/processes/new").status_code == 403
        assert browser.post("/processes/lint", data=order().encode()).status_code == 403
        body = {"xml": order("另一个"), "resourceName": "order.bpmn"}
        assert browser.post("/processes/deploy", json=body).status_code == 403
    assert versions(sessions) == 1


def test_an_unknown_process_or_version_is_404(deployed: ProcessDefinition, owner: User, sign_in: SignIn) -> None:
    browser = sign_in(owner)
    for path in ("nothing", "nothing/edit", "order/xml?version=7", "order/edit?version=7", "nothing/diagram.json"):
        assert browser.get(f"/processes/{path}").status_code == 404, path


def test_the_modeler_deploys_the_next_version(
    sessions: sessionmaker[Session], deployed: ProcessDefinition, owner: User, sign_in: SignIn
) -> None:
    browser = sign_in(owner)
    page = browser.get("/processes/order/edit?version=1").text
    assert 'data-xml-url="/processes/order/xml?version=1"' in page
    assert 'data-resource-name="sales/order.bpmn"' in page
    body = {"xml": order("订单（新）"), "resourceName": "sales/order.bpmn"}
    answer = browser.post("/processes/deploy", json=body)
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["version"] == 2
    assert answer.json["url"] == "/processes/order"
    assert "订单（新）" in browser.get("/processes/order").text
    assert "not the latest" in browser.get("/processes/order?version=1").text
    assert versions(sessions) == 2


@pytest.mark.parametrize(
    ("xml", "element"),
    [
        ("<definitions", None),
        (order(condition="=amount &gt;"), "f3"),
        (order().replace('<startEvent id="start"/>', "").replace('sourceRef="start"', 'sourceRef="check"'), "order"),
        ('<!DOCTYPE x [<!ENTITY a "aaaa">]>' + order().partition("?>")[2], None),
    ],
    ids=["no XML", "a condition that does not parse", "no start event", "an entity"],
)
def test_what_the_gate_refuses_is_told_at_the_element_and_not_deployed(
    sessions: sessionmaker[Session],
    deployed: ProcessDefinition,
    owner: User,
    sign_in: SignIn,
    xml: str,
    element: str | None,
) -> None:
    browser = sign_in(owner)
    lint = browser.post("/processes/lint?resource=order.bpmn", data=xml.encode(), content_type="application/xml")
    refused = browser.post("/processes/deploy", json={"xml": xml, "resourceName": "order.bpmn"})
    assert (lint.status_code, refused.status_code) == (200, 400)
    assert lint.json is not None
    assert refused.json is not None
    for answer in (lint.json, refused.json):
        problem = next(problem for problem in answer["problems"] if problem["severity"] == "error")
        assert set(problem) == {"elementId", "line", "severity", "message"}
        assert problem["message"]
        assert problem["line"]
        assert element is None or problem["elementId"] == element
    assert versions(sessions) == 1


def test_a_sound_diagram_has_no_errors(deployed: ProcessDefinition, owner: User, sign_in: SignIn) -> None:
    answer = sign_in(owner).post("/processes/lint", data=order().encode(), content_type="application/xml")
    assert answer.json is not None
    assert [problem for problem in answer.json["problems"] if problem["severity"] == "error"] == []


def test_a_deployment_of_another_shape_is_refused(
    sessions: sessionmaker[Session], deployed: ProcessDefinition, owner: User, sign_in: SignIn
) -> None:
    browser = sign_in(owner)
    for body in ({}, {"xml": 1, "resourceName": "a.bpmn"}, {"xml": order("x"), "resourceName": "order.form"}, []):
        assert browser.post("/processes/deploy", json=body).status_code == 400
    assert versions(sessions) == 1


def test_a_new_process_begins_with_its_name_and_lanes(owner: User, staff: User, sign_in: SignIn) -> None:
    browser = sign_in(owner)
    form = browser.get("/processes/new").text
    assert 'value="业务接待员"' in form
    page = browser.get("/processes/new?name=投诉&id=complaint&lane=业务接待员&lane=业务主管").text
    assert 'data-process-id="complaint"' in page
    assert 'data-lanes="业务接待员,业务主管"' in page
    assert "data-xml-url" not in page
    assert "This cannot be the id of a process." in browser.get("/processes/new?name=投诉&id=1 2").text


def test_a_new_process_is_deployed_as_its_first_version(
    sessions: sessionmaker[Session], owner: User, sign_in: SignIn
) -> None:
    answer = sign_in(owner).post("/processes/deploy", json={"xml": order(), "resourceName": "order.bpmn"})
    assert answer.json is not None
    assert answer.json["version"] == 1
    with sessions() as session:
        definition = session.scalars(select(ProcessDefinition)).one()
        assert (definition.process_id, definition.resource_name) == ("order", "order.bpmn")
