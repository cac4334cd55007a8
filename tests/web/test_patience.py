"""What the database gives up for no fault of the request is done again; nothing is done twice."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from sqlalchemy import Engine, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from database import create_engine, session_factory, transaction
from database.errors import OutcomeUnknown
from database.extension import db
from database.retrying import ATTEMPTS, away, retryable, retrying
from engine.models import ClusterDuty
from people.models import User
from tests.conftest import MONDAY, PASSWORD, MakeUser
from tests.databases import Databases
from web.application import create_app
from web.configuration import Configuration

SERIALIZATION_FAILURE = "DO $$ BEGIN RAISE EXCEPTION 'not now' USING ERRCODE = '40001'; END $$"
BREAK_CONNECTION = "SELECT pg_terminate_backend(pg_backend_pid())"

postgresql = pytest.mark.postgresql_only(reason="only PostgreSQL gives up transactions and breaks connections")


@pytest.fixture
def duties(sessions: sessionmaker[Session]) -> sessionmaker[Session]:
    """Sessions on a database with the rows a and b to write to."""
    with sessions() as session, transaction(session):
        for name in "ab":
            session.add(ClusterDuty(name=name, holder=None, leased_until=None, last_run_at=MONDAY))
    return sessions


def hold(session: Session, name: str, holder: str) -> None:
    """Write to a row."""
    session.execute(update(ClusterDuty).where(ClusterDuty.name == name).values(holder=holder))


def holder(sessions: sessionmaker[Session], name: str) -> str | None:
    """Return what was written to a row last."""
    with sessions() as session:
        return session.scalar(select(ClusterDuty.holder).where(ClusterDuty.name == name))


@postgresql
def test_both_of_two_transactions_that_wait_for_each_other_succeed(duties: sessionmaker[Session]) -> None:
    both_began = threading.Barrier(2)
    attempts: list[str] = []

    def write(who: str, first: str, second: str) -> None:
        def attempt() -> None:
            with duties() as session, transaction(session):
                hold(session, first, who)
                attempts.append(who)
                if attempts.count(who) == 1:
                    both_began.wait(20)
                hold(session, second, who)

        retrying(attempt)

    threads = [
        threading.Thread(target=write, args=("x", "a", "b")),
        threading.Thread(target=write, args=("y", "b", "a")),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(attempts) > 2, "one of them was the victim of the deadlock"
    assert holder(duties, "a") == holder(duties, "b") != None  # noqa: E711 a chain of comparisons


def test_a_busy_sqlite_is_asked_again(tmp_path: object) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/busy.sqlite")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE seen (at TEXT)")
    # Another program, which does not queue with ours, has the write lock for a moment.
    other = sqlite3.connect(f"{tmp_path}/busy.sqlite", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(0.05, other.rollback).start()
    attempts = 0

    def write() -> None:
        nonlocal attempts
        attempts += 1
        with session_factory(engine)() as session:
            session.connection().exec_driver_sql("PRAGMA busy_timeout=0")
            with transaction(session):
                session.execute(text("INSERT INTO seen VALUES ('now')"))

    retrying(write)

    assert attempts > 1
    other.close()
    engine.dispose()


def test_what_fails_for_a_reason_of_its_own_is_not_tried_again(duties: sessionmaker[Session]) -> None:
    attempts = []

    def write() -> None:
        attempts.append(1)
        with duties() as session, transaction(session):
            session.add(ClusterDuty(name="a", holder=None, leased_until=None, last_run_at=MONDAY))

    with pytest.raises(IntegrityError):
        retrying(write)
    assert attempts == [1]


@postgresql
def test_what_fails_each_time_is_given_up(duties: sessionmaker[Session]) -> None:
    attempts = []

    def write() -> None:
        attempts.append(1)
        with duties() as session, transaction(session):
            session.execute(text(SERIALIZATION_FAILURE))

    with pytest.raises(DBAPIError, match="not now"):
        retrying(write)
    assert len(attempts) == ATTEMPTS


@postgresql
def test_of_a_commit_that_breaks_nobody_says_that_it_left_no_trace(duties: sessionmaker[Session]) -> None:
    def write() -> None:
        with duties() as session, transaction(session):
            hold(session, "a", "x")
            pid = session.scalar(select(text("pg_backend_pid()")))
            with duties() as other:
                other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})

    with pytest.raises(OutcomeUnknown) as caught:
        write()
    assert not retryable(caught.value)


@postgresql
@pytest.mark.parametrize(
    ("sqlstate", "at_fault"), [("53100", True), ("57P01", True), ("54000", False), ("22003", False)]
)
def test_a_database_that_cannot_work_is_told_from_work_that_cannot_be_done(
    sqlstate: str, at_fault: bool, duties: sessionmaker[Session]
) -> None:
    with duties() as session, pytest.raises(DBAPIError) as caught:
        session.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{sqlstate}'; END $$"))
    assert away(caught.value) is at_fault


def test_a_database_that_is_not_there_is_at_fault_and_a_table_that_is_not_there_is_not(
    duties: sessionmaker[Session],
) -> None:
    with duties() as session, pytest.raises(DBAPIError) as caught:
        session.execute(text("SELECT * FROM nowhere"))
    assert not away(caught.value)
    for url in ("sqlite:////no/such/directory/x.sqlite", "postgresql+psycopg://nobody@127.0.0.1:1/nothing"):
        with pytest.raises(DBAPIError) as caught:
            create_engine(url).connect()
        assert away(caught.value)


@postgresql
def test_connections_that_broke_while_nobody_used_them_are_replaced(
    database: Engine, duties: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("database.postgresql._DOUBTED_AFTER_SECONDS", 0.0)
    with duties() as session:
        assert session.scalar(text("SELECT 1")) == 1
    other = create_engine(database.url.render_as_string(hide_password=False))
    with other.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    other.dispose()

    with duties() as session:
        assert session.scalar(text("SELECT 1")) == 1


@postgresql
def test_whoever_has_finished_is_not_told_that_the_connection_is_lost(duties: sessionmaker[Session]) -> None:
    with duties() as reader:
        pid = reader.scalar(text("SELECT pg_backend_pid()"))
        with duties() as other:
            assert other.scalar(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})

    with duties() as session:
        first = session.scalar(text("SELECT pg_backend_pid()"))
        with duties() as session:
            assert pid not in (first, session.scalar(text("SELECT pg_backend_pid()")))


@pytest.fixture
def failing(app: Flask, duties: sessionmaker[Session]) -> Callable[..., list[str]]:
    """Adds the endpoint /v2/tried, which fails once by a statement; returns the files that its attempts have seen."""

    def add(statement: str, *, after: str = "") -> list[str]:
        seen: list[str] = []

        def view() -> str:
            session = db.session()
            if after:
                with transaction(session):
                    hold(session, "b", after)
            seen.append(request.files["file"].read().decode() if request.files else "")
            with transaction(session):
                hold(session, "a", f"attempt {len(seen)}")
                if len(seen) == 1:
                    session.execute(text(statement))
            return "done"

        app.add_url_rule("/v2/tried", view_func=view, methods=["POST"])
        return seen

    return add


@pytest.fixture
def browser(make_user: MakeUser, sign_in: Callable[[User], FlaskClient]) -> FlaskClient:
    """A browser in which somebody has signed in."""
    return sign_in(make_user("wang.fang"))


@postgresql
@pytest.mark.parametrize("statement", [SERIALIZATION_FAILURE, BREAK_CONNECTION])
def test_a_request_whose_transaction_was_given_up_is_answered_anew(
    statement: str, failing: Callable[..., list[str]], browser: FlaskClient, duties: sessionmaker[Session]
) -> None:
    seen = failing(statement)

    answer = browser.post("/v2/tried", data={"file": (BytesIO(b"sent once"), "file.txt")})

    assert (answer.status_code, answer.text) == (200, "done")
    assert seen == ["sent once", "sent once"], "what was sent is there again"
    assert holder(duties, "a") == "attempt 2"


@postgresql
def test_the_first_request_with_credentials_is_answered_anew_too(
    failing: Callable[..., list[str]], client: FlaskClient, make_user: MakeUser, duties: sessionmaker[Session]
) -> None:
    """That the credentials were right is committed before."""
    failing(SERIALIZATION_FAILURE)
    newcomer = make_user("somebody.new")

    answer = client.post("/v2/tried", auth=(newcomer.username, PASSWORD))

    assert (answer.status_code, answer.text) == (200, "done")
    assert holder(duties, "a") == "attempt 2"


@postgresql
def test_a_request_that_has_committed_something_is_not_done_again(
    failing: Callable[..., list[str]], browser: FlaskClient, duties: sessionmaker[Session]
) -> None:
    seen = failing(BREAK_CONNECTION, after="before")

    answer = browser.post("/v2/tried")

    assert answer.status_code == 503
    assert answer.content_type == "application/problem+json"
    assert answer.headers["Retry-After"]
    assert len(seen) == 1
    assert (holder(duties, "b"), holder(duties, "a")) == ("before", None)


def test_a_page_says_in_both_languages_that_the_database_does_not_answer(app: Flask, client: FlaskClient) -> None:
    def view() -> str:
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    app.add_url_rule("/gone", view_func=view)

    answer = client.get("/gone")

    assert answer.status_code == 503
    assert "数据库" in answer.text
    assert "database" in answer.text


def test_whoever_asks_with_credentials_is_told_that_the_database_does_not_answer(
    databases: Databases, tmp_path: Path
) -> None:
    """The user cannot be loaded, neither for the request nor for the line of the log that follows it."""
    url = databases.create()
    databases.drop(url)
    client = create_app(Configuration(tmp_path, url, "key")).test_client()

    answer = client.get("/v2/topology", auth=("root", PASSWORD))

    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["detail"] == "The database does not answer."
