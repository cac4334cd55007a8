"""Connections and sessions: how SQLite and PostgreSQL are opened, and what one transaction is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from database import postgresql, sqlite
from database.errors import OutcomeUnknown
from database.options import SNAPSHOT, WRITES


def create_engine(url: str, **options: Any) -> Engine:
    """Return an engine for the database at `url`, with the settings that our transactions rely on."""
    engine = sqlalchemy.create_engine(url, **options)
    prepare(engine)
    return engine


def prepare(engine: Engine) -> None:
    """Make `engine` follow our transaction rules; SQLite gets WAL, foreign keys, explicit BEGIN and a queue."""
    if engine.dialect.name == "sqlite":
        sqlite.prepare(engine)
    elif engine.dialect.name == "postgresql":
        postgresql.prepare(engine)


def session_factory(engine: Engine, **info: Any) -> sessionmaker[Session]:
    """Return a maker of sessions on `engine`; `info` is put into each session's `info`."""
    return sessionmaker(engine, info=info, expire_on_commit=False)


@contextmanager
def transaction(session: Session) -> Iterator[Session]:
    """Run a block as one writing transaction: all of it is committed, or on an exception none of it.

    Raises OutcomeUnknown when the connection broke while it was being committed.
    """
    _begin_to_write(session)
    try:
        yield session
        session.flush()
    except BaseException:
        session.rollback()
        raise
    _commit(session)


def _begin_to_write(session: Session) -> None:
    # What the request has read so far belongs to an older snapshot.
    session.rollback()
    session.connection(execution_options={WRITES: True})


def _commit(session: Session) -> None:
    try:
        session.commit()
    except DBAPIError as error:
        session.rollback()
        if error.connection_invalidated:
            raise OutcomeUnknown from error
        raise
    except BaseException:
        session.rollback()
        raise


@contextmanager
def rehearsal(session: Session) -> Iterator[Session]:
    """Run a block as one writing transaction of which nothing remains: what it would lead to can be read inside."""
    _begin_to_write(session)
    try:
        yield session
    finally:
        session.rollback()


@contextmanager
def snapshot(session: Session) -> Iterator[Session]:
    """Run a block that reads: each of its queries sees the same state, whatever others commit meanwhile."""
    session.rollback()
    session.connection(execution_options={SNAPSHOT: True})
    try:
        yield session
    finally:
        session.rollback()
