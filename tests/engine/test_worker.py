"""Workers: timers are shared out between them, a bad one holds up nobody, and each kind of work has its turn."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo

import pytest
from sqlalchemy import Engine, event, func, select, text, update
from sqlalchemy.orm import Session, sessionmaker

from database import rehearsal, session_factory, transaction
from engine import clock, locks, timer_duty, wakeup
from engine.configuration import EngineConfiguration
from engine.duties import AT_ONCE, Duty, Sessions, SharedDuty, SoleDuty, Turn, last_run_at
from engine.incidents import ResolveIncident
from engine.models import Audit, ClusterDuty, ElementInstance, Incident, IncidentState, Timer
from engine.timer_duty import TimerDuty
from engine.worker import Worker, run_due
from processes.service import Resource
from tests.diagrams import boundary, chain, diagram, end, start, timer, user
from tests.play import Case, Player

HOUR = timedelta(hours=1)


def deadline(interrupting: bool = False) -> Resource:
    """Return a process whose task has a deadline after an hour, which sets off another task."""
    return diagram(
        start(),
        user("work"),
        boundary("deadline", "work", timer("Duration", "PT1H"), interrupting=interrupting),
        user("chase"),
        end(),
        end("chased"),
        chain("start", "work", "end"),
        chain("deadline", "chase", "chased"),
    )


def due(play: Player, count: int) -> list[Case]:
    """Return cases whose deadline is over and has not been noticed."""
    play.deploy(deadline())
    cases = [play.start("p") for _ in range(count)]
    play.set_clock(play.now + 2 * HOUR)
    return cases


def change_timers(play: Player, **values: object) -> None:
    """Write values into all timers."""
    with play.sessions() as session, transaction(session):
        session.execute(update(Timer).values(**values))


def fired(play: Player) -> int:
    """Return how often a timer has fired."""
    with play.sessions() as session:
        return session.scalar(select(func.count()).select_from(Audit).where(Audit.action == "fire timer")) or 0


def test_several_workers_share_the_timers_and_each_fires_once(play: Player) -> None:
    cases = due(play, 60)

    threads = [threading.Thread(target=run_due, args=(play.sessions,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Two may have been in each other's way.
    change_timers(play, claimed_until=None)
    play.run_due()

    assert fired(play) == 60
    assert all(case.todo == ["chase", "work"] for case in cases)


def test_timers_that_one_worker_has_in_hand_are_left_to_it_until_its_claim_runs_out(play: Player) -> None:
    (case,) = due(play, 1)
    assert len(timer_duty.claim(Turn(play.sessions, "another"))) == 1

    assert 0 < TimerDuty().take(Turn(play.sessions, "me", idle_seconds=60.0)) <= 5, "to look when the claim runs out"
    assert case.todo == ["work"]

    with play.sessions() as session:
        claimed_until = session.scalar(select(Timer.claimed_until))
    assert claimed_until is not None
    change_timers(play, claimed_until=claimed_until - timedelta(seconds=10))
    play.run_due()
    assert case.todo == ["chase", "work"]


def test_claims_from_before_the_clock_was_set_back_hold_nobody_up(play: Player) -> None:
    (case,) = due(play, 1)
    assert len(timer_duty.claim(Turn(play.sessions, "a worker that has died"))) == 1
    with play.sessions() as session:
        claimed_until = session.scalar(select(Timer.claimed_until))
    assert claimed_until is not None

    change_timers(play, claimed_until=claimed_until + HOUR)
    play.run_due()

    assert case.todo == ["chase", "work"]


def test_what_is_left_when_the_turn_is_over_is_given_back(play: Player) -> None:
    due(play, 5)

    TimerDuty().take(Turn(play.sessions, "me", ends_at=time.monotonic()))

    assert fired(play) == 1
    assert len(timer_duty.claim(Turn(play.sessions, "another"))) == 4


def test_a_worker_that_is_told_to_stop_gives_back_what_it_has_not_begun(play: Player) -> None:
    due(play, 5)
    stopping = threading.Event()
    stopping.set()

    TimerDuty().take(Turn(play.sessions, "me", stopping))

    assert fired(play) == 1
    with play.sessions() as session:
        assert session.scalars(select(Timer.claimed_by)).all() == [None] * 4


@pytest.mark.postgresql_only(reason="SQLite is on one host, whose clock is the one")
def test_a_host_whose_clock_is_wrong_goes_by_the_databases(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Ahead:
            return super().now(tz) + HOUR

    monkeypatch.setattr("engine.real_time.datetime", Ahead)
    with session_factory(database, **EngineConfiguration().info())() as session:
        database_now = session.scalar(select(func.clock_timestamp()))
        assert database_now is not None
        shown = [clock.now(session) for _ in range(3)]

    assert timedelta(0) <= shown[0] - database_now < timedelta(minutes=1)
    assert shown == sorted(shown)


@pytest.mark.postgresql_only(reason="SQLite has one writer, so nobody can be busy while another one writes")
def test_nobody_waits_for_an_instance_that_somebody_is_working_on(play: Player) -> None:
    busy, free = due(play, 2)
    with play.sessions() as session, transaction(session):
        locks.lock(session, busy.key)
        play.run_due()
        assert free.todo == ["chase", "work"]
        assert TimerDuty().take(Turn(play.sessions, "me", idle_seconds=60.0)) < 1, "to look again soon"
    assert busy.todo == ["work"]

    change_timers(play, claimed_until=None)
    play.run_due()
    assert busy.todo == ["chase", "work"]


def test_all_due_timers_of_an_instance_are_fired_in_one_transaction(play: Player) -> None:
    several = [boundary(f"late{number}", "work", timer("Duration", "PT1H"), interrupting=False) for number in range(5)]
    ways = [chain(f"late{number}", f"end{number}") for number in range(5)]
    ends = [end(f"end{number}") for number in range(5)]
    play.deploy(diagram(start(), user("work"), end(), *several, *ends, chain("start", "work", "end"), *ways))
    play.start("p")
    play.set_clock(play.now + 2 * HOUR)
    commits = 0

    def counted(_: object) -> None:
        nonlocal commits
        commits += 1

    with play.sessions() as session:
        engine = session.get_bind()
    event.listen(engine, "commit", counted)
    TimerDuty().take(Turn(play.sessions, "me"))
    event.remove(engine, "commit", counted)

    assert fired(play) == 5
    assert commits == 2, "the claim and the instance"


def break_timer(play: Player, case: Case) -> None:
    """Let a timer belong to an event that its diagram does not have."""
    with play.sessions() as session, transaction(session):
        session.execute(update(Timer).where(Timer.instance_key == case.key).values(element_id="nowhere"))


def mend_timer(play: Player, case: Case) -> None:
    """Undo `break_timer`."""
    with play.sessions() as session, transaction(session):
        session.execute(update(Timer).where(Timer.instance_key == case.key).values(element_id="deadline"))


def attempts(play: Player, case: Case) -> int:
    """Return how often in a row the case's timer could not be fired."""
    with play.sessions() as session:
        return session.scalar(select(Timer.failures).where(Timer.instance_key == case.key)) or 0


