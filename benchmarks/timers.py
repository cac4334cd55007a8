"""Firing timers: how many a second with one and two workers, and how late when a hundred are due each second.

    python -m benchmarks.timers [--database URL] [TIMERS]

Without a URL on a new SQLite file and on a throw-away PostgreSQL that writes to the disk as it does in earnest. Each
timer is the deadline of a user task: it sets off another user task beside it. The workers are those of `baton worker`;
their own CPU time tells what a timer costs where others use the machine, too.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session, sessionmaker

from benchmarks.machine import describe
from database import create_engine, migrations, session_factory, transaction
from engine import definitions, wakeup
from engine.configuration import EngineConfiguration
from engine.execution import create_instance
from engine.keys import new_key
from engine.models import Audit, Timer
from engine.timers import CHANNEL
from processes.service import Resource, deploy
from tests.diagrams import boundary, chain, diagram, end, start, timer, user
from tests.postgresql import FAST, Cluster
from web.models import WorkerPulse

#: Timers that are not due, which must change nothing.
NOT_DUE = 100_000

#: Due timers a second, and for how many seconds, where lateness is measured.
RATE = 100
SECONDS = 20

_FOR_EVER = datetime(2099, 1, 1, tzinfo=UTC)


def process() -> Resource:
    """Return a task with a deadline that sets off another task."""
    return diagram(
        start(),
        user("work"),
        boundary("deadline", "work", timer("Date", _FOR_EVER.isoformat()), interrupting=False),
        user("chase"),
        end(),
        end("chased"),
        chain("start", "work", "end"),
        chain("deadline", "chase", "chased"),
    )


@dataclass(frozen=True)
class Store:
    """A database to measure on."""

    url: str
    sessions: sessionmaker[Session]

    def begin(self, count: int) -> None:
        """Start instances, each with a timer that is due in the far future."""
        with self.sessions() as session:
            definition = definitions.latest(session, "p")
            for _ in range(count):
                with transaction(session):
                    create_instance(session, definition)

    def clear(self) -> None:
        """Forget what was measured before."""
        with self.sessions() as session, transaction(session):
            session.execute(delete(Audit))
            session.execute(delete(WorkerPulse))
            session.execute(delete(Timer))

    def add_not_due(self, count: int) -> None:
        """Add timers that will not be due while this runs, and that belong to nobody."""
        with self.sessions() as session, transaction(session):
            definition = definitions.latest(session, "p")
            for first in range(0, count, 10_000):
                rows = [
                    {
                        "key": new_key(),
                        "due_at": _FOR_EVER + timedelta(seconds=first + number),
                        "instance_key": new_key(),
                        "element_instance_key": new_key(),
                        "definition_key": definition.key,
                        "process_id": "p",
                        "element_id": "deadline",
                    }
                    for number in range(min(10_000, count - first))
                ]
                session.execute(insert(Timer), rows)

    def keys(self) -> list[int]:
        """Return the timers of instances, oldest first."""
        with self.sessions() as session:
            mine = select(Timer.key).where(Timer.due_at == _FOR_EVER, Timer.instance_key.is_not(None))
            return list(session.scalars(mine.order_by(Timer.key)))

    def due(self, at: dict[int, datetime]) -> None:
        """Let timers be due then."""
        with self.sessions() as session, transaction(session):
            rows = [{"key": key, "due_at": due_at, "next_at": due_at} for key, due_at in at.items()]
            session.execute(update(Timer), rows)
            wakeup.notify(session, CHANNEL)

    def fired(self) -> int:
        """Return how many timers have fired."""
        with self.sessions() as session:
            return session.scalar(select(func.count()).select_from(Audit).where(Audit.action == "fire timer")) or 0

    def fired_at(self) -> dict[int, datetime]:
        """Return when which timer began to be fired."""
        with self.sessions() as session:
            rows = session.execute(select(Audit.subject_key, Audit.at).where(Audit.action == "fire timer"))
            return {row.subject_key: row.at for row in rows if row.subject_key is not None}


@contextmanager
def workers(url: str, count: int) -> Iterator[None]:
    """Run worker processes, and let them end."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "BATON_DATA": folder, "BATON_DATABASE_URL": url, "BATON_LOG_LEVEL": "error"}
        command = [sys.executable, "-m", "web.cli", "worker", "--parent", str(os.getpid())]
        running = [subprocess.Popen(command, env=environment) for _ in range(count)]
        try:
            while _beating(url) < count:
                time.sleep(0.2)
            yield
        finally:
            for each in running:
                each.send_signal(signal.SIGTERM)
            for each in running:
                each.wait(60)


