"""What need no longer be kept is archived and removed; what still runs, or must be kept, is not touched."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, func, select
from sqlalchemy.orm import Session, sessionmaker

from database import Base, session_factory, transaction
from engine import clock, retention
from engine.archive import Archive
from engine.configuration import EngineConfiguration
from engine.duties import SoleDuty
from engine.errors import DeploymentRefused
from engine.instances import CancelInstance
from engine.jobs import CompleteJob
from engine.keys import new_key
from engine.models import Audit, BatchItem, MessageCorrelation, ProcessInstance
from engine.retention import Cleanup, belonging
from engine.time_to_live import parse
from engine.worker import Worker
from tests.conftest import MONDAY
from tests.diagrams import chain, diagram, end, node, script, service, start, user
from tests.play import Case, Player


def keeps(days: str) -> str:
    """Return the extension by which a process says how long its history is kept."""
    return f'<zeebe:properties><zeebe:property name="historyTimeToLive" value="{days}"/></zeebe:properties>'


TASK = (start(), user("ask"), end(), chain("start", "ask", "end"))
SHORT = diagram(*TASK, process_id="short", extensions=keeps("30"))
ALWAYS = diagram(*TASK, process_id="always")
CALL = node("callActivity", "call", extensions='<zeebe:calledElement processId="short"/>')
CALLER = diagram(
    start(),
    script("sum", "1 + 0.10", "total"),
    service("work"),
    CALL,
    end(),
    chain("start", "sum", "work", "call", "end"),
    process_id="caller",
    extensions=keeps("P2M"),
)


@pytest.fixture
def player(sessions: sessionmaker[Session]) -> Player:
    """Three processes, on Monday 2025-03-03."""
    player = Player(sessions)
    player.deploy(SHORT, ALWAYS, CALLER)
    return player


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """An archive without files."""
    return Archive(tmp_path / "archive")


def clean_up(player: Player, archive: Archive) -> None:
    """Do what a worker does once in a while."""
    for _ in Cleanup(archive).work(player.sessions):
        pass


def finished(player: Player, process_id: str = "short") -> Case:
    """Play a case to its end."""
    case = player.start(process_id, {"plate": "粤B12345", "price": 2.50})
    case.complete("ask", {"answer": None})
    return case


def later(player: Player, **duration: float) -> None:
    """Let time pass."""
    player.set_clock(player.now + timedelta(**duration))


def rows_of(player: Player, case: Case) -> dict[str, int]:
    """Return how many rows of which table name the instance in any of their columns."""
    found = {}
    with player.sessions() as session:
        for table in Base.metadata.sorted_tables:
            columns = [
                table.c[name] for name in ("instance_key", "root_key", "process_instance_key") if name in table.c
            ]
            for column in columns:
                number = session.scalar(select(func.count()).select_from(table).where(column == case.key))
                if number:
                    found[table.name] = number
    return found


def archived(archive: Archive) -> Iterator[dict[str, Any]]:
    """Yield every case of the archive."""
    for file in archive.files():
        yield from file.cases()


def removal_time(player: Player, case: Case) -> datetime | None:
    """Return from when on the case may be removed."""
    with player.sessions() as session:
        return session.scalar(select(ProcessInstance.removal_at).where(ProcessInstance.key == case.key))


# --- how long


def test_the_removal_time_is_set_when_the_case_ends(player: Player) -> None:
    case = player.start("short")
    assert removal_time(player, case) is None

    later(player, days=1)
    case.complete("ask")

    assert removal_time(player, case) == MONDAY + timedelta(days=31)


def test_a_cancelled_case_has_a_removal_time_as_well(player: Player) -> None:
    case = player.start("short")
    case.execute(CancelInstance())
    assert removal_time(player, case) == MONDAY + timedelta(days=30)


def test_a_process_that_says_nothing_follows_the_settings(player: Player) -> None:
    assert removal_time(player, finished(player, "always")) is None

    settings = EngineConfiguration(clock_control=True, history_time_to_live=parse("P1Y"))
    player.sessions = session_factory(player.sessions.kw["bind"], **settings.info())

    assert removal_time(player, finished(player, "always")) == datetime(2026, 3, 3, 1, tzinfo=UTC)
    assert removal_time(player, finished(player, "short")) == MONDAY + timedelta(days=30)


@pytest.mark.parametrize(("text", "days"), [("0", 0), (" 180 ", 180), ("P5D", 5), ("P2W", 14), ("PT12H", 0.5)])
def test_times_to_live_are_days_or_durations(player: Player, text: str, days: float) -> None:
    player.deploy(diagram(*TASK, process_id="x", extensions=keeps(text)))
    assert removal_time(player, finished(player, "x")) == MONDAY + timedelta(days=days)


def test_what_lasts_longer_than_any_calendar_is_kept_for_ever(player: Player) -> None:
    player.deploy(diagram(*TASK, process_id="x", extensions=keeps("P9999Y")))
    assert removal_time(player, finished(player, "x")) is None


@pytest.mark.parametrize("text", ["-1", "-P1D", "soon", "1.5", "P1Y5D"])
def test_what_is_no_time_to_live_is_refused_at_deployment(player: Player, text: str) -> None:
    with pytest.raises(DeploymentRefused, match="no time to live"):
        player.deploy(diagram(*TASK, process_id="x", extensions=keeps(text)))


def test_a_new_rule_is_applied_to_cases_that_ended_before(player: Player) -> None:
    old, running = finished(player, "always"), player.start("always")
    settings = EngineConfiguration(clock_control=True, history_time_to_live=parse("100"))
    sessions = session_factory(player.sessions.kw["bind"], **settings.info())

    assert sum(retention.set_removal_times(sessions)) == 1
    assert removal_time(player, old) == MONDAY + timedelta(days=100)
    assert removal_time(player, running) is None
    assert sum(retention.set_removal_times(sessions)) == 0
    assert sum(retention.set_removal_times(player.sessions, "always")) == 1
    assert removal_time(player, old) is None


# --- what is removed


def test_nothing_is_removed_before_its_time(player: Player, archive: Archive) -> None:
    case = finished(player)
    later(player, days=30, seconds=-1)
    clean_up(player, archive)
    assert rows_of(player, case)
    assert archive.files() == []


def test_a_case_and_all_that_it_called_are_archived_and_removed(player: Player, archive: Archive) -> None:
    digits = Decimal("0.1000000000000000000000000000001")
    caller = player.start("caller", {"plate": "粤B12345", "digits": digits})
    [job] = caller.jobs()
    caller.execute(CompleteJob(job.key, {"done": True}))
    called = caller.child("short")
    called.complete("ask")
    assert caller.state == "COMPLETED"
    assert removal_time(player, called) is None, "what was called is kept as long as its caller"
    kept = finished(player, "always")
    before = {table.name: number for table, number in counts(player, belonging([caller.key])) if number}
    assert {"process_instance", "element_instance", "variable", "user_task", "job", "audit"} <= set(before)

    later(player, days=70)
    clean_up(player, archive)

    assert rows_of(player, caller) == rows_of(player, called) == {}
    assert rows_of(player, kept)
    [case] = archived(archive)
    assert (case["processInstanceKey"], case["processDefinitionId"]) == (caller.key, "caller")
    assert {name: len(rows) for name, rows in case["rows"].items()} == before
    assert {row["key"] for row in case["rows"]["process_instance"]} == {caller.key, called.key}
    values = {row["name"]: row["value"] for row in case["rows"]["variable"]}
    assert values["plate"] == "粤B12345"
    assert values["digits"] == digits


def counts(player: Player, tables: list[tuple[Table, Any]]) -> Iterator[tuple[Table, int]]:
    """Yield how many rows of each table belong to instances."""
    with player.sessions() as session:
        for table, condition in tables:
            yield table, session.scalar(select(func.count()).select_from(table).where(condition)) or 0


def test_every_table_that_names_an_instance_is_known(player: Player) -> None:
    known = {table.name for table, _ in belonging([1])}
    others = {MessageCorrelation.__tablename__, BatchItem.__tablename__}
    naming = {table.name for table in Base.metadata.sorted_tables if "instance_key" in table.c}
    assert naming - known == others
    assert {"process_instance", "user_task_group", "user_task_user", "instance_state"} <= known


def test_a_hierarchy_of_which_a_part_runs_is_not_touched(player: Player, archive: Archive) -> None:
    caller = player.start("caller")
    caller.execute(CompleteJob(caller.jobs()[0].key, {}))
    with player.sessions() as session, transaction(session):
        # However it came about.
        row = session.get(ProcessInstance, caller.key)
        assert row is not None
        row.state, row.ended_at, row.removal_at = "COMPLETED", MONDAY, MONDAY
    later(player, days=100)

    clean_up(player, archive)

    assert rows_of(player, caller)
    assert archive.files() == []


def test_more_than_a_batch_is_removed_batch_by_batch(
    player: Player, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    cases = [finished(player) for _ in range(7)]
    later(player, days=30)

    clean_up(player, archive)

    assert [rows_of(player, case) for case in cases] == [{}] * 7
    assert [case["processInstanceKey"] for case in archived(archive)] == [case.key for case in cases]
    assert len(archive.files()) == 1


def test_a_large_case_has_a_transaction_of_its_own(
    player: Player, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH_VISITS", 5)
    cases = [finished(player) for _ in range(4)]
    later(player, days=30)

    parts = list(Cleanup(archive).work(player.sessions))

    assert len(parts) == 4
    assert [rows_of(player, case) for case in cases] == [{}] * 4


def test_the_worker_cleans_up_by_itself(player: Player, archive: Archive) -> None:
    case = finished(player)
    worker = Worker(player.sessions, [SoleDuty("history cleanup", timedelta(minutes=10), Cleanup(archive).work)])
    worker.step()
    later(player, days=30)

    worker.step()

    assert rows_of(player, case) == {}


# --- what can go wrong


def test_a_crash_between_archive_and_removal_loses_and_doubles_nothing(
    player: Player, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = finished(player)
    later(player, days=30)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as during:
        during.setattr(retention, "_delete", crash)
        with pytest.raises(KeyboardInterrupt):
            clean_up(player, archive)
    assert rows_of(player, case)
    assert len(list(archived(archive))) == 1

    clean_up(player, archive)

    assert rows_of(player, case) == {}
    assert [found["processInstanceKey"] for found in archived(archive)] == [case.key]
    with gzip.open(archive.files()[0].path) as lines:
        assert len(lines.readlines()) == 2, "it was archived twice, and is read once"


def test_half_a_line_of_a_crash_is_cut_off(player: Player, archive: Archive) -> None:
    first, second = finished(player), finished(player)
    later(player, days=30)
    clean_up(player, archive)
    third = finished(player)
    third_day = player.now.date()
    [file] = archive.files()
    whole = file.path.read_bytes()

    for length in (1, 10, 20, len(whole) - 1):
        file.path.write_bytes(whole + whole[:length])
        assert [found["processInstanceKey"] for found in file.cases()] == [first.key, second.key]

    later(player, days=30)
    target = file.path.with_name(f"{third_day.isoformat()}.jsonl.gz")
    target.write_bytes(whole[:-1])
    clean_up(player, archive)
    [added] = [file for file in archive.files() if file.day == third_day]
    assert [found["processInstanceKey"] for found in added.cases()] == [third.key]
    with gzip.open(added.path) as lines:
        assert len(lines.readlines()) == 1


def test_what_changes_while_it_is_archived_is_not_removed_half(
    player: Player, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, other = finished(player), finished(player)
    later(player, days=30)
    real = archive.add
    changed: list[bool] = []

    def add(cases: Any) -> None:
        real(cases)
        if not changed:
            changed.append(True)
            with player.sessions() as session, transaction(session):
                session.add(restart_note(case, session))

    with monkeypatch.context() as during:
        during.setattr(archive, "add", add)
        clean_up(player, archive)

    # At first it was taken back; then each was tried alone.
    assert rows_of(player, case) == rows_of(player, other) == {}
    found = {one["processInstanceKey"]: one for one in archived(archive)}
    assert set(found) == {case.key, other.key}
    assert "restarted as another process instance" in {row["action"] for row in found[case.key]["rows"]["audit"]}


def restart_note(case: Case, session: Session) -> Audit:
    """Return what a restart writes into the audit trail of an ended case."""
    return Audit(
        key=new_key(),
        at=clock.now(session),
        actor="boss",
        action="restarted as another process instance",
        instance_key=case.key,
        element_id=None,
        subject_key=None,
        details={},
    )


def test_what_never_comes_to_rest_keeps_no_other_from_being_removed(
    player: Player, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    restless, other = finished(player), finished(player)
    later(player, days=30)
    real = archive.add

    def add(cases: Any) -> None:
        given = list(cases)
        real(given)
        if restless.key in {case.key for case in given}:
            with player.sessions() as session, transaction(session):
                session.add(restart_note(restless, session))

    monkeypatch.setattr(archive, "add", add)
    clean_up(player, archive)

    assert rows_of(player, restless)
    assert rows_of(player, other) == {}


@pytest.mark.postgresql_only(reason="SQLite has no locks on rows: there one writer waits for the other")
def test_a_case_that_somebody_is_at_work_on_is_left_for_the_next_time(player: Player, archive: Archive) -> None:
    case, other = finished(player), finished(player)
    later(player, days=30)
    with player.sessions() as holder, transaction(holder):
        holder.execute(select(ProcessInstance.key).where(ProcessInstance.key == case.key).with_for_update())
        cleaner = threading.Thread(target=clean_up, args=(player, archive))
        cleaner.start()
        cleaner.join(timeout=30)
        assert not cleaner.is_alive(), "the cleanup waits for nobody"

    assert rows_of(player, case)
    assert rows_of(player, other) == {}
    clean_up(player, archive)
    assert rows_of(player, case) == {}


# --- the files


def test_there_is_one_file_for_each_process_and_day(player: Player, archive: Archive) -> None:
    player.deploy(diagram(*TASK, process_id="another", extensions=keeps("30")))
    finished(player)
    finished(player)
    finished(player, "another")
    later(player, hours=15)
    finished(player)
    later(player, days=31)

    clean_up(player, archive)

    found = {(file.process, file.day): len(list(file.cases())) for file in archive.files()}
    assert found == {
        ("another", date(2025, 3, 3)): 1,
        ("short", date(2025, 3, 3)): 2,
        # Midnight is in Shanghai.
        ("short", date(2025, 3, 4)): 1,
    }
    assert [file.process for file in archive.files("another")] == ["another"]
