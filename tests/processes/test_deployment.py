"""The deployment gate: what is refused, with which problems, and what becomes a version."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from engine.errors import DeploymentRefused
from engine.models import Deployment, FormDefinition, ProcessDefinition
from engine.problems import Problem
from processes.service import Resource
from tests.diagrams import boundary, catches, chain, diagram, end, flow, gateway, loop, node, start, timer, user
from tests.play import Player


@pytest.fixture
def play(sessions: sessionmaker[Session]) -> Player:
    return Player(sessions)


def refused(play: Player, *resources: Resource) -> list[Problem]:
    """Deploy what must be refused; prove that nothing was stored, and return the problems."""
    with pytest.raises(DeploymentRefused) as refusal:
        play.deploy(*resources)
    with play.sessions() as session:
        for table in (Deployment, ProcessDefinition, FormDefinition):
            assert session.scalar(select(func.count()).select_from(table)) == 0
    assert all(problem.resource for problem in refusal.value.problems)
    return list(refusal.value.problems)


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    + "".join(
        f'<!ENTITY {name} "' + f"&{before};" * 10 + '">' for before, name in zip("bcdefgh", "cdefghi", strict=True)
    )
    + "]><definitions>&i;</definitions>"
)
EXTERNAL = '<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><definitions>&x;</definitions>'


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"<definitions>", "not well-formed"),
        (b"", "not well-formed"),
        (b"\x00\x01\x02", "not well-formed"),
        (BOMB.encode(), ""),
        (EXTERNAL.encode(), "document type"),
        (b"<a>" + b"x" * 20_000_000 + b"</a>", "20,000,007 bytes"),
        (b'<html xmlns="http://www.w3.org/1999/xhtml"/>', "no BPMN 2.0 diagram"),
    ],
    ids=["invalid", "empty", "binary", "entity bomb", "external entity", "20 MB", "another language"],
)
def test_a_file_that_is_no_diagram_is_refused(play: Player, content: bytes, says: str) -> None:
    problems = refused(play, Resource("bad.bpmn", content))
    assert says in problems[0].message
    assert "root:" not in str(problems)


def test_every_problem_is_told_with_its_element_and_line(play: Player) -> None:
    problems = refused(
        play,
        diagram(
            start(),
            user("work", '<zeebe:formDefinition formId="nowhere"/>'),
            gateway("exclusive", "g"),
            user("a"),
            user("b"),
            end(),
            chain("start", "work", "g"),
            flow("g", "a", "amount >"),
            flow("g", "b"),
            chain("a", "end"),
            node("choreographyTask", "complex"),
            node("callActivity", "call", extensions='<zeebe:calledElement processId="nobody"/>'),
            node("businessRuleTask", "rule", extensions='<zeebe:calledDecision decisionId="d" resultVariable="x"/>'),
        ),
    )
    # Structure first: what a later check would say of a broken graph helps nobody.
    assert [problem.element_id for problem in problems] == ["complex"]
    assert problems[0].line is not None


@pytest.mark.parametrize(
    ("elements", "element_id", "says"),
    [
        ([user("work"), end(), chain("work", "end")], "p", "no start event"),
        ([start(), user("a"), end(), flow("start", "a"), flow("a", "end", "amount >")], "a-end", "no valid FEEL"),
        ([start(), user("a", '<zeebe:formDefinition formId="nowhere"/>'), flow("start", "a")], "a", "nowhere"),
        ([start(), flow("start", "nobody")], "start-nobody", "nobody"),
        ([start(), start("second"), end(), chain("start", "end")], "p", "more than one start event"),
        ([start(), node("serviceTask", "s"), chain("start", "s")], "s", "job type"),
        ([start(), node("scriptTask", "s"), chain("start", "s")], "s", "FEEL expression"),
        ([start(), user("a"), boundary("b", "a", ""), chain("start", "a")], "b", "must catch"),
        ([start(), user("a"), boundary("b", "a", timer("Duration", "2 hours")), chain("start", "a")], "b", "ISO 8601"),
        ([start(), user("a", inside=loop("")), chain("start", "a")], "a", "input collection"),
        ([start(), node("receiveTask", "r"), chain("start", "r")], "r", "refers to no message"),
        ([start(), node("choreographyTask", "x"), chain("start", "x")], "x", "not executed"),
        ([start(), node("adHocSubProcess", "x"), chain("start", "x")], "x", "can be started"),
        (
            [start(), node("task", "t", "<bpmn:standardLoopCharacteristics/>"), chain("start", "t")],
            "t",
            "needs a condition or a maximum",
        ),
        ([start(), end("e", "<bpmn:cancelEventDefinition/>"), chain("start", "e")], "e", "inside of a transaction"),
        ([start(inside="<bpmn:errorEventDefinition/>"), end("e"), chain("start", "e")], "start", "started by a timer"),
        ([start(), end("e", catches("error", "none")), chain("start", "e")], "e", "There is no error"),
        ([start(), user("a", "<zeebe:linkedResources/>"), chain("start", "a")], "a", "linkedResources"),
    ],
)
def test_what_cannot_be_executed_is_refused_at_its_element(
    play: Player, elements: list[str], element_id: str, says: str
) -> None:
    problems = refused(play, diagram(*elements))
    found = {problem.element_id: problem for problem in problems}
    assert element_id in found, problems
    assert any(says in problem.message for problem in problems if problem.element_id == element_id), problems


def test_forms_and_decisions_are_checked_too(play: Player) -> None:
    for resource in (
        Resource("a.form", b"{"),
        Resource("a.form", b"[]"),
        Resource("a.form", b'{"type":"default"}'),
        Resource("a.dmn", b"<definitions/>"),
        Resource("a.txt", b"hello"),
    ):
        assert refused(play, resource), resource


def simple(name: str = "P") -> Resource:
    return diagram(start(), user("work", name=name), end(), chain("start", "work", "end"))


def test_an_unchanged_file_is_not_deployed_again(play: Player) -> None:
    first = play.deploy(simple())
    again = play.deploy(simple())
    changed = play.deploy(simple("Q"))
    assert again.unchanged == ["p.bpmn"]
    assert [deployed.processes[0].version for deployed in (first, again, changed)] == [1, 1, 2]


def test_one_bad_resource_refuses_all(play: Player) -> None:
    refused(play, simple(), Resource("a.form", b"{"))


def test_a_running_instance_stays_on_its_version(play: Player) -> None:
    play.deploy(simple())
    old = play.start("p")
    play.deploy(diagram(start(), user("new"), end(), chain("start", "new", "end")))
    assert old.todo == ["work"]
    assert play.start("p").todo == ["new"]


def test_a_file_in_another_encoding_is_read(play: Player) -> None:
    text = simple("接待").content.decode()
    play.deploy(Resource("p.bpmn", f'<?xml version="1.0" encoding="GB18030"?>{text}'.encode("gb18030")))
    assert play.start("p").task("work").name == "接待"


def test_an_element_that_no_token_reaches_is_a_warning(play: Player) -> None:
    deployed = play.deploy(diagram(start(), end(), chain("start", "end"), user("island")))
    assert [(problem.element_id, problem.severity) for problem in deployed.warnings] == [("island", "warning")]


def test_a_process_that_is_only_called_stays_off_the_start_page(play: Player) -> None:
    called = '<zeebe:properties><zeebe:property name="startable" value="false"/></zeebe:properties>'
    deployed = play.deploy(
        diagram(start(), user("work"), end(), chain("start", "work", "end"), process_id="child", extensions=called),
        diagram(
            start(),
            node("callActivity", "call", extensions='<zeebe:calledElement processId="child"/>'),
            end(),
            chain("start", "call", "end"),
        ),
    )
    assert [process.startable for process in deployed.processes] == [False, True]
    assert play.start("p").child("child").todo == ["work"]


def test_a_function_that_does_not_exist_is_refused_and_a_test_that_is_never_true_is_a_warning(play: Player) -> None:
    def with_condition(condition: str) -> Resource:
        return diagram(
            start(), gateway("exclusive", "g", default="g-end"), user("a"), end(),
            flow("start", "g"), flow("g", "a", condition), flow("g", "end"),
        )  # fmt: skip

    problems = refused(play, with_condition("substrng(name, 1) = &quot;x&quot;".replace("&quot;", '"')))
    assert "substrng" in problems[0].message
    deployed = play.deploy(with_condition('1 = "x"'))
    assert [problem.severity for problem in deployed.warnings] == ["warning"]


def form(form_id: str, *keys: str) -> Resource:
    fields = [{"id": key, "type": "textfield", "key": key, "label": key} for key in keys]
    schema = {"id": form_id, "type": "default", "schemaVersion": 18, "components": fields}
    return Resource(f"{form_id}.form", json.dumps(schema).encode())


def asking(*between: str, path: tuple[str, ...] = ()) -> Resource:
    begin = node("startEvent", "start", extensions='<zeebe:formDefinition formId="order"/>')
    return diagram(
        begin,
        *between,
        gateway("exclusive", "g", default="g-end"),
        user("call", '<zeebe:formDefinition formId="order"/>'),
        end(),
        chain("start", *path, "g"),
        flow("g", "call", "plat != null"),
        flow("g", "end"),
    )


def test_a_variable_that_nothing_sets_is_a_warning_with_the_name_that_was_meant(play: Player) -> None:
    deployed = play.deploy(form("order", "plate", "customer"), asking())
    (warning,) = deployed.warnings
    assert (warning.element_id, warning.severity) == ("g-call", "warning")
    assert "plate" in warning.message


def test_where_a_worker_may_bring_anything_no_variable_is_called_unknown(play: Player) -> None:
    worker = node("serviceTask", "work", extensions='<zeebe:taskDefinition type="look-up"/>')
    assert play.deploy(form("order", "plate"), asking(worker, path=("work",))).warnings == []
