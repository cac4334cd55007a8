"""Workers are killed in the middle of a batch operation: each item is done once, and the operation ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap

from sqlalchemy import func, select, true
from sqlalchemy.orm import Session, sessionmaker

from database import transaction
from engine import batches
from engine.batch_kinds import ModifyInstances
from engine.models import Audit, BatchItem, BatchItemState, BatchOperation
from tests.diagrams import chain, diagram, end, start, user
from tests.play import Player

#: A worker that is killed in the middle of an item after so many others; 0: never.
_WORKER = textwrap.dedent(
    """
    import os, signal, sys
    from database import create_engine, session_factory
    from engine import batches
    from engine.batch_kinds import ModifyInstances
    from engine.configuration import EngineConfiguration

    left = int(sys.argv[2])
    carry_out = ModifyInstances.carry_out

    def dying(kind, session, item):
        global left
        carry_out(kind, session, item)
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    ModifyInstances.carry_out = dying
    sessions = session_factory(create_engine(sys.argv[1]), **EngineConfiguration().info())
    while batches.work(sessions):
        pass
    """
)


def work(url: str, *lives: int) -> list[int]:
    """Run a worker for each of the lives at the same time, and return how they ended."""
    running = [subprocess.Popen([sys.executable, "-c", _WORKER, url, str(life)]) for life in lives]
    return [process.wait() for process in running]


def test_workers_that_are_killed_do_each_item_once(
    play: Player, database_url: str, sessions: sessionmaker[Session]
) -> None:
    play.deploy(diagram(start(), user("a"), user("b"), end(), chain("start", "a", "b", "end")))
    cases = [play.start("p") for _ in range(60)]
    with sessions() as session, transaction(session):
        key = batches.create(session, ModifyInstances([("a", "b")]), true(), actor="boss", reason="").key

    def done() -> int:
        with sessions() as session:
            finished = BatchItem.state == BatchItemState.COMPLETED
            return session.scalar(select(func.count()).select_from(BatchItem).where(finished)) or 0

    assert work(database_url, 8, 13) == [-signal.SIGKILL] * 2
    assert done() == 7 + 12
    assert work(database_url, 0) == [0]
    with sessions() as session:
        operation = session.get_one(BatchOperation, key)
        moved = session.scalars(select(Audit.instance_key).where(Audit.action == "modify process instance")).all()
    assert (operation.state, done()) == ("COMPLETED", len(cases))
    assert sorted(moved) == [case.key for case in cases]
    assert all(case.todo == ["b"] for case in cases)
