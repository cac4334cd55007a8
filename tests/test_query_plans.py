"""What is asked all the time costs the same however many cases there are, on either database: an index answers it.

A live and an ended case are multiplied; then the real use cases run, and every statement that they send is explained
and measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, select, text
from sqlalchemy.orm import Session, close_all_sessions, sessionmaker

from benchmarks.multiply import Template
from cockpit import case, instances, search, stalled, visibility
from cockpit.instances import Cursor, InstanceFilter, Trouble
from cockpit.search import ProcessInstanceQuery
from database import create_engine, dumps, session_factory, transaction
from engine import clock, invariants, messages, signals, timer_duty
from engine import jobs as engine_jobs
from engine.archive import Archive
from engine.configuration import EngineConfiguration
from engine.duties import Turn
from engine.execution import execute
from engine.instances import CancelInstance
from engine.models import ProcessInstance, ProcessState, UserTask, UserTaskState
from engine.retention import Cleanup
from engine.user_tasks import CompleteUserTask
from people.models import Group, User
from tasks import user_task_search
from tasks.user_task_search import UserTaskQuery
from tasks.worklist import Whose, worklist
from tests.conftest import MONDAY
from tests.databases import Databases, template
from tests.diagrams import (
    boundary,
    catches,
    chain,
    diagram,
    end,
    flow,
    gateway,
    message,
    node,
    script,
    service,
    signal,
    start,
    timer,
    user,
)
from tests.plans import effort, plan
from tests.play import Player

#: Copies of the live case, and of the ended one.
LIVE, ENDED = 5_000, 7_000

#: What one statement may look at: a page of fifty things with what belongs to them, not a table of thousands.
MOST = {"postgresql": 700, "sqlite": 30}

#: The user whose worklist is looked at, and a group; others have as many tasks.
WANG, TEAM = "user5", "group7"

PATHS = ("ask", "work", "receive", "alarm", "fail")
LIVE_CASE = diagram(
    start(),
    gateway("parallel", "fork"),
    user("ask", '<zeebe:assignmentDefinition assignee="wang" candidateGroups="team"/>'),
    boundary("late", "ask", timer("Duration", "PT4H"), interrupting=False),
    service("work"),
    node("receiveTask", "receive", messageRef="message-paid"),
    node("intermediateCatchEvent", "alarm", catches("signal", "alarm")),
    script("fail", "assert(missing, missing)", "x"),
    end(),
    flow("start", "fork"),
    flow("late", "end"),
    *(flow("fork", name) + flow(name, "end") for name in PATHS),
    process_id="live",
    extra=message("paid", "=plate") + signal("alarm"),
)
ENDED_CASE = diagram(
    start(),
    user("ask", '<zeebe:assignmentDefinition candidateGroups="team"/>'),
    end(),
    chain("start", "ask", "end"),
    process_id="ended",
)


def _vary(table: str, row: dict[str, Any], number: int) -> bool:
    """Make the copies as different as cases are; one in forty has an incident, a few are suspended."""
    if table == "user_task":
        row["candidate_groups"] = dumps([f"group{number % 100}"])
    if table == "user_task" and row["state"] == UserTaskState.CREATED:
        row["assignee"] = f"user{number % 200}" if number % 5 == 0 else None
        row["due_at"] = MONDAY + timedelta(minutes=number)
    elif table == "user_task_group":
        row["group_id"] = f"group{number % 100}"
    elif table == "message_subscription":
        row["correlation_key"] = f"plate{number}"
    elif table == "signal_subscription":
        row["signal_name"] = f"alarm{number % 500}"
    elif table == "job":
        row["type"] = f"work{number % 50}"
    elif table == "timer":
        row["due_at"] = MONDAY + timedelta(minutes=number - 20)
    elif table == "process_instance":
        row["title"] = f"粤B{number:05}"
        if row["state"] == ProcessState.ACTIVE and number % 251 == 7:
            row["suspended_at"] = MONDAY
        if row["removal_at"] is not None:
            row["removal_at"] = MONDAY + timedelta(minutes=number - 20)
    return table != "incident" or number % 40 == 0


def _fill(engine: Engine) -> None:
    sessions = session_factory(engine, **EngineConfiguration(clock_control=True).info())
    with sessions() as session, transaction(session):
        clock.pin(session, MONDAY)
        for name in ("manager", "staff"):
            role = "manager" if name == "manager" else "staff"
            groups = [Group(id=TEAM)] if name == "staff" else []
            username = "boss" if name == "manager" else WANG
            values = {"name": name, "password_hash": "", "role": role, "active": True, "created_at": MONDAY}
            session.add(User(username=username, groups=groups, **values))
    player = Player(sessions)
    player.deploy(LIVE_CASE)
    player.deploy(ENDED_CASE)
    live, ended = player.start("live", {"plate": "plate0", "price": 1}), player.start("ended", {"plate": "x"})
    assert len(live.incidents) == 1
    ended.complete("ask")
    with sessions() as session, transaction(session):
        found = session.get(ProcessInstance, ended.key)
        assert found is not None
        found.removal_at = MONDAY
    with engine.connect() as connection:
        templates = [Template(connection, case.key, number) for number, case in enumerate((ended, live), 1)]
    with sessions() as session, transaction(session):
        for copied, number in zip(templates, (ENDED, LIVE), strict=True):
            copied.multiply(session.connection(), range(1, number + 1), _vary)
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            connection.execute(text("VACUUM ANALYZE"))


@pytest.fixture(scope="module")
def filled(databases: Databases, empty_database: str) -> Iterator[Engine]:
    """A database with thousands of cases, on Monday 2025-03-03 at nine o'clock in Shanghai."""
    url = template(databases, _fill, empty_database)
    engine = create_engine(url)
    yield engine
    engine.dispose()
    databases.drop(url)


