"""Locks on what has no row: on a name, until the transaction ends."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from zlib import crc32

from sqlalchemy import text
from sqlalchemy.orm import Session

#: Locks of one kind. They bound what a transaction that holds thousands of names takes of the server's lock table; two
#: names that share a lock wait for each other once in a while, and nothing else.
_LOCKS = 1024

# In the order of their numbers, so that two transactions never wait for each other's second lock.
_HOLD = text("SELECT pg_advisory_xact_lock(:kind, number) FROM unnest(cast(:numbers AS int[])) AS number")
_SHARE = text("SELECT pg_advisory_xact_lock_shared(:kind, number) FROM unnest(cast(:numbers AS int[])) AS number")


class Kind(IntEnum):
    """What names are names of."""

    MIGRATION = 1
    DEPLOYMENT = 2
    MESSAGE = 3
    PEOPLE = 4
    SIGN_IN = 5


def hold(session: Session, kind: Kind, names: Iterable[str] = ("",), *, shared: bool = False) -> None:
    """Keep other transactions that hold one of the names out until this one ends; those that share it get in.

    What is read after this has been committed by the last holder. On SQLite a transaction that writes keeps all others
    out anyway.
    """
    connection = session.connection()
    numbers = sorted({crc32(name.encode()) % _LOCKS for name in names})
    if numbers and connection.dialect.name == "postgresql":
        connection.execute(_SHARE if shared else _HOLD, {"kind": int(kind), "numbers": numbers})
