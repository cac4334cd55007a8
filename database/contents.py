"""All rows of a database, table by table: read from one snapshot, written in batches, proved equal by a digest.

Nothing here knows what a table is for: tables and columns are what the database itself says it has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import Any

import psycopg
import psycopg.sql
import sqlalchemy as sa
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from database.base import Instant
from database.errors import Unstorable
from database.session import snapshot as session_snapshot

#: Rows held in memory at a time.
BATCH = 2_000

#: Alembic's own table: which revision the other tables are at.
REVISION_TABLE = "alembic_version"

Row = tuple[Any, ...]


class Kind(StrEnum):
    """What a column holds; the same words for every kind of database."""

    INTEGER = "integer"
    REAL = "real"
    BOOLEAN = "boolean"
    TEXT = "text"
    BYTES = "bytes"
    INSTANT = "instant"


#: How values travel. JSON is text here: written again from its parsed form it might not be the same text.
_TYPES: dict[Kind, TypeEngine[Any]] = {
    Kind.INTEGER: sa.BigInteger(),
    Kind.REAL: sa.Double(),
    Kind.BOOLEAN: sa.Boolean(),
    Kind.TEXT: sa.Text(),
    Kind.BYTES: sa.LargeBinary(),
    Kind.INSTANT: Instant(),
}

#: Which declared type is of which kind; the first that fits.
_KINDS: tuple[tuple[type[TypeEngine[Any]], Kind], ...] = (
    (sa.Boolean, Kind.BOOLEAN),
    (sa.Integer, Kind.INTEGER),
    (sa.Float, Kind.REAL),
    (sa.DateTime, Kind.INSTANT),
    (sa.LargeBinary, Kind.BYTES),
    (sa.String, Kind.TEXT),
)


@dataclass(frozen=True, slots=True)
class Table:
    """A table and the kinds of its columns, in the database's order."""

    name: str
    columns: tuple[tuple[str, Kind], ...]

    def clause(self) -> sa.TableClause:
        """Return the table as statements name it."""
        return sa.table(self.name, *(sa.column(name, _TYPES[kind]) for name, kind in self.columns))


class Digest:
    """Number and checksum of a table's rows, the same in whatever order and from whatever database they come."""

    def __init__(self) -> None:
        self.rows = 0
        self._sum = 0

    def add(self, rows: Iterable[Row]) -> None:
        """Take these rows into account."""
        for row in rows:
            self.rows += 1
            self._sum += int.from_bytes(blake2b(repr(row).encode("utf-8", "surrogatepass"), digest_size=16).digest())

    @property
    def checksum(self) -> str:
        """The sum of the rows' hashes, as 32 hexadecimal digits."""
        return f"{self._sum % (1 << 128):032x}"


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """Yield a connection that goes on seeing the database as it is now, and keeps nobody from writing."""
    with Session(engine) as session, session_snapshot(session):
        yield session.connection()


def tables(connection: Connection) -> list[Table]:
    """Return all tables, those that others refer to first; raises Unstorable for a column of an unknown kind."""
    inspector = sa.inspect(connection)
    parts = _partitions(connection)
    names = [name for name, _ in inspector.get_sorted_table_and_fkc_names() if name is not None]
    return [
        Table(name, tuple((column["name"], _kind(name, column)) for column in inspector.get_columns(name)))
        for name in names
        if name != REVISION_TABLE and name not in parts
    ]


def _partitions(connection: Connection) -> set[str]:
    """Return the tables that are only a part of another one."""
    if connection.dialect.name != "postgresql":
        return set()
    return set(connection.scalars(sa.text("SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'")))


def _kind(table: str, column: Any) -> Kind:
    for declared, kind in _KINDS:
        if isinstance(column["type"], declared):
            return kind
    raise Unstorable(f"Table {table} has a column {column['name']} of the unknown type {column['type']!r}.")


def read(connection: Connection, table: Table) -> Iterator[list[Row]]:
    """Yield the rows of a table in batches, in no particular order."""
    clause = table.clause()
    result = connection.execute(sa.select(*clause.columns), execution_options={"yield_per": BATCH})
    for part in result.partitions():
        yield [tuple(row) for row in part]


def write(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Add rows to a table; raises Unstorable when this kind of database cannot keep one of them."""
    try:
        if connection.dialect.name == "postgresql":
            _copy_in(connection, table, rows)
        else:
            names = [name for name, _ in table.columns]
            connection.execute(sa.insert(table.clause()), [dict(zip(names, row, strict=True)) for row in rows])
    except (psycopg.DataError, psycopg.IntegrityError, DataError, IntegrityError) as error:
        raise Unstorable(_why(table, error)) from error


def _copy_in(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    columns = psycopg.sql.SQL(", ").join(psycopg.sql.Identifier(name) for name, _ in table.columns)
    statement = psycopg.sql.SQL("COPY {} ({}) FROM STDIN").format(psycopg.sql.Identifier(table.name), columns)
    texts = [number for number, (_, kind) in enumerate(table.columns) if kind is Kind.TEXT]
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            for number in texts:
                if isinstance(row[number], str) and "\x00" in row[number]:
                    # Our connections would send another character in its place.
                    raise Unstorable(
                        f"Table {table.name}, column {table.columns[number][0]}, row {row[0]}: the text has a NUL "
                        "character, which PostgreSQL cannot keep. Change the value in the source and try again."
                    )
            copy.write_row(row)


def _why(table: Table, error: Exception) -> str:
    context = error.diag.context if isinstance(error, psycopg.Error) else None
    return f"Table {table.name}: {error}" + (f" ({context})" if context and context not in str(error) else "")


def digest(connection: Connection, table: Table) -> Digest:
    """Return number and checksum of the rows that the table has."""
    found = Digest()
    for rows in read(connection, table):
        found.add(rows)
    return found


def first_not_empty(connection: Connection, present: Iterable[Table]) -> str | None:
    """Return the name of a table that has rows; None: there is none."""
    for table in present:
        if connection.scalar(sa.select(sa.exists(sa.select(sa.literal(1)).select_from(table.clause())))):
            return table.name
    return None


def lock(connection: Connection, present: Sequence[Table]) -> None:
    """Keep others from writing until the transaction ends; on SQLite a writing transaction does so anyway."""
    if connection.dialect.name == "postgresql" and present:
        quote = connection.dialect.identifier_preparer.quote
        names = ", ".join(quote(table.name) for table in present)
        connection.execute(sa.text(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE"))


def settle(connection: Connection, present: Sequence[Table]) -> None:
    """Do what follows after many rows were written: counters of serial columns go on behind the largest value."""
    if connection.dialect.name != "postgresql":
        return
    for table in present:
        for name, kind in table.columns:
            if kind is not Kind.INTEGER:
                continue
            counter = connection.scalar(sa.select(sa.func.pg_get_serial_sequence(table.name, name)))
            if counter is not None:
                largest = connection.scalar(sa.select(sa.func.max(table.clause().columns[name])))
                if largest is not None:
                    connection.execute(sa.select(sa.func.setval(counter, largest)))
