"""Turns: how many requests a process works at, so that those that only wait keep nobody from being served."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Any

from flask import request

_OURS = "baton.turns"

WsgiApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Turns:
    """A WSGI application around another: `running` requests at the same time, and `waiting` more that only wait.

    The server needs a thread for each of both kinds.
    """

    def __init__(self, application: WsgiApplication, running: int, waiting: int) -> None:
        self._application = application
        self._running = BoundedSemaphore(running)
        self._waiting = BoundedSemaphore(waiting)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve a request when it has its turn."""
        environ[_OURS] = self
        with self._running:
            return self._application(environ, start_response)

    @contextmanager
    def given_away(self) -> Iterator[bool]:
        """Let another request run during the block; False: too many wait already, and nothing was given away."""
        if not self._waiting.acquire(blocking=False):
            yield False
            return
        self._running.release()
        try:
            yield True
        finally:
            # First the turn: a place to wait is free only when its thread is.
            self._running.acquire()
            self._waiting.release()


@contextmanager
def given_away() -> Iterator[bool]:
    """Let another request run while this one waits in the block; False: too many do, so do not wait.

    A server that does not count turns has a thread for everybody.
    """
    turns = request.environ.get(_OURS)
    if turns is None:
        yield True
        return
    with turns.given_away() as allowed:
        yield allowed
