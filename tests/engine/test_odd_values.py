"""Odd values: fractions, keywords as names, deep and huge JSON."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from engine.errors import InvalidVariables
from engine.instances import CancelInstance
from tests.diagrams import (
    catches,
    chain,
    diagram,
    end,
    message,
    node,
    script,
    start,
    user,
)
from tests.engine.odd import Run
from tests.play import Player


def test_fractions_survive_between_the_parts_of_a_parallel_multiple_event(play: Player) -> None:
    play.deploy(
        diagram(
            start(),
            node(
                "intermediateCatchEvent",
                "both",
                catches("message", "a") + catches("message", "b"),
                parallelMultiple="true",
            ),
            end(),
            chain("start", "both", "end"),
            extra=message("a", "=id") + message("b", "=id"),
        )
    )
    case = play.start("p", {"id": 1})
    play.publish("a", "1", {"price": Decimal("0.10")})
    play.publish("b", "1", {"n": 1})
    assert case.variables == {"id": 1, "price": Decimal("0.10"), "n": 1}


def test_variables_may_have_the_names_of_feel_keywords(run: Run) -> None:
    names = ["if", "then", "for", "null", "true", "and", "in", "function", "item", "loopCounter", "", " ", "a.b", "名"]
    case = run(
        diagram(start(), script("s", "1 + 1", "two"), user("work"), end(), chain("start", "s", "work", "end")),
        {name: number for number, name in enumerate(names)},
    )
    case.complete("work", dict.fromkeys(names, "changed"))
    assert case.variables == {**dict.fromkeys(names, "changed"), "two": 2}


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("depth", [100, 250, 400, 900, 5_000])
def test_deep_json_is_either_refused_or_can_be_used(play: Player, depth: int) -> None:
    play.deploy(diagram(start(), script("s", "deep", "copy"), user("work"), end(), chain("start", "s", "work", "end")))
    try:
        case = play.start("p", {"deep": nested(depth)})
    except InvalidVariables:
        assert depth > 100
        return
    assert case.todo == ["work"] or [incident.element_id for incident in case.incidents] == ["s"]
    case.execute(CancelInstance())


@pytest.mark.parametrize("value", ["\ud800", {"a"}, b"x", Decimal("NaN")])
def test_what_is_no_json_is_refused(play: Player, value: object) -> None:
    play.deploy(diagram(start(), user("work"), end(), chain("start", "work", "end")))
    with pytest.raises(InvalidVariables):
        play.start("p", {"x": value})


def test_huge_numbers_are_kept(run: Run) -> None:
    case = run(diagram(start(), user("work"), end(), chain("start", "work", "end")), {"n": 10**30, "m": -(2**64)})
    assert case.variables == {"n": 10**30, "m": -(2**64)}
