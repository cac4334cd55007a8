"""Loops by a number, loops of no turn, and long sequences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, func, select

from engine import loop_items
from engine.errors import DeploymentRefused
from engine.incidents import ResolveIncident
from engine.instances import CancelInstance, SetVariables
from engine.models import LoopItems
from engine.user_tasks import CompleteUserTask
from tasks.variables import visible
from tests.diagrams import chain, diagram, end, loop, node, script, start, user
from tests.play import Case, Player

Run = Callable[..., Case]


def times(number: str, *, sequential: bool = False, extensions: str = "") -> str:
    held = f"<bpmn:extensionElements>{extensions}</bpmn:extensionElements>" if extensions else ""
    return (
        f'<bpmn:multiInstanceLoopCharacteristics isSequential="{"true" if sequential else "false"}">{held}'
        f"<bpmn:loopCardinality>{number}</bpmn:loopCardinality></bpmn:multiInstanceLoopCharacteristics>"
    )


def one(task: str) -> Any:
    return diagram(start(), task, end(), chain("start", "work", "end"))


def kept(case: Case) -> int:
    with case.player.sessions() as session:
        return session.scalar(select(func.count()).select_from(LoopItems)) or 0


@pytest.mark.covers("beyond", "multi-instance", "by a number")
@pytest.mark.parametrize("number", ["3", "=1 + 2", "count"])
def test_a_number_says_how_many_instances_there_are_in_parallel(run: Run, number: str) -> None:
    collects = '<zeebe:loopCharacteristics outputCollection="all" outputElement="=loopCounter"/>'
    case = run(one(user("work", inside=times(number, extensions=collects))), {"count": 3})
    assert case.todo == ["work"] * 3
    for task in case.open_tasks():
        case.execute(CompleteUserTask(task.key, {}))
    assert (case.state, case.variables["all"]) == ("COMPLETED", [1, 2, 3])


def test_a_number_says_how_many_instances_there_are_in_sequence(run: Run) -> None:
    case = run(one(user("work", inside=times("count", sequential=True))), {"count": 3})
    for _ in range(3):
        assert case.todo == ["work"]
        case.complete("work", {"count": 1})
    assert (case.state, case.visits("work")) == ("COMPLETED", 4)  # the body is a visit, too


@pytest.mark.parametrize("number", ['"many"', "-1", "1.5", "null", "true", "100001"])
def test_what_is_no_number_of_instances_is_an_incident_until_it_is_one(run: Run, number: str) -> None:
    case = run(one(user("work", inside=times("if ready then 1 else " + number))), {"ready": False})
    (incident,) = case.incidents
    assert "loop cardinality" in incident.message
    case.execute(SetVariables(case.key, {"ready": True}))
    case.execute(ResolveIncident(incident.key))
    assert case.todo == ["work"]


def test_no_instances_at_all_is_done_at_once(run: Run) -> None:
    assert run(one(user("work", inside=times("0")))).state == "COMPLETED"


@pytest.mark.parametrize(
    "characteristics",
    [
        times("2", extensions='<zeebe:loopCharacteristics inputCollection="=[1]"/>'),
        times("2", extensions='<zeebe:loopCharacteristics inputElement="item"/>'),
        "<bpmn:multiInstanceLoopCharacteristics/>",
        times("1 +"),
        '<bpmn:standardLoopCharacteristics loopMaximum="often"/>',
        '<bpmn:standardLoopCharacteristics loopMaximum="-2"/>',
    ],
)
def test_a_loop_that_makes_no_sense_is_refused(play: Player, characteristics: str) -> None:
    with pytest.raises(DeploymentRefused) as refusal:
        play.deploy(one(user("work", inside=characteristics)))
    assert any(problem.element_id == "work" for problem in refusal.value.problems)


@pytest.mark.parametrize("test_before", ["true", "false"])
def test_a_standard_loop_with_a_maximum_of_none_has_no_turn(run: Run, test_before: str) -> None:
    none = f'<bpmn:standardLoopCharacteristics testBefore="{test_before}" loopMaximum="0"/>'
    case = run(one(node("task", "work", none)))
    assert (case.state, case.trail().count("work")) == ("COMPLETED", 1)  # the body alone


def test_a_sequence_goes_through_the_collection_as_it_was_when_it_began(run: Run) -> None:
    case = run(one(user("work", inside=loop("items", sequential=True, inputElement="item"))), {"items": [1, 2]})
    case.complete("work", {"items": []})
    (task,) = case.open_tasks()
    with case.player.sessions() as session:
        assert visible(session, task)["item"] == 2
    assert kept(case) == 1
    case.complete("work")
    assert (case.state, kept(case)) == ("COMPLETED", 0)


def test_what_a_sequence_has_before_it_goes_with_it(run: Run) -> None:
    long = f"for i in 1..{2 * loop_items.STRETCH + 1} return i"
    case = run(one(user("work", inside=loop(long, sequential=True, inputElement="item"))))
    assert kept(case) == 3
    case.execute(CancelInstance())
    assert kept(case) == 0


@pytest.mark.parametrize("size", [1_000, 10_000])
def test_a_step_of_a_sequence_reads_one_stretch_of_items_however_many_there_are(play: Player, size: int) -> None:
    play.deploy(one(user("work", inside=loop(f"for i in 1..{size} return i", sequential=True, inputElement="item"))))
    case = play.start("p")
    asked: list[str] = []
    with play.sessions() as session:
        engine = session.get_bind()
    listen = lambda *given: asked.append(given[2])  # noqa: E731
    event.listen(engine, "before_cursor_execute", listen)
    case.complete("work")
    event.remove(engine, "before_cursor_execute", listen)
    assert sum("FROM loop_items" in statement for statement in asked) == 1
    assert len(asked) < 40
    with play.sessions() as session:
        rows = session.scalars(select(LoopItems).order_by(LoopItems.first)).all()
        assert sum(len(row.items) for row in rows) == size
        assert max(len(row.items) for row in rows) == loop_items.STRETCH


def test_ten_thousand_items_are_gone_through_in_sequence(run: Run) -> None:
    body = script("work", "item", "last").replace(
        "</bpmn:scriptTask>",
        loop("for i in 1..10000 return i", sequential=True, inputElement="item") + "</bpmn:scriptTask>",
    )
    case = run(one(body))
    assert (case.state, case.variables["last"], kept(case)) == ("COMPLETED", 10_000, 0)
