"""The long-running processes: replaced when they die, done with what they have in hand, leaving nobody behind."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text, update
from sqlalchemy.orm import Session, sessionmaker

from database import create_engine, migrations, session_factory, transaction
from engine import clock, definitions, invariants
from engine.configuration import EngineConfiguration
from engine.execution import create_instance
from engine.models import Audit, ElementInstance, Timer, UserTask
from people import service as people
from processes.service import deploy
from tests.conftest import PASSWORD
from tests.databases import Databases
from tests.diagrams import boundary, chain, diagram, end, start, timer, user
from tests.postgresql import Cluster

ROOT = Path(__file__).parents[2]


def until(condition: Callable[[], object], seconds: float = 60) -> bool:
    """Wait until something is so, and return False when it does not come about."""
    give_up_at = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > give_up_at:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def engine(empty_database: str, databases: Databases) -> Iterator[Engine]:
    """Connections to a migrated database that runs on the real time."""
    url = databases.copy(empty_database)
    engine = create_engine(url)
    yield engine
    engine.dispose()
    databases.drop(url)


@pytest.fixture
def company(engine: Engine) -> sessionmaker[Session]:
    """Makes sessions of a company with a process, whose task has a deadline, and an administrator."""
    return furnish(engine)


def furnish(engine: Engine) -> sessionmaker[Session]:
    """Deploy a process whose task has a deadline after a second, and make the administrator `root`."""
    sessions = session_factory(engine, **EngineConfiguration().info())
    late = boundary("late", "work", timer("Duration", "PT1S"), interrupting=False)
    process = diagram(
        start(),
        user("work"),
        late,
        user("chase"),
        end(),
        end("chased"),
        chain("start", "work", "end"),
        chain("late", "chase", "chased"),
    )
    with sessions() as session, transaction(session):
        deploy(session, [process], "tests")
        people.create_user(
            session, username="root", name="root", password=PASSWORD, role="admin", groups=[], at=clock.now(session)
        )
    return sessions


def begin(sessions: sessionmaker[Session], count: int) -> None:
    """Start instances whose deadlines will be over in a second."""
    for _ in range(count):
        with sessions() as session, transaction(session):
            create_instance(session, definitions.latest(session, "p"))


def fired(sessions: sessionmaker[Session]) -> int:
    """Return how often a timer has fired."""
    with sessions() as session:
        return session.scalar(select(func.count()).select_from(Audit).where(Audit.action == "fire timer")) or 0


class Programs:
    """Starts `baton`, and ends all that it has started."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._log = folder / "log"
        url = engine.url.render_as_string(hide_password=False)
        self._environment = {
            **os.environ,
            "BATON_DATA": str(folder / "data"),
            "BATON_DATABASE_URL": url,
            "PYTHONPATH": str(ROOT),
        }
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, *arguments: str, stop_seconds: int = 20) -> subprocess.Popen[bytes]:
        """Start `baton` with these arguments."""
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "web.cli", *arguments],
                env={**self._environment, "BATON_STOP_SECONDS": str(stop_seconds)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._started.append(process)
        return process

    def serve(self, *arguments: str) -> tuple[subprocess.Popen[bytes], str]:
        """Start `baton serve` on a free port; return it, once it and its worker work, with its address."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        process = self.start("serve", "--port", str(port), *arguments)
        address = f"http://127.0.0.1:{port}"

        def works() -> bool:
            assert process.poll() is None, self._log.read_text()
            return answers(address) and health(address)["worker_silent_seconds"] is not None

        assert until(works, 120), self._log.read_text()
        return process, address

    def end(self) -> None:
        """End all that is still there."""
        for process in self._started:
            # Each has a group of its own, with all that it has started.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def programs(engine: Engine, tmp_path: Path) -> Iterator[Programs]:
    """Starts `baton` on this test's database."""
    programs = Programs(engine, tmp_path)
    yield programs
    programs.end()


def health(address: str) -> dict[str, Any]:
    """Ask the server how it is."""
    with urllib.request.urlopen(f"{address}/healthz", timeout=5) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def answers(address: str) -> bool:
    """Return whether the server answers."""
    try:
        return health(address)["status"] == "ok"
    except OSError:
        return False


def children(pid: int) -> list[int]:
    """Return the ids of the processes that `pid` has started."""
    return [int(child) for file in Path(f"/proc/{pid}/task").glob("*/children") for child in file.read_text().split()]


def alive(pid: int) -> bool:
    """Return whether a process is there and not just waiting to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def workers(pid: int) -> list[int]:
    """Return the ids of the workers that `pid` has started."""
    found = []
    for child in children(pid):
        with contextlib.suppress(OSError):
            if b"worker" in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0"):
                found.append(child)
    return found


def servers(pid: int) -> list[int]:
    """Return the ids of the server processes of `pid`."""
    known = workers(pid)
    return [child for child in children(pid) if child not in known and alive(child)]


def test_serving_migrates_works_and_ends_when_told_to(programs: Programs, company: sessionmaker[Session]) -> None:
    process, address = programs.serve("--processes", "2", "--workers", "2")
    family = children(process.pid)
    assert (len(servers(process.pid)), len(workers(process.pid))) == (2, 2)

    process.send_signal(signal.SIGTERM)

    assert process.wait(timeout=60) == 0
    assert not any(alive(pid) for pid in family)
    assert not answers(address)


def test_nobody_outlives_a_server_that_is_killed(programs: Programs, company: sessionmaker[Session]) -> None:
    process, _ = programs.serve("--processes", "2")
    family = children(process.pid)
    assert len(family) >= 3

    process.kill()
    process.wait()

    assert until(lambda: not any(alive(pid) for pid in family))


def test_processes_that_die_are_replaced(programs: Programs, company: sessionmaker[Session]) -> None:
    process, address = programs.serve()
    (worker,), (server,) = workers(process.pid), servers(process.pid)

    os.kill(worker, signal.SIGKILL)
    os.kill(server, signal.SIGKILL)

    assert until(lambda: workers(process.pid) not in ([], [worker]))
    assert until(lambda: answers(address))
    assert server not in servers(process.pid)


def test_a_server_process_that_is_killed_again_and_again_comes_back(
    programs: Programs, company: sessionmaker[Session]
) -> None:
    process, address = programs.serve()
    for _ in range(3):
        (server,) = servers(process.pid)
        os.kill(server, signal.SIGKILL)
        assert until(lambda server=server: len(there := servers(process.pid)) == 1 and server not in there)  # type: ignore[misc]
        assert until(lambda: answers(address))

    assert process.poll() is None


def test_requests_that_are_under_way_are_answered_before_the_server_ends(
    programs: Programs, company: sessionmaker[Session]
) -> None:
    process, address = programs.serve()
    credentials = base64.b64encode(f"root:{PASSWORD}".encode()).decode()
    request = urllib.request.Request(
        f"{address}/v2/process-instances",
        json.dumps({"processDefinitionId": "p"}).encode(),
        {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"},
    )
    answered: list[int] = []

    def ask() -> None:
        with urllib.request.urlopen(request, timeout=60) as answer:
            answered.append(answer.status)

    with company() as session, transaction(session):
        if session.get_bind().dialect.name == "postgresql":
            session.execute(text("LOCK TABLE process_instance IN EXCLUSIVE MODE"))
        client = threading.Thread(target=ask)
        client.start()
        time.sleep(2)
        assert answered == [], "it waits for the lock"
        process.send_signal(signal.SIGTERM)
        time.sleep(1)
    client.join(60)

    assert answered == [200]
    assert process.wait(timeout=60) == 0
    with company() as session:
        assert session.scalar(select(func.count()).where(UserTask.element_id == "work")) == 1


def test_a_worker_ends_when_told_to_and_so_do_many_under_one_roof(
    programs: Programs, company: sessionmaker[Session]
) -> None:
    alone, roof = programs.start("worker"), programs.start("worker", "--processes", "2")
    assert until(lambda: len(workers(roof.pid)) == 2)
    begin(company, 1)
    assert until(lambda: fired(company) == 1)

    for process in (alone, roof):
        process.send_signal(signal.SIGTERM)

    assert [process.wait(timeout=60) for process in (alone, roof)] == [0, 0]


def test_a_worker_that_cannot_finish_in_time_ends_all_the_same(
    programs: Programs, company: sessionmaker[Session]
) -> None:
    worker = programs.start("worker", stop_seconds=1)
    begin(company, 1)
    assert until(lambda: fired(company) == 1)
    with company() as session, transaction(session):
        create_instance(session, definitions.latest(session, "p"))
        due_at = clock.now(session) + timedelta(seconds=4)
        session.execute(update(Timer).values(due_at=due_at, next_at=due_at))

    with company() as session, transaction(session):
        if session.get_bind().dialect.name == "postgresql":
            session.execute(text("LOCK TABLE timer IN EXCLUSIVE MODE"))
        time.sleep(7)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=60) == 1

    assert fired(company) == 1


def test_workers_that_are_killed_lose_no_timer_and_fire_none_twice(
    programs: Programs, company: sessionmaker[Session]
) -> None:
    begin(company, 150)
    roof = programs.start("worker", "--processes", "2")
    for done in (1, 40, 80):
        assert until(lambda done=done: fired(company) >= done), fired(company)  # type: ignore[misc]
        # Both may have been killed, and neither started again yet.
        assert until(lambda: workers(roof.pid))
        with contextlib.suppress(ProcessLookupError, IndexError):
            os.kill(workers(roof.pid)[0], signal.SIGKILL)
    assert until(lambda: fired(company) >= 150, 120), fired(company)

    with company() as session:
        visits = select(func.count()).select_from(ElementInstance)
        assert session.scalar(visits.where(ElementInstance.element_id == "late")) == 150
        assert session.scalar(visits.where(ElementInstance.element_id == "chase")) == 150
        assert session.scalar(select(func.count()).select_from(Timer)) == 0
        assert invariants.check(session) == []

    family = workers(roof.pid)
    roof.kill()
    roof.wait()
    assert until(lambda: not any(alive(pid) for pid in family)), "workers outlive the one that watches over them"


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL of this test's own."""
    cluster = Cluster()
    yield cluster
    cluster.stop()


@pytest.mark.postgresql_only(reason="SQLite is no server that could be restarted")
def test_server_and_worker_go_on_when_the_database_is_there_again(
    databases: Databases, cluster: Cluster, tmp_path: Path
) -> None:
    engine = create_engine(cluster.url())
    migrations.upgrade(engine)
    sessions = furnish(engine)
    programs = Programs(engine, tmp_path)
    try:
        _, address = programs.serve()
        begin(sessions, 1)
        assert until(lambda: fired(sessions) == 1)

        cluster.halt()
        assert until(lambda: not answers(address))
        with pytest.raises(urllib.error.HTTPError, match="503"):
            health(address)
        time.sleep(3)
        cluster.start()

        assert until(lambda: answers(address))
        engine.dispose()
        begin(sessions, 3)
        assert until(lambda: fired(sessions) == 4)
    finally:
        programs.end()
        engine.dispose()
