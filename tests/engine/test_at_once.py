"""Two at once, on connections of their own: what SQLite's one write lock gives for nothing, PostgreSQL must lock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import func, select

from database import create_engine, migrations, transaction
from engine import invariants, jobs, messages, signals
from engine.errors import AlreadyAssigned, DuplicateMessage
from engine.execution import execute
from engine.models import MessageCorrelation, MessageSubscription, ProcessDefinition
from engine.user_tasks import AssignUserTask, CompleteUserTask
from processes.service import Resource, deploy
from tests.at_once import at_once
from tests.databases import Databases
from tests.diagrams import boundary, catches, chain, diagram, end, message, node, service, signal, start, user
from tests.play import Player

#: How long somebody who ought to wait for the other is given to go on without waiting, in seconds.
_CHANCE = 0.4

HOUR = timedelta(hours=1)


@contextmanager
def meanwhile(work: Callable[[], Any], patience: float = _CHANCE) -> Iterator[list[Any]]:
    """Begin `work` inside of the transaction that the caller has open; its result is there after the block.

    `patience` is for how many seconds at most it is waited for before the block begins.
    """
    results: list[Any] = []
    thread = Thread(target=lambda: results.extend(at_once(work)))
    thread.start()
    thread.join(patience)
    yield results
    # The caller's transaction ends with its own block, around this one; until then `work` may have to wait.
    _waiting.append(thread)


_waiting: list[Thread] = []


def finish() -> None:
    """Wait for what was begun meanwhile."""
    while _waiting:
        _waiting.pop().join()


def waiting_for_payment() -> Resource:
    """A task, then the message `payment` with the key `order`."""
    return diagram(
        start(),
        user("work"),
        node("intermediateCatchEvent", "paid", catches("message", "payment")),
        end(),
        chain("start", "work", "paid", "end"),
        extra=message("payment", "=order"),
    )


def started_by_payment() -> Resource:
    """A process that the message `payment` starts."""
    return diagram(
        start(inside=catches("message", "payment")),
        user("work"),
        end(),
        chain("start", "work", "end"),
        extra=message("payment", "=order"),
    )


def test_a_message_that_is_published_while_its_receiver_begins_to_wait_is_not_lost(play: Player) -> None:
    play.deploy(waiting_for_payment())
    case = play.start("p", {"order": "1"})
    with play.sessions() as session, transaction(session):
        messages.publish(session, "payment", "1", time_to_live=HOUR)
        with meanwhile(lambda: case.complete("work")):
            pass
    finish()
    assert case.state == "COMPLETED"


def test_a_receiver_that_begins_to_wait_while_its_message_is_published_gets_it(play: Player) -> None:
    play.deploy(waiting_for_payment())
    case = play.start("p", {"order": "1"})
    with play.sessions() as session, transaction(session):
        execute(session, case.key, CompleteUserTask(case.task("work").key))
        with meanwhile(lambda: play.publish("payment", "1")) as published:
            pass
    finish()
    assert published == [[case.key]]
    assert case.state == "COMPLETED"


def test_a_message_whose_receiver_goes_away_meanwhile_is_kept_for_the_next(play: Player) -> None:
    play.deploy(
        diagram(
            start(),
            user("work"),
            boundary("cancelled", "work", catches("message", "payment")),
            end(),
            end("other"),
            chain("start", "work", "end"),
            chain("cancelled", "other"),
            extra=message("payment", "=order"),
        )
    )
    first, second = play.start("p", {"order": "1"}), play.start("p", {"order": "2"})
    with play.sessions() as session, transaction(session):
        execute(session, first.key, CompleteUserTask(first.task("work").key))
        with meanwhile(lambda: play.publish("payment", "1", time_to_live=HOUR)) as published:
            pass
    finish()
    assert published == [[]]
    assert first.visits("end") == 1
    assert play.start("p", {"order": "1"}).visits("other") == 1
    assert second.state == "ACTIVE"


def test_one_message_reaches_one_of_two_that_begin_to_wait_at_once(play: Player) -> None:
    play.deploy(waiting_for_payment())
    cases = [play.start("p", {"order": "1"}) for _ in range(6)]
    play.publish("payment", "1", time_to_live=HOUR)

    results = at_once(*(lambda case=case: case.complete("work") for case in cases))  # type: ignore[misc]

    assert [result for result in results if isinstance(result, Exception)] == []
    assert sorted(case.state for case in cases) == ["ACTIVE"] * 5 + ["COMPLETED"]


def test_each_of_many_messages_at_once_reaches_a_receiver_of_its_own(play: Player) -> None:
    play.deploy(waiting_for_payment())
    cases = [play.start("p", {"order": "1"}) for _ in range(6)]
    for case in cases:
        case.complete("work")

    results = at_once(*[lambda: play.publish("payment", "1")] * 6)

    assert sorted(results) == sorted([case.key] for case in cases)
    assert {case.state for case in cases} == {"COMPLETED"}


def test_of_two_messages_with_the_same_id_at_once_one_is_refused(play: Player) -> None:
    results = at_once(*[lambda: play.publish("payment", "1", message_id="x", time_to_live=HOUR)] * 5)

    assert results.count([]) == 1
    assert [type(result) for result in results if result != []] == [DuplicateMessage] * 4


def test_of_two_messages_with_the_same_key_at_once_one_starts_an_instance(play: Player) -> None:
    play.deploy(started_by_payment())

    results = at_once(*[lambda: play.publish("payment", "1")] * 5)

    assert sorted(map(len, results)) == [0, 0, 0, 0, 1]
    assert len(play.instances("p")) == 1


def test_messages_without_a_key_start_one_instance_each_and_do_not_wait_for_each_other(play: Player) -> None:
    play.deploy(started_by_payment())
    with play.sessions() as session:
        on_sqlite = session.connection().dialect.name == "sqlite"
    with play.sessions() as session, transaction(session):
        messages.publish(session, "payment")
        with meanwhile(lambda: play.publish("payment"), _CHANCE if on_sqlite else 60) as published:
            assert len(published) == (0 if on_sqlite else 1)
    finish()
    assert len(play.instances("p")) == 2


def test_people_and_messages_that_move_the_same_cases_at_once_lose_nothing(play: Player) -> None:
    tasks = [f"task{number}" for number in range(4)]
    play.deploy(
        diagram(
            start(),
            *(user(task) for task in tasks),
            *(boundary(f"note-{task}", task, catches("message", "note"), interrupting=False) for task in tasks),
            *(node("scriptTask", f"count-{task}", "", _COUNT) for task in tasks),
            *(end(f"noted-{task}") for task in tasks),
            end(),
            chain("start", *tasks, "end"),
            *(chain(f"note-{task}", f"count-{task}", f"noted-{task}") for task in tasks),
            extra=message("note", "=order"),
        )
    )
    cases = [play.start("p", {"order": "1", "notes": 0}) for _ in range(3)]

    def work() -> None:
        for task in tasks:
            for case in cases:
                case.complete(task)

    def write() -> int:
        return sum(len(play.publish("note", "1", time_to_live=HOUR)) for _ in range(12))

    results = at_once(work, write)

    assert results[0] is None, results
    assert isinstance(results[1], int), results
    assert {case.state for case in cases} == {"COMPLETED"}
    with play.sessions() as session:
        reached = session.scalar(select(func.count()).select_from(MessageCorrelation))
        assert session.scalar(select(func.count()).select_from(MessageSubscription)) == 0
    # Each message reached at most one case of the process, and each that reached one was counted there.
    assert sum(case.variables["notes"] for case in cases) == reached


_COUNT = '<zeebe:script expression="=notes + 1" resultVariable="notes"/>'


def test_signals_broadcast_at_once_reach_everybody_who_waits(play: Player) -> None:
    play.deploy(
        diagram(
            start(),
            node("intermediateCatchEvent", "heard", catches("signal", "alarm")),
            node("intermediateCatchEvent", "again", catches("signal", "fire")),
            end(),
            chain("start", "heard", "again", "end"),
            extra=signal("alarm") + signal("fire"),
        )
    )
    cases = [play.start("p") for _ in range(5)]

    def broadcast(name: str) -> list[int]:
        with play.sessions() as session, transaction(session):
            return signals.broadcast(session, name)

    results = at_once(lambda: broadcast("alarm"), lambda: broadcast("alarm"), lambda: broadcast("fire"))

    assert [result for result in results if isinstance(result, Exception)] == []
    assert sorted(results[0] + results[1]) == sorted(case.key for case in cases)
    assert [case.visits("heard") for case in cases] == [1] * 5
    broadcast("fire")
    assert {case.state for case in cases} == {"COMPLETED"}


def test_the_same_file_deployed_at_once_makes_one_version(play: Player) -> None:
    results = at_once(*[lambda: play.deploy(waiting_for_payment())] * 4)

    assert [result for result in results if isinstance(result, Exception)] == []
    assert sorted(len(result.unchanged) for result in results) == [0, 1, 1, 1]


def test_different_files_deployed_at_once_get_a_version_each(play: Player) -> None:
    files = [
        diagram(start(), user(f"work{number}"), end(), chain("start", f"work{number}", "end")) for number in range(4)
    ]

    def deploy_it(file: Resource) -> int:
        with play.sessions() as session, transaction(session):
            return deploy(session, [file], "tests").processes[0].version

    results = at_once(*(lambda file=file: deploy_it(file) for file in files))  # type: ignore[misc]

    assert sorted(results) == [1, 2, 3, 4]
    with play.sessions() as session:
        assert session.scalar(select(func.count()).select_from(ProcessDefinition)) == 4


def test_of_many_who_claim_a_task_at_once_one_has_it(play: Player) -> None:
    play.deploy(diagram(start(), user("work"), end(), chain("start", "work", "end")))
    case = play.start("p")
    key = case.task("work").key

    def claim(name: str) -> str:
        case.execute(AssignUserTask(key, name, allow_override=False), by=name)
        return name

    results = at_once(*(lambda name=name: claim(name) for name in "abcdef"))  # type: ignore[misc]

    winners = [result for result in results if isinstance(result, str)]
    assert [case.task("work").assignee] == winners
    assert [type(result) for result in results if not isinstance(result, str)] == [AlreadyAssigned] * 5


def test_workers_who_ask_for_jobs_at_once_never_get_the_same(play: Player) -> None:
    play.deploy(diagram(start(), service("work"), end(), chain("start", "work", "end")))
    for _ in range(30):
        play.start("p")

    def fetch() -> list[int]:
        with play.sessions() as session, transaction(session):
            return [job.key for job in jobs.activate(session, "work", "w", timedelta(minutes=5), 10)]

    results = at_once(*[fetch] * 5)
    results.append(fetch() + fetch() + fetch())

    taken = [key for result in results for key in result]
    assert len(taken) == len(set(taken)) == 30


def test_a_check_while_people_work_finds_nothing(play: Player) -> None:
    play.deploy(
        diagram(start(), user("a"), user("b"), user("c"), end(), chain("start", "a", "b", "c", "end")),
    )
    cases = [play.start("p") for _ in range(15)]
    done: list[bool] = []

    def work() -> None:
        try:
            for task in "abc":
                for case in cases:
                    case.complete(task)
        finally:
            done.append(True)

    def check() -> list[invariants.Violation]:
        found: list[invariants.Violation] = []
        while not done:
            with play.sessions() as session:
                found += invariants.check(session)
        return found

    assert at_once(work, check) == [None, []]


def test_several_processes_that_start_on_a_new_database_migrate_it_once(databases: Databases) -> None:
    url = databases.create()
    engines = [create_engine(url) for _ in range(3)]

    results = at_once(*(lambda engine=engine: migrations.upgrade(engine) for engine in engines))  # type: ignore[misc]

    assert results == [None] * 3
    with engines[0].connect() as connection:
        assert migrations.current_revision(connection) == migrations.latest_revision()
    for engine in engines:
        engine.dispose()
    databases.drop(url)


@pytest.fixture(autouse=True)
def nothing_is_left_waiting() -> Iterator[None]:
    """A test that fails in the middle leaves no thread behind."""
    yield
    finish()
