"""How a company's database grows, and whether anybody notices: rows and bytes of a repair order, latencies, upkeep.

    python -m benchmarks.growth [CASES ...]        # default: 1000 10000

A real repair order of the library is played to the workshop, another to its end. Both are multiplied: as many live
cases as given, and as many ended ones. At each size the same things are done and timed, on SQLite and on a throw-away
PostgreSQL that writes to the disk as it does in earnest. Then all is backed up, old cases are removed, and the SQLite
company moves to PostgreSQL. For every hundred cases there is a shop more with people of its own.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from sqlalchemy import Engine, func, select, text, update
from sqlalchemy.orm import Session, sessionmaker

from benchmarks.machine import describe
from benchmarks.multiply import Template
from cockpit import case, instances, stalled, visibility
from cockpit.instances import InstanceFilter
from database import create_engine, dumps, loads, migrations, session_factory, transaction
from database.backup import back_up
from database.copying import copy
from engine import clock, messages
from engine.archive import Archive
from engine.configuration import EngineConfiguration
from engine.execution import execute
from engine.models import ProcessInstance, ProcessState, UserTask, UserTaskState
from engine.retention import Cleanup
from engine.user_tasks import CompleteUserTask
from people import service
from people.models import User
from tasks.worklist import Whose, worklist
from tests.library.conftest import library_resources
from tests.library.repair_forms import ENTRIES
from tests.library.repair_shop import RepairShop
from tests.library.test_repair_order import to_workshop, to_yard
from tests.play import Player
from tests.postgresql import FAST, Cluster, connect
from web import logs

#: How often each thing is done at each size.
TIMES = 200
#: Cases of one shop.
SHOP = 100
#: Repair orders that a shop of this size takes in a year: thirty on each of three hundred days.
ORDERS_A_YEAR = 9_000
#: Ended cases that are removed.
REMOVED = 500

MONDAY = datetime(2025, 3, 3, 1, 0, tzinfo=UTC)
BOSS, STAFF = "boss", "user1"


@dataclass(frozen=True, slots=True)
class Company:
    """A database with a repair order in the workshop and one that has ended."""

    engine: Engine
    sessions: sessionmaker[Session]
    live: Template
    ended: Template


def found(engine: Engine) -> Company:
    """Migrate an empty database, deploy the library, and play both orders."""
    migrations.upgrade(engine)
    sessions = session_factory(engine, **EngineConfiguration(clock_control=True).info())
    with sessions() as session, transaction(session):
        clock.pin(session, MONDAY)
    player = Player(sessions)
    player.deploy(*library_resources())

    def make_user(username: str, *groups: str, role: str = "staff") -> User:
        with sessions() as session, transaction(session):
            given = [service.save_group(session, group, "") for group in groups]
            user = User(
                username=username,
                name=username,
                password_hash="",
                role=role,
                active=True,
                created_at=MONDAY,
                groups=given,
            )
            session.add(user)
        return user

    shop = RepairShop(player, make_user)
    ended = to_yard(shop)
    shop.do("check-yard")
    shop.do("see-off")
    assert ended.state == "COMPLETED"
    live = to_workshop(shop)
    # As many tasks as in a shop: a person of the second shop has its tasks.
    make_user(STAFF, shop.task("repair").candidate_groups[0] + "1")
    make_user("manager", role="manager")
    with engine.connect() as connection:
        return Company(engine, sessions, Template(connection, live.key, 1), Template(connection, ended.key, 2))


def _vary(table: str, row: dict[str, Any], number: int) -> bool:
    shop = number // SHOP
    if table == "user_task":
        row["candidate_groups"] = dumps([f"{group}{shop}" for group in loads(row["candidate_groups"])])
        if number % 3 == 0:
            row["assignee"] = f"user{shop}"
    elif table == "user_task_group":
        row["group_id"] = f"{row['group_id']}{shop}"
    elif table == "message_subscription":
        row["correlation_key"] = f"{row['correlation_key']}-{number}"
    return True


def grow(company: Company, numbers: range) -> float:
    """Add the cases with these numbers, live and ended, and return the rows a second."""
    begun = time.perf_counter()
    with company.sessions() as session, transaction(session):
        for template in (company.ended, company.live):
            template.multiply(session.connection(), numbers, _vary)
    rows = len(numbers) * (sum(company.live.size.values()) + sum(company.ended.size.values()))
    seconds = time.perf_counter() - begun
    if company.engine.dialect.name == "postgresql":
        with company.engine.connect() as connection:
            connection.execute(text("VACUUM ANALYZE"))
    return rows / seconds


def size(engine: Engine) -> int:
    """Return the bytes that the database takes on the disk, with its indexes."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            return int(connection.scalar(text("SELECT pg_database_size(current_database())")) or 0)
        pages, page = (connection.scalar(text(f"PRAGMA {name}")) or 0 for name in ("page_count", "page_size"))
        return int(pages) * int(page)


