"""SQLite as we use it: write-ahead log, explicit BEGIN, and writers that queue instead of trying again."""

from __future__ import annotations

import os
import sqlite3
from typing import Any

from sqlalchemy import Connection, Engine, event

from database.options import WRITES

try:
    import fcntl
except ImportError:  # Windows: writers wait by SQLite's own means, which is slower and less fair
    fcntl = None  # type: ignore[assignment]

#: Seconds that a writer waits for SQLite's one write lock before it gives up.
BUSY_SECONDS = 30

#: Added to the name of the database file: the file on whose lock writers queue.
_QUEUE_SUFFIX = "-queue"


class QueuedConnection(sqlite3.Connection):
    """A connection whose writing transactions queue at a file lock.

    SQLite itself lets a writer that finds the database locked sleep and try again, up to a tenth of a second at a time
    and in no order. The operating system wakes the next one in the queue at once, in whatever process it is, and gives
    up the place of a process that dies.
    """

    _queue_file: int | None = None
    _first_in_queue = False

    def wait_for_turn(self) -> None:
        """Wait until all who came before have committed or rolled back."""
        if fcntl is None or self._first_in_queue:
            return
        if self._queue_file is None:
            self._queue_file = self._open_queue()
        if self._queue_file is not None:
            fcntl.flock(self._queue_file, fcntl.LOCK_EX)
            self._first_in_queue = True

    def commit(self) -> None:
        """Commit, and let the next writer in; after a failure the transaction goes on until it is rolled back."""
        super().commit()
        self.let_next_in()

    def rollback(self) -> None:
        """Roll back, and let the next writer in."""
        try:
            super().rollback()
        finally:
            self.let_next_in()

    def close(self) -> None:
        """Close; what was not committed is rolled back."""
        try:
            super().close()
        finally:
            self.let_next_in()
            if self._queue_file is not None:
                os.close(self._queue_file)
                self._queue_file = None

    def _open_queue(self) -> int | None:
        path = self.execute("PRAGMA database_list").fetchone()[2]
        # A database in memory has no name, and no other process.
        return os.open(path + _QUEUE_SUFFIX, os.O_RDWR | os.O_CREAT, 0o600) if path else None

    def let_next_in(self) -> None:
        """Give up the place in the queue."""
        if self._first_in_queue and self._queue_file is not None:
            fcntl.flock(self._queue_file, fcntl.LOCK_UN)
        self._first_in_queue = False


def prepare(engine: Engine) -> None:
    """Let the connections of `engine` queue for writing, and give them our settings."""
    event.listen(engine, "do_connect", _use_queue)
    event.listen(engine, "connect", _open)
    event.listen(engine, "begin", _begin)


def _use_queue(dialect: object, record: object, arguments: object, options: dict[str, Any]) -> None:
    options["factory"] = QueuedConnection


def _open(connection: QueuedConnection, record: object) -> None:
    # pysqlite's own BEGIN is late and deferred; ours is sent by `_begin`.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
    cursor.close()


def _begin(connection: Connection) -> None:
    # A deferred transaction that reads first cannot wait for the write lock (SQLITE_BUSY_SNAPSHOT), so a
    # transaction that will write takes the lock at once.
    if connection.get_execution_options().get(WRITES, False):
        driver = connection.connection.driver_connection
        assert isinstance(driver, QueuedConnection)
        driver.wait_for_turn()
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except BaseException:
            driver.let_next_in()
            raise
    else:
        connection.exec_driver_sql("BEGIN")