def test_a_timer_that_cannot_be_fired_holds_up_no_other_and_is_tried_less_and_less_often(play: Player) -> None:
    bad, good = due(play, 2)
    break_timer(play, bad)

    tried = []
    for _ in range(16):
        play.run_due()
        tried.append(attempts(play, bad))
        play.set_clock(play.now + timedelta(minutes=1))

    assert good.todo == ["chase", "work"]
    assert bad.todo == ["work"]
    #: After one minute, after two more, after four more, after eight more.
    assert tried == [1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 5]


def test_people_are_told_of_a_timer_that_fails_again_and_again_and_can_have_it_fired(play: Player) -> None:
    (case,) = due(play, 1)
    break_timer(play, case)
    for _ in range(2):
        play.run_due()
        assert case.incidents == []
        play.set_clock(play.now + timedelta(minutes=2))
    for _ in range(3):
        play.run_due()
        play.set_clock(play.now + HOUR)

    (incident,) = case.incidents
    assert (incident.type, incident.element_id) == ("TIMER_FAILURE", "work")
    assert "deadline" not in incident.message
    assert "nowhere" in incident.message
    assert case.todo == ["work"], "what the deadline watches over goes on"

    mend_timer(play, case)
    case.execute(ResolveIncident(incident.key))
    play.run_due()
    assert case.todo == ["chase", "work"]
    assert case.incidents == []


def test_the_incident_of_a_timer_ends_when_it_can_be_fired_after_all(play: Player) -> None:
    (case,) = due(play, 1)
    break_timer(play, case)
    for _ in range(3):
        play.run_due()
        play.set_clock(play.now + HOUR)
    assert len(case.incidents) == 1

    mend_timer(play, case)
    play.run_due()

    assert case.todo == ["chase", "work"]
    assert case.incidents == []
    with play.sessions() as session:
        assert session.scalars(select(Incident.state)).all() == [IncidentState.RESOLVED]


def test_a_broken_start_timer_holds_up_no_other(play: Player) -> None:
    cycle = diagram(start("start", timer("Cycle", "R/PT1H")), user("work"), end(), chain("start", "work", "end"))
    play.deploy(cycle)
    (case,) = due_beside(play)
    with play.sessions() as session, transaction(session):
        session.execute(update(Timer).where(Timer.instance_key.is_(None)).values(element_id="nowhere"))

    play.run_due()

    assert case.todo == ["chase", "work"]
    with play.sessions() as session:
        assert session.scalars(select(Timer.failures).where(Timer.instance_key.is_(None))).all() == [1]


