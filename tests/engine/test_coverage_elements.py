"""Every kind of activity, alone and in every loop, and every gateway: executed, or refused by the deployment gate."""

from __future__ import annotations

import pytest

from database import transaction
from engine import signals
from engine.errors import DeploymentRefused
from engine.jobs import CompleteJob
from engine.user_tasks import CompleteUserTask
from processes.service import Resource
from tests.diagrams import (
    catches,
    chain,
    diagram,
    end,
    flow,
    gateway,
    loop,
    message,
    node,
    signal,
    start,
    user,
)
from tests.play import Player

LOOPS = {
    "alone": "",
    "parallel multi-instance": loop("[1, 2]", inputElement="item"),
    "sequential multi-instance": loop("[1, 2]", sequential=True, inputElement="item"),
    "standard loop": '<bpmn:standardLoopCharacteristics loopMaximum="2"/>',
}
_INNER = start("s") + user("inside") + end("e") + chain("s", "inside", "e")
_JOB = '<zeebe:taskDefinition type="work"/>'
_USER = "<zeebe:userTask/>"

#: Tag, attributes, extensions and content of each kind of activity.
ACTIVITIES: dict[str, tuple[str, dict[str, str], str, str]] = {
    "task": ("task", {}, "", ""),
    "manual task": ("manualTask", {}, "", ""),
    "user task": ("userTask", {}, _USER, ""),
    "service task": ("serviceTask", {}, _JOB, ""),
    "script task, FEEL": ("scriptTask", {}, '<zeebe:script expression="=1" resultVariable="x"/>', ""),
    "script task, job": ("scriptTask", {}, _JOB, ""),
    "business rule task, decision": (
        "businessRuleTask",
        {},
        '<zeebe:calledDecision decisionId="rule" resultVariable="x"/>',
        "",
    ),
    "business rule task, job": ("businessRuleTask", {}, _JOB, ""),
    "send task, message": ("sendTask", {"messageRef": "message-told"}, "", ""),
    "send task, job": ("sendTask", {}, _JOB, ""),
    "receive task": ("receiveTask", {"messageRef": "message-m"}, "", ""),
    "call activity": ("callActivity", {}, '<zeebe:calledElement processId="called"/>', ""),
    "sub-process": ("subProcess", {}, "", _INNER),
    "transaction": ("transaction", {}, "", _INNER),
    "ad-hoc sub-process": (
        "adHocSubProcess",
        {},
        '<zeebe:adHoc activeElementsCollection="=[&quot;inside&quot;]"/>',
        user("inside"),
    ),
}

_RULE = Resource(
    "rule.dmn",
    b'<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="rules" name="rules" namespace="tests">'
    b'<decision id="rule" name="rule"><variable name="rule"/><literalExpression><text>1</text></literalExpression>'
    b"</decision></definitions>",
)
_CALLED = diagram(start(), user("inside"), end(), chain("start", "inside", "end"), process_id="called")


@pytest.mark.parametrize(
    ("kind", "repeated"),
    [
        pytest.param(kind, repeated, marks=pytest.mark.covers("activities", kind, repeated))
        for kind in ACTIVITIES
        for repeated in LOOPS
    ],
)
def test_an_activity_is_done(play: Player, kind: str, repeated: str) -> None:
    tag, attributes, extensions, content = ACTIVITIES[kind]
    play.deploy(
        _RULE,
        _CALLED,
        diagram(
            start(),
            node(tag, "act", content + LOOPS[repeated], extensions, **attributes),
            user("after"),
            end(),
            chain("start", "act", "after", "end"),
            extra=message("m", "=1") + message("told", "=1"),
        ),
    )
    case = play.start("p")
    for _ in range(2):
        do_what_waits(play)
    assert case.todo == ["after"], case.incidents
    times = 1 if repeated == "alone" else 2
    assert sum(element_id == "act" for element_id in case.trail()) == times + (repeated != "alone")


def do_what_waits(play: Player) -> None:
    """Complete every job and inner user task, and publish the message."""
    for case in [*play.instances("p"), *play.instances("called")]:
        for job in case.jobs():
            case.execute(CompleteJob(job.key))
        for task in case.open_tasks():
            if task.element_id != "after":
                case.execute(CompleteUserTask(task.key))
    play.publish("m", "1")


