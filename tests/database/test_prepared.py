"""What is prepared and sent ahead: errors come late but always, nothing is half done, and connections stay usable."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, bindparam, delete, event, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, InternalError, NotSupportedError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from database import transaction
from database.errors import OutcomeUnknown
from database.prepared import Prepared, together
from database.retrying import retryable
from database.session import snapshot
from engine.models import ClusterDuty
from tests.conftest import MONDAY
from tests.databases import writing

postgresql = pytest.mark.postgresql_only(reason="only PostgreSQL has a server to which things can be sent ahead")

ADD = Prepared(insert(ClusterDuty.__table__).values({column: bindparam(column) for column in ("name", "last_run_at")}))
HOLD = Prepared(
    insert(ClusterDuty.__table__).values({column: bindparam(column) for column in ("name", "holder", "last_run_at")})
)
NAMES = Prepared(select(ClusterDuty.name).where(ClusterDuty.name > bindparam("after")).order_by(ClusterDuty.name))


def add(session: Session, *names: str) -> None:
    """Write a row for each name."""
    ADD.execute(session.connection(), [{"name": name, "last_run_at": MONDAY} for name in names])


def names(sessions: sessionmaker[Session]) -> list[str]:
    """Return what is in the database for good."""
    with sessions() as session:
        return [name for (name,) in NAMES.rows(session.connection(), after="")]


def test_a_transaction_reads_what_it_has_sent(session: Session) -> None:
    with transaction(session):
        add(session, "a")
        add(session, "b", "c")
        assert [tuple(row) for row in NAMES.rows(session.connection(), after="a")] == [("b",), ("c",)]
        assert session.scalar(text("SELECT count(*) FROM cluster_duty")) == 3
        add(session, "d")
        session.add(ClusterDuty(name="e", holder=None, leased_until=None, last_run_at=MONDAY))
        session.flush()
        add(session, "f")
        first, second = together(session.connection(), (NAMES, {"after": "d"}), (NAMES, {"after": "e"}))

    assert [row[0] for row in first] == ["e", "f"]
    assert [row[0] for row in second] == ["f"]


def test_an_error_of_what_was_sent_comes_at_the_latest_with_the_commit(sessions: sessionmaker[Session]) -> None:
    def write() -> None:
        with sessions() as session, transaction(session):
            add(session, "a")
            add(session, "a")
            add(session, "b")

    with pytest.raises(IntegrityError):
        write()

    assert names(sessions) == []


@pytest.mark.parametrize(
    "asking",
    [
        lambda session: NAMES.rows(session.connection(), after=""),
        lambda session: session.scalar(text("SELECT 1")),
        lambda session: session.connection().begin_nested(),
    ],
    ids=["prepared", "any", "savepoint"],
)
def test_an_error_of_what_was_sent_comes_with_the_next_answer(sessions: sessionmaker[Session], asking: Any) -> None:
    reached = []

    def write() -> None:
        with sessions() as session, transaction(session):
            add(session, "a")
            add(session, "a")
            asking(session)
            reached.append("after")

    with pytest.raises(IntegrityError):
        write()

    assert (reached, names(sessions)) == ([], [])


def test_the_session_goes_on_after_an_error(sessions: sessionmaker[Session]) -> None:
    def give_up(session: Session) -> None:
        with transaction(session):
            add(session, "b")
            raise ZeroDivisionError

    with sessions() as session:
        for _ in range(3):
            with pytest.raises(IntegrityError), transaction(session):
                add(session, "a", "a")
        with transaction(session):
            add(session, "a")
        with pytest.raises(ZeroDivisionError):
            give_up(session)
        with transaction(session):
            add(session, "c")

    assert names(sessions) == ["a", "c"]


@postgresql
def test_whoever_writes_outside_of_a_writing_transaction_is_refused(sessions: sessionmaker[Session]) -> None:
    def by_statement(session: Session) -> None:
        add(session, "a")

    def by_object(session: Session) -> None:
        session.add(ClusterDuty(name="b", holder=None, leased_until=None, last_run_at=MONDAY))
        session.flush()

    with sessions() as session:
        for write in (by_statement, by_object):
            with pytest.raises(InternalError, match="read-only"):
                write(session)
            session.rollback()
        # Also on a connection that has been used for writing.
        with transaction(session):
            add(session, "c")
        with pytest.raises(InternalError, match="read-only"):
            add(session, "d")

    assert names(sessions) == ["c"]


@postgresql
def test_a_session_that_has_read_holds_no_transaction_open(sessions: sessionmaker[Session]) -> None:
    look = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle'")
    with sessions() as fresh, sessions() as used, sessions() as other:
        NAMES.rows(fresh.connection(), after="")
        with transaction(used):
            add(used, "a")
        NAMES.rows(used.connection(), after="")

        assert other.scalar(look) == 2


@postgresql
def test_statements_stay_prepared_from_one_request_to_the_next(sessions: sessionmaker[Session]) -> None:
    with sessions() as session:
        for number in range(10):
            NAMES.rows(session.connection(), after="")
            with transaction(session):
                add(session, str(number))
            session.rollback()

        prepared = set(session.scalars(text("SELECT statement FROM pg_prepared_statements")))

    assert {statement.split()[0] for statement in prepared} >= {"SELECT", "INSERT", "BEGIN"}


@postgresql
def test_rows_go_by_copy_and_by_cursor_in_the_middle_of_a_transaction(sessions: sessionmaker[Session]) -> None:
    with sessions() as session, transaction(session):
        add(session, "a")
        driver = session.connection().connection.driver_connection
        assert driver is not None
        with driver.cursor() as cursor, cursor.copy("COPY cluster_duty (name, last_run_at) FROM STDIN") as copy:
            copy.write_row(("b", MONDAY))
        add(session, "c")
        read = session.connection().execute(select(ClusterDuty.name), execution_options={"yield_per": 1})
        assert sorted(read.scalars()) == ["a", "b", "c"]
        add(session, "d")

    assert names(sessions) == ["a", "b", "c", "d"]


@postgresql
def test_a_connection_that_breaks_under_what_was_sent_leaves_nothing(sessions: sessionmaker[Session]) -> None:
    def end(pid: Any) -> None:
        with sessions() as other:
            other.scalar(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})

    def write(*, asking: bool) -> None:
        with sessions() as session, transaction(session):
            pid = session.scalar(text("SELECT pg_backend_pid()"))
            add(session, "a")
            end(pid)
            add(session, "b")
            if asking:
                NAMES.rows(session.connection(), after="")

    with pytest.raises(DBAPIError) as raised:
        write(asking=True)
    assert raised.value.connection_invalidated
    assert isinstance(raised.value.orig, psycopg.OperationalError)
    # What was asked last may have been the commit.
    with pytest.raises((OutcomeUnknown, DBAPIError)):
        write(asking=False)

    with sessions() as session, transaction(session):
        add(session, "c")
    assert names(sessions) == ["c"]


@postgresql
def test_of_a_commit_that_ends_the_connection_nobody_knows(sessions: sessionmaker[Session], database: Engine) -> None:
    with writing(database) as connection:
        end = "BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(10); RETURN NULL; END"
        connection.execute(text(f"CREATE FUNCTION end_it() RETURNS trigger LANGUAGE plpgsql AS $$ {end} $$"))
        connection.execute(
            text(
                "CREATE CONSTRAINT TRIGGER end_it AFTER INSERT ON cluster_duty DEFERRABLE INITIALLY DEFERRED "
                "FOR EACH ROW EXECUTE FUNCTION end_it()"
            )
        )

    def write() -> None:
        with sessions() as session, transaction(session):
            add(session, "a")

    with pytest.raises(OutcomeUnknown):
        write()
    assert names(sessions) == []


@postgresql
@pytest.mark.parametrize("size", [700_000, 3_000_000, 30_000_000])
def test_what_the_socket_does_not_take_at_once_arrives(sessions: sessionmaker[Session], size: int) -> None:
    long = "x" * size
    for _ in range(2):
        with sessions() as session:
            with transaction(session):
                add(session, str(size))
                session.execute(text("SELECT length(:long)"), {"long": long})
                session.execute(delete(ClusterDuty))
                HOLD.execute(session.connection(), [{"name": "a", "holder": long, "last_run_at": MONDAY}])
            assert session.scalar(text("SELECT length(:long)"), {"long": long}) == size
            assert session.scalar(text("SELECT length(holder) FROM cluster_duty")) == size


@postgresql
def test_a_read_that_failed_is_possible_again(sessions: sessionmaker[Session], database: Engine) -> None:
    read = text("SELECT a FROM changing")
    with writing(database) as connection:
        connection.execute(text("CREATE TABLE changing AS SELECT 1 AS a"))
    with sessions() as session:
        with transaction(session):
            add(session, "a")
        for _ in range(8):
            session.scalar(read)
        # On another connection: this one would know of it.
        with writing(database) as connection:
            connection.execute(text("ALTER TABLE changing ALTER COLUMN a TYPE bigint"))
        with pytest.raises(NotSupportedError, match="cached plan"):
            session.scalar(read)
        session.rollback()
        for _ in range(8):
            assert session.scalar(read) == 1


@postgresql
def test_a_read_that_was_cancelled_while_it_was_prepared_is_possible_again(
    sessions: sessionmaker[Session], database: Engine
) -> None:
    with sessions() as session:
        with transaction(session):
            add(session, "a")
        for _ in range(5):
            NAMES.rows(session.connection(), after="")
        with writing(database) as blocking:
            blocking.execute(text("LOCK TABLE cluster_duty IN ACCESS EXCLUSIVE MODE"))
            session.execute(text("SET statement_timeout = 200"))
            with pytest.raises(OperationalError, match="timeout"):
                NAMES.rows(session.connection(), after="")
        for _ in range(3):
            assert len(NAMES.rows(session.connection(), after="")) == 1


@postgresql
def test_what_fails_in_a_savepoint_is_all_that_is_taken_back(sessions: sessionmaker[Session]) -> None:
    def in_savepoint(session: Session, *written: str) -> None:
        savepoint = session.connection().begin_nested()
        try:
            add(session, *written)
            NAMES.rows(session.connection(), after="")
        except IntegrityError:
            savepoint.rollback()
        else:
            savepoint.commit()

    with sessions() as session:
        for number in range(12):
            with transaction(session):
                add(session, f"{number} before")
                in_savepoint(session, f"{number} inside")
                in_savepoint(session, f"{number} lost", f"{number} lost")
                add(session, f"{number} behind", f"{number} last")
                assert len(NAMES.rows(session.connection(), after=f"{number} ")) >= 4

    assert len(names(sessions)) == 48
    assert not any("lost" in name for name in names(sessions))


@postgresql
def test_connections_that_break_one_after_the_other_are_told_as_broken(database: Engine) -> None:
    """Whoever meets that may try again, which an error of the pool does not tell."""
    with writing(database) as other:

        def end(connection: psycopg.Connection[Any], record: object) -> None:
            pid = connection.info.backend_pid
            assert other.scalar(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})

        event.listen(database, "connect", end)
        with pytest.raises(OperationalError) as met, database.connect():
            pass
    assert retryable(met.value)


@postgresql
def test_a_connection_whose_backend_is_gone_is_closed(
    sessions: sessionmaker[Session],
) -> None:
    with sessions() as reader:
        pid = reader.scalar(text("SELECT pg_backend_pid()"))
        driver = reader.connection().connection.driver_connection
        assert driver is not None
        with sessions() as other:
            other.scalar(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        with pytest.raises(DBAPIError):
            reader.connection().exec_driver_sql("SELECT 1")
        assert driver.closed


def test_a_snapshot_does_not_see_what_comes_after_it(sessions: sessionmaker[Session], database: Engine) -> None:
    with sessions() as reader, snapshot(reader):
        assert NAMES.rows(reader.connection(), after="") == []
        with sessions() as writer, transaction(writer):
            add(writer, "a")
        assert NAMES.rows(reader.connection(), after="") == []
    assert names(sessions) == ["a"]
