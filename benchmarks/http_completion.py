"""Starting instances and completing user tasks over HTTP: requests a second and latency, on both databases.

    python -m benchmarks.http_completion [--tasks 2000] [--database sqlite|postgresql|URL] [--processes 2]

Starts the real server with its worker on a new database (PostgreSQL: a cluster of its own that keeps its promises:
fsync and synchronous commits are on) and drives it from one thread of this process, on the same machine.
"""

from __future__ import annotations

import argparse
from http.client import HTTPConnection

from benchmarks.load import drive
from benchmarks.machine import describe, milliseconds
from benchmarks.served import KINDS, completions, creations, database, deploy, kind_of, server


def main() -> None:
    """Start instances, complete their first tasks, and print both."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--tasks", type=int, default=2_000)
    arguments.add_argument("--database", action="append")
    arguments.add_argument("--processes", type=int, default=2)
    arguments.add_argument("--clients", type=int, default=16)
    chosen = arguments.parse_args()
    print(describe())
    for kind in chosen.database or KINDS:
        with database(kind) as url, server(url, chosen.processes) as served:
            connection = HTTPConnection("127.0.0.1", served.port, timeout=60)
            deploy(connection)
            # The first requests parse the diagram and fill caches, in every process.
            drive(served.port, creations(100), chosen.clients)
            created = drive(served.port, creations(chosen.tasks), chosen.clients)
            line = f"{kind_of(url):10}  %-17s {{:7.0f}} a second   {{}}"
            print((line % "start a case").format(created.per_second, milliseconds(created.seconds)))
            work = completions(connection, chosen.tasks)
            completed = drive(served.port, work, chosen.clients)
            print((line % "complete a task").format(completed.per_second, milliseconds(completed.seconds)))


if __name__ == "__main__":
    main()
