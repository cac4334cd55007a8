"""A replica: a standby of PostgreSQL that answers what may be a moment old, so that the primary has less to do.

Whatever it does not answer well is asked of the primary, so it is never worth waiting for.
"""

from __future__ import annotations

import time
from enum import StrEnum
from threading import Lock
from typing import Any

import psycopg
import structlog
from sqlalchemy import Connection, Engine, event, extract, func, select
from sqlalchemy.exc import SQLAlchemyError

from database.errors import ReplicaUnfit
from database.postgresql import CONNECTION_CLASS, SendingConnection
from database.session import create_engine

_log = structlog.get_logger("baton.database")

#: Seconds for which holds what was found of the standby at the other end of a connection.
_HOLDS_SECONDS = 1.0

#: Seconds for which it is left alone after it has failed; twice as many each further time, up to the other number.
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 5.0, 60.0

#: Seconds that an answer may take. The standby gives a query up a little sooner by itself.
_PATIENCE_SECONDS = 4.0

_OPTIONS = {"connect_timeout": 2, "tcp_user_timeout": 5000, "keepalives_idle": 10, "keepalives_interval": 5}

#: SQLSTATEs by which a standby that is well gives one query up: it was in the way of what is replayed, or too slow.
_OF_ONE_QUERY = ("40001", "40P01", "57014")

_IDENTITY = (
    select(func.pg_control_system().table_valued("system_identifier").c.system_identifier)
    .scalar_subquery()
    .label("cluster"),
    func.current_database().label("name"),
)
_WHICH = select(*_IDENTITY)
_LOOK = select(
    func.pg_is_in_recovery().label("standby"),
    # How much of the log has come says nothing: where the network is cut, no more comes, and all of it is replayed.
    extract("epoch", func.clock_timestamp() - func.pg_last_xact_replay_timestamp()).label("seconds"),
    *_IDENTITY,
)

_LOOKED_AT = "baton_looked_at"


class ReplicaState(StrEnum):
    """What a process has found of a replica."""

    #: Nobody has looked yet.
    UNKNOWN = "unknown"
    FOLLOWS = "follows"
    #: It does not answer, or is unfit.
    LEFT_ALONE = "left alone"


class _ImpatientConnection(SendingConnection):
    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for an answer, but not for long: without one, or with an error, the connection is ended.

        The kernel of a host whose programs are frozen would keep it open for ever.
        """
        try:
            return super().wait(gen, interval, _PATIENCE_SECONDS if timeout is None else timeout)
        except psycopg.OperationalError:
            self.pgconn.finish()
            raise


class Replica:
    """A replica of the database `of`; it is asked as long as its last commit is at most `most_seconds` old.

    Workers commit something every few seconds, so that a replica which follows is not older than that.
    """

    def __init__(self, url: str, most_seconds: float, *, of: Engine) -> None:
        self.engine = create_engine(url, connect_args={**_OPTIONS, CONNECTION_CLASS: _ImpatientConnection})
        event.listen(self.engine, "connect", _hurry)
        self._of = of
        self._most_seconds = most_seconds
        #: What was found last.
        self.state = ReplicaState.UNKNOWN
        self._which: tuple[int, str] | None = None
        self._pause = _FIRST_PAUSE_SECONDS
        self._look_again_at = 0.0
        self._lock = Lock()

    def may_be_asked(self) -> bool:
        """Return whether it follows as far as is known, or is to be tried again, which only one at a time does."""
        if self.state is ReplicaState.FOLLOWS:
            return True
        with self._lock:
            now = time.monotonic()
            if now < self._look_again_at:
                return False
            self._look_again_at = now + self._pause
            return True

    def look(self, connection: Connection) -> None:
        """Look whether this connection leads to a standby of our database that follows, unless it did a moment ago.

        Raises ReplicaUnfit, and SQLAlchemy's errors.
        """
        looked_at: float | None = connection.info.get(_LOOKED_AT)
        if looked_at is not None and time.monotonic() - looked_at < _HOLDS_SECONDS:
            return
        found = connection.execute(_LOOK).one()
        if not found.standby:
            # Promoted, it is the primary by now; or it was one, and has come back. The next connection may be better.
            connection.invalidate()
            raise ReplicaUnfit("It is no standby.")
        if (found.cluster, found.name) != self._identity():
            raise ReplicaUnfit("It is a standby of another database.")
        if found.seconds is None or found.seconds > self._most_seconds:
            raise ReplicaUnfit("Its last commit is too old.")
        connection.info[_LOOKED_AT] = time.monotonic()
        self._note(ReplicaState.FOLLOWS, "")

    def failed(self, error: BaseException) -> None:
        """Take note of an error in what it was asked: if it is to blame, it is left alone for a while."""
        if not isinstance(error, SQLAlchemyError | ReplicaUnfit):
            return
        if getattr(getattr(error, "orig", None), "sqlstate", None) in _OF_ONE_QUERY:
            return
        with self._lock:
            again = self.state is ReplicaState.LEFT_ALONE
            self._pause = min(2 * self._pause, _LONGEST_PAUSE_SECONDS) if again else _FIRST_PAUSE_SECONDS
            self._look_again_at = time.monotonic() + self._pause
        self._note(ReplicaState.LEFT_ALONE, str(error).splitlines()[0])

    def _identity(self) -> tuple[int, str]:
        if self._which is None:
            with self._of.connect() as connection:
                which = connection.execute(_WHICH).one()
            self._which = (which.cluster, which.name)
        return self._which

    def _note(self, state: ReplicaState, reason: str) -> None:
        if state is not self.state:
            _log.warning("the replica's state is another one", state=state.value, reason=reason)
        self.state = state


def _hurry(connection: SendingConnection, record: object) -> None:
    connection.execute(f"SET statement_timeout = {int(_PATIENCE_SECONDS * 900)}")
