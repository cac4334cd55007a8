"""A small repair shop: one process with a start form, two lanes, a deadline, and the people who work in it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy.orm import Session, sessionmaker

from people.models import User
from processes.service import Resource
from tests.conftest import MakeUser
from tests.diagrams import diagram, end, flow, node, start, user
from tests.play import Player
from tests.tasks.form_makers import field, schema

RECEPTION = "业务接待员"
TEAM = "班组"

_LANES = (
    '<bpmn:laneSet id="lanes">'
    f'<bpmn:lane id="reception" name="{RECEPTION}"><bpmn:flowNodeRef>start</bpmn:flowNodeRef>'
    "<bpmn:flowNodeRef>estimate</bpmn:flowNodeRef><bpmn:flowNodeRef>settle</bpmn:flowNodeRef></bpmn:lane>"
    f'<bpmn:lane id="team" name="{TEAM}"><bpmn:flowNodeRef>repair</bpmn:flowNodeRef></bpmn:lane></bpmn:laneSet>'
)

_TITLE = "<zeebe:properties><zeebe:property name='title' value='=plate + \" \" + customer'/></zeebe:properties>"
_START_FORM = schema(
    field("textfield", "plate", label="车牌号", validate={"required": True}),
    field("textfield", "customer", label="客户"),
    field(
        "radio", "kind", label="类别", values=[{"label": "小修", "value": "small"}, {"label": "大修", "value": "big"}]
    ),
)
_ESTIMATE_FORM = schema(
    field("textfield", "plate", label="车牌号", readonly=True),
    field("number", "price", label="报价", decimalDigits=2, validate={"required": True, "min": 0}),
    field("textarea", "note", label="备注"),
)


def form(form_id: str, content: dict[str, Any]) -> Resource:
    """A form as a file."""
    return Resource(f"auto-repair/{form_id}.form", json.dumps({**content, "id": form_id}).encode())


def repair_process() -> Resource:
    """Estimate (reception, due in four hours), repair (team, taken away after two days), settlement (reception)."""
    deadline = node(
        "boundaryEvent",
        "late",
        "<bpmn:timerEventDefinition><bpmn:timeDuration>P2D</bpmn:timeDuration></bpmn:timerEventDefinition>",
        attachedToRef="repair",
    )
    resource = diagram(
        _LANES,
        start(
            inside="<bpmn:extensionElements><zeebe:formDefinition formId='reception-form'/></bpmn:extensionElements>"
        ),
        user(
            "estimate",
            "<zeebe:formDefinition formId='estimate-form'/><zeebe:taskSchedule dueDate='=now() + duration(\"PT4H\")'/>",
            "<bpmn:documentation>按 document 000, line 576 估价。</bpmn:documentation>",
            name="估价",
        ),
        user("repair", name="维修"),
        user("settle", name="结算"),
        deadline,
        end(),
        flow("start", "estimate"),
        flow("estimate", "repair"),
        flow("repair", "settle"),
        flow("late", "settle"),
        flow("settle", "end"),
        process_id="car-repair",
        extensions=_TITLE,
    )
    return Resource("auto-repair/car-repair.bpmn", resource.content)


def single_task(process_id: str, extensions: str = "", name: str = "任务") -> Resource:
    """A process of one task without a lane."""
    return diagram(
        start(), user("do", extensions, name=name), end(), flow("start", "do"), flow("do", "end"), process_id=process_id
    )


@pytest.fixture
def shop(sessions: sessionmaker[Session]) -> Player:
    """The deployed process."""
    play = Player(sessions)
    play.deploy(form("reception-form", _START_FORM), form("estimate-form", _ESTIMATE_FORM), repair_process())
    return play


@pytest.fixture
def wang(make_user: MakeUser) -> User:
    """A receptionist."""
    return make_user("wang.fang", RECEPTION, name="王芳")


@pytest.fixture
def li(make_user: MakeUser) -> User:
    """Another receptionist."""
    return make_user("li.na", RECEPTION, name="李娜")


@pytest.fixture
def zhang(make_user: MakeUser) -> User:
    """Somebody of the team, who has nothing to do with reception."""
    return make_user("zhang.gang", TEAM, name="张刚")


@pytest.fixture
def boss(make_user: MakeUser) -> User:
    """A manager in no group."""
    return make_user("chen.guoqiang", role="manager", name="陈国强")
