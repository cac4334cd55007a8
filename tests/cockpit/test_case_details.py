"""What a case page tells beyond tasks: jobs, messages, decisions, data with the labels of forms, long histories."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from cockpit import history
from cockpit.readable import pretty_json, readable
from cockpit.situation import Effect, situation
from cockpit.variables import scopes
from database import transaction
from engine.models import ProcessInstance
from people.models import User
from processes.service import Resource, deploy
from tests.cockpit.conftest import Company
from tests.cockpit.diagrams import flow, process, user_task

SignIn = Callable[[User], FlaskClient]

#: A form for the start and one for a task, a decision, a job, a message and a reminder that repeats.
START_FORM = {
    "id": "arrival",
    "type": "default",
    "schemaVersion": 18,
    "components": [
        {"id": "a", "type": "textfield", "key": "plate", "label": "甲字段"},
        {
            "id": "b",
            "type": "select",
            "key": "kind",
            "label": "乙字段",
            "values": [{"label": "丙选项", "value": "car"}, {"label": "货车", "value": "truck"}],
        },
    ],
}

DECISION = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="fees" name="fees" namespace="http://example.com">
  <decision id="fee" name="收费标准">
    <decisionTable id="t" hitPolicy="UNIQUE">
      <input id="i"><inputExpression id="ie" typeRef="string"><text>kind</text></inputExpression></input>
      <output id="o" name="fee" typeRef="number"/>
      <rule id="r1"><inputEntry id="e1"><text>"car"</text></inputEntry>
        <outputEntry id="x1"><text>80</text></outputEntry></rule>
      <rule id="r2"><inputEntry id="e2"><text>"truck"</text></inputEntry>
        <outputEntry id="x2"><text>120</text></outputEntry></rule>
    </decisionTable>
  </decision>
</definitions>"""

VISIT = process(
    "visit",
    '<startEvent id="start"><extensionElements><zeebe:formDefinition formId="arrival"/>'
    "</extensionElements></startEvent>"
    + flow("start", "price")
    + '<businessRuleTask id="price" name="定价"><extensionElements>'
    '<zeebe:calledDecision decisionId="fee" resultVariable="fee"/></extensionElements></businessRuleTask>'
    + flow("price", "fork")
    + '<parallelGateway id="fork"/>'
    + flow("fork", "print")
    + flow("fork", "answer")
    + flow("fork", "wash")
    + '<serviceTask id="print" name="打印"><extensionElements><zeebe:taskDefinition type="print-label"/>'
    "</extensionElements></serviceTask>"
    + '<receiveTask id="answer" name="等客户答复" messageRef="reply"/>'
    + user_task("wash", "洗车", "洗车工作人员")
    + '<boundaryEvent id="nag" name="再催" attachedToRef="wash" cancelActivity="false">'
    "<timerEventDefinition><timeCycle>R/PT1H</timeCycle></timerEventDefinition></boundaryEvent>"
    + flow("nag", "nagged")
    + '<endEvent id="nagged"/>'
    + '<boundaryEvent id="late" name="超时" attachedToRef="wash">'
    "<timerEventDefinition><timeDuration>P3D</timeDuration></timerEventDefinition></boundaryEvent>"
    + flow("late", "end")
    + flow("print", "end")
    + flow("answer", "end")
    + flow("wash", "end")
    + '<endEvent id="end"/>',
    title="=plate",
).replace(
    b"<process ",
    b'<message id="reply" name="customer-reply"><extensionElements><zeebe:subscription correlationKey="=plate"/>'
    b"</extensionElements></message><process ",
)


#: A step whose job type is not a text.
FAILING = (
    '<serviceTask id="fee" name="计费"><extensionElements><zeebe:taskDefinition type="=1 + 1"/>'
    "</extensionElements></serviceTask>"
)
END = '<endEvent id="end"/>'


@pytest.fixture
def visit(company: Company, sessions: sessionmaker[Session]) -> int:
    """A case that waits for a person, a machine, a message and the clock at once."""
    with sessions() as session, transaction(session):
        resources = [
            Resource("arrival.form", json.dumps(START_FORM).encode()),
            Resource("fees.dmn", DECISION.encode()),
            Resource("visit.bpmn", VISIT),
        ]
        deploy(session, resources, "sun.owner")
    return company.start("visit", plate="沪A1", kind="car")


