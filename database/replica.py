"""A replica: a standby of PostgreSQL that answers what may be a moment old, so that the primary has less to do."""

from __future__ import annotations

import time
from enum import StrEnum
from threading import Lock

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from database.session import create_engine

_log = structlog.get_logger("baton.database")

#: Seconds for which what was found of a replica holds: one that follows, and one that does not.
_HOLDS_SECONDS, _LEFT_ALONE_SECONDS = 1.0, 5.0

#: For a host that does not even refuse.
_CONNECT = {"connect_timeout": 2, "tcp_user_timeout": 5000}

# How much of the log has come says nothing: where the network is cut, no more of it comes, and all of it is replayed.
_AGE = text(
    "SELECT CASE WHEN pg_is_in_recovery() THEN"
    " greatest(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 0) ELSE 0 END"
)


class ReplicaState(StrEnum):
    """What a process has found of a replica."""

    #: Nobody has looked yet.
    UNKNOWN = "unknown"
    FOLLOWS = "follows"
    #: It does not answer, or is too far behind.
    LEFT_ALONE = "left alone"


class Replica:
    """A replica, and whether it may be asked: it answers, and its last commit is at most `most_seconds` old.

    Workers commit something every few seconds, so that a replica which follows is not older than that. One that has
    been promoted is the primary, and not old.
    """

    def __init__(self, url: str, most_seconds: float) -> None:
        self.engine = create_engine(url, connect_args=_CONNECT)
        self._most_seconds = most_seconds
        #: What was found when it was looked at last.
        self.state = ReplicaState.UNKNOWN
        self._look_again_at = 0.0
        self._looking = Lock()

    def follows(self) -> bool:
        """Return whether it may be asked, as was found a short while ago."""
        if time.monotonic() >= self._look_again_at and self._looking.acquire(blocking=False):
            # Whoever comes meanwhile goes by what was found before: a host that is gone takes seconds to say nothing.
            try:
                age = self.age()
                follows = age is not None and age <= self._most_seconds
                self._note(ReplicaState.FOLLOWS if follows else ReplicaState.LEFT_ALONE, age)
            finally:
                self._looking.release()
        return self.state is ReplicaState.FOLLOWS

    def age(self) -> float | None:
        """Return how many seconds ago the last commit was that it has, by its own clock; None: it does not answer."""
        try:
            with self.engine.connect() as connection:
                seconds = connection.scalar(_AGE)
        except DBAPIError:
            return None
        # Nothing was replayed yet: then nobody knows.
        return None if seconds is None else float(seconds)

    def leave_alone(self) -> None:
        """Do not ask it for a while, because it did not answer."""
        self._note(ReplicaState.LEFT_ALONE, None)

    def _note(self, state: ReplicaState, age: float | None) -> None:
        if state is not self.state:
            _log.warning("the replica's state is another one", state=state.value, last_commit_seconds_ago=age)
        self.state = state
        holds = _HOLDS_SECONDS if state is ReplicaState.FOLLOWS else _LEFT_ALONE_SECONDS
        self._look_again_at = time.monotonic() + holds
