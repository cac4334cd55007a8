"""The commands that only read can be pointed at the replica: they see what it has, and keep the primary free."""

from __future__ import annotations

import json
import os
from pathlib import Path
from zipfile import ZipFile

import pytest
from click.testing import CliRunner
from sqlalchemy.orm import Session, sessionmaker

from tests.diagrams import chain, diagram, end, start, user
from tests.play import Player
from tests.replica.conftest import Pair
from web import cli, logs


@pytest.fixture
def environment(
    pair: Pair,
    database_url: str,
    sessions: sessionmaker[Session],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, str]:
    """An environment of the replica, which knows of two cases of three."""
    monkeypatch.setattr(logs, "configure", lambda log_format, level: None)
    player = Player(sessions)
    player.deploy(diagram(start(), user("first"), end(), chain("start", "first", "end")))
    for _ in range(2):
        player.start("p")
    pair.stand_still()
    player.start("p")
    return {**os.environ, "BATON_DATA": str(tmp_path / "data"), "BATON_DATABASE_URL": pair.replica_of(database_url)}


def run(environment: dict[str, str], pair: Pair, *arguments: str) -> None:
    """Run `baton` with these arguments."""
    try:
        done = CliRunner().invoke(cli.baton, arguments, env=environment)
    finally:
        pair.go_on()
    assert done.exit_code == 0, done.output


def test_a_backup(environment: dict[str, str], pair: Pair, tmp_path: Path) -> None:
    run(environment, pair, "backup", str(tmp_path / "now.baton"))

    with ZipFile(tmp_path / "now.baton") as backup:
        assert len(backup.read("tables/process_instance.jsonl").splitlines()) == 2


def test_an_export_for_process_mining(environment: dict[str, str], pair: Pair, tmp_path: Path) -> None:
    run(environment, pair, "export", "ocel", str(tmp_path / "log.json"))

    cases = [thing for thing in json.loads((tmp_path / "log.json").read_text())["objects"] if thing["type"] == "p"]
    assert len(cases) == 2


def test_a_look_at_the_invariants(environment: dict[str, str], pair: Pair) -> None:
    run(environment, pair, "check", "--no-report")
