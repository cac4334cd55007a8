"""What is special about PostgreSQL: connections break, texts cannot hold NUL, instants come in the session's zone."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.types.string import StrDumper
from sqlalchemy import Engine, event


def prepare(engine: Engine) -> None:
    """Make `engine` send texts that PostgreSQL takes, and get instants that Python takes."""
    event.listen(engine, "do_connect", _connect)
    event.listen(engine, "connect", _open)


class Connection(psycopg.Connection[Any]):
    """A connection of which a rollback succeeds also when it is broken: PostgreSQL has done it by then.

    Else whoever has finished, and only gives the connection back, would be told that they have failed.
    """

    def rollback(self) -> None:
        """Roll back."""
        try:
            super().rollback()
        except psycopg.OperationalError:
            if not self.closed:
                raise


def _connect(dialect: object, record: object, arguments: list[Any], options: dict[str, Any]) -> Connection:
    return Connection.connect(*arguments, **options)


class _Text(StrDumper):
    """Sends U+FFFD in place of NUL, wherever in a statement: what is stored and what is looked for stay alike.

    FEEL, JSON and requests may all bring a NUL into a text, and nobody means one.
    """

    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace("\0", "\N{REPLACEMENT CHARACTER}") if "\0" in obj else obj)


def _open(connection: Any, record: object) -> None:
    connection.adapters.register_dumper(str, _Text)
    # East of Greenwich the last hours of the year 9999 are in a year that Python does not have.
    connection.autocommit = True
    # What is asked lies in memory or on a disk without arms: with the cost of a disk that has them, PostgreSQL reads a
    # table of a million rows from end to end to find a thousand.
    connection.execute("SET TIME ZONE 'UTC'; SET random_page_cost = 1.1")
    connection.autocommit = False
