"""The web server and how it works at requests: Baton's choice beside others that serve the same application.

    python -m benchmarks.web_servers [--tasks 3000] [--database postgresql]

Tasks are completed through the API by 16 clients. Then the same while two more clients ask for lists of two hundred
tasks all the time, because whoever completes a task must not wait for those. gunicorn is not installed with Baton:
`pip install gunicorn`.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from importlib.util import find_spec

from benchmarks.load import drive
from benchmarks.machine import describe, milliseconds
from benchmarks.served import KINDS, call, completions, creations, database, deploy, prepare, running

CLIENTS = 16
SLOW_CLIENTS = 2

_BATON = """
from web import serving
serving.THREADS = {threads}
serving.serve("127.0.0.1", {port}, stop_seconds=5, processes=2, workers=0)
"""
_GUNICORN = (
    "-m",
    "gunicorn",
    "-k",
    "gthread",
    "-w",
    "2",
    "-b",
    "127.0.0.1:{port}",
    "web.serving:application()",
)

#: What each is called, the package it needs, and its command. Left out are gunicorn's synchronous workers, which end a
#: connection after each request, and waitress, which does after each answer without a body, like that to a completion.
SERVERS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("granian, 2 processes, 1 at a time", "granian", ("-c", _BATON.replace("{threads}", "1"))),
    ("granian, 2 processes, 2 at a time", "granian", ("-c", _BATON.replace("{threads}", "2"))),
    ("granian, 2 processes, 4 at a time", "granian", ("-c", _BATON.replace("{threads}", "4"))),
    ("gunicorn, 2 processes, 2 threads", "gunicorn", (*_GUNICORN, "--threads", "2")),
    ("gunicorn, 2 processes, 16 threads", "gunicorn", (*_GUNICORN, "--threads", "16")),
)


@contextmanager
def slow_pages(port: int) -> Iterator[list[int]]:
    """Ask for a slow list all the time until the block ends; yields how often each client got one."""
    asked = [0] * SLOW_CLIENTS
    over = threading.Event()

    def ask(number: int) -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        while not over.is_set():
            call(connection, "POST", "/v2/user-tasks/search", {"page": {"limit": 200}})
            asked[number] += 1

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(SLOW_CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield asked
    finally:
        over.set()
        for thread in threads:
            thread.join()


def measure(port: int, tasks: int) -> str:
    """Return what completions cost, alone and beside slow lists."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    drive(port, creations(100), CLIENTS)
    drive(port, creations(2 * tasks), CLIENTS)
    work = completions(connection, 2 * tasks)
    connection.close()
    alone = drive(port, work[:tasks], CLIENTS)
    with slow_pages(port) as asked:
        beside = drive(port, work[tasks:], CLIENTS)
        lists = sum(asked) / beside.whole
    return (
        f"{alone.per_second:5.0f} a second   {milliseconds(alone.seconds)}   "
        f"beside slow lists {beside.per_second:5.0f} a second   {milliseconds(beside.seconds)}   "
        f"and {lists:4.1f} lists a second"
    )


def main() -> None:
    """Measure each server on a new database of its own."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--tasks", type=int, default=3_000)
    arguments.add_argument("--database", choices=KINDS, default="postgresql")
    chosen = arguments.parse_args()
    print(describe())
    for title, package, command in SERVERS:
        if find_spec(package) is None:
            print(f"{title:34}  left out: {package} is not installed")
            continue
        with (
            database(chosen.database) as url,
            tempfile.TemporaryDirectory() as folder,
            running(command, prepare(url, folder)) as served,
        ):
            connection = HTTPConnection("127.0.0.1", served.port, timeout=60)
            deploy(connection)
            connection.close()
            print(f"{title:34}  {measure(served.port, chosen.tasks)}", flush=True)


if __name__ == "__main__":
    main()
