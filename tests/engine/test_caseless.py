"""What belongs to no case is kept as long as the settings say, and no longer."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select, true
from sqlalchemy.orm import Session

from database import session_factory, transaction
from engine import batches, caseless, clock
from engine.batch_kinds import CancelInstances
from engine.configuration import EngineConfiguration
from engine.keys import new_key
from engine.models import BatchItem, BatchOperation, DecisionEvaluation
from engine.time_to_live import parse
from tests.conftest import MONDAY
from tests.diagrams import chain, diagram, end, start, user
from tests.plans import plan
from tests.play import Player


def playing(database: Engine, lasting: str | None) -> Player:
    """Return a player for whose company history lasts so long."""
    kept = None if lasting is None else parse(lasting)
    sessions = session_factory(database, **EngineConfiguration(clock_control=True, history_time_to_live=kept).info())
    with sessions() as session, transaction(session):
        clock.pin(session, MONDAY)
    return Player(sessions)


def evaluation(session: Session, at: datetime, instance_key: int | None = None) -> int:
    """Note that a decision was made, and return its key."""
    key = new_key()
    asked_for = {"evaluation_key": key, "number": 1, "decision_key": 1, "root_decision_key": 1, "decision_id": "d"}
    session.add(
        DecisionEvaluation(key=key, at=at, instance_key=instance_key, output=1, matched=[], failure=None, **asked_for)
    )
    return key


def evaluations(player: Player) -> set[int]:
    """Return the keys of what is kept."""
    with player.sessions() as session:
        return set(session.scalars(select(DecisionEvaluation.key)))


def clean_up(player: Player) -> int:
    """Let the duty do all that is due; return in how many parts."""
    return sum(1 for _ in caseless.clean_up(player.sessions))


def test_evaluations_that_programs_asked_for_go_when_their_time_is_over(database: Engine) -> None:
    player = playing(database, "P1M")
    with player.sessions() as session, transaction(session):
        old = evaluation(session, MONDAY - timedelta(days=1))
        young = evaluation(session, MONDAY)
        of_a_case = evaluation(session, MONDAY - timedelta(days=1), instance_key=7)

    # A month after Monday the third of March, in the company's zone, to the second.
    player.set_clock(datetime.fromisoformat("2025-04-03T09:00:00+08:00"))
    clean_up(player)
    assert evaluations(player) == {young, of_a_case}
    assert old not in evaluations(player)

    player.set_clock(datetime.fromisoformat("2025-04-03T09:00:01+08:00"))
    clean_up(player)
    assert evaluations(player) == {of_a_case}


def test_operations_go_with_their_items_when_they_have_ended_long_ago(database: Engine) -> None:
    player = playing(database, "30")
    player.deploy(diagram(start(), user("ask"), end(), chain("start", "ask", "end")))
    cases = [player.start("p") for _ in range(3)]

    def begin() -> int:
        with player.sessions() as session, transaction(session):
            return batches.create(session, CancelInstances(), true(), actor="boss", reason="spring").key

    done, open_still = begin(), begin()
    with player.sessions() as session, transaction(session):
        batches.suspend(session, open_still)
    while batches.work(player.sessions):
        pass
    player.set_clock(MONDAY + timedelta(days=29))
    assert clean_up(player) == 0
    player.set_clock(MONDAY + timedelta(days=31))
    assert clean_up(player) == 2

    with player.sessions() as session:
        assert session.scalars(select(BatchOperation.key)).all() == [open_still]
        assert {item.operation_key for item in session.scalars(select(BatchItem))} == {open_still}
    assert done != open_still
    assert [case.state for case in cases] == ["TERMINATED"] * 3


def test_many_go_in_short_transactions(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    player = playing(database, "1")
    monkeypatch.setattr("engine.caseless.BATCH", 10)
    with player.sessions() as session, transaction(session):
        for number in range(35):
            evaluation(session, MONDAY + timedelta(seconds=number))
    player.set_clock(MONDAY + timedelta(days=2))

    assert clean_up(player) == 4
    assert evaluations(player) == set()


@pytest.mark.parametrize("lasting", [None, "P9998Y"])
def test_without_an_end_everything_is_kept(database: Engine, lasting: str | None) -> None:
    player = playing(database, lasting)
    with player.sessions() as session, transaction(session):
        key = evaluation(session, MONDAY - timedelta(days=20_000))

    assert clean_up(player) == 0
    assert evaluations(player) == {key}


def test_the_ones_that_are_over_are_found_by_index(session: Session) -> None:
    statement = str(
        caseless.evaluations_over(MONDAY).compile(session.get_bind(), compile_kwargs={"literal_binds": True})
    )

    found = plan(session, statement, None)

    assert "ix_decision_evaluation_asked_for" in found.indexes
    assert "decision_evaluation" not in found.whole_tables
