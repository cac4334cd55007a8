"""Somebody deletes what they should not have: the company goes back to the moment before (docs/operations.md).

    python -m pytest tests/chaos/test_point_in_time.py -s

Prints how much work there was, how much the accident destroyed, and how much was lost in the end: nothing.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session, sessionmaker

from database import create_engine, migrations, session_factory, transaction
from engine import invariants
from engine.configuration import EngineConfiguration
from engine.models import ProcessInstance, UserTask
from tests.diagrams import chain, diagram, end, start, user
from tests.play import Player
from tests.postgresql import Cluster

#: Cases before the base backup, between it and the accident, and after the accident.
BEFORE, BETWEEN, AFTER = 20, 15, 5


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL that keeps its write-ahead log, as docs/operations.md has it."""
    cluster = Cluster(
        {
            "archive_mode": "on",
            # The working directory is that of the data.
            "archive_command": "mkdir -p ../wal && test ! -f ../wal/%f && cp %p ../wal/%f",
        }
    )
    yield cluster
    cluster.stop()


@pytest.fixture
def sessions(cluster: Cluster) -> Iterator[sessionmaker[Session]]:
    """Makes sessions on the cluster; connections that a stop of the server has cut are opened anew."""
    engine = create_engine(cluster.url(), pool_pre_ping=True)
    migrations.upgrade(engine)
    yield session_factory(engine, **EngineConfiguration().info())
    engine.dispose()


def test_the_company_goes_back_to_the_moment_before_an_accident(
    cluster: Cluster, sessions: sessionmaker[Session]
) -> None:
    player = Player(sessions)
    player.deploy(diagram(start(), user("first"), user("second"), end(), chain("start", "first", "second", "end")))
    kept = [player.start("p") for _ in range(BEFORE)]
    folder = str(cluster.folder)
    cluster.run("pg_basebackup", "-h", folder, "-U", "baton", "-D", f"{folder}/base", "-X", "none", "-c", "fast")
    kept += [player.start("p") for _ in range(BETWEEN)]
    kept[0].complete("first")
    with sessions() as session:
        moment = session.scalar(select(func.clock_timestamp()))
    assert moment is not None

    with sessions() as session, transaction(session):
        session.execute(text("TRUNCATE process_instance CASCADE"))
    lost = [player.start("p") for _ in range(AFTER)]
    destroyed = count(sessions)
    wait_until_archived(sessions)

    cluster.halt()
    shutil.rmtree(cluster.folder / "data")
    (cluster.folder / "base").rename(cluster.folder / "data")
    with (cluster.folder / "data" / "postgresql.auto.conf").open("a") as file:
        file.write("restore_command = 'cp ../wal/%f %p'\n")
        file.write(f"recovery_target_time = '{moment.isoformat()}'\n")
        file.write("recovery_target_action = 'promote'\n")
    (cluster.folder / "data" / "recovery.signal").touch()
    cluster.start()
    wait_until_promoted(sessions)

    with sessions() as session:
        there = set(session.scalars(select(ProcessInstance.key)))
        assert invariants.check(session) == []
    assert there == {case.key for case in kept}
    assert not there & {case.key for case in lost}
    assert kept[0].todo == ["second"]
    for case in kept:
        for element_id in ("first", "second")[case.todo == ["second"] :]:
            case.complete(element_id)
    assert {case.state for case in kept} == {"COMPLETED"}
    print(
        f"\npoint in time: {len(kept)} cases before the accident, {destroyed - AFTER} after it, {len(there)} after the "
        f"recovery, of which all were finished; lost: {len(kept) - len(there)}"
    )


def count(sessions: sessionmaker[Session]) -> int:
    """Return how many cases there are, each with its task."""
    with sessions() as session:
        cases = session.scalar(select(func.count()).select_from(ProcessInstance))
        assert cases == session.scalar(select(func.count()).select_from(UserTask))
        return cases or 0


def wait_until_archived(sessions: sessionmaker[Session]) -> None:
    """Let PostgreSQL begin a new file of its log, and wait until the last one is kept."""
    with sessions() as session:
        last = session.scalar(text("SELECT pg_walfile_name(pg_switch_wal())"))
        for _ in range(600):
            kept = session.scalar(text("SELECT last_archived_wal FROM pg_stat_archiver"))
            if kept is not None and kept >= last:
                return
            session.rollback()
            time.sleep(0.1)
    pytest.fail(f"{last} was not archived")


def wait_until_promoted(sessions: sessionmaker[Session]) -> None:
    """Wait until the recovery is over and the database can be written."""
    for _ in range(600):
        with sessions() as session:
            if not session.scalar(text("SELECT pg_is_in_recovery()")):
                return
        time.sleep(0.1)
    pytest.fail("the recovery did not end")
