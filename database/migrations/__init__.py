"""Migrations: the steps by which a database gets the tables that this version needs."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from database import advisory
from database.session import transaction

_DIRECTORY = Path(__file__).parent


def upgrade(engine: Engine) -> None:
    """Bring the database to the latest revision; does nothing when it is there already."""
    with transaction(Session(engine)) as session:
        # Several processes may start at once on a new database.
        advisory.hold(session, advisory.Kind.MIGRATION)
        command.upgrade(configuration(session.connection()), "head")


def current_revision(connection: Connection) -> str | None:
    """Return the revision that the database is at; None: it has no tables of ours yet."""
    return MigrationContext.configure(connection).get_current_revision()


@cache
def latest_revision() -> str | None:
    """Return the revision that this version of the code needs."""
    return ScriptDirectory.from_config(configuration()).get_current_head()


def configuration(connection: Connection | None = None) -> Config:
    """Return Alembic's settings, for work on `connection` if given."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_DIRECTORY))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config
