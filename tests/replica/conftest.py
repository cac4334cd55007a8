"""A running PostgreSQL with a standby; each test has a database of its own in both."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count

import pytest
from psycopg import Connection
from sqlalchemy import make_url

from database import create_engine, migrations
from tests import postgresql
from tests.postgresql import Cluster
from web.configuration import Configuration

_GIVE_UP_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Pair:
    """A primary and its standby."""

    primary: Cluster
    standby: Cluster

    def replica_of(self, url: str) -> str:
        """Return the address of the copy that the standby has of a database."""
        name = make_url(url).database
        assert name is not None
        return self.standby.url(name)

    def catch_up(self) -> None:
        """Wait until the standby has everything."""
        with self._to(self.primary) as primary, self._to(self.standby) as standby:
            (wanted,) = primary.execute("SELECT pg_current_wal_insert_lsn()::text").fetchone() or ("",)
            give_up_at = time.monotonic() + _GIVE_UP_SECONDS
            while standby.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [wanted]).fetchone() != (True,):
                assert time.monotonic() < give_up_at, "The standby does not follow."
                time.sleep(0.01)

    def stand_still(self) -> None:
        """Let the standby keep what it has, and take nothing more for now."""
        self.catch_up()
        self._tell_standby("SELECT pg_wal_replay_pause()")
        with self._to(self.standby) as standby:
            while standby.execute("SELECT pg_get_wal_replay_pause_state()").fetchone() != ("paused",):
                time.sleep(0.01)

    def go_on(self) -> None:
        """Let the standby take what has come meanwhile."""
        self._tell_standby("SELECT pg_wal_replay_resume()")
        self.catch_up()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let no program of the standby run until the block ends, though its host goes on."""
        programs = self.standby.processes()
        for pid in programs:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in programs:
                os.kill(pid, signal.SIGCONT)

    def _tell_standby(self, statement: str) -> None:
        with self._to(self.standby) as standby:
            standby.execute(statement)

    @staticmethod
    def _to(cluster: Cluster) -> Connection[tuple[object, ...]]:
        return postgresql.connect(str(cluster.folder))


@pytest.fixture(scope="session")
def pair() -> Iterator[Pair]:
    """The two; the primary has a migrated database `baton`, to be copied."""
    primary = Cluster({"max_connections": "60"})
    try:
        with postgresql.connect(str(primary.folder)) as connection:
            connection.execute("CREATE DATABASE baton TEMPLATE template0")
        engine = create_engine(primary.url("baton"))
        migrations.upgrade(engine)
        engine.dispose()
        standby = Cluster({"max_connections": "60"}, standby_of=primary)
        yield Pair(primary, standby)
        standby.stop()
    finally:
        primary.stop()


_NUMBERS = count()


@pytest.fixture
def database_url(pair: Pair) -> Iterator[str]:
    """The address of this test's own database, in the primary."""
    name = f"test_{next(_NUMBERS)}"
    with postgresql.connect(str(pair.primary.folder)) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE baton')
        pair.catch_up()
        yield pair.primary.url(name)
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def configuration(configuration: Configuration, pair: Pair) -> Configuration:
    """Settings with a replica that may be old."""
    return replace(configuration, replica_url=pair.replica_of(configuration.database_url), replica_seconds=3600)
