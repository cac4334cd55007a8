"""The command `baton`, run as an administrator runs it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from database import create_engine
from engine.models import ProcessDefinition, ProcessInstance
from people import service
from tests.databases import Databases
from web import cli, logs

ROOT = Path(__file__).parents[2]
MINIMAL = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="t">
  <bpmn:process id="minimal" name="最小流程" isExecutable="true">
    <bpmn:startEvent id="begin"><bpmn:outgoing>f</bpmn:outgoing></bpmn:startEvent>
    <bpmn:endEvent id="end"><bpmn:incoming>f</bpmn:incoming></bpmn:endEvent>
    <bpmn:sequenceFlow id="f" sourceRef="begin" targetRef="end" />
  </bpmn:process>
</bpmn:definitions>
"""


@pytest.fixture
def environment(databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """An environment with an empty data directory and database; logs stay as the tests have them."""
    monkeypatch.setattr(logs, "configure", lambda log_format, level: None)
    url = databases.create()
    yield {**os.environ, "BATON_DATA": str(tmp_path / "data"), "BATON_DATABASE_URL": url, "PYTHONPATH": str(ROOT)}
    databases.drop(url)


@pytest.fixture
def engine(environment: dict[str, str]) -> Iterator[Engine]:
    """The database that the commands work on, migrated by `baton db upgrade`."""
    run(environment, "db", "upgrade")
    engine = create_engine(environment["BATON_DATABASE_URL"])
    yield engine
    engine.dispose()


def run(environment: dict[str, str], *arguments: str, given: str = "", fails: bool = False) -> Result:
    """Run `baton` with these arguments and this standard input."""
    done = CliRunner().invoke(cli.baton, arguments, input=given, env=environment)
    assert (done.exit_code != 0) is fails, done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done


def test_a_user_is_added_with_a_password_from_standard_input(environment: dict[str, str], engine: Engine) -> None:
    run(
        environment,
        "user",
        "add",
        "boss",
        "--name",
        "老板",
        "--role",
        "admin",
        "--password-stdin",
        given="a good one\n",
    )

    with Session(engine) as session:
        user = service.authenticate(session, "boss", "a good one")
        assert (user.name, user.role) == ("老板", "admin")


def test_a_user_that_cannot_be_is_refused_with_a_sentence(environment: dict[str, str], engine: Engine) -> None:
    short = run(environment, "user", "add", "boss", "--password-stdin", given="short\n", fails=True)
    group = run(
        environment, "user", "add", "boss", "--group", "没有", "--password-stdin", given="a good one\n", fails=True
    )

    assert "at least 8 characters" in short.stderr
    assert "There is no group 没有" in group.stderr


def test_files_are_deployed_and_an_instance_is_started(
    environment: dict[str, str], engine: Engine, tmp_path: Path
) -> None:
    folder = tmp_path / "library" / "auto-repair"
    folder.mkdir(parents=True)
    (folder / "minimal.bpmn").write_text(MINIMAL)
    (folder / "notes.txt").write_text("not for deployment")

    deployed = run(environment, "deploy", str(tmp_path / "library"))
    started = run(environment, "start", "minimal", "--variables", '{"plate": "粤B12345"}')

    assert "Deployed 1 files" in deployed.stdout
    with Session(engine) as session:
        definition = session.scalars(select(ProcessDefinition)).one()
        assert definition.resource_name == "auto-repair/minimal.bpmn"
        assert session.scalars(select(ProcessInstance.key)).one() == int(started.stdout)


def test_a_broken_file_is_refused_with_file_element_and_sentence(
    environment: dict[str, str], engine: Engine, tmp_path: Path
) -> None:
    good, bad = tmp_path / "good.bpmn", tmp_path / "bad.bpmn"
    good.write_text(MINIMAL)
    bad.write_text(MINIMAL.replace('id="minimal"', 'id="bad"').replace('targetRef="end"', 'targetRef="nowhere"'))

    refused = run(environment, "deploy", str(good), str(bad), fails=True)

    assert re.search(r"bad\.bpmn.*\bf\b.*", refused.stderr)
    assert "Nothing was deployed" in refused.stderr
    with Session(engine) as session:
        assert session.scalars(select(ProcessDefinition)).all() == []


def test_a_setting_that_cannot_be_used_ends_the_command_with_a_sentence(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "web.cli", "db", "upgrade"],
        env={**environment, "BATON_ZONE": "Mars"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.startswith("baton: BATON_ZONE")
    assert "Traceback" not in done.stderr


def test_wrong_arguments_get_a_sentence(environment: dict[str, str], engine: Engine) -> None:
    assert "There is no process nothing" in run(environment, "start", "nothing", fails=True).stderr
    assert "JSON object" in run(environment, "start", "x", "--variables", "[1]", fails=True).stderr
    assert "--variables" in run(environment, "start", "x", "--variables", "{", fails=True).stderr


@pytest.fixture
def served(environment: dict[str, str], tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """`baton serve` on a free port, once it answers, and its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = (tmp_path / "serve.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "web.cli", "serve", "--port", str(port)],
        env=environment,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    address = f"http://127.0.0.1:{port}"
    for _ in range(600):
        try:
            if health(address)["worker_silent_seconds"] is not None:
                break
        except OSError:
            pass
        assert process.poll() is None, (tmp_path / "serve.log").read_text()
        time.sleep(0.2)
    yield process, address
    # The whole group: a server that was killed leaves the processes that answer requests behind.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def health(address: str) -> dict[str, object]:
    """Ask the server how it is."""
    with urllib.request.urlopen(f"{address}/healthz", timeout=5) as answer:
        found: dict[str, object] = json.load(answer)
        return found


def children(pid: int) -> list[int]:
    """Return the ids of the processes that `pid` has started."""
    return [int(child) for file in Path(f"/proc/{pid}/task").glob("*/children") for child in file.read_text().split()]


def test_serving_migrates_works_and_ends_when_told_to(served: tuple[subprocess.Popen[bytes], str]) -> None:
    process, address = served

    assert health(address)["status"] == "ok"
    family = children(process.pid)
    assert len(family) >= 2, "a server process and a worker"

    process.send_signal(signal.SIGTERM)

    assert process.wait(timeout=60) == 0
    assert [pid for pid in family if Path(f"/proc/{pid}/cmdline").exists()] == []


def test_a_worker_that_dies_is_started_again(served: tuple[subprocess.Popen[bytes], str]) -> None:
    process, _ = served

    def worker() -> int | None:
        for pid in children(process.pid):
            if b"worker" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return pid
        return None

    first = worker()
    assert first is not None
    os.kill(first, signal.SIGKILL)

    second = first
    for _ in range(600):
        found = worker()
        if found not in (None, first):
            second = found
            break
        time.sleep(0.2)
    assert second != first


def test_a_worker_does_not_outlive_its_server(served: tuple[subprocess.Popen[bytes], str]) -> None:
    process, _ = served
    worker = next(pid for pid in children(process.pid) if b"worker" in Path(f"/proc/{pid}/cmdline").read_bytes())

    process.kill()
    process.wait()

    for _ in range(150):
        if not Path(f"/proc/{worker}/cmdline").exists() or not Path(f"/proc/{worker}/cmdline").read_bytes():
            return
        time.sleep(0.2)
    pytest.fail("the worker is still there")