def test_all_that_a_case_waits_for_is_listed(visit: int, session: Session) -> None:
    waits = situation(session, session.get_one(ProcessInstance, visit))
    assert [task.name for task in waits.tasks] == ["洗车"]
    assert [(job.name, job.type, job.retries) for job in waits.jobs] == [("打印", "print-label", 3)]
    assert [(event.name, event.event_name, event.correlation_key) for event in waits.events] == [
        ("等客户答复", "customer-reply", "沪A1")
    ]
    assert [(timer.name, timer.effect, timer.host_name, timer.repeats) for timer in waits.timers] == [
        ("再催", Effect.BESIDE, "洗车", True),
        ("超时", Effect.INTERRUPT, "洗车", False),
    ]


def test_a_case_tells_that_its_child_has_failed(company: Company, sessions: sessionmaker[Session]) -> None:
    with sessions() as session, transaction(session):
        failing = process(
            "child", '<startEvent id="start"/>' + flow("start", "fee") + FAILING + flow("fee", "end") + END
        )
        deploy(session, [Resource("child.bpmn", failing)], "sun.owner")
    parent = company.start("caller", actor="zhou.jie")
    with sessions() as session:
        (child,) = situation(session, session.get_one(ProcessInstance, parent)).children
    assert (child.process_name, child.incidents) == ("维修", 1)


def test_data_has_the_labels_of_the_forms_and_results_are_called_after_their_step(visit: int, session: Session) -> None:
    (scope,) = [scope for scope in scopes(session, session.get_one(ProcessInstance, visit)) if scope.element_id is None]
    shown = {variable.name: variable for variable in scope.variables}
    assert (shown["plate"].label, shown["kind"].label, shown["fee"].label) == ("甲字段", "乙字段", "定价")
    assert shown["kind"].words == {"car": "丙选项", "truck": "货车"}


def test_the_page_shows_data_decision_job_and_message(visit: int, company: Company, sign_in: SignIn) -> None:
    page = sign_in(company.manager).get(f"/instances/{visit}").text
    for text in ("甲字段", "丙选项", "收费标准", "1 rule matched", "print-label", "customer-reply", "repeats"):
        assert text in page, text
    assert "If “洗车” is not done by then, it ends." in page


def test_a_decision_is_recorded_with_its_result(visit: int, session: Session) -> None:
    (decision,) = history.decisions(session, session.get_one(ProcessInstance, visit))
    assert (decision.decision_id, decision.element_name, decision.output) == ("fee", "定价", 80)
    assert len(decision.matched) == 1


def test_a_long_history_shows_its_newest_part(visit: int, company: Company, sessions: sessionmaker[Session]) -> None:
    for _hour in range(30):
        company.wait(hours=1)
    with sessions() as session:
        instance = session.get_one(ProcessInstance, visit)
        whole = history.steps(session, instance)
        part = history.steps(session, instance, limit=10)
        acts = history.actions(session, instance, limit=5)
    assert whole.left_out == 0
    assert [step.key for step in part.items] == [step.key for step in whole.items][-10:]
    assert part.left_out == whole.total - 10
    assert acts.items[0].at - acts.items[-1].at == timedelta(hours=4)
    assert acts.left_out > 20


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "—"),
        ("", "—"),
        (True, "yes"),
        (Decimal("12.50"), "12.50"),
        ("沪A1", "沪A1"),
        ("2025-03-03", "3 Mar 2025"),
        ("2025-03-03T01:00:00Z", "3 Mar 2025, 09:00"),
        ("2025-03-03T09:00:00+08:00[Asia/Shanghai]", "3 Mar 2025, 09:00"),
        ("2025-03-03T09:00:00", "3 Mar 2025, 09:00"),
        ("2025-99-99", "2025-99-99"),
        (["a", "b"], "a, b"),
        ([], "—"),
        ([{"item": "tyre", "count": 2}, {"item": "oil", "count": 1}], "item: tyre, count: 2; item: oil, count: 1"),
        ("x" * 500, "x" * 240 + "…"),
    ],
)
def test_values_are_written_for_people(app: Flask, value: object, text: str) -> None:
    with app.test_request_context(headers={"Accept-Language": "en"}):
        assert readable(value) == text


def test_options_are_shown_by_their_labels(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "en"}):
        assert readable(["car", "bike"], {"car": "轿车"}) == "轿车, bike"


def test_rows_of_a_list_are_shown_by_the_labels_of_their_fields(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "en"}):
        assert readable([{"item": "tyre", "kind": "new"}], {"item": "Item", "new": "New"}) == "Item: tyre, kind: New"


def test_raw_values_keep_their_digits_and_characters() -> None:
    assert pretty_json({"价格": Decimal("0.10"), "n": 2**70}) == '{\n  "价格": 0.10,\n  "n": 1180591620717411303424\n}'
