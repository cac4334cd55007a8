"""The command `baton`, run as an administrator runs it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
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
