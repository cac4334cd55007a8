"""`baton copy`: a running company moves to another kind of database, and its cases go on there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, text, update
from sqlalchemy.orm import Session, sessionmaker

from database import create_engine, dumps, migrations, session_factory, transaction
from database.contents import tables
from database.copying import copy
from database.errors import Damaged
from engine import invariants
from engine.configuration import EngineConfiguration
from engine.models import Message, ProcessInstance, Variable
from tests.databases import writing
from tests.library.repair_shop import RepairShop
from tests.library.test_repair_order import make_ready, to_workshop
from tests.moving.conftest import contents_of
from tests.play import Case, Player
from web import cli
from web.models import WorkerPulse

#: Values whose text must stay as it is, and characters that a careless copy loses.
ODD = {
    "plate": "粤B·12345 🚗",
    "quoted": 'a\tb\\N\n"c"\r\\.',
    "none": None,
    "digits": "0.10000000000000000000000000000000000001",
    "large": 12345678901234567890123456789,
    "list": [1, 2.50, {"a": []}],
}


def baton_copy(source: str, target: str, *options: str, fails: bool = False) -> Result:
    """Run `baton copy`."""
    done = CliRunner().invoke(cli.baton, ["copy", source, target, *options])
    assert (done.exit_code != 0) is fails, done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done


@pytest.fixture
def moved(of_other_kind: str) -> Iterator[sessionmaker[Session]]:
    """Makes sessions on the database that was moved to."""
    engine = create_engine(of_other_kind)
    yield session_factory(engine, **EngineConfiguration(clock_control=True).info())
    engine.dispose()


def test_half_a_repair_order_is_finished_on_the_other_kind_of_database(
    shop: RepairShop, database_url: str, of_other_kind: str, moved: sessionmaker[Session]
) -> None:
    order = to_workshop(shop)
    waiting = shop.start(plate="粤B77777")
    before = contents_of(database_url)

    said = baton_copy(database_url, of_other_kind)

    after = contents_of(of_other_kind)
    assert after == before
    assert f"{sum(rows for rows, _ in before.values())} rows in {len(before)} tables" in said.stdout

    there = shop.moved_to(Player(moved))
    order, waiting = Case(there.play, order.key), Case(there.play, waiting.key)
    make_ready(there)
    assert there.todo == ["estimate"]
    there.wait(hours=9)
    assert "notify" in there.todo, "the timer of the promised time fires"
    there.do("notify")
    there.do("receive-customer")
    there.do("settle")
    there.do("hand-over-papers")
    there.do("check-yard")
    there.do("see-off")
    assert order.state == "COMPLETED"
    assert waiting.state == "ACTIVE"
    with moved() as session:
        assert invariants.check(session) == []


def test_values_arrive_to_the_last_digit(
    play: Player, database_url: str, of_other_kind: str, moved: sessionmaker[Session]
) -> None:
    case = play.start("repair-order", ODD)

    baton_copy(database_url, of_other_kind)

    arrived = Case(Player(moved), case.key).variables
    assert {name: dumps(arrived[name]) for name in ODD} == {name: dumps(value) for name, value in ODD.items()}


def test_rows_of_many_batches_arrive(
    play: Player, database_url: str, of_other_kind: str, sessions: sessionmaker[Session]
) -> None:
    at = datetime(2025, 1, 1, 12, 30, 15, 123456, tzinfo=UTC)
    with sessions() as session, transaction(session):
        session.add_all(
            Message(
                key=number,
                name="n",
                correlation_key=str(number),
                message_id=None,
                variables={"n": number},
                published_at=at,
                expires_at=at,
            )
            for number in range(1, 5_002)
        )

    baton_copy(database_url, of_other_kind)

    assert contents_of(of_other_kind)["message"] == contents_of(database_url)["message"]
    assert contents_of(of_other_kind)["message"][0] == 5_001


def test_a_database_with_rows_is_not_copied_into(play: Player, database_url: str, of_other_kind: str) -> None:
    baton_copy(database_url, of_other_kind)
    before = contents_of(of_other_kind)

    again = baton_copy(database_url, of_other_kind, fails=True)

    assert "The target is not empty" in again.stderr
    assert contents_of(of_other_kind) == before


def test_a_source_of_another_revision_is_refused(
    play: Player, database: Engine, database_url: str, of_other_kind: str
) -> None:
    with writing(database) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))

    refused = baton_copy(database_url, of_other_kind, fails=True)

    assert "baton db upgrade" in refused.stderr
    assert contents_of(of_other_kind) == {}


def test_a_source_that_is_no_database_of_ours_is_refused(of_same_kind: str, of_other_kind: str) -> None:
    create_engine(of_same_kind).connect().close()

    assert "no tables of Baton" in baton_copy(of_same_kind, of_other_kind, "--rehearse", fails=True).stderr
    assert "There is no database" in baton_copy("sqlite:////nowhere/x.sqlite", of_other_kind, fails=True).stderr
    assert "Write it like" in baton_copy("nonsense", of_other_kind, fails=True).stderr


def test_a_table_that_is_not_ours_is_not_left_behind_in_silence(
    play: Player, database: Engine, database_url: str, of_other_kind: str
) -> None:
    with writing(database) as connection:
        connection.execute(text("CREATE TABLE notes (key BIGINT PRIMARY KEY, words TEXT)"))

    assert "Table notes" in baton_copy(database_url, of_other_kind, fails=True).stderr


def test_stop_the_workers_before_you_move(
    play: Player, database_url: str, of_other_kind: str, sessions: sessionmaker[Session]
) -> None:
    with sessions() as session, transaction(session):
        session.add(WorkerPulse(worker="host:1", beat_at=datetime.now(UTC)))

    refused = baton_copy(database_url, of_other_kind, fails=True)
    assert "Stop all servers and workers" in refused.stderr

    baton_copy(database_url, of_other_kind, "--rehearse")
    assert contents_of(of_other_kind) == contents_of(database_url)


@pytest.mark.sqlite_only(reason="PostgreSQL never has such a value")
def test_what_postgresql_cannot_keep_is_named_and_nothing_is_copied(
    play: Player, sessions: sessionmaker[Session], database_url: str, of_other_kind: str
) -> None:
    case = play.start("repair-order", {"plate": "x"})
    with sessions() as session, transaction(session):
        session.execute(update(ProcessInstance).where(ProcessInstance.key == case.key).values(title="a\x00b"))

    refused = baton_copy(database_url, of_other_kind, fails=True)

    assert f"column title, row {case.key}" in refused.stderr
    assert "NUL" in refused.stderr
    assert {rows for rows, _ in contents_of(of_other_kind).values()} == {0}

    with sessions() as session, transaction(session):
        session.execute(update(ProcessInstance).values(title="ab", version=2**40))

    assert "process_instance" in baton_copy(database_url, of_other_kind, fails=True).stderr
    with sessions() as session, transaction(session):
        session.execute(update(ProcessInstance).values(version=1))
    baton_copy(database_url, of_other_kind)


def test_what_is_read_back_differently_is_taken_back(
    play: Player, database: Engine, of_other_kind: str, both_kinds: object
) -> None:
    play.start("repair-order", {"plate": "x"})
    target = create_engine(of_other_kind)
    migrations.upgrade(target)
    with writing(target) as connection:
        # A target that changes what it is given.
        if target.dialect.name == "postgresql":
            connection.execute(
                text(
                    "CREATE FUNCTION spoil() RETURNS trigger AS $$ BEGIN NEW.value = '0'; RETURN NEW; END $$ "
                    "LANGUAGE plpgsql"
                )
            )
            connection.execute(
                text("CREATE TRIGGER spoil BEFORE INSERT ON variable FOR EACH ROW EXECUTE FUNCTION spoil()")
            )
        else:
            connection.execute(
                text("CREATE TRIGGER spoil AFTER INSERT ON variable BEGIN UPDATE variable SET value = '0'; END")
            )

    with pytest.raises(Damaged, match="variable"):
        copy(database, target, lambda done: None)

    with target.connect() as connection, Session(connection) as session:
        assert session.query(Variable).count() == 0
        assert session.query(ProcessInstance).count() == 0
        assert tables(connection)
    target.dispose()
