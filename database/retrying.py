"""Retrying: what the database gave up for no fault of the transaction is done again by whoever has opened it."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from database.errors import OutcomeUnknown

_log = structlog.get_logger("baton.database")

_T = TypeVar("_T")

#: Attempts in all.
ATTEMPTS = 5
#: Seconds before the second attempt, at most; twice as many before each further one.
FIRST_PAUSE_SECONDS = 0.05
#: Seconds after which nothing is tried again: whoever waits for it has waited long enough.
LONGEST_SECONDS = 10.0

#: SQLSTATEs after which PostgreSQL has rolled everything back: serialization_failure, deadlock_detected.
_ROLLED_BACK = {"40001", "40P01"}


def retryable(error: BaseException) -> bool:
    """Return whether the transaction has left no trace and may succeed when it is done again."""
    if not isinstance(error, DBAPIError):
        return False
    # A connection that breaks during the commit raises OutcomeUnknown, which is no DBAPIError.
    if error.connection_invalidated or getattr(error.orig, "sqlstate", None) in _ROLLED_BACK:
        return True
    code: int = getattr(error.orig, "sqlite_errorcode", 0)
    return code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


#: SQLSTATEs of a PostgreSQL that cannot work whatever it is asked begin so, and these are SQLite's codes.
_AWAY_CLASSES = ("08", "53", "57P", "58")
_AWAY_SQLITE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_CORRUPT,
}


def away(error: BaseException) -> bool:
    """Return whether the database is at fault (away, full, shutting down) rather than what it was asked to do."""
    if isinstance(error, OutcomeUnknown):
        return True
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    if error.connection_invalidated or isinstance(error, InterfaceError):
        return True
    code: int | None = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _AWAY_SQLITE
    sqlstate: str | None = getattr(error.orig, "sqlstate", None)
    # No code at all: there was nobody to give one.
    return sqlstate is None or sqlstate.startswith(_AWAY_CLASSES)


def retrying(work: Callable[[], _T], *, again: Callable[[BaseException], bool] = retryable) -> _T:
    """Return what `work` returns, which is called again, after a random pause, while it raises what `again` accepts.

    `work` opens its own session and transaction, so that each attempt begins with nothing.
    """
    begun = time.monotonic()
    for attempt in range(1, ATTEMPTS):
        try:
            return work()
        except Exception as error:
            if not again(error) or time.monotonic() - begun > LONGEST_SECONDS:
                raise
            _log.info("transaction is tried again", attempt=attempt, error=str(error).splitlines()[0])
        # Of two that were in each other's way, one begins sooner.
        time.sleep(random.uniform(0, FIRST_PAUSE_SECONDS * 2 ** (attempt - 1)))  # noqa: S311 no secret
    return work()
