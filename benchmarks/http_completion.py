"""Starting instances and completing user tasks over HTTP: requests a second and latency, on both databases.

    python -m benchmarks.http_completion [--tasks 2000] [--database sqlite|postgresql|URL] [--processes 2]

Starts the real server with its worker on a new database (PostgreSQL: a cluster of its own that keeps its promises:
fsync and synchronous commits are on) and drives it from one thread of this process, on the same machine.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from typing import Any

from benchmarks.load import drive, post
from benchmarks.machine import describe, milliseconds
from tests.diagrams import chain, diagram, end, start, user
from tests.postgresql import Cluster

PASSWORD = "benchmark password"
HEADERS = {
    "Authorization": "Basic " + base64.b64encode(f"bench:{PASSWORD}".encode()).decode(),
    "Content-Type": "application/json",
}

#: A cluster that loses nothing in a power failure, as one that people work with.
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "autovacuum": "on"}


@contextmanager
def database(kind: str) -> Iterator[str]:
    """Yield the address of a new database of this kind; an address is taken as it is."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/baton.sqlite"
    elif kind == "postgresql":
        cluster = Cluster(DURABLE)
        try:
            yield cluster.url()
        finally:
            cluster.stop()
    else:
        yield kind


@contextmanager
def server(url: str, processes: int) -> Iterator[int]:
    """Run the server with its worker on a free port and yield the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "BATON_DATA": folder, "BATON_DATABASE_URL": url, "BATON_LOG_LEVEL": "error"}
        baton = [sys.executable, "-m", "web.cli"]
        subprocess.run([*baton, "db", "upgrade"], env=environment, check=True, stdout=subprocess.DEVNULL)
        add = [*baton, "user", "add", "bench", "--role", "admin", "--password-stdin"]
        subprocess.run(add, env=environment, check=True, input=PASSWORD.encode(), stdout=subprocess.DEVNULL)
        process = subprocess.Popen(
            [*baton, "serve", "--port", str(port), "--processes", str(processes)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_for(port)
            yield port
        finally:
            process.terminate()
            process.wait(60)


def _wait_for(port: int) -> None:
    for _ in range(300):
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except (OSError, HTTPException):
            pass
        time.sleep(0.2)
    raise SystemExit("The server did not start.")


def call(connection: HTTPConnection, method: str, path: str, body: object, **headers: str) -> Any:
    """Send one request and return its JSON, or None; stops the benchmark on any refusal."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection.request(method, path, data, {**HEADERS, **headers})
    response = connection.getresponse()
    text = response.read()
    if response.status >= 300:
        raise SystemExit(f"{method} {path}: {response.status} {text[:300]!r}")
    return json.loads(text) if text else None


def deploy(connection: HTTPConnection) -> None:
    """Deploy a process with two user tasks."""
    resource = diagram(start(), user("first"), user("second"), end(), chain("start", "first", "second", "end"))
    boundary = "benchmark-boundary"
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="resources"; filename="p.bpmn"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode()
    body += resource.content + f"\r\n--{boundary}--\r\n".encode()
    kind = f"multipart/form-data; boundary={boundary}"
    call(connection, "POST", "/v2/deployments", body, **{"Content-Type": kind})


def creations(count: int) -> Iterator[bytes]:
    """Yield requests that start the process."""
    for number in range(count):
        body = {"processDefinitionId": "p", "variables": {"plate": f"B{number}"}}
        yield post("/v2/process-instances", json.dumps(body).encode(), HEADERS)


def completions(connection: HTTPConnection, count: int) -> list[bytes]:
    """Return requests that complete the first task of `count` instances."""
    keys: list[str] = []
    after: str | None = None
    while len(keys) < count:
        page: dict[str, object] = {"limit": 100} | ({"after": after} if after else {})
        query = {"filter": {"elementId": "first", "state": "CREATED"}, "page": page}
        found = call(connection, "POST", "/v2/user-tasks/search", query)
        keys += [item["userTaskKey"] for item in found["items"]]
        after = found["page"]["endCursor"]
    body = json.dumps({"variables": {"answer": 1}}).encode()
    return [post(f"/v2/user-tasks/{key}/completion", body, HEADERS) for key in keys]


def main() -> None:
    """Start instances, complete their first tasks, and print both."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--tasks", type=int, default=2_000)
    arguments.add_argument("--database", action="append")
    arguments.add_argument("--processes", type=int, default=2)
    arguments.add_argument("--clients", type=int, default=16)
    chosen = arguments.parse_args()
    print(describe())
    for kind in chosen.database or ["sqlite", "postgresql"]:
        with database(kind) as url, server(url, chosen.processes) as port:
            connection = HTTPConnection("127.0.0.1", port, timeout=60)
            deploy(connection)
            # The first requests parse the diagram and fill caches, in every process.
            drive(port, creations(100), chosen.clients)
            created = drive(port, creations(chosen.tasks), chosen.clients)
            rates = f"{url.partition(':')[0].partition('+')[0]:10}  %-20s {{:7.0f}} a second   {{}}"
            print((rates % "start an instance").format(created.per_second, milliseconds(created.seconds)))
            work = completions(connection, chosen.tasks)
            completed = drive(port, work, chosen.clients)
            print((rates % "complete a task").format(completed.per_second, milliseconds(completed.seconds)))


if __name__ == "__main__":
    main()
