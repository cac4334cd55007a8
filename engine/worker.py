"""The worker: does what nobody is waiting for and everybody relies on, by giving each duty its turn."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from database import transaction
from database.retrying import away
from engine import batches, invariants, leftovers, messages
from engine.duties import AT_ONCE, IDLE_SECONDS, LISTENING_SECONDS, Duty, Sessions, SharedDuty, SoleDuty, Turn
from engine.timer_duty import TimerDuty
from engine.wakeup import Listener, Wake

_log = structlog.get_logger("baton.worker")

#: Seconds that a worker sleeps at least when nothing is to be done: what becomes due meanwhile is done at one go.
SHORTEST_SLEEP = 0.02

#: Seconds before a duty that failed has its next turn: doubled each time, up to the longest.
_FIRST_BACKOFF = 1.0
_LONGEST_BACKOFF = 60.0


def engine_duties() -> list[Duty]:
    """Return what the engine itself needs done."""
    return [
        TimerDuty(),
        SharedDuty("batch operations", batches.work, channel=batches.CHANNEL),
        SoleDuty("expired messages", timedelta(seconds=30), _drop_expired_messages),
        SoleDuty("invariants", invariants.INTERVAL, invariants.inspect_all),
        SoleDuty("leftovers", leftovers.INTERVAL, leftovers.inspect_all),
    ]


def _drop_expired_messages(sessions: Sessions) -> Iterator[None]:
    while True:
        with sessions() as session, transaction(session):
            dropped = messages.drop_expired(session)
        if not dropped:
            return
        yield


@dataclass(slots=True)
class _Post:
    """A duty, and when it wants its next turn (by the monotonic clock)."""

    duty: Duty
    next_turn: float = 0.0
    #: How often in a row it has failed.
    failures: int = 0


class Worker:
    """Gives each duty its turn; any number of workers may share a database."""

    def __init__(self, sessions: Sessions, duties: Sequence[Duty] | None = None) -> None:
        self._sessions = sessions
        self._posts = [_Post(duty) for duty in (engine_duties() if duties is None else duties)]
        self._stopping = threading.Event()
        self._listener: Listener | None = None
        #: Unlike that of any other worker, at any time.
        self.name = f"{socket.gethostname()[:100]}:{os.getpid()}:{secrets.token_hex(3)}"

    def run(self) -> None:
        """Work until `stop` is called; a duty that fails is logged and has its next turn after a while."""
        with self._sessions() as session:
            self._listener = Listener(session.get_bind().engine)
        try:
            while not self._stopping.is_set():
                wait = self._go_round()
                if wait > 0 and not self._stopping.is_set():
                    self._hear(self._listener.wait(max(wait, SHORTEST_SLEEP)))
        finally:
            self._listener.close()

    def stop(self) -> None:
        """Let `run` return after the part that it has in hand; may be called from a signal handler."""
        self._stopping.set()
        if self._listener is not None:
            self._listener.interrupt()

    def step(self) -> bool:
        """Give every duty one turn now and return whether one of them has more to do; raises what a duty raises."""
        return AT_ONCE in [post.duty.take(self._turn()) for post in self._posts]

    def _go_round(self) -> float:
        """Give one turn to each duty that wants one by now; return the seconds until the next one does."""
        for post in self._posts:
            if post.next_turn <= time.monotonic() and not self._stopping.is_set():
                post.next_turn = time.monotonic() + self._take(post)
        return min(post.next_turn for post in self._posts) - time.monotonic()

    def _take(self, post: _Post) -> float:
        try:
            wait = post.duty.take(self._turn())
        except Exception as error:
            post.failures += 1
            wait = min(_FIRST_BACKOFF * 2 ** min(post.failures - 1, 10), _LONGEST_BACKOFF)
            if away(error):
                reason = str(error).splitlines()[0]
                _log.warning("the database does not answer", duty=post.duty.name, error=reason, seconds_to_wait=wait)
            else:
                _log.exception("duty failed", duty=post.duty.name, seconds_to_wait=wait)
        else:
            post.failures = 0
        return wait

    def _hear(self, wakes: Sequence[Wake]) -> None:
        channels = {wake.channel for wake in wakes}
        for post in self._posts:
            if post.duty.channel in channels and not post.failures:
                post.next_turn = 0.0

    def _turn(self) -> Turn:
        listening = self._listener is not None and self._listener.connected
        return Turn(self._sessions, self.name, self._stopping, LISTENING_SECONDS if listening else IDLE_SECONDS)


def run_due(sessions: Sessions, *, most_rounds: int = 10_000) -> int:
    """Do everything that is due now, also what becomes due by it, and return the number of rounds with work."""
    worker = Worker(sessions)
    rounds = 0
    while rounds < most_rounds and worker.step():
        rounds += 1
    return rounds


__all__ = ["Worker", "engine_duties", "run_due"]
