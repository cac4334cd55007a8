"""Retrying: what the database gave up for no fault of the transaction is done again by whoever has opened it."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from sqlalchemy.exc import DBAPIError

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
