"""A throw-away database for benchmarks: a real SQLite file with the real tables."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.orm import Session, sessionmaker

from database import Base, create_engine, session_factory
from database.migrations.tables import import_all
from engine.configuration import EngineConfiguration


@contextmanager
def database() -> Iterator[sessionmaker[Session]]:
    """Yield a maker of sessions on a new database, which is deleted afterwards."""
    import_all()
    with tempfile.TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite:///{Path(folder) / 'baton.sqlite'}")
        Base.metadata.create_all(engine)
        yield session_factory(engine, **EngineConfiguration().info())
        engine.dispose()