def latencies(company: Company) -> dict[str, list[float]]:
    """Do what people do, each so many times, and return the seconds."""
    chance = random.Random(1)
    with company.sessions() as session:
        live = select(ProcessInstance.key).where(ProcessInstance.state == ProcessState.ACTIVE)
        keys = list(session.scalars(live.where(ProcessInstance.process_id == "repair-order")))
        tasks = select(UserTask).where(UserTask.state == UserTaskState.CREATED, UserTask.element_id == "repair")
        chosen = chance.sample(list(session.scalars(tasks)), TIMES)
        staff, boss = session.get(User, STAFF), session.get(User, "manager")
    assert staff is not None
    assert boss is not None

    def complete(task: UserTask) -> None:
        with company.sessions() as session, transaction(session):
            execute(session, task.instance_key, CompleteUserTask(task.key, ENTRIES[str(task.form_id)]), actor=STAFF)

    def reading(read: Callable[[Session, Any], object]) -> Callable[[Any], None]:
        def do(thing: Any) -> None:
            with company.sessions() as session:
                read(session, thing)

        return do

    def publish(number: int) -> None:
        with company.sessions() as session, transaction(session):
            messages.publish(session, "nobody-waits", str(number))

    def cases(session: Session, _: object) -> None:
        instances.page(session, visibility.ways(session, boss), InstanceFilter(state=ProcessState.ACTIVE))

    some = chance.sample(keys, TIMES)
    return {
        "complete a user task (engine and commit)": timed(chosen, complete),
        "publish a message": timed(range(TIMES), publish),
        "worklist: mine": timed(range(TIMES), reading(lambda session, _: worklist(session, staff, Whose.MINE))),
        "worklist: my groups'": timed(range(TIMES), reading(lambda session, _: worklist(session, staff, Whose.GROUPS))),
        "case list, running, first page": timed(range(TIMES // 4), reading(cases)),
        "page of a case": timed(some, reading(lambda session, key: case.case(session, boss, key))),
        "stalled, first page": timed(
            range(TIMES // 4), reading(lambda session, _: stalled.page(session, stalled.StalledFilter()))
        ),
    }


def timed(things: Any, do: Callable[[Any], object]) -> list[float]:
    """Do something with each of the things and return the seconds of each but the first, which fills caches."""
    seconds = []
    for thing in things:
        begun = time.perf_counter()
        do(thing)
        seconds.append(time.perf_counter() - begun)
    return seconds[1:]


def upkeep(company: Company, folder: Path) -> None:
    """Print what backup and removal cost."""
    begun = time.perf_counter()
    file = folder / f"{company.engine.dialect.name}.backup"
    manifest = back_up(company.engine, file, {})
    seconds = time.perf_counter() - begun
    print(
        f"  backup: {manifest.rows / seconds:,.0f} rows a second, {file.stat().st_size / manifest.rows:.0f} bytes a row"
    )
    with company.sessions() as session, transaction(session):
        ended = select(ProcessInstance.key).where(
            ProcessInstance.state != ProcessState.ACTIVE, ProcessInstance.parent_key.is_(None)
        )
        some = ended.order_by(ProcessInstance.key).limit(REMOVED)
        session.execute(update(ProcessInstance).where(ProcessInstance.key.in_(some)).values(removal_at=MONDAY))
    parts = []
    cleanup = Cleanup(Archive(folder / company.engine.dialect.name)).work(company.sessions)
    begun = last = time.perf_counter()
    for _ in cleanup:
        parts.append(time.perf_counter() - last)
        last = time.perf_counter()
    archived = sum(path.stat().st_size for path in (folder / company.engine.dialect.name).rglob("*.gz"))
    print(
        f"  removal: {REMOVED / (last - begun):,.0f} ended cases a second, {median(parts) * 1000:.0f} ms a batch with "
        f"its archive, {archived / REMOVED:,.0f} bytes of archive a case"
    )


def measure(company: Company, sizes: list[int], folder: Path) -> None:
    """Print the figures of one database."""
    print(company.engine.dialect.name)
    rows, ended_rows = sum(company.live.size.values()), sum(company.ended.size.values())
    print(f"  rows of a repair order: {rows} in the workshop, {ended_rows} at its end {company.ended.size}")
    columns: list[dict[str, list[float]]] = []
    before, cases = size(company.engine), 1
    for wanted in sizes:
        speed = grow(company, range(cases, wanted + 1))
        cases = wanted + 1
        print(f"  {wanted:,} live and as many ended cases ({speed:,.0f} rows a second)", flush=True)
        columns.append(latencies(company))
    each = (size(company.engine) - before) / (cases - 1)
    share = ended_rows / (rows + ended_rows)
    print(
        f"  {each / (rows + ended_rows):.0f} bytes a row with indexes, {each * share / 1024:.0f} KiB an ended order, "
        f"{ORDERS_A_YEAR * each * share / 2**20:,.0f} MiB a year with {ORDERS_A_YEAR:,} orders"
    )
    print(f"  {'':42}" + "".join(f"{f'{wanted:,}':>20}" for wanted in sizes) + "  (median and p95 in ms)")
    for name in columns[0]:
        told = [(median(column[name]) * 1000, quantiles(column[name], n=20)[-1] * 1000) for column in columns]
        print(f"  {name:42}" + "".join(f"{middle:12.2f}{late:8.2f}" for middle, late in told))
    upkeep(company, folder)


@contextmanager
def postgresql() -> Iterator[Cluster]:
    """Start a PostgreSQL that writes to the disk as it does in earnest."""
    cluster = Cluster({**dict.fromkeys(FAST.keys() & {"fsync", "synchronous_commit", "full_page_writes"}, "on")})
    try:
        yield cluster
    finally:
        cluster.stop()


def main() -> None:
    """Measure both databases, then move from one to the other."""
    sizes = sorted(int(argument) for argument in sys.argv[1:]) or [1_000, 10_000]
    logs.configure("console", "warning")
    print(describe())
    with tempfile.TemporaryDirectory() as name, postgresql() as cluster:
        small, large = create_engine(f"sqlite:///{name}/baton.sqlite"), create_engine(cluster.url())
        companies = [found(small), found(large)]
        for company in companies:
            measure(company, sizes, Path(name))
        with connect(cluster.folder) as connection:
            connection.execute("CREATE DATABASE moved")
        moved = create_engine(cluster.url("moved"))
        begun = time.perf_counter()
        tables = copy(small, moved, lambda table: None)
        seconds = time.perf_counter() - begun
        with Session(moved) as session:
            cases = session.scalar(select(func.count()).select_from(ProcessInstance))
        rows = sum(table.rows for table in tables)
        print(f"copy from SQLite to PostgreSQL: {rows:,} rows, {cases:,} cases, {rows / seconds:,.0f} rows a second")
        for engine in (small, large, moved):
            engine.dispose()


if __name__ == "__main__":
    main()
