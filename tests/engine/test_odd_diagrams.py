"""Odd diagrams: deep calls, strange loops, and what the gate refuses instead of passing it over."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from engine.errors import DeploymentRefused
from engine.instances import CancelInstance
from engine.jobs import CompleteJob, ThrowJobError
from engine.models import ElementInstance, MessageSubscription, ProcessInstance, Timer
from tests.diagrams import (
    boundary,
    catches,
    chain,
    diagram,
    end,
    error,
    escalation,
    flow,
    gateway,
    loop,
    node,
    service,
    start,
    sub_process,
    timer,
    user,
)
from tests.engine.odd import Run, when
from tests.play import Player


def test_a_chain_of_calls_that_grew_over_many_commands_can_be_cancelled(play: Player) -> None:
    play.deploy(
        diagram(
            start(),
            user("deeper"),
            node("callActivity", "call", extensions='<zeebe:calledElement processId="p"/>'),
            end(),
            chain("start", "deeper", "call", "end"),
        )
    )
    case = play.start("p")
    newest = case
    for _ in range(250):
        newest.complete("deeper")
        newest = newest.child("p")
    case.execute(CancelInstance())
    with play.sessions() as session:
        states = set(session.scalars(select(ProcessInstance.state)))
        left = [session.scalar(select(func.count()).select_from(model)) for model in (Timer, MessageSubscription)]
        active = session.scalar(
            select(func.count()).select_from(ElementInstance).where(ElementInstance.state == "ACTIVE")
        )
    assert (states, left, active) == ({"TERMINATED"}, [0, 0], 0)


def test_a_boundary_event_on_a_multi_instance_sub_process_catches_what_one_of_its_turns_throws(run: Run) -> None:
    case = run(
        diagram(
            start(),
            sub_process(
                "each",
                start("s"),
                service("work"),
                end("e"),
                chain("s", "work", "e"),
                inside=loop("[1, 2, 3]"),
            ),
            boundary("failed", "each", catches("error", "broken")),
            boundary("told", "each", catches("escalation", "late"), interrupting=False),
            user("repair"),
            end(),
            chain("start", "each", "end"),
            chain("failed", "repair", "end"),
            flow("told", "end"),
            extra=error("broken") + escalation("late"),
        )
    )
    first, second, _ = case.jobs()
    case.execute(CompleteJob(first.key))
    case.execute(ThrowJobError(second.key, "broken"))
    assert (case.todo, case.jobs()) == (["repair"], [])


def test_a_loop_around_an_activity_that_is_refused_is_reported_and_does_not_crash_the_gate(play: Player) -> None:
    with pytest.raises(DeploymentRefused, match="job type"):
        play.deploy(diagram(start(), node("serviceTask", "work", loop("[1]")), end(), chain("start", "work", "end")))


def answering(*, outgoing: bool = False, inside: str = "") -> str:
    body = sub_process(
        "odd",
        start("s", when("go = true")),
        user("handle"),
        end("e"),
        chain("s", "handle", "e"),
        event=True,
        inside=inside,
    )
    return body + (flow("work", "odd") if outgoing else flow("work", "end"))


_UNDO = (
    boundary("undo", "work", "<bpmn:compensateEventDefinition/>")
    + user("odd", isForCompensation="true")
    + '<bpmn:association id="a" sourceRef="undo" targetRef="odd"/>'
)


@pytest.mark.parametrize(
    ("held", "element_id", "sentence"),
    [
        (answering(outgoing=True), "odd", "has no flows"),
        (answering(inside=loop("[1, 2]")), "odd", "is no loop"),
        (
            answering()
            + boundary("late", "odd", timer("Duration", "PT1H"))
            + end("late-end")
            + flow("late", "late-end"),
            "odd",
            "Only an activity has boundary events",
        ),
        (
            flow("work", "odd") + gateway("exclusive", "odd") + boundary("late", "odd", timer("Duration", "PT1H")),
            "odd",
            "Only an activity has boundary events",
        ),
        (_UNDO + flow("work", "end") + flow("odd", "end"), "odd", "An activity for compensation has no flows"),
        (chain("work", "odd", "end") + user("odd", completionQuantity="3"), "odd", "completionQuantity"),
        (
            chain("work", "odd")
            + node("endEvent", "odd", "<bpmn:eventDefinitionRef>elsewhere</bpmn:eventDefinitionRef>"),
            "odd",
            "must stand in the event",
        ),
    ],
)
def test_what_would_be_passed_over_in_silence_is_refused(
    play: Player, held: str, element_id: str, sentence: str
) -> None:
    with pytest.raises(DeploymentRefused) as refusal:
        play.deploy(diagram(start(), user("work"), end(), flow("start", "work"), held))
    assert [
        problem
        for problem in refusal.value.problems
        if sentence in problem.message and problem.element_id == element_id
    ]


def test_a_cycle_that_runs_out_of_years_fires_for_the_last_time(run: Run) -> None:
    case = run(
        diagram(
            start(),
            user("work"),
            boundary("late", "work", timer("Cycle", "R/P5000Y"), interrupting=False),
            end(),
            end("late-end"),
            chain("start", "work", "end"),
            flow("late", "late-end"),
        )
    )
    case.player.set_clock(case.timers()["late"])
    case.player.run_due()
    assert (case.visits("late"), case.timers()) == (1, {})
