"""Statements that are compiled once: what the engine runs thousands of times a second.

SQLAlchemy looks a statement up by its shape each time that it is executed, and prepares for every kind of result;
measured, that is two thirds of the work of one statement on PostgreSQL and half of it on SQLite.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from sqlalchemy import Connection, Delete, Dialect, Insert, Select, Update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.schema import ScalarElementColumnDefault

Row = Mapping[str, Any]
Rows = list[Sequence[Any]]


class _Compiled:
    """A statement in the words of one kind of database."""

    def __init__(self, statement: Insert | Update | Delete | Select[*tuple[Any, ...]], dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        assert isinstance(compiled, SQLCompiler)
        self.text = str(compiled)
        self._positional = compiled.positional
        self._fixed = {name: value for name, value in compiled.params.items() if value is not None}
        for left_out in compiled.insert_prefetch:
            default = left_out.default
            assert isinstance(default, ScalarElementColumnDefault), f"{left_out} has a default that must be given"
            self._fixed[left_out.key] = default.arg
        self._processors: dict[str, Callable[[Any], Any]] = dict(compiled._bind_processors)  # type: ignore[arg-type]
        self._names: tuple[str, ...] = tuple(compiled.positiontup or compiled.params)
        self._results: list[tuple[int, Callable[[Any], Any]]] = []
        for index, column in enumerate(compiled._result_columns or ()):
            processor = column.type.dialect_impl(dialect).result_processor(dialect, None)
            if processor is not None:
                self._results.append((index, processor))

    def bind(self, row: Row) -> Any:
        """Return the parameters as the driver wants them."""
        if self._positional:
            return [self._value(row, name) for name in self._names]
        return {name: self._value(row, name) for name in self._names}

    def read(self, cursor: Any) -> Rows:
        """Return the rows that are the cursor's answer, as the columns' types want them."""
        found: Rows = cursor.fetchall()
        if not self._results:
            return found
        lists = [list(row) for row in found]
        for values in lists:
            for index, processor in self._results:
                values[index] = processor(values[index])
        return list(lists)

    def _value(self, row: Row, name: str) -> Any:
        value = row[name] if name in row else self._fixed[name]
        processor = self._processors.get(name)
        return value if processor is None else processor(value)


class Prepared:
    """A statement whose parameters are given by name."""

    def __init__(self, statement: Insert | Update | Delete | Select[*tuple[Any, ...]]) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def execute(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Run a statement that writes for each row, in the connection's transaction; raises SQLAlchemy's errors.

        On PostgreSQL the error may come with a later statement, at the latest with the commit (`database.postgresql`).
        """
        compiled = self._for(connection.dialect)
        with _cursor(connection, compiled.text) as cursor:
            if len(rows) == 1:
                getattr(cursor, "send", cursor.execute)(compiled.text, compiled.bind(rows[0]))
            else:
                many = getattr(cursor, "send_many", cursor.executemany)
                many(compiled.text, [compiled.bind(row) for row in rows])

    def rows(self, connection: Connection, **parameters: Any) -> Rows:
        """Return what a query finds, each row in the order of its columns; raises SQLAlchemy's errors."""
        compiled = self._for(connection.dialect)
        with _cursor(connection, compiled.text) as cursor:
            cursor.execute(compiled.text, compiled.bind(parameters))
            return compiled.read(cursor)

    def scalar(self, connection: Connection, **parameters: Any) -> Any:
        """Return the first column of the first row that a query finds, or None; raises SQLAlchemy's errors."""
        found = self.rows(connection, **parameters)
        return found[0][0] if found else None

    def _for(self, dialect: Dialect) -> _Compiled:
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = _Compiled(self._statement, dialect)
        return compiled


def together(connection: Connection, *asked: tuple[Prepared, Row]) -> list[Rows]:
    """Return what each of several queries finds, one after the other.

    On PostgreSQL, inside of a writing transaction, they are one round trip.
    """
    last = len(asked) - 1
    with ExitStack() as opened:
        answers = []
        for number, (prepared, parameters) in enumerate(asked):
            compiled = prepared._for(connection.dialect)
            cursor = opened.enter_context(_cursor(connection, compiled.text))
            send = cursor.execute if number == last else getattr(cursor, "send", cursor.execute)
            send(compiled.text, compiled.bind(parameters))
            answers.append((compiled, cursor))
        return [compiled.read(cursor) for compiled, cursor in answers]


@contextmanager
def _cursor(connection: Connection, text: str) -> Iterator[Any]:
    with told_as_sqlalchemy(connection, text):
        cursor = connection.connection.cursor()
        try:
            yield cursor
        finally:
            cursor.close()


@contextmanager
def told_as_sqlalchemy(connection: Connection, text: str) -> Iterator[None]:
    """Raise the driver's errors as SQLAlchemy does, so that whoever catches them need not know who met them."""
    dialect = connection.dialect
    driver = dialect.loaded_dbapi
    assert driver is not None
    try:
        yield
    except driver.Error as error:
        lost = dialect.is_disconnect(error, connection.connection, None)
        raise DBAPIError.instance(
            text, None, error, driver.Error, dialect=dialect, connection_invalidated=lost
        ) from error
