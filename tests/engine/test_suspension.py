"""A suspended instance stands still and loses nothing; resumed, it goes on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from database import transaction
from engine import jobs
from engine.errors import NotActive, NotSuspended, Suspended
from engine.execution import execute
from engine.instances import CancelInstance, SetVariables
from engine.models import Audit, Job, ProcessInstance
from engine.signals import broadcast
from engine.suspension import ResumeInstance, SuspendInstance
from engine.user_tasks import AssignUserTask, CompleteUserTask
from processes.service import Resource
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
    service,
    signal,
    start,
    sub_process,
    timer,
    user,
)
from tests.play import Case, Player


def simple() -> Resource:
    """Return a process with one task that a timer ends after a day."""
    return diagram(
        start(),
        user("work"),
        boundary("late", "work", timer("Duration", "P1D")),
        user("chase"),
        end(),
        end("end2"),
        chain("start", "work", "end"),
        chain("late", "chase", "end2"),
    )


def suspended_at(case: Case) -> object:
    """Return since when the instance is suspended."""
    with case.player.sessions() as session:
        return session.scalar(select(ProcessInstance.suspended_at).where(ProcessInstance.key == case.key))


def activate(play: Player) -> list[Job]:
    """Lease every job of the type `work`, as a worker does."""
    with play.sessions() as session, transaction(session):
        return jobs.activate(session, "work", "tests", timedelta(minutes=5), 10)


def test_a_task_of_a_suspended_instance_cannot_be_completed_until_it_is_resumed(play: Player) -> None:
    play.deploy(simple())
    case = play.start("p")
    task = case.task("work").key
    case.execute(SuspendInstance("the customer thinks about it"), by="boss")

    assert suspended_at(case) == play.now
    assert case.state == "ACTIVE"
    with pytest.raises(Suspended, match=f"The process instance {case.key} is suspended. Resume it first."):
        case.execute(CompleteUserTask(task))
    assert case.todo == ["work"]

    case.execute(ResumeInstance())
    assert suspended_at(case) is None
    case.execute(CompleteUserTask(task))
    assert case.state == "COMPLETED"


def test_suspending_is_refused_twice_and_resuming_what_runs_too(play: Player) -> None:
    play.deploy(simple())
    case = play.start("p")
    with pytest.raises(NotSuspended):
        case.execute(ResumeInstance())
    case.execute(SuspendInstance())
    with pytest.raises(Suspended):
        case.execute(SuspendInstance())
    case.execute(ResumeInstance())
    case.complete("work")
    with pytest.raises(NotActive):
        case.execute(SuspendInstance())


def test_a_timer_that_became_due_meanwhile_fires_when_the_instance_is_resumed(play: Player) -> None:
    play.deploy(simple())
    case = play.start("p")
    case.execute(SuspendInstance())
    play.advance(timedelta(days=3))
    assert case.todo == ["work"]

    case.execute(ResumeInstance())
    play.run_due()
    assert case.todo == ["chase"]


def test_jobs_of_a_suspended_instance_are_handed_to_nobody(play: Player) -> None:
    play.deploy(diagram(start(), service("work"), end(), chain("start", "work", "end")))
    suspended, running = play.start("p"), play.start("p")
    suspended.execute(SuspendInstance())

    assert [job.instance_key for job in activate(play)] == [running.key]
    suspended.execute(ResumeInstance())
    assert [job.instance_key for job in activate(play)] == [suspended.key]


def test_a_result_that_comes_while_the_instance_is_suspended_is_refused_and_taken_afterwards(play: Player) -> None:
    play.deploy(diagram(start(), service("work"), end(), chain("start", "work", "end")))
    case = play.start("p")
    job = activate(play)[0]
    case.execute(SuspendInstance())
    with pytest.raises(Suspended):
        case.execute(jobs.CompleteJob(job.key))
    case.execute(ResumeInstance())
    case.execute(jobs.CompleteJob(job.key))
    assert case.state == "COMPLETED"


def test_a_buffered_message_is_correlated_when_the_instance_is_resumed_and_one_without_life_is_lost(
    play: Player,
) -> None:
    waiting = node("intermediateCatchEvent", "wait", catches("message", "paid"))
    paid = message("paid", "=order")
    play.deploy(diagram(start(), waiting, end(), chain("start", "wait", "end"), extra=paid))
    lost, kept = play.start("p", {"order": "1"}), play.start("p", {"order": "2"})
    for case in (lost, kept):
        case.execute(SuspendInstance())

    assert play.publish("paid", "1") == []
    assert play.publish("paid", "2", {"sum": 80}, time_to_live=timedelta(hours=1)) == []
    for case in (lost, kept):
        case.execute(ResumeInstance())

    assert lost.state == "ACTIVE"
    assert kept.state == "COMPLETED"
    assert kept.variables == {"order": "2", "sum": 80}


def test_a_signal_passes_a_suspended_instance_by(play: Player) -> None:
    waiting = node("intermediateCatchEvent", "wait", catches("signal", "gong"))
    play.deploy(diagram(start(), waiting, end(), chain("start", "wait", "end"), extra=signal("gong")))
    suspended, running = play.start("p"), play.start("p")
    suspended.execute(SuspendInstance())
    with play.sessions() as session, transaction(session):
        reached = broadcast(session, "gong")

    assert reached == [running.key]
    assert (suspended.state, running.state) == ("ACTIVE", "COMPLETED")


def test_variables_and_assignees_can_be_changed_and_conditions_are_looked_at_afterwards(play: Player) -> None:
    condition = (
        '<bpmn:conditionalEventDefinition><bpmn:condition xsi:type="bpmn:tFormalExpression">=sum &gt; 100'
        "</bpmn:condition></bpmn:conditionalEventDefinition>"
    )
    play.deploy(
        diagram(
            start(),
            user("work"),
            boundary("much", "work", condition),
            user("approve"),
            end(),
            chain("start", "work", "end"),
            flow("much", "approve"),
        )
    )
    case = play.start("p", {"sum": 10})
    case.execute(SuspendInstance())
    case.execute(AssignUserTask(case.task("work").key, "wang.fang"))
    case.execute(SetVariables(case.key, {"sum": 200}))
    assert case.todo == ["work"]
    assert case.task("work").assignee == "wang.fang"

    case.execute(ResumeInstance())
    assert case.todo == ["approve"]


def test_a_suspended_instance_can_be_cancelled(play: Player) -> None:
    play.deploy(simple())
    case = play.start("p")
    case.execute(SuspendInstance())
    case.execute(CancelInstance())
    assert case.state == "TERMINATED"
    assert case.timers() == {}


def test_called_instances_stand_still_with_their_caller(play: Player) -> None:
    call = node("callActivity", "call", extensions='<zeebe:calledElement processId="inner"/>')
    play.deploy(
        diagram(start(), user("inside"), end(), chain("start", "inside", "end"), process_id="inner"),
        diagram(start(), call, user("after"), end(), chain("start", "call", "after", "end")),
    )
    case = play.start("p")
    child = case.child("inner")
    case.execute(SuspendInstance())
    with pytest.raises(Suspended):
        child.complete("inside")
    with pytest.raises(Suspended, match=str(case.key)):
        child.execute(ResumeInstance())

    case.execute(ResumeInstance())
    child.complete("inside")
    assert case.todo == ["after"]


def test_a_suspended_child_ends_with_its_caller(play: Player) -> None:
    call = node("callActivity", "call", extensions='<zeebe:calledElement processId="inner"/>')
    play.deploy(
        diagram(start(), user("inside"), end(), chain("start", "inside", "end"), process_id="inner"),
        diagram(
            start(),
            call,
            boundary("late", "call", timer("Duration", "PT1H")),
            end(),
            end("end2"),
            chain("start", "call", "end"),
            flow("late", "end2"),
        ),
    )
    case = play.start("p")
    child = case.child("inner")
    child.execute(SuspendInstance())
    play.advance(timedelta(hours=2))
    assert (case.state, child.state) == ("COMPLETED", "TERMINATED")


def test_an_instance_with_event_sub_process_and_branches_goes_on_where_it_stood(play: Player) -> None:
    play.deploy(
        diagram(
            start(),
            gateway("parallel", "fork"),
            user("a"),
            user("b"),
            gateway("parallel", "join"),
            end(),
            flow("start", "fork"),
            flow("fork", "a"),
            flow("fork", "b"),
            flow("a", "join"),
            flow("b", "join"),
            flow("join", "end"),
            sub_process(
                "reminder",
                start("every", timer("Cycle", "R/PT1H"), isInterrupting="false"),
                user("remind"),
                end("done"),
                chain("every", "remind", "done"),
                event=True,
            ),
        )
    )
    case = play.start("p")
    case.complete("a")
    play.advance(timedelta(minutes=61))
    assert case.todo == ["b", "remind"]
    case.execute(SuspendInstance())
    play.advance(timedelta(hours=2))
    assert case.todo == ["b", "remind"]

    case.execute(ResumeInstance())
    play.run_due()
    assert case.todo == ["b", "remind", "remind", "remind"]
    case.complete("b")
    assert case.visits("join") == 2


def test_who_suspended_and_resumed_why_is_in_the_audit(play: Player) -> None:
    play.deploy(simple())
    case = play.start("p")
    case.execute(SuspendInstance("lawyers look at it"), by="boss")
    case.execute(ResumeInstance("settled"), by="deputy")
    with play.sessions() as session:
        rows = session.execute(
            select(Audit.actor, Audit.action, Audit.details).where(Audit.instance_key == case.key).order_by(Audit.key)
        ).all()
    assert [tuple(row) for row in rows[1:]] == [
        ("boss", "suspend process instance", {"reason": "lawyers look at it"}),
        ("deputy", "resume process instance", {"reason": "settled"}),
    ]


def test_a_due_timer_of_a_suspended_instance_does_not_hold_up_others(play: Player) -> None:
    play.deploy(simple())
    suspended, running = play.start("p"), play.start("p")
    suspended.execute(SuspendInstance())
    play.advance(timedelta(days=2))
    assert (suspended.todo, running.todo) == (["work"], ["chase"])
    with play.sessions() as session, transaction(session), pytest.raises(Suspended):
        execute(session, suspended.key, CompleteUserTask(suspended.task("work").key))