def due_beside(play: Player) -> list[Case]:
    """Return a case of another process whose deadline is over."""
    other = deadline()
    play.deploy(Resource("other.bpmn", other.content.replace(b'process id="p"', b'process id="q"')))
    case = play.start("q")
    play.set_clock(play.now + 2 * HOUR)
    return [case]


def test_timers_to_come_are_not_looked_at(play: Player, sessions: sessionmaker[Session]) -> None:
    play.deploy(deadline())
    play.start("p")
    with sessions() as session, transaction(session):
        if session.get_bind().dialect.name == "sqlite":
            plan = "EXPLAIN QUERY PLAN "
        else:
            # The table is so small that anything else would be chosen.
            for other in ("seqscan", "bitmapscan", "sort"):
                session.execute(text(f"SET LOCAL enable_{other} = off"))
            plan = "EXPLAIN "
        for statement in (timer_duty.NEXT, timer_duty.FREED, timer_duty.DUE):
            compiled = str(statement.compile(session.get_bind(), compile_kwargs={"literal_binds": False}))
            found = session.execute(text(plan + _literal(compiled, session))).all()
            assert "ix_timer_next_at" in str(found)
            assert "sort" not in str(found).lower()
            assert "TEMP B-TREE" not in str(found)


def _literal(statement: str, session: Session) -> str:
    """Return a compiled statement with values in place of its parameters."""
    at = "'2030-01-01 00:00:00'"
    for name, value in (("real_now", at), ("longest", at), ("now", at), ("most", "100"), ("param_1", "1")):
        for form in (f"%({name})s::TIMESTAMP WITH TIME ZONE", f"%({name})s::INTEGER", f"%({name})s", f":{name}"):
            statement = statement.replace(form, value)
    values = iter([at, at, at, "100", "0"] if "JOIN" in statement else [at, at, "1", "0"])
    while "?" in statement:
        statement = statement.replace("?", next(values), 1)
    return statement


# --- duties


@dataclass
class Counting:
    """A duty that counts its turns."""

    name: str = "counting"
    channel: str | None = None
    wait: float = 60.0
    turns: int = 0
    taken: threading.Event = field(default_factory=threading.Event)

    def take(self, turn: Turn) -> float:
        self.turns += 1
        self.taken.set()
        return self.wait


class Failing(Counting):
    """A duty that fails."""

    def take(self, turn: Turn) -> float:
        super().take(turn)
        raise ZeroDivisionError


