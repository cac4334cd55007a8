"""Where tests get their databases from: copies of a template, as files of SQLite or as databases of PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, make_url
from sqlalchemy.orm import Session

from database import create_engine, transaction
from tests import postgresql


class Databases(Protocol):
    """Makes databases for one process of the test run."""

    def create(self) -> str:
        """Make a database without tables and return its address."""

    def copy(self, url: str) -> str:
        """Make a copy of a database to which nobody is connected and return its address."""

    def drop(self, url: str) -> None:
        """Remove a database, whoever may still be connected."""


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Yield a connection whose one transaction is committed when the block ends."""
    with Session(engine) as session, transaction(session):
        yield session.connection()


def template(databases: Databases, fill: Callable[[Engine], object], source: str | None = None) -> str:
    """Make a database to be copied, from `source` or from nothing, let `fill` write into it, and return its address."""
    url = databases.copy(source) if source else databases.create()
    engine = create_engine(url)
    fill(engine)
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            # A copy is of one file: nothing may be left in the write-ahead log.
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return url


class SqliteFiles:
    """Databases that are files of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count()

    def create(self) -> str:
        return f"sqlite:///{self._folder / f'{next(self._numbers)}.sqlite'}"

    def copy(self, url: str) -> str:
        copy = self.create()
        shutil.copy(_path(url), _path(copy))
        return copy

    def drop(self, url: str) -> None:
        for ending in ("", "-wal", "-shm"):
            Path(f"{_path(url)}{ending}").unlink(missing_ok=True)


def _path(url: str) -> str:
    path = make_url(url).database
    assert path is not None
    return path


class PostgresqlDatabases:
    """Databases of one cluster; `prefix` tells those of one process of the test run from the others'."""

    def __init__(self, folder: str, prefix: str) -> None:
        self._folder = folder
        self._names = (f"{prefix}_{number}" for number in count())
        self._connection = postgresql.connect(folder)

    def create(self) -> str:
        return self._make("template0")

    def copy(self, url: str) -> str:
        source = make_url(url).database
        assert source is not None
        return self._make(source)

    def _make(self, source: str) -> str:
        name = next(self._names)
        self._connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{source}"')
        return postgresql.database_url(self._folder, name)

    def drop(self, url: str) -> None:
        self._connection.execute(f'DROP DATABASE "{make_url(url).database}" WITH (FORCE)')

    def close(self) -> None:
        """End the connection by which databases are made."""
        self._connection.close()