@pytest.fixture
def sessions(filled: Engine) -> Iterator[sessionmaker[Session]]:
    """Makes sessions on the filled database."""
    yield session_factory(filled, **EngineConfiguration(clock_control=True).info())
    close_all_sessions()


@contextmanager
def statements(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    """Collect the statements that look for rows, as they are sent."""
    sent: list[tuple[str, Any]] = []

    def note(_c: object, _k: object, statement: str, parameters: Any, _x: object, executemany: bool) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
            sent.append((statement, parameters[0] if executemany else parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def person(session: Session, username: str) -> User:
    """Return a user."""
    found = session.get(User, username)
    assert found is not None
    return found


def live_case(session: Session, number: int = 1_000) -> ProcessInstance:
    """Return one of the live cases."""
    query = select(ProcessInstance).where(ProcessInstance.state == ProcessState.ACTIVE).order_by(ProcessInstance.key)
    return session.scalars(query.offset(number).limit(1)).one()


# --- what is asked all the time, each with what it needs to know beforehand

UseCase = Callable[[sessionmaker[Session]], Callable[[], object]]


def _worklist(whose: Whose, username: str = WANG) -> UseCase:
    def prepare(sessions: sessionmaker[Session]) -> Callable[[], object]:
        session = sessions()
        user = person(session, username)
        return lambda: worklist(session, user, whose)

    return prepare


def _cases(wanted: InstanceFilter, *, deep: bool = False) -> UseCase:
    def prepare(sessions: sessionmaker[Session]) -> Callable[[], object]:
        session = sessions()
        seen = visibility.ways(session, person(session, "boss"))
        middle = live_case(session)
        after = Cursor(middle.started_at, middle.key) if deep else None
        return lambda: instances.page(session, seen, wanted, after)

    return prepare


def _processes(sessions: sessionmaker[Session]) -> Callable[[], object]:
    session = sessions()
    seen = visibility.ways(session, person(session, "boss"))
    return lambda: instances.process_choices(session, seen)


def _one_case(sessions: sessionmaker[Session]) -> Callable[[], object]:
    session = sessions()
    boss, key = person(session, "boss"), live_case(session).key
    return lambda: case.case(session, boss, key)


def _instance_by_key(sessions: sessionmaker[Session]) -> Callable[[], object]:
    session = sessions()
    boss, key = person(session, "boss"), live_case(session).key
    return lambda: search.process_instance(session, boss, key)


def _stalled(sessions: sessionmaker[Session]) -> Callable[[], object]:
    session = sessions()
    return lambda: stalled.page(session, stalled.StalledFilter())


def _due_timers(sessions: sessionmaker[Session]) -> Callable[[], object]:
    return lambda: timer_duty.claim(Turn(sessions, "worker"))


def _message(sessions: sessionmaker[Session]) -> Callable[[], object]:
    def publish() -> None:
        with sessions() as session, transaction(session):
            messages.publish(session, "paid", "plate77", time_to_live=timedelta(hours=1), message_id="1")

    return publish


def _signal(sessions: sessionmaker[Session]) -> Callable[[], object]:
    def broadcast() -> None:
        with sessions() as session, transaction(session):
            signals.broadcast(session, "alarm7")

    return broadcast


def _jobs(sessions: sessionmaker[Session]) -> Callable[[], object]:
    def activate() -> None:
        with sessions() as session, transaction(session):
            engine_jobs.activate(session, "work7", "w", timedelta(minutes=1), 10)

    return activate


def _complete(sessions: sessionmaker[Session]) -> Callable[[], object]:
    with sessions() as session:
        instance_key = live_case(session, 500).key
        task_key = session.scalars(select(UserTask.key).where(UserTask.instance_key == instance_key)).one()

    def complete() -> None:
        with sessions() as session, transaction(session):
            execute(session, instance_key, CompleteUserTask(task_key, {"answer": 1}))

    return complete


def _cancel(sessions: sessionmaker[Session]) -> Callable[[], object]:
    with sessions() as session:
        instance_key = live_case(session, 600).key

    def cancel() -> None:
        with sessions() as session, transaction(session):
            execute(session, instance_key, CancelInstance())

    return cancel


def _invariants(sessions: sessionmaker[Session]) -> Callable[[], object]:
    session = sessions()
    keys = [live_case(session, number).key for number in (1, 2, 3)]
    return lambda: invariants.inspect(session, keys)


def _cleanup(sessions: sessionmaker[Session]) -> Callable[[], object]:
    class Nowhere(Archive):
        """The files are not what is measured."""

        def add(self, cases: object) -> None:
            """Keep nothing."""

    parts = Cleanup(Nowhere(None)).work(sessions)  # type: ignore[arg-type]
    return lambda: next(parts)


def _instance_search(query: dict[str, Any]) -> UseCase:
    def prepare(sessions: sessionmaker[Session]) -> Callable[[], object]:
        session = sessions()
        boss = person(session, "boss")
        page = {"limit": 50, **query.pop("page", {})}
        if page.pop("deep", False):
            first = search.process_instances(
                session, boss, ProcessInstanceQuery.model_validate({**query, "page": {"limit": 1, "from": 3_000}})
            )
            page["after"] = first.page.end_cursor
        asked = ProcessInstanceQuery.model_validate({**query, "page": page})
        return lambda: search.process_instances(session, boss, asked)

    return prepare


def _task_search(query: dict[str, Any]) -> UseCase:
    def prepare(sessions: sessionmaker[Session]) -> Callable[[], object]:
        session = sessions()
        boss = person(session, "boss")
        asked = UserTaskQuery.model_validate({**query, "page": {"limit": 50}})
        return lambda: user_task_search.search(session, boss, asked)

    return prepare


NEWEST_FIRST = [{"field": "startDate", "order": "DESC"}]

USE_CASES: dict[str, UseCase] = {
    "worklist: mine": _worklist(Whose.MINE),
    "worklist: my groups'": _worklist(Whose.GROUPS),
    "worklist: everybody's": _worklist(Whose.ALL, "boss"),
    "due timers": _due_timers,
    "message correlation": _message,
    "signal": _signal,
    "job activation": _jobs,
    "completing a task": _complete,
    "cancelling a case": _cancel,
    "invariants of some instances": _invariants,
    "history cleanup": _cleanup,
    "instance by key": _instance_by_key,
    "page of a case": _one_case,
    "stalled": _stalled,
    "case list": _cases(InstanceFilter()),
    "case list, running": _cases(InstanceFilter(state=ProcessState.ACTIVE)),
    "case list, one process": _cases(InstanceFilter(process_id="live")),
    "case list, deep": _cases(InstanceFilter(), deep=True),
    "case list, running, deep": _cases(InstanceFilter(state=ProcessState.ACTIVE), deep=True),
    "case list, with incident": _cases(InstanceFilter(trouble=Trouble.INCIDENT)),
    "case list, suspended": _cases(InstanceFilter(trouble=Trouble.SUSPENDED)),
    "case list: its processes": _processes,
    "search: instances": _instance_search({}),
    "search: newest instances": _instance_search({"sort": NEWEST_FIRST}),
    "search: instances, deep": _instance_search({"page": {"deep": True}}),
    "search: newest instances, deep": _instance_search({"sort": NEWEST_FIRST, "page": {"deep": True}}),
    "search: a person's tasks": _task_search({"filter": {"assignee": WANG, "state": "CREATED"}}),
    "search: a group's tasks": _task_search({"filter": {"candidateGroup": TEAM, "state": "CREATED"}}),
}


@pytest.mark.parametrize("name", USE_CASES)
def test_it_costs_the_same_however_many_cases_there_are(sessions: sessionmaker[Session], name: str) -> None:
    engine: Engine = sessions.kw["bind"]
    run = USE_CASES[name](sessions)
    with statements(engine) as sent:
        run()
    assert sent

    for statement, parameters in sent:
        if "count(*)" in statement and "LIMIT" in statement:
            # The number of rows that a search found, of which it counts no more than ten thousand.
            continue
        with sessions() as session:
            found = plan(session, statement, parameters)
            assert not found.whole_tables & LARGE, (statement, found)
            assert effort(session, statement, parameters) <= MOST[engine.dialect.name], (statement, found)


#: The tables of which each case has rows.
LARGE = frozenset(
    {
        "audit",
        "element_instance",
        "incident",
        "instance_state",
        "job",
        "message_subscription",
        "process_instance",
        "signal_subscription",
        "timer",
        "user_task",
        "user_task_group",
        "variable",
    }
)