# --- gateways


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=pytest.mark.covers("gateways", kind, "splits and joins"))
        for kind in ("exclusive", "parallel", "inclusive", "complex")
    ],
)
def test_a_gateway_splits_and_joins(play: Player, kind: str) -> None:
    conditions: dict[str, str | None] = {"a": "true", "b": "false", "c": "true"}
    if kind == "parallel":
        conditions = dict.fromkeys(conditions)
    play.deploy(
        diagram(
            start(),
            gateway(kind, "split"),
            *[user(name) + flow("split", name, held) + flow(name, "join") for name, held in conditions.items()],
            gateway(kind, "join"),
            user("after"),
            end(),
            flow("start", "split"),
            chain("join", "after", "end"),
        )
    )
    case = play.start("p")
    taken = {"exclusive": ["a"], "parallel": ["a", "b", "c"]}.get(kind, ["a", "c"])
    assert case.todo == taken
    for name in taken:
        assert "after" not in case.todo
        case.complete(name)
    assert case.todo == ["after"]


@pytest.mark.covers("gateways", "none", "splits and merges")
def test_tokens_split_and_merge_without_a_gateway(play: Player) -> None:
    play.deploy(
        diagram(
            start(), user("a"), user("b"), user("after"), end(),
            flow("start", "a"), flow("start", "b"), flow("a", "after"), flow("b", "after"), flow("after", "end"),
        )
    )  # fmt: skip
    case = play.start("p")
    case.complete("a")
    case.complete("b")
    assert case.todo == ["after", "after"], "every token passes by itself"


@pytest.mark.covers("gateways", "event-based", "the first event decides")
def test_the_first_event_after_an_event_based_gateway_decides(play: Player) -> None:
    play.deploy(_events())
    case = play.start("p")
    with play.sessions() as session, transaction(session):
        signals.broadcast(session, "s")
    assert case.todo == ["after-s"]


def _events(**given: str) -> Resource:
    return diagram(
        start(),
        gateway("eventBased", "g", **given),
        node("intermediateCatchEvent", "by-m", catches("message", "m")),
        node("intermediateCatchEvent", "by-s", catches("signal", "s")),
        user("after-m"),
        user("after-s"),
        end(),
        flow("start", "g"),
        flow("g", "by-m"),
        flow("g", "by-s"),
        chain("by-m", "after-m", "end"),
        chain("by-s", "after-s", "end"),
        extra=message("m", "=1") + signal("s"),
    )


def test_an_event_based_gateway_in_the_middle_cannot_wait_for_all_of_its_events(play: Player) -> None:
    with pytest.raises(DeploymentRefused, match="that starts an instance"):
        play.deploy(_events(eventGatewayType="Parallel"))


@pytest.mark.covers("beyond", "collaboration", "several executable pools")
def test_a_file_may_hold_several_executable_processes_beside_drawn_ones(play: Player) -> None:
    first = diagram(start(), user("one"), end(), chain("start", "one", "end"), process_id="first").content.decode()
    second = '<bpmn:process id="second" isExecutable="true"><bpmn:startEvent id="s"/><bpmn:endEvent id="e"/>'
    second += '<bpmn:sequenceFlow id="f" sourceRef="s" targetRef="e"/></bpmn:process>'
    drawn = '<bpmn:process id="customer" isExecutable="false"><bpmn:globalTask id="x"/></bpmn:process>'
    pools = '<bpmn:collaboration id="all"><bpmn:participant id="p1" processRef="first"/></bpmn:collaboration>'
    text = first.replace("</bpmn:definitions>", f"{second}{drawn}{pools}</bpmn:definitions>")
    deployed = play.deploy(Resource("pools.bpmn", text.encode()))
    assert [process.process_id for process in deployed.processes] == ["first", "second"]
    assert play.start("second").state == "COMPLETED"


@pytest.mark.covers("beyond", "data objects and data stores", "documentation")
def test_data_objects_and_stores_are_documentation(play: Player) -> None:
    play.deploy(
        diagram(
            '<bpmn:dataObject id="d"/><bpmn:dataObjectReference id="r" dataObjectRef="d"/>',
            '<bpmn:dataStoreReference id="store"/>',
            start(),
            end(),
            chain("start", "end"),
        )
    )
    assert play.start("p").state == "COMPLETED"
