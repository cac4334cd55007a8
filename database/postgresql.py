"""What is special about PostgreSQL: round trips cost, connections break, texts cannot hold NUL, instants have zones.

Connections are in autocommit mode: whatever only reads needs no transaction, and a ROLLBACK after it would make the
driver forget the statements that it has prepared. Writing transactions and snapshots begin by a BEGIN of ours.

What a writing transaction sends without asking anything is not answered one by one: the server gets it at once, and
its answers are looked at with the next one that somebody waits for, at the latest that of the COMMIT (libpq's pipeline
mode). An error is raised there.
"""

from __future__ import annotations

import selectors
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Any

import psycopg
from psycopg import generators
from psycopg.pq import TransactionStatus
from psycopg.types.string import StrDumper
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DisconnectionError, OperationalError

from database.options import SNAPSHOT, WRITES
from database.prepared import told_as_sqlalchemy

#: A connection that nobody has used for so many seconds is asked whether it is still there.
_DOUBTED_AFTER_SECONDS = 5.0

_USED_AT = "baton_used_at"

#: Among the arguments of an engine's connections: a kind of SendingConnection that they shall be.
CONNECTION_CLASS = "baton_connection_class"

#: Severities of errors with which the server ends a connection.
_FATAL = ("FATAL", "PANIC")

#: Statements that a connection keeps prepared. The driver's hundred are fewer than a server process has in use.
_PREPARED = 400


def prepare(engine: Engine) -> None:
    """Make `engine` send texts that PostgreSQL takes, and get instants that Python takes."""
    event.listen(engine, "do_connect", _connect)
    event.listen(engine, "connect", _open)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "checkin", _note_use)
    event.listen(engine, "checkout", _doubt)


class SendingCursor(psycopg.Cursor[Any]):
    """A cursor of a SendingConnection: it waits for the answer to what it executes, unless it is told only to send."""

    connection: SendingConnection

    def execute(self, query: Any, *arguments: Any, **options: Any) -> SendingCursor:
        """Execute, and have the answer."""
        if isinstance(query, str) and query.startswith("ROLLBACK TO"):
            # The driver forgets what is prepared when it sees the answer, which must not come with the next one.
            self.connection.catch_up()
            options["prepare"] = False
        self._run(super().execute, query, *arguments, **options)
        return self

    def executemany(self, *arguments: Any, **options: Any) -> None:
        """Execute for each set of parameters, and have the answers."""
        self._run(super().executemany, *arguments, **options)

    def send(self, statement: str, parameters: Any) -> None:
        """Execute in a writing transaction without waiting: the answer comes with the next one that is waited for."""
        self._run(super().execute, statement, parameters, wait=not self.connection.writing)

    def send_many(self, statement: str, parameters: Any) -> None:
        """Send for each set of parameters."""
        self._run(super().executemany, statement, parameters, wait=not self.connection.writing)

    def _run(self, run: Callable[..., object], *arguments: Any, wait: bool = True, **options: Any) -> None:
        try:
            run(*arguments, **options)
            if wait:
                self.connection.settle()
        except psycopg.Error as error:
            self.connection.tidy(error)
            raise

    def copy(self, *arguments: Any, **options: Any) -> Any:
        """Copy rows in or out, which cannot be sent ahead."""
        self.connection.catch_up()
        return super().copy(*arguments, **options)


