"""Connections and sessions: how SQLite and PostgreSQL are opened, and what one transaction is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from database import sqlite


def create_engine(url: str, **options: Any) -> Engine:
    """Return an engine for the database at `url`, with the settings that our transactions rely on."""
    engine = sqlalchemy.create_engine(url, **options)
    prepare(engine)
    return engine


def prepare(engine: Engine) -> None:
    """Make `engine` follow our transaction rules; SQLite gets WAL, foreign keys, explicit BEGIN and a queue."""
    if engine.dialect.name == "sqlite":
        sqlite.prepare(engine)


def session_factory(engine: Engine, **info: Any) -> sessionmaker[Session]:
    """Return a maker of sessions on `engine`; `info` is put into each session's `info`."""
    return sessionmaker(engine, info=info, expire_on_commit=False)


@contextmanager
def transaction(session: Session) -> Iterator[Session]:
    """Run a block as one writing transaction: all of it is committed, or on an exception none of it."""
    # What the request has read so far (the signed-in user) belongs to an older snapshot.
    session.rollback()
    session.connection(execution_options={sqlite.WRITES: True})
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise


@contextmanager
def rehearsal(session: Session) -> Iterator[Session]:
    """Run a block as one writing transaction of which nothing remains: what it would lead to can be read inside."""
    session.rollback()
    session.connection(execution_options={sqlite.WRITES: True})
    try:
        yield session
    finally:
        session.rollback()
