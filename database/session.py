"""Connections and sessions: how SQLite and PostgreSQL are opened, and what one transaction is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy
from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session, sessionmaker

#: Seconds that a writer waits for SQLite's one write lock before it gives up.
SQLITE_BUSY_SECONDS = 30

_WRITES = "baton_writes"


def create_engine(url: str, **options: Any) -> Engine:
    """Return an engine for the database at `url`, with the settings that our transactions rely on."""
    engine = sqlalchemy.create_engine(url, **options)
    prepare(engine)
    return engine


def prepare(engine: Engine) -> None:
    """Make `engine` follow our transaction rules; SQLite gets WAL, foreign keys and explicit BEGIN."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _open_sqlite)
        event.listen(engine, "begin", _begin_sqlite)


def _open_sqlite(connection: Any, record: object) -> None:
    # pysqlite's own BEGIN is late and deferred; ours is sent by `_begin_sqlite`.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA busy_timeout={SQLITE_BUSY_SECONDS * 1000}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that reads first cannot wait for the write lock (SQLITE_BUSY_SNAPSHOT), so a
    # transaction that will write takes the lock at once.
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def session_factory(engine: Engine, **info: Any) -> sessionmaker[Session]:
    """Return a maker of sessions on `engine`; `info` is put into each session's `info`."""
    return sessionmaker(engine, info=info, expire_on_commit=False)


@contextmanager
def transaction(session: Session) -> Iterator[Session]:
    """Run a block as one writing transaction: all of it is committed, or on an exception none of it."""
    # What the request has read so far (the signed-in user) belongs to an older snapshot.
    session.rollback()
    session.connection(execution_options={_WRITES: True})
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
