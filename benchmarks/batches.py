"""A batch operation on many instances: how long to write it down, to carry it out, and to look at it meanwhile.

    python -m benchmarks.batches [--database URL] [INSTANCES]

Without a URL on a new SQLite file. Each instance is moved from one user task to another.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, select, true
from sqlalchemy.orm import Session, sessionmaker

from benchmarks.machine import describe
from database import create_engine, migrations, session_factory, transaction
from engine import batches, definitions
from engine.batch_kinds import ModifyInstances
from engine.configuration import EngineConfiguration
from engine.execution import create_instance
from engine.models import BatchItem, BatchItemState
from processes.service import deploy
from tests.diagrams import chain, diagram, end, start, user


@contextmanager
def store(url: str | None) -> Iterator[sessionmaker[Session]]:
    """Open the database, or a new SQLite file that is deleted afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        engine = create_engine(url or f"sqlite:///{Path(folder) / 'baton.sqlite'}")
        migrations.upgrade(engine)
        yield session_factory(engine, **EngineConfiguration().info())
        engine.dispose()


def run(sessions: sessionmaker[Session], instances: int) -> None:
    """Measure and print."""
    process = diagram(start(), user("a"), user("b"), end(), chain("start", "a", "b", "end"))
    with sessions() as session, transaction(session):
        deploy(session, [process], "benchmark")
    with sessions() as session:
        definition = definitions.latest(session, "p")
        for _ in range(0, instances, 100):
            with transaction(session):
                for _ in range(100):
                    create_instance(session, definition)
    begun = time.perf_counter()
    with sessions() as session, transaction(session):
        wish = batches.create(session, ModifyInstances([("a", "b")]), true(), actor="benchmark", reason="")
        key, total = wish.key, wish.total
    print(f"written down with {total} items in {(time.perf_counter() - begun) * 1000:.0f} ms")
    begun, used, looks = time.perf_counter(), time.process_time(), []
    while batches.work(sessions):
        looked = time.perf_counter()
        with sessions() as session:
            mine = (BatchItem.operation_key == key, BatchItem.state == BatchItemState.COMPLETED)
            session.scalar(select(func.count()).select_from(BatchItem).where(*mine))
        looks.append(time.perf_counter() - looked)
    used = time.process_time() - used
    seconds = time.perf_counter() - begun - sum(looks)
    print(f"carried out by one worker in {seconds:.1f} s: {total / seconds:.0f} items a second")
    print(f"CPU time of the worker: {used / total * 1000:.2f} ms an item")
    print(f"counting what is done takes at most {max(looks) * 1000:.1f} ms")


def main() -> None:
    """Run the benchmark with the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("instances", nargs="?", type=int, default=10_000)
    parser.add_argument("--database")
    arguments = parser.parse_args()
    print(describe())
    with store(arguments.database) as sessions:
        run(sessions, arguments.instances)


if __name__ == "__main__":
    main()
