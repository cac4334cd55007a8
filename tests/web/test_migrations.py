"""Migrations make exactly the tables that the code declares."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from database import Base, create_engine, migrations, session_factory
from database.migrations.tables import import_all
from tests.databases import Databases, writing
from tests.diagrams import chain, diagram, end, start, user
from tests.play import Player

_INDEXES = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql NOT NULL",
    "postgresql": "SELECT indexname AS name, indexdef AS sql FROM pg_indexes "
    "WHERE schemaname = 'public' AND tablename <> 'alembic_version'",
}


@pytest.fixture
def new_database(databases: Databases) -> Iterator[Callable[[], Engine]]:
    """Makes databases without tables."""
    made: list[Engine] = []

    def make() -> Engine:
        made.append(create_engine(databases.create()))
        return made[-1]

    yield make
    for engine in made:
        engine.dispose()
        databases.drop(engine.url.render_as_string())


@pytest.fixture
def migrated(new_database: Callable[[], Engine]) -> Engine:
    """A database that has come into being by migrations alone."""
    engine = new_database()
    migrations.upgrade(engine)
    return engine


def test_migrations_and_tables_in_the_code_agree(migrated: Engine) -> None:
    import_all()
    with migrated.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)

    assert differences == []


def test_partial_indexes_have_their_conditions(migrated: Engine, new_database: Callable[[], Engine]) -> None:
    declared = new_database()
    import_all()
    with writing(declared) as connection:
        Base.metadata.create_all(connection)

    def indexes(engine: Engine) -> dict[str, str]:
        with engine.connect() as connection:
            rows = connection.execute(text(_INDEXES[engine.dialect.name]))
            return {row.name: row.sql for row in rows}

    assert indexes(migrated) == indexes(declared)


def test_migrating_again_changes_nothing(migrated: Engine) -> None:
    before = inspect(migrated).get_table_names()

    migrations.upgrade(migrated)

    assert inspect(migrated).get_table_names() == before
    with migrated.connect() as connection:
        assert migrations.current_revision(connection) == migrations.latest_revision()


#: Since this revision every migration is tried with a case that runs, forward and back.
_TRIED_SINCE = "0011"


@pytest.mark.parametrize("revision", [known for known in migrations.revisions() if known >= _TRIED_SINCE][:-1])
def test_a_case_goes_on_after_the_migration(migrated: Engine, revision: str) -> None:
    player = Player(session_factory(migrated))
    player.deploy(diagram(start(), user("one"), user("two"), end(), chain("start", "one", "two", "end")))
    case = player.start("p", {"plate": "粤B12345"})
    case.complete("one")

    for there in (revision, "head"):
        with writing(migrated) as connection:
            if there == "head":
                migrations.migrate(connection, there)
            else:
                command.downgrade(migrations.configuration(connection), there)

    with migrated.connect() as connection:
        assert migrations.current_revision(connection) == migrations.latest_revision()
    case.complete("two")
    assert (case.state, case.variables) == ("COMPLETED", {"plate": "粤B12345"})


def test_the_latest_revision_is_the_end_of_one_chain() -> None:
    chain = ScriptDirectory.from_config(migrations.configuration())

    assert migrations.latest_revision() == chain.get_current_head()
    assert migrations.revisions() == [script.revision for script in chain.walk_revisions()][::-1]
