"""The database room: the declarative base, column types, sessions and migrations that every other room shares."""

from database.base import Base, Instant, Json, Key
from database.jsontext import dumps, loads
from database.session import create_engine, rehearsal, session_factory, snapshot, transaction

__all__ = [
    "Base",
    "Instant",
    "Json",
    "Key",
    "create_engine",
    "dumps",
    "loads",
    "rehearsal",
    "session_factory",
    "snapshot",
    "transaction",
]
