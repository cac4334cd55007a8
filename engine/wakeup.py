"""Wake-up: tells workers and long-polling requests, in whichever process, that there is something for them to do.

On PostgreSQL by NOTIFY, so that all processes on all machines hear of it; on SQLite only within the same process.
Either way a wake-up may be lost (a connection breaks), so whoever waits looks for himself from time to time.

    wakeup.notify(session, "jobs", "send-invoice")   # heard once the transaction has committed
    listener = wakeup.Listener(engine)
    for wake in listener.wait(5.0): ...               # Wake("jobs", "send-invoice")
"""

from __future__ import annotations

import selectors
import socket
import time
import weakref
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg
import structlog
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, SessionTransaction

_log = structlog.get_logger("baton.wakeup")

#: The one channel of PostgreSQL; ours are the first part of the payload.
_CHANNEL = "baton"
#: PostgreSQL takes payloads of less than 8000 bytes.
_LONGEST_PAYLOAD = 2_000
#: Seconds before a broken connection is tried again.
_RECONNECT_SECONDS = 5.0

_PENDING = "baton_wakes_pending"
_COMMITTED = "baton_wakes_committed"

_NOTIFY = text("SELECT pg_notify(:channel, wake) FROM unnest(CAST(:wakes AS text[])) AS wake")


@dataclass(frozen=True, slots=True)
class Wake:
    """There is something to do: on which channel, and what the sender said of it."""

    channel: str
    payload: str = ""


def notify(session: Session, channel: str, payload: str = "") -> None:
    """Wake who listens, once the session's transaction has committed; nothing happens when it is rolled back.

    It is sent after the commit rather than in it: PostgreSQL commits transactions that notify one after the other, each
    with its write to the disk. A payload that is too long is left out, which says: anything on this channel.
    """
    wake = Wake(channel, payload if len(payload) <= _LONGEST_PAYLOAD else "")
    session.info.setdefault(_PENDING, {})[wake] = None


@event.listens_for(Session, "after_commit")
def _keep(session: Session) -> None:
    if _PENDING in session.info and not session.in_nested_transaction():
        session.info[_COMMITTED] = list(session.info.pop(_PENDING))


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop(_PENDING, None)


@event.listens_for(Session, "after_transaction_end")
def _send(session: Session, ended: SessionTransaction) -> None:
    if ended.parent is not None or _COMMITTED not in session.info:
        return
    wakes: list[Wake] = session.info.pop(_COMMITTED)
    engine = session.get_bind().engine
    for listener in list(_listeners):
        listener.hear(engine, wakes)
    if engine.dialect.name != "postgresql":
        return
    try:
        with engine.connect() as connection:
            heard_as = [f"{wake.channel}:{wake.payload}" for wake in wakes]
            connection.execute(_NOTIFY, {"channel": _CHANNEL, "wakes": heard_as})
    except SQLAlchemyError as error:
        # What was committed stays so; who waits will look for himself.
        _log.warning("wake-up could not be sent", error=str(error))


#: Listeners of this process.
_listeners: weakref.WeakSet[Listener] = weakref.WeakSet()


class Listener:
    """Hears wake-ups, from the moment it is made; for one thread, which others may interrupt."""

    def __init__(self, engine: Engine) -> None:
        self._url = engine.url
        self._engine = engine
        self._heard: deque[Wake] = deque()
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._connection: psycopg.Connection[Any] | None = None
        self._retry_at = 0.0
        self._connect()
        _listeners.add(self)

    @property
    def connected(self) -> bool:
        """Wake-ups of other processes are heard."""
        return self._connection is not None

    def wait(self, seconds: float) -> list[Wake]:
        """Return the wake-ups that were heard, after `seconds` at the latest; none: the time is over."""
        self._connect()
        if not self._heard:
            with selectors.DefaultSelector() as selector:
                selector.register(self._reader, selectors.EVENT_READ)
                if self._connection is not None:
                    selector.register(self._connection.fileno(), selectors.EVENT_READ)
                selector.select(max(seconds, 0.0))
        with suppress(BlockingIOError):
            while self._reader.recv(4096):
                pass
        self._receive()
        wakes = []
        with suppress(IndexError):
            while True:
                wakes.append(self._heard.popleft())
        return wakes

    def interrupt(self) -> None:
        """Let `wait` return at once; may be called from a signal handler."""
        # One that is full wakes, too; one that is closed need not.
        with suppress(OSError):
            self._writer.send(b"!")

    def hear(self, engine: Engine, wakes: list[Wake]) -> None:
        """Take wake-ups from this process, where no connection brings them."""
        if engine.url == self._url and not self.connected:
            self._heard.extend(wakes)
            self.interrupt()

    def close(self) -> None:
        """Hear no more."""
        _listeners.discard(self)
        self._disconnect()
        self._reader.close()
        self._writer.close()

    def _connect(self) -> None:
        if self._connection is not None or self._engine.dialect.name != "postgresql":
            return
        if time.monotonic() < self._retry_at:
            return
        self._retry_at = time.monotonic() + _RECONNECT_SECONDS
        try:
            pooled = self._engine.raw_connection()
            connection = pooled.driver_connection
            pooled.detach()  # it is kept for good, so it is no business of the pool's
            assert isinstance(connection, psycopg.Connection)
            connection.rollback()
            connection.autocommit = True
            connection.execute(f"LISTEN {_CHANNEL}".encode())
            self._connection = connection
        except (SQLAlchemyError, psycopg.Error) as error:
            _log.warning("nobody can be listened to; looking from time to time", error=str(error).strip())

    def _receive(self) -> None:
        if self._connection is None:
            return
        try:
            for notification in self._connection.notifies(timeout=0):
                channel, _, payload = notification.payload.partition(":")
                self._heard.append(Wake(channel, payload))
        except psycopg.Error as error:
            _log.warning("the connection that listens broke", error=str(error).strip())
            self._disconnect()

    def _disconnect(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = None


__all__ = ["Listener", "Wake", "notify"]
