"""What is special about PostgreSQL: texts cannot hold NUL."""

from __future__ import annotations

from typing import Any

from psycopg.types.string import StrDumper
from sqlalchemy import Engine, event


def prepare(engine: Engine) -> None:
    """Make `engine` send texts that PostgreSQL takes."""
    event.listen(engine, "connect", _open)


class _Text(StrDumper):
    """Sends U+FFFD in place of NUL, wherever in a statement: what is stored and what is looked for stay alike.

    FEEL, JSON and requests may all bring a NUL into a text, and nobody means one.
    """

    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace("\0", "\N{REPLACEMENT CHARACTER}") if "\0" in obj else obj)


def _open(connection: Any, record: object) -> None:
    connection.adapters.register_dumper(str, _Text)
