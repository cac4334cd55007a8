"""Migrations: the steps by which a database gets the tables that this version needs."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, Select, column, inspect, select, table
from sqlalchemy.orm import Session

from database import advisory
from database.session import transaction

if TYPE_CHECKING:
    from alembic.config import Config

_DIRECTORY = Path(__file__).parent

_PRESENT: Select[str] = select(column("version_num")).select_from(table("alembic_version"))


def upgrade(engine: Engine) -> None:
    """Bring the database to the latest revision; does nothing when it is there already."""
    with engine.connect() as connection:
        if current_revision(connection) == latest_revision():
            return
    with transaction(Session(engine)) as session:
        # Several processes may start at once on a new database.
        advisory.hold(session, advisory.Kind.MIGRATION)
        migrate(session.connection(), "head")


def migrate(connection: Connection, revision: str) -> None:
    """Bring the database of `connection` to a revision, `head` being the latest, inside of its transaction."""
    # Alembic takes long to load and is hardly ever needed: not at the start of a server whose database is up to date.
    from alembic import command

    command.upgrade(configuration(connection), revision)


def revisions() -> list[str]:
    """Return the revisions that this version of the code knows, the oldest first: they are numbered."""
    return sorted(path.name.partition("_")[0] for path in (_DIRECTORY / "versions").glob("[0-9]*_*.py"))


def current_revision(connection: Connection) -> str | None:
    """Return the revision that the database is at; None: it has no tables of ours yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    present: str | None = connection.scalar(_PRESENT)
    return present


@cache
def latest_revision() -> str | None:
    """Return the revision that this version of the code needs."""
    known = revisions()
    return known[-1] if known else None


def configuration(connection: Connection | None = None) -> Config:
    """Return Alembic's settings, for work on `connection` if given."""
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_DIRECTORY))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config
