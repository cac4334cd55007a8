"""`baton backup` while people work, and `baton restore` on a machine that has nothing."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest
from alembic import command
from click.testing import CliRunner, Result
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from database import create_engine, migrations
from database.backup import back_up
from engine.models import Audit, ElementInstance, ProcessInstance, UserTask, UserTaskState, Variable
from tests.databases import Databases, writing
from tests.library.repair_shop import RepairShop
from tests.library.test_repair_order import to_workshop
from tests.moving.conftest import contents_of
from tests.play import Player
from web import cli, logs

ROOT = Path(__file__).parents[2]


@pytest.fixture
def old_machine(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Settings of the machine that is backed up."""
    monkeypatch.setattr(logs, "configure", lambda log_format, level: None)
    return {**os.environ, "BATON_DATA": str(tmp_path / "old"), "BATON_DATABASE_URL": database_url}


@pytest.fixture
def new_machine(of_other_kind: str, tmp_path: Path, old_machine: dict[str, str]) -> dict[str, str]:
    """Settings of an empty machine, whose database is of the other kind."""
    return {**old_machine, "BATON_DATA": str(tmp_path / "new"), "BATON_DATABASE_URL": of_other_kind}


def run(environment: dict[str, str], *arguments: str, fails: bool = False) -> Result:
    """Run `baton` with these arguments."""
    done = CliRunner().invoke(cli.baton, arguments, env=environment)
    assert (done.exit_code != 0) is fails, done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done


def secret_key(environment: dict[str, str]) -> str:
    """Return the key that signs the cookies of a machine."""
    return (Path(environment["BATON_DATA"]) / "secret_key").read_text()


def test_a_new_machine_comes_up_with_all_that_the_old_one_had(
    shop: RepairShop, old_machine: dict[str, str], new_machine: dict[str, str], tmp_path: Path
) -> None:
    to_workshop(shop)
    file = tmp_path / "company.backup"

    run(old_machine, "backup", str(file))
    said = run(new_machine, "restore", str(file))

    assert contents_of(new_machine["BATON_DATABASE_URL"]) == contents_of(old_machine["BATON_DATABASE_URL"])
    assert secret_key(new_machine) == secret_key(old_machine)
    assert "the same number and checksum" in said.stdout
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((Path(new_machine["BATON_DATA"]) / "secret_key").stat().st_mode) == 0o600
    assert "sound" in run(new_machine, "check").stdout


def test_a_backup_under_load_is_of_one_instant(
    play: Player, old_machine: dict[str, str], new_machine: dict[str, str], tmp_path: Path
) -> None:
    enough, stop = threading.Event(), threading.Event()
    started: list[int] = []
    failures: list[BaseException] = []

    def work() -> None:
        try:
            while not stop.is_set():
                started.append(play.start("repair-order", {"plate": f"粤B{len(started)}"}).key)
                if len(started) >= 5:
                    enough.set()
        except BaseException as error:
            failures.append(error)
            enough.set()

    worker = threading.Thread(target=work)
    worker.start()
    enough.wait(timeout=60)
    before = len(started)
    run(old_machine, "backup", str(tmp_path / "b"))
    after = len(started)
    stop.set()
    worker.join()
    assert failures == []
    assert after > before, "nobody had to wait for the backup"

    run(new_machine, "restore", str(tmp_path / "b"))

    assert "sound" in run(new_machine, "check").stdout
    engine = create_engine(new_machine["BATON_DATABASE_URL"])
    with Session(engine) as session:
        keys = list(session.scalars(select(ProcessInstance.key).order_by(ProcessInstance.key)))
        # All that was committed up to some instant, and nothing after it.
        assert keys == started[: len(keys)]
        assert before <= len(keys) <= after + 1
        # Each case has all rows that its one transaction wrote.
        for column in (
            UserTask.instance_key,
            Audit.instance_key,
            ElementInstance.instance_key,
            Variable.instance_key,
        ):
            counts = dict(session.execute(select(column, func.count()).group_by(column)).all())
            assert set(counts) == set(keys)
            assert len(set(counts.values())) == 1
    engine.dispose()


