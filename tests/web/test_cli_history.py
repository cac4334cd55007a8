"""`baton history` and `baton archive`, run as an administrator runs them."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, update
from sqlalchemy.orm import Session, sessionmaker

from database import session_factory, transaction
from engine.models import ProcessInstance
from tests.diagrams import chain, diagram, end, start
from tests.play import Player
from web import cli, logs
from web.configuration import from_environment
from web.serving import duties


@pytest.fixture
def environment(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Settings of a server whose cases are kept for a hundred days."""
    monkeypatch.setattr(logs, "configure", lambda log_format, level: None)
    given = {"BATON_DATA": str(tmp_path / "data"), "BATON_DATABASE_URL": database_url, "BATON_HISTORY_TTL": "100"}
    return {**os.environ, **given}


@pytest.fixture
def ended(database: Engine, environment: dict[str, str]) -> list[int]:
    """The keys of two cases, one of which ended a hundred and one days ago, before there was a time to live."""
    player = Player(session_factory(database))
    player.deploy(diagram(start(), end(), chain("start", "end")))
    keys = [player.start("p").key for _ in range(2)]
    with player.sessions() as session, transaction(session):
        long_ago = datetime.now(UTC) - timedelta(days=101)
        session.execute(update(ProcessInstance).where(ProcessInstance.key == keys[0]).values(ended_at=long_ago))
    return keys


def run(environment: dict[str, str], *arguments: str, fails: bool = False) -> Result:
    """Run `baton` with these arguments."""
    done = CliRunner().invoke(cli.baton, arguments, env=environment)
    assert (done.exit_code != 0) is fails, done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done


def test_old_cases_get_a_removal_time_are_removed_and_can_be_read_again(
    environment: dict[str, str], ended: list[int], sessions: sessionmaker[Session]
) -> None:
    assert "0 process instances removed" in run(environment, "history", "clean-up").stdout

    assert "2 removal times changed" in run(environment, "history", "set-removal-times").stdout
    assert "1 process instances removed" in run(environment, "history", "clean-up").stdout

    with sessions() as session:
        assert session.get(ProcessInstance, ended[0]) is None
        assert session.get(ProcessInstance, ended[1]) is not None
    [line] = run(environment, "archive", "list").stdout.splitlines()
    day = (datetime.now(UTC) - timedelta(days=101)).astimezone().date()
    assert "  p " in line
    [case] = run(environment, "archive", "export", "--process", "p").stdout.splitlines()
    assert json.loads(case)["processInstanceKey"] == ended[0]
    assert run(environment, "archive", "export", "--case", str(ended[0])).stdout.strip() == case
    assert run(environment, "archive", "export", "--to", str(day - timedelta(days=3))).stdout == ""
    assert run(environment, "archive", "export", "--from", str(day - timedelta(days=3))).stdout.strip() == case
    assert run(environment, "archive", "list", "--process", "other").stdout == ""


def test_what_is_not_there_is_said(environment: dict[str, str], ended: list[int]) -> None:
    assert (
        "There is no process x" in run(environment, "history", "set-removal-times", "--process", "x", fails=True).stderr
    )
    assert "no case 7" in run(environment, "archive", "export", "--case", "7", fails=True).stderr


def test_workers_clean_up(environment: dict[str, str]) -> None:
    assert "history cleanup" in [duty.name for duty in duties(from_environment(environment))]
