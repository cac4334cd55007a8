"""Moves all rows from one database to another, of the same or of another kind: all of them, or none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from database import contents, migrations
from database.contents import Digest, Table
from database.errors import Damaged, NotEmpty, WrongRevision
from database.session import transaction


@dataclass(frozen=True, slots=True)
class Copied:
    """One table after it was copied and read back."""

    table: str
    rows: int
    checksum: str


def copy(source: Engine, target: Engine, done: Callable[[Copied], None]) -> list[Copied]:
    """Copy every row of one snapshot of `source` into the empty database `target`, which is migrated first.

    `done` is told of each table as soon as it is proved: the rows were read back from the target, and their number and
    checksum are those of the source. One transaction on the target: when anything fails, it stays empty.
    Raises WrongRevision, NotEmpty, Unstorable, Damaged.
    """
    with contents.snapshot(source) as reading:
        revision = migrations.current_revision(reading)
        if revision is None:
            raise WrongRevision("The source has no tables of Baton.")
        if revision != migrations.latest_revision():
            raise WrongRevision(
                f"The source is at revision {revision}, this version of Baton works with "
                f"{migrations.latest_revision()}: run `baton db upgrade` on the source first."
            )
        with target.connect() as connection:
            _refuse_rows(connection, contents.tables(connection))
        migrations.upgrade(target)
        present = contents.tables(reading)
        with transaction(Session(target)) as session:
            writing = session.connection()
            there = contents.tables(writing)
            _refuse_other_tables(present, there)
            contents.lock(writing, there)
            _refuse_rows(writing, there)
            copied = []
            for table in present:
                copied.append(_copy(reading, writing, table))
                done(copied[-1])
            contents.settle(writing, present)
    if target.dialect.name == "postgresql":
        # Its planner would otherwise know nothing of the rows for about a minute.
        with target.connect() as connection:
            connection.execute(sa.text("ANALYZE"))
    return copied


def _copy(reading: Connection, writing: Connection, table: Table) -> Copied:
    read = Digest()
    for rows in contents.read(reading, table):
        contents.write(writing, table, rows)
        read.add(rows)
    prove(writing, table, read.rows, read.checksum)
    return Copied(table.name, read.rows, read.checksum)


def prove(connection: Connection, table: Table, rows: int, checksum: str) -> None:
    """Read a table back; raises Damaged when its rows are not those that were meant."""
    found = contents.digest(connection, table)
    if (found.rows, found.checksum) != (rows, checksum):
        raise Damaged(
            f"Table {table.name} was read back as {found.rows} rows with checksum {found.checksum}, but "
            f"{rows} rows with checksum {checksum} were written. Nothing was kept."
        )


def _refuse_rows(connection: Connection, present: list[Table]) -> None:
    filled = contents.first_not_empty(connection, present)
    if filled is not None:
        raise NotEmpty(f"The target is not empty: table {filled} has rows. Give an empty database.")


def _refuse_other_tables(source: list[Table], target: list[Table]) -> None:
    there = {table.name: set(table.columns) for table in target}
    for table in source:
        if there.get(table.name) != set(table.columns):
            raise WrongRevision(f"Table {table.name} of the source does not exist like this in a database of Baton.")