def test_a_restored_machine_serves_its_people(
    shop: RepairShop, old_machine: dict[str, str], of_same_kind: str, tmp_path: Path
) -> None:
    order = shop.start()
    run(old_machine, "backup", str(tmp_path / "b"))
    new = {**old_machine, "BATON_DATA": str(tmp_path / "new"), "BATON_DATABASE_URL": of_same_kind}
    run(new, "restore", str(tmp_path / "b"))

    started = run(new, "start", "repair-order", "--variables", '{"plate": "粤B99999"}')

    engine = create_engine(of_same_kind)
    with Session(engine) as session:
        open_ones = select(UserTask.instance_key).where(UserTask.state == UserTaskState.CREATED)
        assert set(session.scalars(open_ones)) == {order.key, int(started.stdout)}
    engine.dispose()


def test_a_database_with_rows_is_replaced_only_by_force(
    play: Player, old_machine: dict[str, str], new_machine: dict[str, str], tmp_path: Path
) -> None:
    run(old_machine, "backup", str(tmp_path / "b"))
    saved = contents_of(old_machine["BATON_DATABASE_URL"])
    run(new_machine, "restore", str(tmp_path / "b"))
    run(new_machine, "start", "repair-order")
    used = contents_of(new_machine["BATON_DATABASE_URL"])
    key = secret_key(new_machine)

    refused = run(new_machine, "restore", str(tmp_path / "b"), fails=True)

    assert "not empty" in refused.stderr
    assert "--force" in refused.stderr
    assert contents_of(new_machine["BATON_DATABASE_URL"]) == used
    run(new_machine, "restore", str(tmp_path / "b"), "--force")
    assert contents_of(new_machine["BATON_DATABASE_URL"]) == saved
    assert secret_key(new_machine) == key


def test_a_damaged_backup_changes_nothing(
    play: Player, old_machine: dict[str, str], new_machine: dict[str, str], tmp_path: Path
) -> None:
    play.start("repair-order", {"plate": "粤B12345"})
    good, cut, altered = tmp_path / "good", tmp_path / "cut", tmp_path / "altered"
    run(old_machine, "backup", str(good))
    run(new_machine, "restore", str(good))
    before = contents_of(new_machine["BATON_DATABASE_URL"])
    cut.write_bytes(good.read_bytes()[:-100])
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(altered, "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name).replace("粤B12345".encode(), "粤B54321".encode()))

    for bad in (cut, altered):
        run(new_machine, "restore", str(bad), "--force", fails=True)
        run(new_machine, "restore", str(bad), "--dry-run", fails=True)

    assert contents_of(new_machine["BATON_DATABASE_URL"]) == before
    assert "is whole" in run(new_machine, "restore", str(good), "--dry-run").stdout


def test_a_backup_of_an_older_version_is_migrated(databases: Databases, of_other_kind: str, tmp_path: Path) -> None:
    old = create_engine(databases.create())
    with writing(old) as connection:
        command.upgrade(migrations.configuration(connection), "0001")
    back_up(old, tmp_path / "b", {})
    old.dispose()

    run(
        {**os.environ, "BATON_DATA": str(tmp_path / "new"), "BATON_DATABASE_URL": of_other_kind},
        "restore",
        str(tmp_path / "b"),
    )

    engine = create_engine(of_other_kind)
    with engine.connect() as connection:
        assert migrations.current_revision(connection) == migrations.latest_revision()
    engine.dispose()


def test_a_file_that_is_there_is_not_overwritten(play: Player, old_machine: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "b").write_text("the last good one")

    assert "exists already" in run(old_machine, "backup", str(tmp_path / "b"), fails=True).stderr

    assert (tmp_path / "b").read_text() == "the last good one"
    assert list(tmp_path.glob("b.*")) == []


def test_a_backup_that_is_killed_leaves_no_file_that_looks_whole(
    play: Player, old_machine: dict[str, str], tmp_path: Path
) -> None:
    environment = {**old_machine, "PYTHONPATH": str(ROOT)}
    program = (
        "import os, signal\n"
        "from database import contents\n"
        "contents.Digest.add = lambda self, rows: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from web.cli import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "backup", str(tmp_path / "b")], env=environment, timeout=120, check=False
    )

    assert done.returncode == -9
    assert not (tmp_path / "b").exists()
    run(old_machine, "backup", str(tmp_path / "b"))
    assert "is whole" in run(old_machine, "restore", str(tmp_path / "b"), "--dry-run").stdout
