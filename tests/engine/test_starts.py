"""What starts instances: conditions that somebody has evaluated, and several triggers that belong together."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

import pytest

from database import transaction
from engine import starts
from engine.errors import InvalidVariables, NotFound
from processes.service import Resource
from tests.diagrams import chain, diagram, end, flow, start, user
from tests.play import Player


def when(condition: str) -> str:
    held = f"<bpmn:condition>={escape(condition)}</bpmn:condition>"
    return f"<bpmn:conditionalEventDefinition>{held}</bpmn:conditionalEventDefinition>"


def conditional(process_id: str, **conditions: str) -> Resource:
    events = "".join(start(name, when(condition)) + flow(name, "work") for name, condition in conditions.items())
    return diagram(events, user("work"), end(), chain("work", "end"), process_id=process_id)


def evaluate(play: Player, variables: dict[str, Any], definition_key: int | None = None) -> list[int]:
    with play.sessions() as session, transaction(session):
        found = starts.evaluate_conditions(session, variables, definition_key=definition_key, actor="wang")
        return [one.instance_key for one in found]


def test_a_condition_starts_an_instance_with_the_variables_that_fulfil_it(play: Player) -> None:
    play.deploy(conditional("order", start="stock < 10"), conditional("holiday", start="stock > 1000"))
    assert evaluate(play, {"stock": 50}) == []
    assert evaluate(play, {"other": 1}) == []
    (key,) = evaluate(play, {"stock": 3, "part": "oil filter"})
    case = play.only("order")
    assert (case.key, case.todo, case.variables) == (key, ["work"], {"stock": 3, "part": "oil filter"})
    assert evaluate(play, {"stock": 3}) != [key]


def test_each_conditional_start_event_that_is_fulfilled_starts_an_instance_of_its_own(play: Player) -> None:
    play.deploy(conditional("p", low="stock < 10", empty="stock = 0"))
    assert len(evaluate(play, {"stock": 5})) == 1
    assert len(evaluate(play, {"stock": 0})) == 2
    assert sorted(case.trail()[0] for case in play.instances("p")) == ["empty", "low", "low"]


def test_only_the_newest_version_is_looked_at_unless_another_is_named(play: Player) -> None:
    old = play.deploy(conditional("p", start="stock < 10")).processes[0].key
    new = play.deploy(conditional("p", start="stock < 5")).processes[0].key
    assert evaluate(play, {"stock": 7}) == []
    assert len(evaluate(play, {"stock": 7}, old)) == 1
    assert evaluate(play, {"stock": 7}, new) == []


def test_an_evaluation_of_what_is_not_there_is_refused(play: Player) -> None:
    with pytest.raises(NotFound):
        evaluate(play, {}, 1)
    with pytest.raises(InvalidVariables):
        evaluate(play, [])  # type: ignore[arg-type]
