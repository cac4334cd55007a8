"""Nothing is lost and nothing is done twice: two at once, and a worker killed in the middle."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from database import create_engine, session_factory, transaction
from engine import clock
from engine.configuration import EngineConfiguration
from engine.errors import NotActive
from engine.execution import execute
from engine.models import Audit, ElementInstance, InstanceState, Timer
from engine.user_tasks import CompleteUserTask
from tests.diagrams import boundary, chain, diagram, end, flow, gateway, node, script, start, timer, user
from tests.play import Player


def test_of_many_who_complete_the_same_task_at_once_one_wins(play: Player) -> None:
    play.deploy(diagram(start(), user("work"), user("after"), end(), chain("start", "work", "after", "end")))
    case = play.start("p")
    key = case.task("work").key
    barrier = threading.Barrier(8)
    results: list[str] = []

    def complete(name: str) -> None:
        barrier.wait()
        with play.sessions() as session:
            try:
                with transaction(session):
                    execute(session, case.key, CompleteUserTask(key, {"by": name}), actor=name)
                results.append(name)
            except NotActive:
                results.append("too late")

    threads = [threading.Thread(target=complete, args=(f"user{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [result for result in results if result != "too late"]
    assert len(winners) == 1
    assert len(results) == 8
    assert case.variables == {"by": winners[0]}
    assert case.todo == ["after"]


def test_branches_completed_at_once_by_different_people_all_arrive_at_the_join(play: Player) -> None:
    names = [f"branch{number}" for number in range(6)]
    play.deploy(
        diagram(
            start(),
            gateway("parallel", "fork"),
            *[user(name) for name in names],
            gateway("parallel", "join"),
            end(),
            flow("start", "fork"),
            *[flow("fork", name) for name in names],
            *[flow(name, "join") for name in names],
            flow("join", "end"),
        )
    )
    case = play.start("p")
    keys = [task.key for task in case.open_tasks()]

    def complete(key: int) -> None:
        with play.sessions() as session, transaction(session):
            execute(session, case.key, CompleteUserTask(key))

    threads = [threading.Thread(target=complete, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert case.state == "COMPLETED"


_WORKER = textwrap.dedent(
    """
    import sys
    from database import create_engine, session_factory
    from engine.configuration import EngineConfiguration
    from engine.worker import Worker
    engine = create_engine(sys.argv[1])
    worker = Worker(session_factory(engine, **EngineConfiguration(clock_control=True).info()))
    print("ready", flush=True)
    while worker.step():
        pass
    """
)


def test_a_worker_killed_while_it_fires_timers_fires_each_exactly_once_after_all(
    play: Player, database_url: str, sessions: sessionmaker[Session]
) -> None:
    waiting = diagram(
        start(),
        user("work"),
        boundary("deadline", "work", timer("Duration", "PT1H"), interrupting=False),
        script("count", "fired + 1", "fired"),
        end(),
        end("counted"),
        chain("start", "work", "end"),
        chain("deadline", "count", "counted"),
    )
    play.deploy(waiting)
    cases = [play.start("p", {"fired": 0}) for _ in range(120)]
    with sessions() as session, transaction(session):
        clock.advance(session, timedelta(hours=2))

    def fired() -> int:
        with sessions() as session:
            count = select(func.count()).select_from(ElementInstance).where(ElementInstance.element_id == "deadline")
            return session.scalar(count) or 0

    kills = 0
    while fired() < len(cases):
        before = fired()
        process = subprocess.Popen([sys.executable, "-c", _WORKER, database_url], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        if kills < 4:
            # Let it get some way into the batch, then pull the plug.
            while fired() < before + 5 and process.poll() is None:
                pass
            if process.poll() is None:
                os.kill(process.pid, signal.SIGKILL)
                kills += 1
        process.wait()
        process.stdout.close()
    assert kills >= 2
    assert [case.variables["fired"] for case in cases] == [1] * len(cases)
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Timer)) == 0
        fire = select(func.count()).select_from(Audit).where(Audit.action == "fire timer")
        assert session.scalar(fire) == len(cases)


def test_a_command_that_is_cut_off_leaves_the_state_before(play: Player, database_url: str) -> None:
    play.deploy(diagram(start(), user("work"), user("after"), end(), chain("start", "work", "after", "end")))
    case = play.start("p")
    key = case.task("work").key

    def die_before_commit() -> None:
        # Connections of its own: those of the process that was forked are shared with it.
        sessions = session_factory(create_engine(database_url), **EngineConfiguration(clock_control=True).info())
        with sessions() as session, transaction(session):
            execute(session, case.key, CompleteUserTask(key))
            os.kill(os.getpid(), signal.SIGKILL)

    child = multiprocessing.get_context("fork").Process(target=die_before_commit)
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert case.todo == ["work"]
    case.complete("work")
    assert case.todo == ["after"]


def test_a_timer_that_cannot_be_fired_does_not_hold_up_its_neighbours(play: Player) -> None:
    wait = node("intermediateCatchEvent", "wait", timer("Duration", "PT1H"))
    play.deploy(diagram(start(), wait, user("after"), end(), chain("start", "wait", "after", "end")))
    poison, healthy = play.start("p"), play.start("p")
    with play.sessions() as session, transaction(session):
        state = session.get(InstanceState, poison.key)
        assert state is not None
        state.tokens = b"not a state"
    play.advance(timedelta(hours=2))
    assert healthy.todo == ["after"]
    assert poison.todo == []
    assert list(poison.timers()) == ["wait"]


@pytest.mark.parametrize("turns", [300])
def test_the_state_of_a_loop_does_not_grow_with_its_age(play: Player, turns: int) -> None:
    play.deploy(
        diagram(
            start(),
            user("again"),
            gateway("exclusive", "more", default="more-again"),
            end(),
            chain("start", "again", "more"),
            flow("more", "again"),
            flow("more", "end", "stop"),
        )
    )
    case = play.start("p", {"stop": False})

    def size() -> int:
        with play.sessions() as session:
            state = session.get(InstanceState, case.key)
            assert state is not None
            return len(state.tokens)

    case.complete("again")
    young = size()
    for _ in range(turns):
        case.complete("again")
    assert size() == young
    case.complete("again", {"stop": True})
    assert case.state == "COMPLETED"