def test_a_flood_of_timers_leaves_every_other_duty_its_turns(play: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    due(play, 20)
    monkeypatch.setattr("engine.duties.TURN_SECONDS", 0.0)
    other = Counting(wait=AT_ONCE)
    worker = Worker(play.sessions, [TimerDuty(), other])

    for _ in range(20):
        worker.step()

    assert fired(play) == 20
    assert other.turns == 20


def test_a_flood_of_other_work_leaves_the_timers_their_turns(play: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    due(play, 3)
    monkeypatch.setattr("engine.duties.TURN_SECONDS", 0.0)
    parts = []

    def endless(_: Sessions) -> bool:
        parts.append(1)
        return True

    worker = Worker(play.sessions, [SharedDuty("endless", endless), TimerDuty()])
    for _ in range(3):
        worker.step()

    assert fired(play) == 3
    assert len(parts) <= 3


def running(worker: Worker) -> threading.Thread:
    """Let a worker run in a thread."""
    thread = threading.Thread(target=worker.run, daemon=True)
    thread.start()
    return thread


def test_a_duty_that_fails_stops_no_other_and_waits_before_it_is_tried_again(sessions: sessionmaker[Session]) -> None:
    bad, good = Failing(), Counting(wait=0.01)
    worker = Worker(sessions, [bad, good])
    thread = running(worker)
    assert until(lambda: good.turns >= 5)
    worker.stop()
    thread.join(20)

    assert not thread.is_alive()
    assert bad.turns == 1


def until(condition: Callable[[], bool]) -> bool:
    """Wait until something is so, and return False when it does not come about."""
    for _ in range(1000):
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_a_sleeping_worker_is_woken_by_what_is_committed_and_not_by_what_is_rolled_back(
    sessions: sessionmaker[Session],
) -> None:
    duty = Counting(channel="bells", wait=3600.0)
    worker = Worker(sessions, [duty])
    thread = running(worker)
    assert until(lambda: duty.turns == 1)

    with sessions() as session:
        with transaction(session):
            wakeup.notify(session, "other")
        with rehearsal(session):
            wakeup.notify(session, "bells")
        with transaction(session):
            session.execute(update(ClusterDuty).values(holder=None))
        assert duty.turns == 1
        with transaction(session):
            wakeup.notify(session, "bells")
    assert until(lambda: duty.turns == 2)
    worker.stop()
    thread.join(20)
    assert not thread.is_alive()


def test_a_listener_hears_on_which_channel_and_what(sessions: sessionmaker[Session]) -> None:
    with sessions() as session:
        listener = wakeup.Listener(session.get_bind().engine)
        with transaction(session):
            wakeup.notify(session, "jobs", "send-invoice: 1")
            wakeup.notify(session, "jobs", "send-invoice: 1")
            wakeup.notify(session, "timers")
            wakeup.notify(session, "jobs", "x" * 9_000)
    heard: list[wakeup.Wake] = []
    assert until(lambda: heard.extend(listener.wait(0.1)) or len(heard) >= 3)
    assert sorted(set(heard), key=str) == [
        wakeup.Wake("jobs"),
        wakeup.Wake("jobs", "send-invoice: 1"),
        wakeup.Wake("timers"),
    ]
    assert len(heard) == 3
    listener.interrupt()
    assert listener.wait(30) == []
    listener.close()


@pytest.mark.postgresql_only(reason="SQLite has no connection that could break")
def test_a_listener_whose_connection_breaks_listens_again(
    sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.wakeup._RECONNECT_SECONDS", 0.0)
    with sessions() as session:
        listener = wakeup.Listener(session.get_bind().engine)
        others = "pid <> pg_backend_pid() AND datname = current_database()"
        session.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))
        session.rollback()
        assert until(lambda: bool(listener.wait(0.05)) or not listener.connected)
        assert until(lambda: bool(listener.wait(0.05)) or listener.connected)
        with transaction(session):
            wakeup.notify(session, "jobs")
    assert until(lambda: wakeup.Wake("jobs") in listener.wait(0.1))
    listener.close()


def sole(play: Player, log: list[str], who: str, parts: int = 1) -> Duty:
    """Return a duty that is done once for all, every hour."""

    def work(_: Sessions) -> Iterator[None]:
        for part in range(parts):
            log.append(f"{who}{part}")
            yield

    return SoleDuty("tidy up", HOUR, work)


def test_a_sole_duty_is_done_by_one_worker_each_time_it_is_due(play: Player) -> None:
    log: list[str] = []
    duties = {who: sole(play, log, who) for who in "ab"}

    def turns() -> None:
        for who, duty in duties.items():
            duty.take(Turn(play.sessions, who))

    turns()
    assert log == [], "it was not known before"
    play.set_clock(play.now + HOUR)
    turns()
    turns()
    assert log == ["a0"]
    with play.sessions() as session:
        assert last_run_at(session, "tidy up") == clock.now(session)
    play.set_clock(play.now + HOUR)
    turns()
    assert log == ["a0", "a0"]


def test_a_sole_duty_is_done_although_the_clock_was_set_back(play: Player) -> None:
    log: list[str] = []
    duty = sole(play, log, "a")
    duty.take(Turn(play.sessions, "a"))

    play.set_clock(play.now - 3 * HOUR)
    duty.take(Turn(play.sessions, "a"))

    assert log == ["a0"]


@pytest.mark.parametrize("offset", [-HOUR, HOUR])
def test_a_long_sole_duty_is_done_in_turns_and_begun_again_by_another_worker_when_its_holder_is_gone(
    play: Player, offset: timedelta
) -> None:
    log: list[str] = []
    first, second = sole(play, log, "a", 3), sole(play, log, "b", 3)
    first.take(Turn(play.sessions, "a"))
    play.set_clock(play.now + HOUR)

    assert first.take(Turn(play.sessions, "a", ends_at=time.monotonic())) == AT_ONCE
    assert second.take(Turn(play.sessions, "b")) > 0
    assert first.take(Turn(play.sessions, "a", ends_at=time.monotonic())) == AT_ONCE
    assert log == ["a0", "a1"]

    with play.sessions() as session, transaction(session):
        leased_until = session.scalars(select(ClusterDuty.leased_until)).one()
        assert leased_until is not None
        # Over, or given before the clock was set back.
        session.execute(update(ClusterDuty).values(leased_until=leased_until + offset))
    second.take(Turn(play.sessions, "b"))
    assert log == ["a0", "a1", "b0", "b1", "b2"]

    first.take(Turn(play.sessions, "a"))
    play.set_clock(play.now + HOUR)
    first.take(Turn(play.sessions, "a"))
    assert log[5:] == ["a0", "a1", "a2"], "not from where it had stopped"


def test_every_visit_of_a_deadline_is_kept_once(play: Player) -> None:
    due(play, 10)
    run_due(play.sessions)
    run_due(play.sessions)
    with play.sessions() as session:
        visits = select(func.count()).select_from(ElementInstance).where(ElementInstance.element_id == "deadline")
        assert session.scalar(visits) == 10
