"""Odd moments of incidents: what is tried again loses nothing, does nothing twice, and leaves nothing behind."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from engine.incidents import ResolveIncident
from engine.instances import SetVariables
from engine.jobs import FailJob, ThrowJobError
from engine.models import Timer
from engine.user_tasks import CompleteUserTask
from tests.diagrams import (
    boundary,
    catches,
    chain,
    diagram,
    end,
    flow,
    loop,
    mapping,
    message,
    node,
    service,
    start,
    sub_process,
    timer,
    user,
)
from tests.engine.odd import Run, event_process, open_incidents, when
from tests.play import Case, Player


def test_an_output_that_fails_after_a_message_leaves_nothing_that_takes_another(play: Player) -> None:
    play.deploy(
        diagram(
            start(),
            node(
                "intermediateCatchEvent",
                "wait",
                catches("message", "m") + timer("Duration", "PT1H"),
                mapping(outputs={"y": "assert(y, y != null)"}),
            ),
            end(),
            chain("start", "wait", "end"),
            extra=message("m", "=id"),
        )
    )
    case = play.start("p", {"id": 1})
    play.publish("m", "1")
    (incident,) = case.incidents
    assert play.publish("m", "1") == []
    assert case.timers() == {}
    broken = play.start("p", {"id": 1})
    assert play.publish("m", "1") == [broken.key]
    case.execute(SetVariables(case.live("wait")[0], {"y": 1}, local=True))
    case.execute(ResolveIncident(incident.key))
    assert case.state == "COMPLETED"


def test_a_deadline_at_a_receive_task_still_runs_while_its_output_is_an_incident(play: Player) -> None:
    play.deploy(
        diagram(
            start(),
            node(
                "receiveTask", "wait", extensions=mapping(outputs={"y": "assert(y, y != null)"}), messageRef="message-m"
            ),
            boundary("late", "wait", timer("Duration", "PT1H")),
            user("remind"),
            end(),
            chain("start", "wait", "end"),
            chain("late", "remind", "end"),
            extra=message("m", "=id"),
        )
    )
    case = play.start("p", {"id": 1})
    play.publish("m", "1")
    assert len(case.incidents) == 1
    play.advance(timedelta(hours=1))
    assert (case.todo, case.incidents) == (["remind"], [])


@pytest.mark.covers("beyond", "several start events", "in one process")
def test_an_instance_started_by_a_message_is_retried_at_the_same_start(play: Player) -> None:
    play.deploy(
        diagram(
            start(),
            start("arrived", catches("message", "arrived")),
            user("by-hand"),
            user("by-message"),
            end(),
            chain("start", "by-hand", "end"),
            chain("arrived", "by-message", "end"),
            event_process("late", timer("Duration", "=limit")),
            extra=message("arrived", "=plate"),
        )
    )
    (key,) = play.publish("arrived", "B1", {"plate": "B1"})
    case = Case(play, key)
    (incident,) = case.incidents
    case.execute(SetVariables(key, {"limit": "PT1H", "plate": "B2"}))
    case.execute(ResolveIncident(incident.key))
    assert case.todo == ["by-message"]
    assert case.variables["plate"] == "B2", "what a person has corrected stays"


def test_a_call_that_fails_at_its_border_leaves_no_child_behind(play: Player) -> None:
    play.deploy(
        diagram(start(), user("inside"), end(), chain("start", "inside", "end"), process_id="child"),
        diagram(
            start(),
            node("callActivity", "call", extensions='<zeebe:calledElement processId="child"/>'),
            boundary("late", "call", timer("Duration", "=limit")),
            end(),
            chain("start", "call", "end"),
            flow("late", "end"),
            process_id="parent",
        ),
    )
    case = play.start("parent")
    (incident,) = case.incidents
    assert [child.state for child in play.instances("child") if child.state == "ACTIVE"] == []
    case.execute(SetVariables(case.key, {"limit": "PT1H"}))
    case.execute(ResolveIncident(incident.key))
    assert [child.state for child in play.instances("child")].count("ACTIVE") == 1
    case.child("child").complete("inside")
    assert case.state == "COMPLETED"


def test_a_job_whose_error_nobody_caught_is_tried_again_with_the_deadline_it_had(run: Run) -> None:
    case = run(
        diagram(
            start(),
            service("work"),
            boundary("late", "work", timer("Duration", "PT1H")),
            user("remind"),
            end(),
            chain("start", "work", "end"),
            chain("late", "remind", "end"),
        )
    )
    (job,) = case.jobs()
    case.execute(ThrowJobError(job.key, "unknown"))
    case.player.advance(timedelta(minutes=30))
    case.execute(ResolveIncident(case.incidents[0].key))
    assert [again.key for again in case.jobs()] == [job.key]
    with case.player.sessions() as session:
        assert session.scalar(select(func.count()).select_from(Timer)) == 1
    case.player.advance(timedelta(minutes=31))
    assert case.todo == ["remind"]
    assert case.jobs() == []


def test_an_incident_beside_an_older_one_of_the_same_scope_leaves_none_behind(run: Run) -> None:
    case = run(
        diagram(
            start(),
            sub_process(
                "sub",
                start("s"),
                user("work"),
                end("e"),
                chain("s", "work", "e"),
                event_process("asked", when("asked"), interrupting=False),
                extensions=mapping(outputs={"y": "assert(n, n != null)"}),
            ),
            user("after"),
            end(),
            chain("start", "sub", "after", "end"),
        ),
        {"asked": False},
    )
    case.complete("work")
    assert len(case.incidents) == 1
    case.execute(SetVariables(case.key, {"asked": True}))
    case.complete("handle")
    assert len(case.incidents) == 1
    case.execute(SetVariables(case.key, {"n": 1}))
    case.execute(ResolveIncident(case.incidents[0].key))
    assert (case.todo, open_incidents(case.player)) == (["after"], [])


def test_an_output_collection_survives_an_incident_in_one_of_its_items(run: Run) -> None:
    case = run(
        diagram(
            start(),
            user(
                "sign",
                inside=loop(
                    "[1, 2]", inputElement="i", outputCollection="all", outputElement="=assert(mark, mark != null)"
                ),
            ),
            user("after"),
            end(),
            chain("start", "sign", "after", "end"),
        )
    )
    first, second = case.open_tasks()
    case.execute(CompleteUserTask(second.key))
    case.execute(SetVariables(case.key, {"mark": "late"}))
    case.execute(CompleteUserTask(first.key))
    assert case.todo == []
    case.execute(ResolveIncident(case.incidents[0].key))
    assert (case.todo, case.variables["all"]) == (["after"], ["late", "late"])


def test_a_deadline_fires_for_a_stuck_task_and_takes_its_incident_away(run: Run) -> None:
    case = run(
        diagram(
            start(),
            service("work"),
            boundary("late", "work", timer("Duration", "PT1H")),
            user("by-hand"),
            end(),
            chain("start", "work", "end"),
            chain("late", "by-hand", "end"),
        )
    )
    case.execute(FailJob(case.jobs()[0].key, 0, "no power"))
    case.player.advance(timedelta(hours=1))
    assert (case.todo, case.incidents, case.jobs()) == (["by-hand"], [], [])


def test_a_message_is_thrown_once_though_the_event_beside_it_fails_first(play: Player) -> None:
    both = catches("message", "told") + catches("signal", "broken")
    play.deploy(
        diagram(
            start(inside=catches("message", "told")),
            user("hear"),
            end(),
            chain("start", "hear", "end"),
            process_id="listener",
            extra=message("told"),
        ),
        diagram(
            start(),
            node("intermediateThrowEvent", "both", both),
            end(),
            chain("start", "both", "end"),
            extra=message("told") + '<bpmn:signal id="signal-broken" name="=assert(n, n != null)"/>',
        ),
    )
    case = play.start("p")
    assert play.instances("listener") == []
    case.execute(SetVariables(case.key, {"n": "s"}))
    case.execute(ResolveIncident(case.incidents[0].key))
    assert case.state == "COMPLETED"
    assert len(play.instances("listener")) == 1


def test_an_incident_of_a_scope_is_retried_without_doing_again_what_was_done_inside(run: Run) -> None:
    case = run(
        diagram(
            start(),
            sub_process(
                "sub",
                start("s"),
                user("work"),
                end("e"),
                chain("s", "work", "e"),
                extensions=mapping(
                    {"here": "assert(given, given != null)"}, {"out": "assert(brought, brought != null)"}
                ),
            ),
            end(),
            chain("start", "sub", "end"),
        )
    )
    case.execute(SetVariables(case.key, {"given": 1}))
    case.execute(ResolveIncident(case.incidents[0].key))
    case.complete("work")
    case.execute(SetVariables(case.key, {"brought": 1}))
    case.execute(ResolveIncident(case.incidents[0].key))
    assert case.state == "COMPLETED"
    assert case.visits("work") == 1


def test_a_handler_that_is_overtaken_by_its_deadline_counts_as_done(run: Run) -> None:
    case = run(
        diagram(
            start(),
            node("task", "book"),
            boundary("undo", "book", "<bpmn:compensateEventDefinition/>"),
            user("cancel-booking", isForCompensation="true"),
            boundary("late", "cancel-booking", timer("Duration", "PT1H")),
            end("given-up"),
            '<bpmn:association id="a1" sourceRef="undo" targetRef="cancel-booking"/>',
            node("intermediateThrowEvent", "throw", "<bpmn:compensateEventDefinition/>"),
            user("after"),
            end(),
            chain("start", "book", "throw", "after", "end"),
            flow("late", "given-up"),
        )
    )
    assert case.todo == ["cancel-booking"]
    case.player.advance(timedelta(hours=1))
    assert case.todo == ["after"]
