"""What one command costs the server: the whole request inside of a server process, and the engine's part of it.

    python -m benchmarks.command_time [TASKS]

One request after the other through the WSGI application, without a network; the database is beside it. The part of the
engine is `execute`; the commit belongs to the request.
"""

from __future__ import annotations

import base64
import io
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask
from sqlalchemy import select

import engine.execution
from benchmarks.machine import describe, milliseconds
from benchmarks.served import KINDS, PASSWORD, database, kind_of
from database import create_engine, migrations, session_factory, transaction
from engine import clock
from engine.models import UserTask, UserTaskState
from people import service
from people.models import Role
from processes.service import deploy
from tasks import service as tasks
from tests.diagrams import chain, diagram, end, start, user
from web import logs
from web.application import create_app
from web.configuration import Configuration

_AUTHORIZATION = "Basic " + base64.b64encode(f"bench:{PASSWORD}".encode()).decode()


def post(app: Flask, path: str, body: object) -> None:
    """Send a request to the application; stops the benchmark on any refusal."""
    data = json.dumps(body).encode()
    answer: list[str] = []
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(data)),
        "HTTP_AUTHORIZATION": _AUTHORIZATION,
        "HTTP_HOST": "localhost",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(data),
        "wsgi.errors": sys.stderr,
    }
    body_parts = app(environ, lambda status, headers, error=None: answer.append(status))
    text = b"".join(body_parts)
    getattr(body_parts, "close", lambda: None)()
    if not answer[0].startswith("2"):
        raise SystemExit(f"{path}: {answer[0]} {text[:300]!r}")


def timed(call: Callable[..., Any], seconds: list[float]) -> Callable[..., Any]:
    """Return `call` so that it notes how long it takes."""

    def measured(*arguments: Any, **named: Any) -> Any:
        begun = time.perf_counter()
        try:
            return call(*arguments, **named)
        finally:
            seconds.append(time.perf_counter() - begun)

    return measured


def main() -> None:
    """Start cases and complete their first tasks on each database, and print both times."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    print(describe())
    logs.configure(level="error")
    for kind in KINDS:
        with database(kind) as url, tempfile.TemporaryDirectory() as folder:
            measure(url, Path(folder), count)


def measure(url: str, folder: Path, count: int) -> None:
    """Print the times of `count` completions on the database at `url`."""
    store = create_engine(url)
    migrations.upgrade(store)
    sessions = session_factory(store)
    with sessions() as session, transaction(session):
        service.create_user(
            session, username="bench", name="bench", password=PASSWORD, at=clock.now(session), role=Role.ADMIN
        )
        deploy(
            session,
            [diagram(start(), user("first"), user("second"), end(), chain("start", "first", "second", "end"))],
            actor="bench",
        )
    app = create_app(
        Configuration(data_directory=folder, database_url=url, secret_key="benchmark", zone=ZoneInfo("Asia/Shanghai"))
    )
    for number in range(count + 100):
        post(app, "/v2/process-instances", {"processDefinitionId": "p", "variables": {"plate": f"B{number}"}})
    with sessions() as session:
        keys = list(session.scalars(select(UserTask.key).where(UserTask.state == UserTaskState.CREATED)))
    for key in keys[:100]:
        post(app, f"/v2/user-tasks/{key}/completion", {"variables": {"answer": 1}})
    requests: list[float] = []
    commands: list[float] = []
    tasks.execute = timed(engine.execution.execute, commands)
    complete = timed(post, requests)
    for key in keys[100:]:
        complete(app, f"/v2/user-tasks/{key}/completion", {"variables": {"answer": 1}})
    tasks.execute = engine.execution.execute
    print(f"{kind_of(url):10}  request  {milliseconds(requests)}")
    print(f"{kind_of(url):10}  engine   {milliseconds(commands)}")
    store.dispose()


if __name__ == "__main__":
    main()
