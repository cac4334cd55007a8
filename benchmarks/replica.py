"""What a replica takes off the primary, and how far behind it is.

    python -m benchmarks.replica [SEARCHES]

A primary and a standby with 20,000 live cases (those of `benchmarks.million`). The same searches of the API are
answered once by the primary, once by the standby (`BATON_REPLICA_URL`), and the CPU seconds of both are compared:
on one machine the rest of it is shared. Then tasks are completed one after the other while searches go on, and of each
it is measured when the standby shows it.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path
from threading import Thread

from sqlalchemy import select

from benchmarks.load import drive, post
from benchmarks.machine import describe, milliseconds
from benchmarks.million import NEWEST_CASES, TASKS_OF_A_GROUP, fill
from benchmarks.served import DURABLE, HEADERS, call, prepare, serving
from database import create_engine, session_factory
from engine.models import UserTask, UserTaskState
from tests.postgresql import Cluster, connect

CASES = 20_000
CONNECTIONS = 4
#: Tasks whose way to the standby is measured.
FOLLOWED = 300


def searches() -> Iterator[bytes]:
    """Yield searches without end."""
    while True:
        for path, query in (NEWEST_CASES, TASKS_OF_A_GROUP):
            yield post(path, json.dumps(query).encode(), HEADERS)


def cpu(cluster: Cluster) -> float:
    """Return the CPU seconds that the living processes of a cluster have used."""
    ticks = 0
    for pid in cluster.processes():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def answer(title: str, environment: dict[str, str], clusters: tuple[Cluster, Cluster], count: int) -> None:
    """Print what `count` searches cost each cluster."""
    with serving(environment, 2) as served:
        drive(served.port, islice(searches(), 400), CONNECTIONS)
        before = [cpu(cluster) for cluster in clusters]
        load = drive(served.port, islice(searches(), count), CONNECTIONS)
        primary, standby = (cpu(cluster) - used for cluster, used in zip(clusters, before, strict=True))
    print(
        f"{title:22} {milliseconds(load.seconds)}   CPU seconds of {count:,}: primary {primary:5.2f}, "
        f"standby {standby:5.2f}",
        flush=True,
    )


def follow(environment: dict[str, str], standby: Cluster, tasks: list[int]) -> list[float]:
    """Complete tasks while searches go on; return after how many seconds the standby has shown each."""
    seconds = []
    with serving(environment, 2) as served, connect(str(standby.folder)) as watching:
        load = Thread(target=drive, args=(served.port, islice(searches(), 20 * len(tasks)), 1))
        load.start()
        connection = HTTPConnection("127.0.0.1", served.port)
        for key in tasks:
            call(connection, "POST", f"/v2/user-tasks/{key}/completion", {"variables": {"answer": 1}})
            acknowledged = time.perf_counter()
            while watching.execute("SELECT state FROM user_task WHERE key = %s", [key]).fetchone() != ("COMPLETED",):
                if time.perf_counter() - acknowledged > 60:
                    raise SystemExit("The standby does not follow.")
            seconds.append(time.perf_counter() - acknowledged)
        load.join()
    return seconds


def main() -> None:
    """Make both, and print what was measured."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 4_000
    print(describe())
    with ExitStack() as stack:
        primary = Cluster(DURABLE)
        stack.callback(primary.stop)
        environment = prepare(primary.url(), stack.enter_context(tempfile.TemporaryDirectory()))
        engine = create_engine(primary.url())
        fill(engine, CASES)
        with session_factory(engine)() as session:
            free = select(UserTask.key).where(
                UserTask.state == UserTaskState.CREATED, UserTask.process_id == "plain", UserTask.assignee.is_(None)
            )
            tasks = list(session.scalars(free.limit(FOLLOWED)))
        engine.dispose()
        standby = Cluster(DURABLE, standby_of=primary)
        stack.callback(standby.stop)
        clusters = (primary, standby)
        with_replica = {**environment, "BATON_REPLICA_URL": standby.url()}
        answer("the primary answers", environment, clusters, count)
        answer("the replica answers", with_replica, clusters, count)
        seconds = follow(with_replica, standby, tasks)
        ordered = sorted(seconds)
        print(
            f"shown by the standby after the answer to a completion: {milliseconds(seconds)}   "
            f"p99 {ordered[len(ordered) * 99 // 100] * 1000:.1f} ms   most {ordered[-1] * 1000:.1f} ms"
        )


if __name__ == "__main__":
    main()
