"""Many cases from one: the rows of a real case are copied with other keys and earlier dates, tokens included.

So a database is filled in minutes with what would take hours to play, and each copy is a case that can be worked on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from database import contents
from database.contents import Kind, Row, Table

#: Time between two copies, in which no case is played; each is older than the one before.
TIME_STEP = timedelta(seconds=10)
#: As much as keys rise in that time (see `engine.keys`).
_KEY_STEP = 10_000 << 22
#: Where keys have the number of the process that made them: copies of a case are told from it, and from others, by it.
_NODE = 12

#: May change the values of one row (by column name) of the copy with this number; False: it is left out.
Vary = Callable[[str, dict[str, Any], int], bool]

_NUMBER = re.compile(rb"\d{15,19}")


class Template:
    """The rows of one case, with everything that it called; `number` (from 1) tells it from other templates."""

    def __init__(self, connection: Connection, root_key: int, number: int) -> None:
        self._number = number
        self._rows: list[tuple[Table, list[Row]]] = []
        # Some tables of waits and of the past refer to nothing and come before the instances that they name.
        present = sorted(contents.tables(connection), key=lambda table: table.name != "process_instance")
        instances: list[int] = []
        keys: set[int] = set()
        for table in present:
            columns = table.clause().columns
            if table.name == "process_instance":
                condition = columns.root_key == root_key
            elif "instance_key" in columns and table.name not in ("message_correlation", "batch_operation_item"):
                condition = columns.instance_key.in_(instances)
            elif "task_key" in columns:
                condition = columns.task_key.in_(keys)
            else:
                continue
            rows = [tuple(row) for row in connection.execute(sa.select(*columns).where(condition))]
            names = [name for name, _ in table.columns]
            if "key" in names:
                keys.update(row[names.index("key")] for row in rows)
            if table.name == "process_instance":
                instances = [row[names.index("key")] for row in rows]
            if rows:
                self._rows.append((table, rows))
        self._keys = keys

    @property
    def size(self) -> dict[str, int]:
        """How many rows one case has in which table."""
        return {table.name: len(rows) for table, rows in self._rows}

    def multiply(self, connection: Connection, copies: range, vary: Vary | None = None) -> None:
        """Add the copies with these numbers, from 1; the caller's transaction must be one that writes."""
        for first in range(copies.start, copies.stop, 1_000):
            numbers = range(first, min(first + 1_000, copies.stop))
            for table, rows in self._rows:
                contents.write(connection, table, list(self._copies(table, rows, numbers, vary)))

    def _copies(self, table: Table, rows: list[Row], numbers: range, vary: Vary | None) -> Iterator[Row]:
        names = [name for name, _ in table.columns]
        kinds = [kind for _, kind in table.columns]
        for number in numbers:
            for row in rows:
                copy = tuple(self._moved(value, kind, number) for value, kind in zip(row, kinds, strict=True))
                if vary is not None:
                    values = dict(zip(names, copy, strict=True))
                    if not vary(table.name, values, number):
                        continue
                    copy = tuple(values.values())
                yield copy

    def _moved(self, value: Any, kind: Kind, number: int) -> Any:
        if value is None:
            return None
        if kind is Kind.INTEGER:
            return (value ^ self._number << _NODE) - number * _KEY_STEP if value in self._keys else value
        if kind is Kind.INSTANT:
            return value - number * TIME_STEP
        if kind is Kind.BYTES:
            return _NUMBER.sub(lambda found: str(self._moved(int(found[0]), Kind.INTEGER, number)).encode(), value)
        return value
