"""A million live cases beside a thousand: what people and programs do all day, and the memory of every process.

    python -m benchmarks.million [CASES] [--database sqlite] [--times 30]     # default: 1,000,000 on PostgreSQL

Two databases of the same kind: one with 1,000 live cases, one with CASES. Cases are copies of real ones (see
`benchmarks.multiply`): a task with a candidate group, of which there is one for each thousand cases; one in twenty has
a message and a timer of the far future beside it, one in two hundred an incident; some tasks are overdue, some have
been left alone for days. The real server with its worker takes turns with both databases, so that whatever else the
machine does meets both, and answers requests of all kinds in a random order at a fixed rate.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Engine, func, select, text, update
from sqlalchemy.orm import Session, sessionmaker

from benchmarks.machine import describe
from benchmarks.multiply import Template
from benchmarks.served import HEADERS, KINDS, PASSWORD, Served, database, kind_of, prepare, serving
from database import create_engine, dumps, session_factory, transaction
from engine import definitions, wakeup
from engine.configuration import EngineConfiguration
from engine.execution import create_instance
from engine.models import Audit, MessageSubscription, ProcessInstance, Timer, UserTask, UserTaskState
from engine.timers import CHANNEL
from people import service
from processes.service import Resource, deploy
from tests.diagrams import boundary, catches, chain, diagram, end, flow, message, script, start, timer, user

#: Cases of the database that the other is compared with, and of one candidate group.
FEW = 1_000
#: Requests a second, whatever their kind.
RATE = 12
#: Turns of each database.
TURNS = 3
#: Timers that come due in one turn, one each second.
TIMERS = 12
#: Open connections; the server's processes share them.
CONNECTIONS = 4

STAFF, BOSS = "wang", "boss"

#: Searches of programs: where they are sent, and what is asked.
NEWEST_CASES = (
    "/v2/process-instances/search",
    {
        "filter": {"processDefinitionId": "plain", "state": "ACTIVE"},
        "sort": [{"field": "startDate", "order": "DESC"}],
        "page": {"limit": 50},
    },
)
TASKS_OF_A_GROUP = (
    "/v2/user-tasks/search",
    {"filter": {"candidateGroup": "team 0", "state": "CREATED"}, "page": {"limit": 50}},
)
_FOR_EVER = datetime(2099, 1, 1, tzinfo=UTC)
_GROUPS = '<zeebe:assignmentDefinition candidateGroups="=[team]"/>'


def processes() -> list[Resource]:
    """Return the processes: two tasks; the same with a timer and a message; one that stands at an incident."""
    return [
        diagram(
            start(),
            user("first", _GROUPS),
            user("second", _GROUPS),
            end(),
            chain("start", "first", "second", "end"),
            process_id="plain",
        ),
        diagram(
            start(),
            user("first", _GROUPS),
            user("second", _GROUPS),
            boundary("deadline", "first", timer("Date", _FOR_EVER.isoformat()), interrupting=False),
            boundary("note", "first", catches("message", "note"), interrupting=False),
            user("chase", _GROUPS),
            end(),
            end("chased"),
            end("noted"),
            chain("start", "first", "second", "end"),
            chain("deadline", "chase", "chased"),
            flow("note", "noted"),
            process_id="timed",
            extra=message("note", "=plate"),
        ),
        diagram(
            start(),
            script("fail", "assert(missing, missing)", "x"),
            end(),
            chain("start", "fail", "end"),
            process_id="failed",
        ),
    ]


#: Of two hundred cases.
SHARES = {"plain": 189, "timed": 10, "failed": 1}


def fill(engine: Engine, cases: int) -> None:
    """Deploy the processes, make the people, and as many live cases."""
    sessions = session_factory(engine, **EngineConfiguration().info())
    with sessions() as session, transaction(session):
        now = datetime.now(UTC)
        service.save_group(session, "team 0", "")
        for username, role, groups in ((STAFF, "staff", ["team 0"]), (BOSS, "manager", [])):
            service.create_user(
                session, username=username, name=username, password=PASSWORD, at=now, role=role, groups=groups
            )
        deploy(session, processes())
        begun = [
            create_instance(
                session, definitions.latest(session, name), {"plate": f"{name} 0", "team": "team 0"}, actor=STAFF
            ).instance_key
            for name in SHARES
        ]
    with engine.connect() as connection:
        templates = [Template(connection, key, number) for number, key in enumerate(begun, 1)]
    for template, share in zip(templates, SHARES.values(), strict=True):
        vary = _Vary(now, FEW * share // sum(SHARES.values()))
        copies = cases * share // sum(SHARES.values())
        for first in range(1, copies + 1, 20_000):
            with sessions() as session, transaction(session):
                template.multiply(session.connection(), range(first, min(first + 20_000, copies + 1)), vary)
    with engine.connect() as connection:
        connection.execute(text("VACUUM ANALYZE" if engine.dialect.name == "postgresql" else "ANALYZE"))
        connection.commit()


@dataclass(frozen=True, slots=True)
class _Vary:
    """Makes the copies as different as cases are; the first are those of the first group in any database."""

    now: datetime
    first: int

    def __call__(self, table: str, row: dict[str, Any], number: int) -> bool:
        """Change a row of the copy with this number."""
        team = "team 0" if number <= self.first else f"team {1 + number % (FEW - 1)}"
        if table == "process_instance":
            row["started_by"] = STAFF if number <= self.first and number % 2 else f"user {number // 100}"
        elif table == "user_task":
            row["candidate_groups"] = dumps([team])
            kind = number % 10
            if kind == 0:
                row["assignee"] = STAFF if number <= self.first else f"user {number // 100}"
            elif kind == 1:
                row["touched_at"] = self.now - timedelta(days=2, seconds=number)
            elif kind == 2:
                row["due_at"] = self.now - timedelta(hours=2, seconds=number)
            elif kind in (3, 4):
                row["due_at"] = self.now + timedelta(days=1, seconds=number)
            if kind != 1:
                row["touched_at"] = self.now
        elif table == "user_task_group":
            row["group_id"] = team
        elif table == "message_subscription":
            row["correlation_key"] = f"timed {number}"
        elif table == "timer":
            row["due_at"] = row["next_at"] = _FOR_EVER + timedelta(seconds=number)
        elif table == "variable":
            names = {"plate": f"{row['value'][1:-3]} {number}", "team": team}
            row["value"] = dumps(names[row["name"]])
        return True


@dataclass(slots=True)
class Measured:
    """What was measured of one database, over all of its turns."""

    #: By kind of request.
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    #: Seconds by which timers were late.
    late: list[float] = field(default_factory=list)
    #: By kind of process: most megabytes of one of them, and CPU seconds of all of them.
    megabytes: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    cpu: dict[str, float] = field(default_factory=lambda: defaultdict(float))


class Client:
    """Sends requests of people and programs to a running server."""

    def __init__(self, served: Served) -> None:
        self._port = served.port
        self._connections = [HTTPConnection("127.0.0.1", served.port, timeout=120) for _ in range(CONNECTIONS)]
        self._cookies = {name: self._sign_in(name) for name in (STAFF, BOSS)}

    def _sign_in(self, username: str) -> str:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
        connection.request("GET", "/sign-in")
        answer = connection.getresponse()
        token = re.search(rb'name="csrf_token" value="([^"]+)"', answer.read())
        assert token is not None
        cookie = (answer.getheader("Set-Cookie") or "").partition(";")[0]
        form = urlencode({"csrf_token": token[1].decode(), "username": username, "password": PASSWORD})
        headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/sign-in", form, headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 302, answer.status
        return (answer.getheader("Set-Cookie") or "").partition(";")[0]

    def send(self, number: int, method: str, path: str, body: object = None, *, username: str | None = None) -> Any:
        """Send a request by one of the connections, of a person to a page or of a program; return the answer's text."""
        headers = {"Cookie": self._cookies[username]} if username else HEADERS
        connection = self._connections[number % CONNECTIONS]
        connection.request(method, path, None if body is None else json.dumps(body).encode(), headers)
        response = connection.getresponse()
        content = response.read()
        if response.status >= 300:
            raise SystemExit(f"{method} {path}: {response.status} {content[:300]!r}")
        return content


