"""Completing user tasks over HTTP: requests per second and latency of `POST /v2/user-tasks/KEY/completion`.

    python -m benchmarks.http_completion [TASKS]

Starts the real server with two processes and a worker on a new SQLite database, and drives it from this process with
16 connections that are kept open.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from queue import Empty, SimpleQueue
from typing import Any

from benchmarks.machine import describe, milliseconds
from tests.diagrams import chain, diagram, end, start, user

CLIENTS = 16
PROCESSES = 2
PASSWORD = "benchmark password"
HEADERS = {
    "Authorization": "Basic " + base64.b64encode(f"bench:{PASSWORD}".encode()).decode(),
    "Content-Type": "application/json",
}


@contextmanager
def server() -> Iterator[int]:
    """Run the server on a free port and yield the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "BATON_DATA": folder, "BATON_LOG_LEVEL": "error"}
        baton = [sys.executable, "-m", "web.cli"]
        subprocess.run([*baton, "db", "upgrade"], env=environment, check=True)
        add = [*baton, "user", "add", "bench", "--role", "admin", "--password-stdin"]
        subprocess.run(add, env=environment, check=True, input=PASSWORD.encode(), stdout=subprocess.DEVNULL)
        process = subprocess.Popen(
            [*baton, "serve", "--port", str(port), "--processes", str(PROCESSES)],
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


def drive(port: int, work: list[tuple[str, str, object]]) -> tuple[list[float], float]:
    """Send all requests over CLIENTS connections; return the seconds of each, and of the whole."""
    waiting: SimpleQueue[tuple[str, str, object]] = SimpleQueue()
    for item in work:
        waiting.put(item)
    seconds: list[float] = []

    def client() -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        while True:
            try:
                item = waiting.get_nowait()
            except Empty:
                return
            begun = time.perf_counter()
            call(connection, *item)
            seconds.append(time.perf_counter() - begun)

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seconds, time.perf_counter() - begun


def main() -> None:
    """Create instances, complete their first tasks, and print both."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    print(describe())
    with server() as port:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        deploy(connection)
        create: list[tuple[str, str, object]] = [
            ("POST", "/v2/process-instances", {"processDefinitionId": "p", "variables": {"plate": f"B{number}"}})
            for number in range(count)
        ]
        seconds, whole = drive(port, create)
        print(f"create instances     {count / whole:7.0f} a second   {milliseconds(seconds)}")
        keys: list[str] = []
        after: str | None = None
        while len(keys) < count:
            page: dict[str, object] = {"limit": 100} | ({"after": after} if after else {})
            query = {"filter": {"elementId": "first", "state": "CREATED"}, "page": page}
            found = call(connection, "POST", "/v2/user-tasks/search", query)
            keys += [item["userTaskKey"] for item in found["items"]]
            after = found["page"]["endCursor"]
        complete: list[tuple[str, str, object]] = [
            ("POST", f"/v2/user-tasks/{key}/completion", {"variables": {"answer": 1}}) for key in keys
        ]
        seconds, whole = drive(port, complete)
        print(f"complete user tasks  {count / whole:7.0f} a second   {milliseconds(seconds)}")


if __name__ == "__main__":
    main()
