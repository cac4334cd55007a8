"""Migrations make exactly the tables that the code declares."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from database import Base, create_engine, migrations
from database.migrations.tables import import_all


@pytest.fixture
def migrated(tmp_path: Path) -> Engine:
    """A database that has come into being by migrations alone."""
    engine = create_engine(f"sqlite:///{tmp_path / 'migrated.sqlite'}")
    migrations.upgrade(engine)
    return engine


def test_migrations_and_tables_in_the_code_agree(migrated: Engine) -> None:
    import_all()
    with migrated.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)

    assert differences == []


def test_partial_indexes_have_their_conditions(migrated: Engine, tmp_path: Path) -> None:
    declared = create_engine(f"sqlite:///{tmp_path / 'declared.sqlite'}")
    import_all()
    Base.metadata.create_all(declared)

    def indexes(engine: Engine) -> dict[str, str]:
        with engine.connect() as connection:
            rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql NOT NULL"))
            return {row.name: row.sql for row in rows}

    assert indexes(migrated) == indexes(declared)


def test_migrating_again_changes_nothing(migrated: Engine) -> None:
    before = inspect(migrated).get_table_names()

    migrations.upgrade(migrated)

    assert inspect(migrated).get_table_names() == before
    with migrated.connect() as connection:
        assert migrations.current_revision(connection) == migrations.latest_revision()
