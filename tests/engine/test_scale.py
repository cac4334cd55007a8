"""Large processes finish: the cases of `benchmarks/scale.py` at a tenth of their size or less."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session, sessionmaker

from benchmarks.scale import CASES, play

SMALL = {"turns of a loop": 150, "elements in one diagram": 300}


@pytest.mark.parametrize("name", CASES)
def test_a_large_process_finishes(sessions: sessionmaker[Session], name: str) -> None:
    full, make = CASES[name]
    size = SMALL.get(name, 50 if full == 50 else 120)
    variables: dict[str, object] = {"done": False, "turns": size} if name == "turns of a loop" else {}
    played = play(sessions, make(size), variables)
    assert played.state == "COMPLETED"


@pytest.mark.parametrize("name", ["items in parallel, scripts", "items in sequence, scripts"])
def test_a_thousand_items_are_done_at_one_go(sessions: sessionmaker[Session], name: str) -> None:
    full, make = CASES[name]
    played = play(sessions, make(full + 100), {})
    assert (played.state, played.steps) == ("COMPLETED", 1)