class SendingConnection(psycopg.Connection[Any]):
    """A connection whose writing transactions send ahead."""

    #: A writing transaction is open.
    writing = False
    #: A snapshot is open.
    _reading = False

    #: While this is there, answers are waited for when somebody asks for it. It stays when the transaction ends:
    #: leaving costs a round trip, and a statement that is waited for costs as much inside as outside.
    _ahead: AbstractContextManager[psycopg.Pipeline] | None = None
    _sent: psycopg.Pipeline | None = None

    def begin(self) -> None:
        """Begin a writing transaction, of which the server hears with its first statement."""
        if self.info.parameter_status("in_hot_standby") == "on":
            # Whoever comes next may get another server.
            self.close()
            raise psycopg.OperationalError("the server is a standby, which takes nothing")
        if self._ahead is None:
            ahead = self.pipeline()
            self._sent = ahead.__enter__()
            self._ahead = ahead
        self.writing = True
        with SendingCursor(self) as cursor:
            cursor.send("BEGIN READ WRITE", None)

    def begin_snapshot(self) -> None:
        """Begin a transaction that only reads, always the same state."""
        self.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        self._reading = True

    def settle(self) -> None:
        """Wait until everything that was sent is answered; raises the first error among the answers.

        This also ends the transaction that the server has made of statements outside of one.
        """
        if self._sent is not None:
            # What the socket did not take at once: while the server waits for the rest of it, no answer comes.
            if self.pgconn.flush():
                with self.lock:
                    self.wait(generators.send(self.pgconn))
            self._sent.sync()

    def catch_up(self) -> None:
        """Settle, and have each answer before the next statement is sent."""
        ahead, self._ahead, self._sent = self._ahead, None, None
        if ahead is not None:
            ahead.__exit__(None, None, None)

    def commit(self) -> None:
        """Commit; raises the first error of what was sent, and then the transaction is still to be rolled back.

        When the connection is closed then, nobody knows whether the transaction is committed.
        """
        if self.writing:
            # The driver's own commit believes libpq, which cannot know of a transaction before all is settled.
            # In words each time, so that whoever watches the wire sees it.
            with SendingCursor(self) as cursor:
                cursor.execute("COMMIT", prepare=False)
        else:
            super().commit()
        self.writing = self._reading = False

    def rollback(self) -> None:
        """Roll back; succeeds also when the connection is broken: PostgreSQL has done it by then.

        Else whoever has finished, and only gives the connection back, would be told that they have failed.
        """
        status = self.info.transaction_status
        if status is TransactionStatus.IDLE and not self.writing:
            return None
        if status is TransactionStatus.INTRANS and self._reading:
            # The same for who has only read, and the driver goes on knowing what is prepared.
            return self.commit()
        self.writing = self._reading = False
        # What comes after an error is answered by errors too.
        with suppress(psycopg.Error):
            self.catch_up()
        try:
            super().rollback()
        except psycopg.OperationalError:
            if not self.closed:
                raise

    def close(self) -> None:
        """Close; what is not committed is rolled back."""
        with suppress(psycopg.Error):
            self.catch_up()
        super().close()

    def tidy(self, error: psycopg.Error) -> None:
        """Leave the connection so that it can be used, or closed, after an error has come.

        With an error that is fatal the server ends the connection, which the driver would find out with the next
        statement only; it may even come after a commit has been done. After any other one the answers to what was sent
        behind it are taken, and the driver forgets what it believes to be prepared: it may not be.
        """
        if error.diag.severity_nonlocalized in _FATAL:
            self.close()
            return
        with suppress(psycopg.Error):
            self.catch_up()
        if self.info.transaction_status is TransactionStatus.IDLE:
            # A rollback does that, and needs a transaction.
            with suppress(psycopg.Error):
                super().execute("BEGIN")
                super().rollback()
        else:
            # The driver does that at a rollback of the whole transaction, but not at one to a savepoint.
            self._prepared.clear()

    def cursor(self, name: str = "", **options: Any) -> Any:
        """Return a new cursor; one with a name is the server's, which answers at once."""
        if name:
            self.catch_up()
        return super().cursor(name, **options)


def _connect(dialect: object, record: object, arguments: list[Any], options: dict[str, Any]) -> SendingConnection:
    kind: type[SendingConnection] = options.pop(CONNECTION_CLASS, SendingConnection)
    return kind.connect(*arguments, **options, autocommit=True, cursor_factory=SendingCursor)


class _Text(StrDumper):
    """Sends U+FFFD in place of NUL, wherever in a statement: what is stored and what is looked for stay alike.

    FEEL, JSON and requests may all bring a NUL into a text, and nobody means one.
    """

    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace("\0", "\N{REPLACEMENT CHARACTER}") if "\0" in obj else obj)


def _open(connection: SendingConnection, record: object) -> None:
    connection.adapters.register_dumper(str, _Text)
    connection.prepared_max = _PREPARED
    # East of Greenwich the last hours of the year 9999 are in a year that Python does not have.
    # What is asked lies in memory or on a disk without arms: with the cost of a disk that has them, PostgreSQL reads a
    # table of a million rows from end to end to find a thousand.
    # Whoever writes outside of a writing transaction, where each statement would be one of its own, is refused.
    connection.execute(
        "SET TIME ZONE 'UTC'; SET random_page_cost = 1.1; SET default_transaction_read_only = on",
    )


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    driver = connection.connection.driver_connection
    assert isinstance(driver, SendingConnection)
    with told_as_sqlalchemy(connection, "BEGIN"):
        if options.get(WRITES, False):
            driver.begin()
        elif options.get(SNAPSHOT, False):
            driver.begin_snapshot()


def _note_use(connection: object, record: Any) -> None:
    record.info[_USED_AT] = time.monotonic()


def _doubt(connection: SendingConnection, record: Any, proxy: object) -> None:
    """Replace a connection of the pool that broke; asking each time would cost a round trip."""
    used_at = record.info.get(_USED_AT)
    if connection.closed:
        raise _gone(used_at)
    # Something has come though nothing was asked: mostly that the server has gone.
    if not _told(connection) and (used_at is None or time.monotonic() - used_at < _DOUBTED_AFTER_SECONDS):
        return
    try:
        connection.execute("SELECT 1")
    except psycopg.Error as error:
        raise _gone(used_at) from error


def _gone(used_at: float | None) -> Exception:
    """Return what makes the pool open another connection; of one just opened, what everybody knows a broken one by."""
    if used_at is not None:
        return DisconnectionError()
    # The pool would give up after the second one, with an error that says nothing of a connection.
    broken = psycopg.OperationalError("the connection broke as soon as it was opened")
    return OperationalError("connect", None, broken, connection_invalidated=True)


def _told(connection: SendingConnection) -> bool:
    """Return whether something of the server waits to be read."""
    with selectors.DefaultSelector() as selector:
        selector.register(connection.fileno(), selectors.EVENT_READ)
        return bool(selector.select(0))
