"""Long-running processes: the web server, and the worker beside it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from threading import Event, Thread

import structlog
from flask import Flask
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from database import create_engine, session_factory
from database.rest.turns import Turns
from engine.worker import Worker, engine_duties
from web import heartbeat, logs
from web.application import create_app
from web.configuration import Configuration, from_environment

#: Seconds between two looks whether the process that started this one is still there.
PARENT_LOOK_SECONDS = 1.0

#: Seconds before a worker that died is started again.
RESTART_SECONDS = 2.0

#: Requests that one server process answers at the same time; more would only wait for each other in Python.
THREADS = 4

#: Requests that wait for jobs besides those; more get their answer at once.
WAITING = 60

_log = structlog.get_logger(__name__)


def serve(host: str, port: int, *, processes: int = 1, with_worker: bool = True) -> None:
    """Serve HTTP at `host`:`port` until SIGTERM or SIGINT; finishes the requests that are under way."""
    beside = WorkerProcess() if with_worker else None
    if beside:
        beside.start()
    try:
        Granian(
            "web.serving:application",
            factory=True,
            interface=Interfaces.WSGI,
            address=host,
            port=port,
            workers=processes,
            blocking_threads=THREADS + WAITING,
            respawn_failed_workers=True,
            workers_kill_timeout=30,
            log_level=LogLevels.warning,
        ).serve()
    finally:
        if beside:
            beside.stop()


def application() -> Flask:
    """Return the application for the environment's settings: what each server process runs."""
    configuration = from_environment()
    logs.configure(configuration.log_format, configuration.log_level)
    app = create_app(configuration)
    app.wsgi_app = Turns(app.wsgi_app, THREADS, WAITING)  # type: ignore[method-assign]
    return app


def work(configuration: Configuration, *, parent: int | None = None) -> None:
    """Fire what is due until SIGTERM or SIGINT, or until the process `parent` that started this one is gone."""
    engine = create_engine(configuration.database_url)
    sessions = session_factory(engine, **configuration.engine().info())
    worker = Worker(sessions, [*engine_duties(), heartbeat.Heartbeat()])
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    if parent is not None:
        Thread(target=_stop_with, args=(worker, parent), name="parent watcher", daemon=True).start()
    _log.info("worker started", worker=worker.name)
    worker.run()
    engine.dispose()
    _log.info("worker stopped")


def _stop_with(worker: Worker, parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_LOOK_SECONDS)
    worker.stop()


class WorkerProcess:
    """The worker as a process of its own beside the web server, started again when it dies."""

    def __init__(self) -> None:
        self._stopping = Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher = Thread(target=self._watch, name="worker watcher", daemon=True)

    def start(self) -> None:
        """Start the worker and watch over it.

        The first one is started before anything else: a server process that is forked while a program is being started
        inherits the pipe on which its starter waits, which then waits for ever.
        """
        self._process = self._spawn()
        self._watcher.start()

    def stop(self) -> None:
        """Let the worker finish what it does, and wait for its end."""
        self._stopping.set()
        if self._process is not None:
            self._process.terminate()
        self._watcher.join()

    def _watch(self) -> None:
        while self._process is not None:
            code = self._process.wait()
            if self._stopping.wait(RESTART_SECONDS):
                return
            _log.warning("worker died and is started again", code=code)
            self._process = self._spawn()
            if self._stopping.is_set():
                self._process.terminate()

    def _spawn(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "web.cli", "worker", "--parent", str(os.getpid())]
        return subprocess.Popen(command)  # noqa: S603 our own program
