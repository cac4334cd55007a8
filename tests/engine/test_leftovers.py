"""Nothing may be open of an instance that has ended; what is found is ended, and said."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Update, select, update

from database import transaction
from engine import leftovers
from engine.instances import CancelInstance
from engine.jobs import FailJob
from engine.models import (
    Audit,
    ElementInstance,
    ElementState,
    Incident,
    IncidentState,
    InstanceState,
    Job,
    JobState,
    LoopItems,
    MessageSubscription,
    ProcessInstance,
    SignalSubscription,
    Timer,
    UserTask,
    UserTaskGroup,
    UserTaskState,
)
from engine.worker import engine_duties
from processes.service import Resource
from tests.diagrams import (
    boundary,
    catches,
    diagram,
    end,
    flow,
    gateway,
    loop,
    message,
    service,
    signal,
    start,
    timer,
    user,
)
from tests.play import Case, Player
from web import cli, logs


def everything() -> Resource:
    """A process that waits for one thing of each kind."""
    groups = '<zeebe:assignmentDefinition candidateGroups="班组"/>'
    branches = {
        "work": user("work", groups)
        + boundary("late", "work", timer("Duration", "PT1H"))
        + boundary("told", "work", catches("message", "m"))
        + boundary("heard", "work", catches("signal", "s")),
        "call": service("call"),
        "broken": service("broken"),
        "turns": user("turns", inside=loop("[1, 2]", sequential=True, inputElement="item")),
    }
    body = start() + gateway("parallel", "fork") + flow("start", "fork") + end() + "".join(branches.values())
    body += "".join(flow("fork", name) + flow(name, "end") for name in branches)
    body += "".join(flow(name, "end") for name in ("late", "told", "heard"))
    return diagram(body, extra=message("m", "=1") + signal("s"))


@pytest.fixture
def ended(play: Player) -> Case:
    """An instance that has ended by its row alone: everything else of it is still there."""
    play.deploy(everything())
    case = play.start("p")
    broken = next(job for job in case.jobs() if job.element_id == "broken")
    case.execute(FailJob(broken.key, 0, "no connection"))
    with play.sessions() as session, transaction(session):
        session.execute(update(ProcessInstance).values(state="COMPLETED", ended_at=play.now))
    return case


def inspect(play: Player, case: Case) -> list[leftovers.Leftover]:
    with play.sessions() as session:
        return leftovers.inspect(session, [case.key])


def test_everything_that_an_ended_instance_still_has_is_found(play: Player, ended: Case) -> None:
    assert {found.kind for found in inspect(play, ended)} == {
        "user task",
        "job",
        "incident",
        "visit",
        "timer",
        "message subscription",
        "signal subscription",
        "items of a loop",
        "state",
    }


def test_what_is_found_is_ended_and_said_in_the_history_of_the_instance(play: Player, ended: Case) -> None:
    found = inspect(play, ended)
    assert len(leftovers.end(play.sessions, found)) == len(found)
    assert inspect(play, ended) == []
    assert leftovers.end(play.sessions, found) == []
    with play.sessions() as session:
        for model in (Timer, MessageSubscription, SignalSubscription, LoopItems, InstanceState, UserTaskGroup):
            assert session.scalars(select(model)).all() == []
        assert set(session.scalars(select(UserTask.state))) == {UserTaskState.CANCELED}
        assert set(session.scalars(select(Job.state))) == {JobState.CANCELED}
        states = set(session.scalars(select(ElementInstance.state)))
        assert states == {ElementState.COMPLETED, ElementState.TERMINATED}
        stranded = session.scalars(select(Incident).where(Incident.type == "STRANDED")).all()
        assert {incident.state for incident in stranded} == {IncidentState.RESOLVED}
        noted = select(Audit).where(Audit.action == "end what an ended instance has left")
        assert sorted(row.details["message"] for row in session.scalars(noted)) == sorted(one.message for one in found)


@pytest.mark.parametrize(
    "damage",
    [
        update(UserTask).values(state=UserTaskState.COMPLETING),
        update(Job).values(state=JobState.FAILED),
        update(Incident).values(state=IncidentState.ACTIVE),
        update(ElementInstance).where(ElementInstance.element_id == "work").values(state=ElementState.ACTIVE),
    ],
)
def test_a_round_of_the_workers_finds_what_was_opened_again(play: Player, damage: Update) -> None:
    play.deploy(everything())
    case = play.start("p")
    broken = next(job for job in case.jobs() if job.element_id == "broken")
    case.execute(FailJob(broken.key, 0, "no connection"))
    case.execute(CancelInstance())
    assert inspect(play, case) == []
    with play.sessions() as session, transaction(session):
        session.execute(damage)
    assert inspect(play, case) != []
    assert "leftovers" in [duty.name for duty in engine_duties()]
    assert list(leftovers.inspect_all(play.sessions)) == []
    assert inspect(play, case) == []


def test_the_command_line_tells_and_ends_it(
    play: Player, ended: Case, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "configure", lambda log_format, level: None)
    environment = {"BATON_DATA": str(tmp_path), "BATON_DATABASE_URL": database_url}
    found = CliRunner().invoke(cli.baton, ["check"], env=environment)
    assert found.exit_code == 1
    assert "has ended, but its user task" in found.output
    assert CliRunner().invoke(cli.baton, ["check"], env=environment).exit_code == 0
