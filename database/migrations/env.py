"""What Alembic runs for each command: our tables, on the connection that the caller opened."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from database import Base
from database.migrations.tables import import_all

import_all()
connection = context.config.attributes["connection"]
assert isinstance(connection, Connection)
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    # SQLite cannot change a column: Alembic copies the table instead.
    render_as_batch=connection.dialect.name == "sqlite",
    user_module_prefix="database.",
)
with context.begin_transaction():
    context.run_migrations()
