"""Processes that belong together: started again when they die, and gone when the process that started them is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import structlog

#: Seconds between two looks whether the parent is still there.
_LOOK_SECONDS = 0.5

#: Seconds before a worker that died is started again.
RESTART_SECONDS = 2.0

_log = structlog.get_logger(__name__)


def end_with(parent: int, stop_seconds: float) -> None:
    """Let this process end, as SIGTERM ends it, when the process `parent` that has started it is gone."""

    def watch() -> None:
        # Nothing tells a process on every system that its parent was killed, but it has another parent then.
        while os.getppid() == parent:
            time.sleep(_LOOK_SECONDS)
        exit_after(stop_seconds)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent watcher", daemon=True).start()


def exit_after(seconds: float) -> None:
    """Let this process end in so many seconds whatever it does then: the database takes back what is not committed."""
    # Not a normal end: it would wait for what does not come to its end.
    timer = threading.Timer(seconds, os._exit, (1,))
    timer.daemon = True
    timer.start()


class WorkerProcesses:
    """Workers as processes of their own, each started again when it dies."""

    def __init__(self, count: int) -> None:
        self._stopping = threading.Event()
        self._places = [_Place(self._stopping) for _ in range(count)]

    def start(self) -> None:
        """Start the workers and watch over them."""
        for place in self._places:
            place.spawn()
        for place in self._places:
            place.watcher.start()

    def stop(self) -> None:
        """Let the workers finish what they have in hand, and wait for their end."""
        self._stopping.set()
        for place in self._places:
            place.process.terminate()
        for place in self._places:
            place.watcher.join()


class _Place:
    """One worker process after the other."""

    process: subprocess.Popen[bytes]

    def __init__(self, stopping: threading.Event) -> None:
        self._stopping = stopping
        self.watcher = threading.Thread(target=self._watch, name="worker watcher", daemon=True)

    def spawn(self) -> None:
        """Start a process."""
        command = [sys.executable, "-m", "web.cli", "worker", "--parent", str(os.getpid())]
        self.process = subprocess.Popen(command)  # noqa: S603 our own program

    def _watch(self) -> None:
        while True:
            code = self.process.wait()
            if self._stopping.wait(RESTART_SECONDS):
                return
            _log.warning("worker died and is started again", code=code)
            self.spawn()
            if self._stopping.is_set():
                self.process.terminate()
