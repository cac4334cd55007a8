"""Long-running processes: the web server, and the worker."""

from __future__ import annotations

import logging
import mmap
import os
import signal
import time
from datetime import timedelta
from threading import Event

import structlog
from flask import Flask
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from database import create_engine, session_factory
from database.rest.turns import Turns
from engine import caseless
from engine.archive import Archive
from engine.duties import Duty, SoleDuty
from engine.retention import Cleanup
from engine.worker import Worker, engine_duties
from web import family, heartbeat, logs
from web.application import create_app
from web.configuration import Configuration, from_environment

#: Requests that one server process works at. Measured with two processes on two cores (`benchmarks.web_servers`): one
#: is fastest for commands, but lets everybody wait for one slow page; four cost a seventh of the speed, because they
#: only take Python from each other.
THREADS = 2

#: Requests that wait for jobs besides those; more get their answer at once.
WAITING = 60

#: Seconds before a server is set up anew whose processes died one after the other.
RESTART_SECONDS = 2.0

#: One byte that server processes share with the supervisor that forks them: one of them has been ready to serve.
_READY = mmap.mmap(-1, 1)

#: How often a worker looks for ended cases that need no longer be kept.
CLEANUP_INTERVAL = timedelta(minutes=10)

#: Names the supervisor to the server processes, which must not outlive it.
_SUPERVISOR = "BATON_SUPERVISOR"

_log = structlog.get_logger(__name__)


def serve(host: str, port: int, *, stop_seconds: int, processes: int = 1, workers: int = 1) -> None:
    """Serve HTTP at `host`:`port` until SIGTERM or SIGINT; finishes what is under way for at most `stop_seconds`."""
    os.environ[_SUPERVISOR] = str(os.getpid())
    # Granian warns of many threads, as if all of them could run at the same time.
    logging.getLogger("_granian").addFilter(lambda record: "Python threads" not in record.getMessage())
    beside = family.WorkerProcesses(workers)
    # Before anything else: a server process that is forked while a program is being started inherits the pipe on which
    # its starter waits, which then waits for ever.
    beside.start()
    try:
        while not _serve_once(host, port, processes, stop_seconds):
            _log.error("the server processes died and are started again")
            time.sleep(RESTART_SECONDS)
    finally:
        beside.stop()


def _serve_once(host: str, port: int, processes: int, stop_seconds: int) -> bool:
    """Serve, and return whether it was told to stop; False: its processes died too fast to be replaced one by one."""
    server = Granian(
        "web.serving:application",
        factory=True,
        interface=Interfaces.WSGI,
        address=host,
        port=port,
        workers=processes,
        blocking_threads=THREADS + WAITING,
        respawn_failed_workers=True,
        workers_kill_timeout=stop_seconds,
        log_level=LogLevels.warning,
    )
    _READY[0] = 0
    try:
        server.serve()
    except SystemExit:
        # Processes that never got as far would not get there the next time either.
        if server.interrupt_signal or not _READY[0]:
            raise
        return False
    return True


def application() -> Flask:
    """Return the application for the environment's settings: what each server process runs."""
    configuration = from_environment()
    logs.configure(configuration.log_format, configuration.log_level)
    if supervisor := os.environ.get(_SUPERVISOR):
        family.end_with(int(supervisor), configuration.stop_seconds)
    app = create_app(configuration)
    app.wsgi_app = Turns(app.wsgi_app, THREADS, WAITING)  # type: ignore[method-assign]
    _READY[0] = 1
    return app


def duties(configuration: Configuration) -> list[Duty]:
    """Return all that workers do, of every room."""
    cleanup = Cleanup(Archive(configuration.archive_directory))
    return [
        *engine_duties(),
        SoleDuty("history cleanup", CLEANUP_INTERVAL, cleanup.work),
        SoleDuty("caseless history", CLEANUP_INTERVAL, caseless.clean_up),
        heartbeat.Heartbeat(),
    ]


def work(configuration: Configuration, *, parent: int | None = None) -> None:
    """Do what is due until SIGTERM or SIGINT, or until the process `parent` that started this one is gone."""
    engine = create_engine(configuration.database_url)
    worker = Worker(session_factory(engine, **configuration.engine().info()), duties(configuration))

    def stop(*_: object) -> None:
        worker.stop()
        family.exit_after(configuration.stop_seconds)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    if parent is not None:
        family.end_with(parent, configuration.stop_seconds)
    _log.info("worker started", worker=worker.name)
    worker.run()
    engine.dispose()
    _log.info("worker stopped", worker=worker.name)


def supervise(workers: int) -> None:
    """Run worker processes until SIGTERM or SIGINT, and start those again that die."""
    told = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    processes = family.WorkerProcesses(workers)
    processes.start()
    # In steps: on some systems a signal is only seen between two waits.
    while not told.wait(1.0):
        pass
    processes.stop()
