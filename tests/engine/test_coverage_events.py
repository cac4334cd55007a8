"""Every event definition in every position: it happens, or the deployment gate refuses it."""

from __future__ import annotations

import pytest

from engine.errors import DeploymentRefused
from tests.engine.event_cells import EXECUTED, NOT_EXECUTED, happen, process
from tests.play import Player


@pytest.mark.parametrize(
    ("kind", "position"),
    [pytest.param(*cell, marks=pytest.mark.covers("events", *cell)) for cell in EXECUTED],
)
def test_it_happens(play: Player, kind: str, position: str) -> None:
    play.deploy(process(kind, position))
    if position == "start" and kind != "none":
        happen(play, None, kind, position)
        assert play.only("p").todo == ["after"]
        return
    case = play.start("p")
    if position.startswith(("boundary", "event sub-process")):
        assert case.todo == ["work"]
    happen(play, case, kind, position)
    assert "after" in case.todo
    if kind in ("message", "timer", "signal", "conditional", "multiple", "parallel multiple"):
        goes_on = "non-" in position or (position in ("throw", "end"))
        assert ("work" in case.todo) == goes_on
    for task in list(case.open_tasks()):
        case.complete(task.element_id)
    assert case.state == "COMPLETED"


@pytest.mark.parametrize(("kind", "position"), NOT_EXECUTED)
def test_it_is_refused_with_a_reason(play: Player, kind: str, position: str) -> None:
    with pytest.raises(DeploymentRefused) as refusal:
        play.deploy(process(kind, position))
    assert any(problem.element_id in ("event", "events") for problem in refusal.value.problems)