def _beating(url: str) -> int:
    """Return how many workers have said that they are alive."""
    engine = create_engine(url)
    with engine.connect() as connection:
        beating = connection.scalar(select(func.count()).select_from(WorkerPulse)) or 0
    engine.dispose()
    return beating


def cpu_seconds() -> float:
    """Return the CPU time of all processes that have ended and were started here."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def idle_cost(store: Store) -> float:
    """Return the CPU seconds of a worker that starts, finds nothing for as long as the others wait, and ends."""
    before = cpu_seconds()
    with workers(store.url, 1):
        pass
    store.clear()
    return cpu_seconds() - before


def throughput(store: Store, count: int, processes: int, idle: float) -> str:
    """Let `count` timers be due at once and return what became of them, as a line."""
    store.begin(count)
    before = cpu_seconds()
    with workers(store.url, processes):
        store.due(dict.fromkeys(store.keys(), datetime.now(UTC)))
        _wait_for(store, count)
    cpu = cpu_seconds() - before - idle * processes
    at = sorted(store.fired_at().values())
    store.clear()
    seconds = (at[-1] - at[0]).total_seconds()
    return f"{count / seconds:7.0f} a second   {cpu / count * 1000:5.2f} ms of a worker's CPU each"


def lateness(store: Store, processes: int) -> str:
    """Let RATE timers be due each second and return how late they were, as a line."""
    count = RATE * SECONDS
    store.begin(count)
    with workers(store.url, processes):
        first = datetime.now(UTC) + timedelta(seconds=5)
        due = {key: first + timedelta(seconds=number / RATE) for number, key in enumerate(store.keys())}
        store.due(due)
        _wait_for(store, count)
    fired_at = store.fired_at()
    store.clear()
    late = [(fired_at[key] - due_at).total_seconds() for key, due_at in due.items()]
    hundredths = quantiles(late, n=100)
    return (
        f"p50 {hundredths[49] * 1000:5.0f} ms   p99 {hundredths[98] * 1000:5.0f} ms   most {max(late) * 1000:5.0f} ms"
    )


def _wait_for(store: Store, count: int) -> None:
    give_up_at = time.monotonic() + 600
    while store.fired() < count:
        if time.monotonic() > give_up_at:
            raise SystemExit(f"Only {store.fired()} of {count} timers were fired.")
        time.sleep(0.5)


def measure(url: str, count: int) -> None:
    """Print all figures of one database."""
    engine = create_engine(url)
    migrations.upgrade(engine)
    store = Store(url, session_factory(engine, **EngineConfiguration().info()))
    with store.sessions() as session, transaction(session):
        deploy(session, [process()])
    idle = idle_cost(store)
    for processes in (1, 2):
        print(f"  {processes} worker(s)                        {throughput(store, count, processes, idle)}", flush=True)
    print(f"  lateness, {RATE} due a second, 2 workers   {lateness(store, 2)}", flush=True)
    store.add_not_due(NOT_DUE)
    print(f"  2 workers, {NOT_DUE:,} not due        {throughput(store, count, 2, idle)}", flush=True)
    engine.dispose()


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure on the database of the command line, or on SQLite and PostgreSQL."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", help="address of an empty database")
    parser.add_argument("timers", nargs="?", type=int, default=5_000)
    chosen = parser.parse_args(arguments)
    print(describe())
    if chosen.database:
        measure(chosen.database, chosen.timers)
        return
    with tempfile.TemporaryDirectory() as folder:
        print("SQLite")
        measure(f"sqlite:///{Path(folder) / 'baton.sqlite'}", chosen.timers)
    cluster = Cluster({name: "on" for name in FAST if FAST[name] == "off"})
    try:
        print("PostgreSQL on the same machine")
        measure(cluster.url(), chosen.timers)
    finally:
        cluster.stop()


if __name__ == "__main__":
    main()
