"""The bell: tells requests that wait for jobs of a type, one after the other, that there may be some.

One thread listens for all requests of a process, while there are any. It hears of new jobs at once, of other processes
too where the database says so (see `engine.wakeup`); once in a while it looks for what nobody announces: leases that
have run out, jobs whose back-off is over, and, on SQLite, what other processes have created.
"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from engine import jobs
from engine.job_creation import CHANNEL
from engine.wakeup import Listener

_log = structlog.get_logger("baton.jobs")

#: Seconds between two looks for jobs that nobody announces.
LOOK_SECONDS = 1.0

#: Seconds that the thread goes on listening when nobody waits any more: most workers come back at once.
_LINGER_SECONDS = 3.0


class Waiter:
    """One request that waits for jobs of a type."""

    def __init__(self) -> None:
        self._rung = Event()

    def wait(self, seconds: float) -> None:
        """Return when there may be jobs, after `seconds` at the latest."""
        self._rung.wait(seconds)
        self._rung.clear()

    @property
    def rung(self) -> bool:
        """There may be jobs, and the request has not looked yet."""
        return self._rung.is_set()

    def ring(self) -> None:
        """Let the request look."""
        self._rung.set()


class JobBell:
    """All requests of a process that wait for jobs."""

    def __init__(self, sessions: Callable[[], Session]) -> None:
        self._sessions = sessions
        self._lock = Lock()
        self._waiters: defaultdict[str, deque[Waiter]] = defaultdict(deque)
        self._thread: Thread | None = None

    @property
    def waiting(self) -> int:
        """The number of requests that wait."""
        with self._lock:
            return sum(map(len, self._waiters.values()))

    @contextmanager
    def waiter(self, job_type: str) -> Iterator[Waiter]:
        """Hear, from now to the end of the block, of jobs of a type."""
        waiter = Waiter()
        with self._lock:
            self._waiters[job_type].append(waiter)
            if self._thread is None:
                self._thread = Thread(target=self._listen, name="job bell", daemon=True)
                self._thread.start()
        try:
            yield waiter
        finally:
            with self._lock:
                self._waiters[job_type].remove(waiter)
                if not self._waiters[job_type]:
                    del self._waiters[job_type]
            if waiter.rung:
                # It leaves without having looked: the next in line does.
                self.ring(job_type)

    def ring(self, job_type: str) -> None:
        """Let the request that has waited longest for jobs of this type look for them; an empty type: one of each."""
        with self._lock:
            for name in list(self._waiters) if not job_type else [job_type]:
                if name in self._waiters:
                    self._waiters[name][0].ring()
                    self._waiters[name].rotate(-1)

    def _listen(self) -> None:
        with self._sessions() as session:
            listener = Listener(session.get_bind().engine)
        idle_since: float | None = None
        looked_at = 0.0
        try:
            while True:
                for wake in listener.wait(LOOK_SECONDS):
                    if wake.channel == CHANNEL:
                        self.ring(wake.payload)
                if time.monotonic() - looked_at >= LOOK_SECONDS:
                    looked_at = time.monotonic()
                    self._look()
                with self._lock:
                    if self._waiters:
                        idle_since = None
                    elif idle_since is None:
                        idle_since = time.monotonic()
                    elif time.monotonic() - idle_since >= _LINGER_SECONDS:
                        self._thread = None
                        return
        finally:
            listener.close()

    def _look(self) -> None:
        with self._lock:
            types = list(self._waiters)
        if not types:
            return
        try:
            with self._sessions() as session:
                found = jobs.available_types(session, types)
        except SQLAlchemyError as error:
            # The database is away; whoever waits goes on waiting.
            _log.warning("jobs could not be looked for", error=str(error).strip())
            return
        for job_type in found:
            self.ring(job_type)
