"""The real programs on one database: a server with two processes and two workers, which may be killed."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from sqlalchemy.orm import Session, sessionmaker

from benchmarks.served import free_port
from database import create_engine, migrations, session_factory, transaction
from engine import clock
from engine.configuration import EngineConfiguration
from people import service as people
from processes.service import Resource, deploy
from tests.chaos.clients import PASSWORD, PROCESS, USERNAME
from tests.chaos.errors import Stuck

_ROOT = Path(__file__).parents[2]

#: Linux: the signal that a process gets when its parent ends.
_PR_SET_PDEATHSIG = 1


def furnish(url: str, *resources: Resource) -> None:
    """Migrate the database, deploy the process of the clients and those given, and make the clients' user."""
    with looking(url) as sessions:
        with sessions() as session:
            engine = session.get_bind().engine
        migrations.upgrade(engine)
        with sessions() as session, transaction(session):
            deploy(session, [PROCESS, *resources], "chaos")
            people.create_user(
                session,
                username=USERNAME,
                name=USERNAME,
                password=PASSWORD,
                role="admin",
                groups=[],
                at=clock.now(session),
            )


@contextlib.contextmanager
def looking(url: str) -> Iterator[sessionmaker[Session]]:
    """Yield a maker of sessions on the database, beside the programs that are on trial."""
    engine = create_engine(url)
    try:
        yield session_factory(engine, **EngineConfiguration().info())
    finally:
        engine.dispose()


class Company:
    """`baton serve` and `baton worker` on one database, each watching over processes of its own."""

    def __init__(
        self, url: str, *, servers: int = 2, workers: int = 2, settings: Mapping[str, str] | None = None
    ) -> None:
        self.port = free_port()
        self._servers, self._workers = servers, workers
        self._folder = Path(tempfile.mkdtemp(prefix="baton-chaos-"))
        self._environment = {
            **os.environ,
            "BATON_DATA": str(self._folder),
            "BATON_DATABASE_URL": url,
            "BATON_LOG_LEVEL": "warning",
            "PYTHONPATH": str(_ROOT),
            **(settings or {}),
        }
        self._server: subprocess.Popen[bytes] | None = None
        self._roof: subprocess.Popen[bytes] | None = None
        #: Workers that were started beside those.
        self._others: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start server and workers, and wait until the server answers."""
        if self._workers:
            self._roof = self._run("worker", "--processes", str(self._workers))
        if self._servers:
            number = str(self._servers)
            self._server = self._run("serve", "--no-worker", "--port", str(self.port), "--processes", number)
            self.wait_until_well()

    def add_worker(self, settings: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start one more worker, with settings of its own."""
        self._others.append(self._run("worker", settings=settings))
        return self._others[-1]

    def _run(self, *arguments: str, settings: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "web.cli", *arguments],
                env={**self._environment, **(settings or {})},
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=partial(_end_with, os.getpid()),
            )

    @property
    def server_processes(self) -> list[int]:
        """The ids of the processes that answer requests."""
        return _children(self._server.pid) if self._server else []

    @property
    def workers(self) -> list[int]:
        """The ids of the workers that are watched over."""
        return _children(self._roof.pid) if self._roof else []

    @property
    def log(self) -> str:
        """What all of them have said."""
        return (self._folder / "log").read_text()

    def is_well(self) -> bool:
        """Return whether the server answers that it is."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def wait_until_well(self, seconds: float = 120) -> None:
        """Wait until the server answers and all processes are there again; raises Stuck when it does not."""
        give_up_at = time.monotonic() + seconds
        while not (
            len(self.server_processes) >= self._servers and len(self.workers) >= self._workers and self.is_well()
        ):
            if time.monotonic() > give_up_at:
                raise Stuck(f"The server did not come back. It said:\n{self.log[-3000:]}")
            time.sleep(0.05)

    def kill_all(self) -> None:
        """Kill every process at once, also those that watch over others."""
        for process in self._all():
            # Each has a group of its own, with all that it has started.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        for process in self._all():
            process.wait()

    def stop(self) -> None:
        """End all of them for good."""
        self.kill_all()
        for file in self._folder.iterdir():
            file.unlink()
        self._folder.rmdir()

    def _all(self) -> list[subprocess.Popen[bytes]]:
        return [process for process in (self._server, self._roof, *self._others) if process is not None]


def _end_with(parent: int) -> None:
    """Let this process be killed when the one that has started it is gone, however that has ended."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def _children(pid: int) -> list[int]:
    """Return the ids of the processes that `pid` has started and that are alive."""
    found = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(child) for child in file.read_text().split()]
    return [child for child in found if _alive(child)]


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
