"""Batch operations: each item is done once and on its own, whoever works, and whatever stops the work."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import ColumnElement, Engine, select, true
from sqlalchemy.orm import Session, sessionmaker

from database import transaction
from engine import batches
from engine.archive import Archive
from engine.batch_kinds import (
    CancelInstances,
    DeleteInstances,
    Item,
    Kind,
    MigrateInstances,
    ModifyInstances,
    ResolveIncidents,
    ResumeInstances,
    SuspendInstances,
    UpdateJobs,
)
from engine.errors import NotActive, NotFound
from engine.models import Audit, BatchItem, BatchItemState, BatchOperation, BatchState, ProcessInstance
from engine.retention import Cleanup
from processes.service import Resource
from tests.diagrams import chain, diagram, end, node, service, start, user
from tests.play import Case, Player


def steps(*ids: str) -> Resource:
    """User tasks one after the other."""
    return diagram(start(), *(user(name) for name in ids), end(), chain("start", *ids, "end"))


def begin(player: Player, kind: Kind, where: ColumnElement[bool] | None = None) -> int:
    """Write an operation down and return its key."""
    with player.sessions() as session, transaction(session):
        return batches.create(session, kind, true() if where is None else where, actor="boss", reason="spring").key


def finish(player: Player) -> None:
    """Let a worker do everything that is to be done."""
    while batches.work(player.sessions):
        pass


def outcome(player: Player, key: int) -> tuple[str, dict[int, str], dict[int, str | None]]:
    """Return the state of an operation, and states and reasons of its items by instance."""
    with player.sessions() as session:
        items = session.scalars(select(BatchItem).where(BatchItem.operation_key == key)).all()
        states = {item.instance_key: item.state for item in items}
        return session.get_one(BatchOperation, key).state, states, {item.instance_key: item.error for item in items}


def change(player: Player, what: object, key: int) -> None:
    """Cancel, suspend or resume an operation."""
    assert callable(what)
    with player.sessions() as session, transaction(session):
        what(session, key)


@pytest.fixture
def cases(play: Player) -> list[Case]:
    """Three instances at the first of two steps."""
    play.deploy(steps("a", "b"))
    return [play.start("p") for _ in range(3)]


def test_all_that_fit_are_cancelled_and_the_history_says_why(play: Player, cases: list[Case]) -> None:
    key = begin(play, CancelInstances(), ProcessInstance.key != cases[0].key)
    assert [case.state for case in cases] == ["ACTIVE"] * 3
    finish(play)
    assert [case.state for case in cases] == ["ACTIVE", "TERMINATED", "TERMINATED"]
    assert outcome(play, key)[:2] == ("COMPLETED", {case.key: "COMPLETED" for case in cases[1:]})
    with play.sessions() as session:
        operation = session.get_one(BatchOperation, key)
        assert (operation.total, operation.started_at, operation.ended_at) == (2, play.now, play.now)
        query = select(Audit).where(Audit.action == "cancel process instance", Audit.instance_key == cases[1].key)
        (entry,) = session.scalars(query)
        assert (entry.actor, entry.details["reason"]) == ("boss", "spring")


def test_one_that_fails_says_why_and_stops_no_other(play: Player, cases: list[Case]) -> None:
    cases[1].complete("a")
    key = begin(play, ModifyInstances([("a", "b")]))
    finish(play)
    state, states, reasons = outcome(play, key)
    assert (state, list(states.values())) == ("COMPLETED", ["COMPLETED", "FAILED", "COMPLETED"])
    assert "“a”" in str(reasons[cases[1].key])
    assert [case.todo for case in cases] == [["b"]] * 3


def test_an_operation_that_nobody_understands_holds_up_no_other(play: Player, cases: list[Case]) -> None:
    strange = begin(play, ModifyInstances([("a\0", "b")]))
    broken = begin(play, ModifyInstances([("a", "b")]))
    with play.sessions() as session, transaction(session):
        session.get_one(BatchOperation, broken).request = {"of": "a newer version"}
    sound = begin(play, CancelInstances())
    finish(play)
    assert (outcome(play, strange)[0], set(outcome(play, strange)[1].values())) == ("COMPLETED", {"FAILED"})
    assert (outcome(play, broken)[0], outcome(play, sound)[0]) == ("CREATED", "COMPLETED")
    assert [case.state for case in cases] == ["TERMINATED"] * 3


def test_instances_are_migrated_by_one_plan(play: Player, cases: list[Case]) -> None:
    new = play.deploy(steps("one", "b")).processes[0]
    cases[2].complete("a")
    key = begin(play, MigrateInstances(new.key, {"a": "one"}))
    finish(play)
    assert [case.todo for case in cases] == [["one"], ["one"], ["b"]]
    state, states, reasons = outcome(play, key)
    assert (state, states[cases[2].key]) == ("COMPLETED", "FAILED")
    assert "has no mapping" in str(reasons[cases[2].key])


def test_instances_are_suspended_and_resumed(play: Player, cases: list[Case]) -> None:
    begin(play, SuspendInstances())
    finish(play)
    with pytest.raises(NotActive):
        cases[0].complete("a")
    begin(play, ResumeInstances())
    finish(play)
    for case in cases:
        case.complete("a")


def test_incidents_are_resolved_one_by_one(play: Player) -> None:
    script = node("scriptTask", "s", extensions='<zeebe:script expression="=assert(x, x != null)" resultVariable="y"/>')
    play.deploy(diagram(start(), script, end(), chain("start", "s", "end")))
    cases = [play.start("p") for _ in range(2)]
    key = begin(play, ResolveIncidents())
    finish(play)
    assert [len(case.incidents) for case in cases] == [1, 1]
    assert set(outcome(play, key)[1].values()) == {"COMPLETED"}


def test_jobs_are_given_retries(play: Player) -> None:
    play.deploy(diagram(start(), service("s", "print"), end(), chain("start", "s", "end")))
    cases = [play.start("p") for _ in range(2)]
    begin(play, UpdateJobs(retries=7), ProcessInstance.key == cases[0].key)
    finish(play)
    assert [case.jobs()[0].retries for case in cases] == [7, 3]


def test_what_has_ended_is_deleted_by_the_next_clean_up(play: Player, cases: list[Case], tmp_path: Path) -> None:
    begin(play, CancelInstances(), ProcessInstance.key != cases[0].key)
    finish(play)
    begin(play, DeleteInstances())
    finish(play)
    for _ in Cleanup(Archive(tmp_path)).work(play.sessions):
        pass
    assert [case.key for case in play.instances("p")] == [cases[0].key]
    archived = [case["processInstanceKey"] for file in Archive(tmp_path).files() for case in file.cases()]
    assert sorted(archived) == [case.key for case in cases[1:]]


def test_an_operation_without_items_is_over_at_once(play: Player) -> None:
    key = begin(play, CancelInstances())
    finish(play)
    assert outcome(play, key) == ("COMPLETED", {}, {})


def test_a_suspended_operation_stands_still_until_it_is_resumed(play: Player, cases: list[Case]) -> None:
    key = begin(play, CancelInstances())
    change(play, batches.suspend, key)
    finish(play)
    assert (outcome(play, key)[0], [case.state for case in cases]) == ("SUSPENDED", ["ACTIVE"] * 3)
    with pytest.raises(NotActive):
        change(play, batches.suspend, key)
    change(play, batches.resume, key)
    with pytest.raises(NotActive):
        change(play, batches.resume, key)
    finish(play)
    assert (outcome(play, key)[0], [case.state for case in cases]) == ("COMPLETED", ["TERMINATED"] * 3)
    for what in (batches.cancel, batches.suspend, batches.resume):
        with pytest.raises(NotActive):
            change(play, what, key)
        with pytest.raises(NotFound):
            change(play, what, 4711)


def test_a_large_operation_does_not_hold_up_a_small_one(play: Player) -> None:
    play.deploy(steps("a", "b"))
    cases = [play.start("p") for _ in range(batches.TURN + 2)]
    large = begin(play, ModifyInstances([("a", "b")]))
    small = begin(play, CancelInstances(), ProcessInstance.key == cases[-1].key)
    assert batches.work(play.sessions)
    assert (outcome(play, large)[0], outcome(play, small)[0]) == ("ACTIVE", "COMPLETED")


def test_what_is_left_of_a_cancelled_operation_stays_undone(play: Player) -> None:
    play.deploy(steps("a", "b"))
    cases = [play.start("p") for _ in range(batches.TURN + 3)]
    key = begin(play, CancelInstances())
    batches.work(play.sessions)
    change(play, batches.cancel, key)
    finish(play)
    state, states, _ = outcome(play, key)
    assert (state, sorted(states.values())) == ("CANCELED", ["CANCELED"] * 3 + ["COMPLETED"] * batches.TURN)
    assert [states[case.key] == "COMPLETED" for case in cases] == [case.state == "TERMINATED" for case in cases]


class PulledPlug(BaseException):
    """Stands for the end of a worker: nobody catches it."""


def test_an_item_in_the_hands_of_a_killed_worker_is_done_by_the_next(
    play: Player, cases: list[Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(play, ModifyInstances([("a", "b")]))
    carry_out = ModifyInstances.carry_out

    def dying(kind: ModifyInstances, session: Session, item: Item) -> None:
        carry_out(kind, session, item)
        if item.key == cases[1].key:
            raise PulledPlug

    monkeypatch.setattr(ModifyInstances, "carry_out", dying)
    with pytest.raises(PulledPlug):
        finish(play)
    assert [case.todo for case in cases] == [["b"], ["a"], ["a"]]
    monkeypatch.undo()
    finish(play)
    assert [case.todo for case in cases] == [["b"]] * 3
    assert [case.visits("a") for case in cases] == [0] * 3


def test_several_workers_do_each_item_once(play: Player, database: Engine) -> None:
    play.deploy(steps("a", "b"))
    cases = [play.start("p") for _ in range(60)]
    key = begin(play, ModifyInstances([("a", "b")]))
    with ThreadPoolExecutor(4) as workers:
        for done in [workers.submit(finish, play) for _ in range(4)]:
            done.result()
    finish(play)
    state, states, _ = outcome(play, key)
    assert (state, list(states.values())) == (BatchState.COMPLETED, [BatchItemState.COMPLETED] * 60)
    assert all(case.todo == ["b"] for case in cases)
    with sessionmaker(database)() as session:
        moved = session.scalars(select(Audit.instance_key).where(Audit.action == "modify process instance")).all()
    assert sorted(moved) == [case.key for case in cases]