#: Sends one request of a kind; the number is that of the connection.
Act = Callable[[Client, int], Any]


class Actions:
    """What is done, each kind with things of its own, chosen at random among all cases."""

    def __init__(self, sessions: sessionmaker[Session], times: int) -> None:
        chance = random.Random(4)
        count = TURNS * (times + CONNECTIONS)
        self.times = times
        with sessions() as session:
            open_first = select(UserTask.key).where(
                UserTask.state == UserTaskState.CREATED,
                UserTask.element_id == "first",
                UserTask.process_id == "plain",
                UserTask.assignee.is_(None),
            )
            self._tasks = iter(chance.sample(list(session.scalars(open_first)), count))
            self._cases = chance.sample(list(session.scalars(select(ProcessInstance.key))), 5 * FEW // 10)
            self._plates = chance.choices(list(session.scalars(select(MessageSubscription.correlation_key))), k=FEW)
        self._chance = chance

    def kinds(self) -> dict[str, Act]:
        """Return every kind of request."""

        def case() -> int:
            return self._chance.choice(self._cases)

        return {
            "start a case": lambda client, number: client.send(
                number,
                "POST",
                "/v2/process-instances",
                {"processDefinitionId": "plain", "variables": {"plate": "new", "team": "team 0"}},
            ),
            "complete a task": lambda client, number: client.send(
                number, "POST", f"/v2/user-tasks/{next(self._tasks)}/completion", {"variables": {"answer": 1}}
            ),
            "publish a message that a case waits for": lambda client, number: client.send(
                number,
                "POST",
                "/v2/messages/publication",
                {
                    "name": "note",
                    "correlationKey": self._chance.choice(self._plates),
                    "messageId": str(uuid.uuid4()),
                    "timeToLive": 0,
                },
            ),
            "read a case (API)": lambda client, number: client.send(number, "GET", f"/v2/process-instances/{case()}"),
            "search a group's tasks (API)": lambda client, number: client.send(
                number,
                "POST",
                *TASKS_OF_A_GROUP,
            ),
            "search newest cases (API)": lambda client, number: client.send(
                number,
                "POST",
                *NEWEST_CASES,
            ),
            "worklist: mine": lambda client, number: client.send(number, "GET", "/tasks?whose=mine", username=STAFF),
            "worklist: my groups'": lambda client, number: client.send(
                number, "GET", "/tasks?whose=groups", username=STAFF
            ),
            "worklist: all, of a manager": lambda client, number: client.send(
                number, "GET", "/tasks?whose=all", username=BOSS
            ),
            "case list, of a manager": lambda client, number: client.send(number, "GET", "/instances", username=BOSS),
            "case list, of staff": lambda client, number: client.send(number, "GET", "/instances", username=STAFF),
            "page of a case": lambda client, number: client.send(number, "GET", f"/instances/{case()}", username=BOSS),
            "stalled": lambda client, number: client.send(number, "GET", "/stalled", username=BOSS),
        }


def turn(served: Served, sessions: sessionmaker[Session], actions: Actions, measured: Measured) -> None:
    """Let the server do everything so many times, and note how long it took."""
    client, kinds = Client(served), actions.kinds()
    # Caches of every process are filled first.
    for act in kinds.values():
        for number in range(CONNECTIONS):
            act(client, number)
    due = _soon_due(sessions)
    cpu_before = _cpu(served, sessions)
    plan = list(kinds) * actions.times
    random.Random(5).shuffle(plan)
    begun = time.monotonic()
    for number, kind in enumerate(plan):
        time.sleep(max(0.0, begun + number / RATE - time.monotonic()))
        sent = time.perf_counter()
        kinds[kind](client, number)
        measured.seconds[kind].append(time.perf_counter() - sent)
    for kind, seconds in _cpu(served, sessions).items():
        measured.cpu[kind] += seconds - cpu_before[kind]
    for kind, megabytes in _memory(served, sessions).items():
        measured.megabytes[kind] = max(measured.megabytes[kind], megabytes)
    at = _fired_at(sessions, list(due))
    measured.late += [(at[key] - due_at).total_seconds() for key, due_at in due.items()]


def _soon_due(sessions: sessionmaker[Session]) -> dict[int, datetime]:
    """Let some timers come due, one a second, and return when."""
    begin = datetime.now(UTC) + timedelta(seconds=2)
    with sessions() as session, transaction(session):
        last = select(Timer.key).where(Timer.instance_key.is_not(None)).order_by(Timer.due_at.desc()).limit(TIMERS)
        due = {key: begin + timedelta(seconds=number) for number, key in enumerate(session.scalars(last))}
        session.execute(update(Timer), [{"key": key, "due_at": at, "next_at": at} for key, at in due.items()])
        wakeup.notify(session, CHANNEL)
    return due


def _fired_at(sessions: sessionmaker[Session], keys: list[int]) -> dict[int, datetime]:
    """Return when each of the timers began to be fired; waits until all have been, and stops after a minute."""
    fired = select(Audit.subject_key, Audit.at).where(Audit.subject_key.in_(keys), Audit.action == "fire timer")
    give_up_at = time.monotonic() + 60
    while True:
        with sessions() as session:
            at = {row.subject_key: row.at for row in session.execute(fired) if row.subject_key is not None}
        if len(at) == len(keys):
            return at
        if time.monotonic() > give_up_at:
            raise SystemExit(f"Only {len(at)} of {len(keys)} timers were fired.")
        time.sleep(1)


def _pids(served: Served, sessions: sessionmaker[Session]) -> Iterator[tuple[str, int]]:
    """Yield every process with what it is."""
    yield "first process", served.pid
    web = set(served.server_processes())
    for pid in web:
        yield "web", pid
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) not in web and _parent(entry) == served.pid:
            yield "worker", int(entry.name)
    with sessions() as session:
        if session.get_bind().dialect.name == "postgresql":
            others = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            for pid in session.scalars(text(others)):
                yield "database, a connection", pid


