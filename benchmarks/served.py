"""The real server on a new database, for benchmarks that drive it from outside."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from benchmarks.load import post
from tests.diagrams import chain, diagram, end, start, user
from tests.postgresql import Cluster

PASSWORD = "benchmark password"
HEADERS = {
    "Authorization": "Basic " + base64.b64encode(f"bench:{PASSWORD}".encode()).decode(),
    "Content-Type": "application/json",
}

_MEMORY_BYTES = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")

#: A cluster that loses nothing in a power failure, with the settings that docs/operations.md asks for.
DURABLE = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "autovacuum": "on",
    "shared_buffers": f"{_MEMORY_BYTES // 4 >> 20}MB",
    "wal_compression": "lz4",
}

#: Both kinds of database, where a benchmark is not told otherwise.
KINDS = ("sqlite", "postgresql")


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


def kind_of(url: str) -> str:
    """Return `sqlite` or `postgresql`."""
    return url.partition(":")[0].partition("+")[0]


@dataclass(frozen=True, slots=True)
class Served:
    """A running server."""

    port: int
    pid: int

    def server_processes(self) -> list[int]:
        """Return the ids of the processes that answer requests: all that were forked by the first one."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                    command = (entry / "cmdline").read_bytes()
                except OSError:
                    continue
                if parent == self.pid and b"worker" not in command.split(b"\0"):
                    found.append(int(entry.name))
        return found


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def prepare(url: str, folder: str) -> dict[str, str]:
    """Migrate the database and make the user of the benchmark; return the environment of every command."""
    environment = {**os.environ, "BATON_DATA": folder, "BATON_DATABASE_URL": url, "BATON_LOG_LEVEL": "error"}
    baton = [sys.executable, "-m", "web.cli"]
    subprocess.run([*baton, "db", "upgrade"], env=environment, check=True, stdout=subprocess.DEVNULL)
    add = [*baton, "user", "add", "bench", "--role", "admin", "--password-stdin"]
    subprocess.run(add, env=environment, check=True, input=PASSWORD.encode(), stdout=subprocess.DEVNULL)
    return environment


@contextmanager
def serving(environment: dict[str, str], processes: int) -> Iterator[Served]:
    """Run the server with its worker on a free port until the block ends."""
    command = ("-m", "web.cli", "serve", "--port", "{port}", "--processes", str(processes))
    with running(command, environment) as served:
        yield served


@contextmanager
def running(command: Sequence[str], environment: dict[str, str]) -> Iterator[Served]:
    """Run a server until the block ends: Python with these arguments, in which `{port}` stands for a free port."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, *(part.replace("{port}", str(port)) for part in command)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port)
        yield Served(port, process.pid)
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def server(url: str, processes: int) -> Iterator[Served]:
    """Run the server on a new database until the block ends."""
    with tempfile.TemporaryDirectory() as folder, serving(prepare(url, folder), processes) as served:
        yield served


def wait_for(port: int) -> None:
    """Wait until the server answers; stops the benchmark after a minute."""
    for _ in range(3000):
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except (OSError, HTTPException):
            pass
        time.sleep(0.02)
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


def completions(connection: HTTPConnection, count: int, element_id: str = "first") -> list[bytes]:
    """Return requests that complete the tasks of `count` instances."""
    keys: list[str] = []
    after: str | None = None
    while len(keys) < count:
        page: dict[str, object] = {"limit": 1000} | ({"after": after} if after else {})
        query = {"filter": {"elementId": element_id, "state": "CREATED"}, "page": page}
        found = call(connection, "POST", "/v2/user-tasks/search", query)
        keys += [item["userTaskKey"] for item in found["items"]]
        after = found["page"]["endCursor"]
        if not found["items"]:
            break
    body = json.dumps({"variables": {"answer": 1}}).encode()
    return [post(f"/v2/user-tasks/{key}/completion", body, HEADERS) for key in keys[:count]]
