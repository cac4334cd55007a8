"""Databases to move to: empty ones of each kind, whatever kind the tests run on, and the repair shop that moves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from database import create_engine
from database.contents import digest, snapshot, tables
from tests.conftest import SOCKETS
from tests.databases import PostgresqlDatabases, SqliteFiles
from tests.library.conftest import database_template, play, shop
from tests.postgresql import Cluster

__all__ = [
    "both_kinds",
    "contents_of",
    "database_template",
    "of_other_kind",
    "of_same_kind",
    "play",
    "shop",
]

Kinds = dict[str, SqliteFiles | PostgresqlDatabases]


@pytest.fixture(scope="session")
def both_kinds(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kinds]:
    """Makers of empty databases by the name of their kind; PostgreSQL is started if the tests run on SQLite."""
    cluster = None if SOCKETS in pytestconfig.stash else Cluster()
    sockets = str(cluster.folder) if cluster else pytestconfig.stash[SOCKETS]
    worker = getattr(pytestconfig, "workerinput", {}).get("workerid", "main")
    on_postgresql = PostgresqlDatabases(sockets, f"moved_{worker}")
    yield {"sqlite": SqliteFiles(tmp_path_factory.mktemp("moved")), "postgresql": on_postgresql}
    on_postgresql.close()
    if cluster:
        cluster.stop()


@pytest.fixture
def of_other_kind(both_kinds: Kinds, database: Engine) -> str:
    """The address of an empty database of the kind that the test does not run on."""
    return both_kinds["sqlite" if database.dialect.name == "postgresql" else "postgresql"].create()


@pytest.fixture
def of_same_kind(both_kinds: Kinds, database: Engine) -> str:
    """The address of an empty database of the kind that the test runs on."""
    return both_kinds[database.dialect.name].create()


def contents_of(url: str) -> dict[str, tuple[int, str]]:
    """Return number and checksum of the rows of each table."""
    engine = create_engine(url)
    with snapshot(engine) as connection:
        found = {table.name: digest(connection, table) for table in tables(connection)}
    engine.dispose()
    return {name: (found.rows, found.checksum) for name, found in found.items()}