def _parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _memory(served: Served, sessions: sessionmaker[Session]) -> dict[str, float]:
    """Return the megabytes of the largest process of each kind: resident, of connections what is theirs alone."""
    most: dict[str, float] = defaultdict(float)
    for kind, pid in _pids(served, sessions):
        name = "RssAnon" if kind.startswith("database") else "VmRSS"
        found = re.search(rf"^{name}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
        assert found is not None
        most[kind] = max(most[kind], int(found[1]) / 1024)
    return most


def _cpu(served: Served, sessions: sessionmaker[Session]) -> dict[str, float]:
    """Return the CPU seconds that the processes of each kind have used."""
    used: dict[str, float] = defaultdict(float)
    for kind, pid in _pids(served, sessions):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        used[kind] += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return used


def report(few: Measured, many: Measured, cases: int) -> None:
    """Print both beside each other."""
    print(f"\n{'milliseconds':42} {f'{FEW:,} live':>18}   {f'{cases:,} live':>18}   ratio")
    print(f"{'':42} {'median':>9}{'p95':>9}   {'median':>9}{'p95':>9}   median   p95")
    rows = {**few.seconds, "a timer is late by": few.late}
    columns = {**many.seconds, "a timer is late by": many.late}
    for kind, seconds in rows.items():
        a, b = _figures(seconds), _figures(columns[kind])
        print(
            f"{kind:42} {a[0]:9.1f}{a[1]:9.1f}   {b[0]:9.1f}{b[1]:9.1f}   {b[0] / a[0]:6.2f}{b[1] / a[1]:6.2f}",
            flush=True,
        )
    print(f"\n{'largest process of a kind, MB':42} {f'{FEW:,} live':>18}   {f'{cases:,} live':>18}   ratio")
    for kind, megabytes in few.megabytes.items():
        print(f"{kind:42} {megabytes:18.1f}   {many.megabytes[kind]:18.1f}   {many.megabytes[kind] / megabytes:6.2f}")
    requests = sum(len(seconds) for seconds in few.seconds.values())
    print(f"\n{f'CPU seconds of {requests:,} requests':42} {f'{FEW:,} live':>18}   {f'{cases:,} live':>18}   ratio")
    for kind, used in few.cpu.items():
        print(f"{kind:42} {used:18.1f}   {many.cpu[kind]:18.1f}   {many.cpu[kind] / max(used, 0.01):6.2f}")


def _figures(seconds: list[float]) -> tuple[float, float]:
    """Return median and 95th percentile in milliseconds."""
    return median(seconds) * 1000, quantiles(seconds, n=20)[-1] * 1000


def _rows(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(ProcessInstance)) or 0


def main() -> None:
    """Fill two databases, take turns with them, and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--database", choices=KINDS, default="postgresql")
    parser.add_argument("--times", type=int, default=30, help="how often each thing is done in a turn")
    chosen = parser.parse_args()
    print(describe())
    with ExitStack() as stack:
        stores = []
        for cases in (FEW, chosen.cases):
            url = stack.enter_context(database(chosen.database))
            environment = prepare(url, stack.enter_context(tempfile.TemporaryDirectory()))
            engine = create_engine(url)
            stack.callback(engine.dispose)
            begun = time.monotonic()
            fill(engine, cases)
            print(f"{kind_of(url)}: {_rows(engine):,} live cases made in {time.monotonic() - begun:,.0f} s", flush=True)
            sessions = session_factory(engine, **EngineConfiguration().info())
            stores.append((environment, sessions, Actions(sessions, chosen.times), Measured()))
        for _ in range(TURNS):
            for environment, sessions, actions, measured in stores:
                with serving(environment, 2) as served:
                    turn(served, sessions, actions, measured)
        report(stores[0][-1], stores[1][-1], chosen.cases)


if __name__ == "__main__":
    main()
