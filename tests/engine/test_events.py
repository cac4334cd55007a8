"""Timers, messages, signals, errors, escalations: caught in the flow, at borders and by event sub-processes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from engine.jobs import CompleteJob, FailJob, ThrowJobError
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
    mapping,
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

Run = Callable[..., Case]


def test_an_interrupting_boundary_timer_ends_its_task(run: Run) -> None:
    case = run(
        diagram(
            start(),
            user("work"),
            boundary("late", "work", timer("Duration", "PT2H")),
            user("escalated"),
            end(),
            chain("start", "work", "end"),
            chain("late", "escalated", "end"),
        )
    )
    case.player.advance(timedelta(hours=1, minutes=59))
    assert case.todo == ["work"]
    case.player.advance(timedelta(minutes=2))
    assert case.todo == ["escalated"]
    assert case.timers() == {}


@pytest.mark.covers("beyond", "timer at the border", "cycle")
def test_a_repeating_boundary_timer_fires_as_often_as_it_says_and_stops_with_its_task(run: Run) -> None:
    case = run(
        diagram(
            start(),
            user("work"),
            boundary("remind", "work", timer("Cycle", "R3/PT1H"), interrupting=False),
            end(),
            end("reminded"),
            chain("start", "work", "end"),
            flow("remind", "reminded"),
        )
    )
    case.player.advance(timedelta(hours=2, minutes=30))
    assert case.visits("reminded") == 2
    case.player.advance(timedelta(days=1))
    assert case.visits("reminded") == 3
    case.complete("work")
    assert case.state == "COMPLETED"


def test_repetitions_missed_while_no_worker_ran_are_made_up_one_by_one(run: Run) -> None:
    case = run(
        diagram(
            start(),
            user("work"),
            boundary("remind", "work", timer("Cycle", "R3/PT1H"), interrupting=False),
            end(),
            end("reminded"),
            chain("start", "work", "end"),
            flow("remind", "reminded"),
        )
    )
    case.player.set_clock(case.player.now + timedelta(days=7))
    case.player.run_due()
    assert case.visits("reminded") == 3


def test_a_timer_date_may_be_a_variable_in_the_company_zone_and_one_in_the_past_fires_at_once(run: Run) -> None:
    waiting = diagram(
        start(),
        node("intermediateCatchEvent", "wait", timer("Date", "=date and time(at)")),
        end(),
        chain("start", "wait", "end"),
    )
    case = run(waiting, {"at": "2025-03-03T10:00:00"})
    case.player.advance(timedelta(minutes=59))
    assert case.state == "ACTIVE"
    case.player.advance(timedelta(minutes=1))
    assert case.state == "COMPLETED"
    late = case.player.start("p", {"at": "2020-01-01T00:00:00"})
    case.player.run_due()
    assert late.state == "COMPLETED"


def test_a_month_is_a_calendar_month(run: Run) -> None:
    case = run(
        diagram(
            start(),
            node("intermediateCatchEvent", "probation", timer("Duration", "P3M")),
            end(),
            chain("start", "probation", "end"),
        )
    )
    assert case.timers()["probation"].isoformat() == "2025-06-03T01:00:00+00:00"


def test_a_timer_that_is_no_time_is_an_incident(run: Run) -> None:
    case = run(
        diagram(
            start(),
            node("intermediateCatchEvent", "wait", timer("Duration", "=missing")),
            end(),
            chain("start", "wait", "end"),
        )
    )
    (incident,) = case.incidents
    assert incident.element_id == "wait"
    assert incident.details == {"expression": "=missing", "variables": {"missing": None}}


def start_by_cycle(text: str) -> object:
    return diagram(start(inside=timer("Cycle", text)), user("report"), end(), chain("start", "report", "end"))


@pytest.mark.covers("beyond", "timer start", "cycle and cron")
def test_a_start_timer_starts_an_instance_each_time_and_only_that_of_the_newest_version(play: Player) -> None:
    play.deploy(start_by_cycle("R/P1D"))  # type: ignore[arg-type]
    play.advance(timedelta(days=2, hours=1))
    assert len(play.instances("p")) == 2
    play.deploy(start_by_cycle("0 0 18 * * *"))  # type: ignore[arg-type]
    play.advance(timedelta(days=1))
    assert len(play.instances("p")) == 3


def order_and_payment() -> object:
    return diagram(
        start(),
        user("order"),
        node("intermediateCatchEvent", "paid", catches("message", "payment")),
        end(),
        chain("start", "order", "paid", "end"),
        extra=message("payment", "=orderId"),
    )


def test_a_message_reaches_the_instance_with_its_correlation_key_and_brings_variables(play: Player) -> None:
    play.deploy(order_and_payment())  # type: ignore[arg-type]
    first, second = play.start("p", {"orderId": "A1"}), play.start("p", {"orderId": 2})
    first.complete("order")
    second.complete("order")
    assert play.publish("payment", "2", {"amount": 10}) == [second.key]
    assert (first.state, second.state) == ("ACTIVE", "COMPLETED")
    assert second.variables["amount"] == 10


@pytest.mark.covers("beyond", "message", "buffered with a time to live")
def test_a_message_that_comes_too_early_waits_for_its_receiver_until_its_time_is_over(play: Player) -> None:
    play.deploy(order_and_payment())  # type: ignore[arg-type]
    first, second = play.start("p", {"orderId": "A1"}), play.start("p", {"orderId": "B1"})
    assert play.publish("payment", "A1", time_to_live=timedelta(hours=1)) == []
    assert play.publish("payment", "B1", time_to_live=timedelta(hours=1)) == []
    first.complete("order")
    assert first.state == "COMPLETED"
    play.advance(timedelta(hours=1))
    second.complete("order")
    assert second.state == "ACTIVE"


def test_a_message_is_refused_when_one_with_its_id_is_still_kept(play: Player) -> None:
    from engine.errors import DuplicateMessage

    play.publish("payment", "1", message_id="x", time_to_live=timedelta(hours=1))
    with pytest.raises(DuplicateMessage):
        play.publish("payment", "1", message_id="x")
    play.advance(timedelta(hours=2))
    play.publish("payment", "1", message_id="x")


@pytest.mark.covers("beyond", "message start", "one instance per correlation key")
def test_a_message_starts_one_instance_per_correlation_key_at_a_time(play: Player) -> None:
    play.deploy(
        diagram(
            start(inside=catches("message", "car-left")),
            user("call"),
            end(),
            chain("start", "call", "end"),
            extra=message("car-left", "=plate"),
        )
    )
    (first,) = play.publish("car-left", "B1", {"plate": "B1"})
    assert play.publish("car-left", "B1", {"plate": "B1"}) == []
    assert len(play.publish("car-left", "B2", {"plate": "B2"})) == 1
    Case(play, first).complete("call")
    assert len(play.publish("car-left", "B1", {"plate": "B1"})) == 1


def test_a_thrown_message_starts_another_process_with_the_payload_of_its_mappings(play: Player) -> None:
    definition = catches("message", "left")
    play.deploy(
        diagram(
            start(inside=definition),
            user("call"),
            end(),
            chain("start", "call", "end"),
            process_id="follow",
            extra=message("left", "=plate"),
        ),
    )
    play.deploy(
        diagram(
            start(),
            node("endEvent", "end", definition, mapping({"customer": "owner", "plate": "plate"})),
            chain("start", "end"),
            extra=message("left", "=plate"),
        )
    )
    case = play.start("p", {"plate": "粤B1", "owner": "王", "secret": 1})
    assert case.state == "COMPLETED"
    follow = play.only("follow")
    assert follow.variables == {"plate": "粤B1", "customer": "王"}


def test_the_first_event_after_an_event_based_gateway_wins(play: Player) -> None:
    play.deploy(
        diagram(
            start(),
            gateway("eventBased", "g"),
            node("intermediateCatchEvent", "answer", catches("message", "answer")),
            node("intermediateCatchEvent", "silence", timer("Duration", "P2D")),
            user("answered"),
            user("ask-again"),
            end(),
            flow("start", "g"),
            flow("g", "answer"),
            flow("g", "silence"),
            chain("answer", "answered", "end"),
            chain("silence", "ask-again", "end"),
            extra=message("answer", "=id"),
        )
    )
    first, second = play.start("p", {"id": 1}), play.start("p", {"id": 2})
    play.publish("answer", "1")
    assert first.todo == ["answered"]
    play.advance(timedelta(days=3))
    assert second.todo == ["ask-again"]
    assert first.timers() == {}
    assert play.publish("answer", "2") == []


def test_a_signal_reaches_everybody_who_waits(play: Player) -> None:
    from database import transaction
    from engine import signals

    play.deploy(
        diagram(
            start(),
            node("intermediateCatchEvent", "wait", catches("signal", "closing")),
            end(),
            chain("start", "wait", "end"),
            extra=signal("closing"),
        )
    )
    cases = [play.start("p"), play.start("p")]
    with play.sessions() as session, transaction(session):
        reached = signals.broadcast(session, "closing", {"by": "boss"})
    assert sorted(reached) == sorted(case.key for case in cases)
    assert [case.state for case in cases] == ["COMPLETED", "COMPLETED"]
    assert cases[0].variables == {"by": "boss"}


def failing_sub_process(*, code: str | None) -> object:
    catcher = catches("error", "broken") if code else "<bpmn:errorEventDefinition/>"
    return diagram(
        start(),
        sub_process(
            "sub",
            start("inner-start"),
            gateway("parallel", "fork"),
            service("work"),
            user("beside"),
            end("inner-end"),
            chain("inner-start", "fork", "work", "inner-end"),
            chain("fork", "beside", "inner-end"),
        ),
        boundary("caught", "sub", catcher),
        user("repair"),
        end(),
        chain("start", "sub", "end"),
        chain("caught", "repair", "end"),
        extra=error("broken"),
    )


@pytest.mark.parametrize("code", ["broken", None])
def test_an_error_of_a_job_is_caught_at_the_border_of_the_sub_process_around_it(run: Run, code: str | None) -> None:
    case = run(failing_sub_process(code=code))
    (job,) = case.jobs()
    case.execute(ThrowJobError(job.key, "broken", "it broke", {"part": "brake"}))
    assert case.todo == ["repair"]
    assert case.variables["part"] == "brake"
    assert case.visits("sub") == 0


def test_an_error_that_nobody_catches_is_an_incident_and_can_be_tried_again(run: Run) -> None:
    from engine.incidents import ResolveIncident

    case = run(failing_sub_process(code="broken"))
    (job,) = case.jobs()
    case.execute(ThrowJobError(job.key, "other"))
    (incident,) = case.incidents
    assert incident.type == "UNHANDLED_ERROR_EVENT"
    case.execute(ResolveIncident(incident.key))
    (again,) = case.jobs()
    case.execute(CompleteJob(again.key, {}))
    case.complete("beside")
    assert case.state == "COMPLETED"


def test_a_job_without_retries_is_an_incident_and_resolving_gives_it_back_to_the_workers(run: Run) -> None:
    from engine.incidents import ResolveIncident

    case = run(failing_sub_process(code="broken"))
    (job,) = case.jobs()
    case.execute(FailJob(job.key, 0, "no power"))
    (incident,) = case.incidents
    assert (incident.type, incident.message) == ("JOB_NO_RETRIES", "no power")
    case.execute(ResolveIncident(incident.key))
    (again,) = case.jobs()
    assert (again.key, again.retries) == (job.key, 1)
    assert case.incidents == []


def test_an_error_end_event_ends_its_sub_process(run: Run) -> None:
    case = run(
        diagram(
            start(),
            sub_process("sub", start("s"), end("fail", catches("error", "broken")), flow("s", "fail")),
            boundary("caught", "sub", catches("error", "broken")),
            user("repair"),
            end(),
            chain("start", "sub", "end"),
            chain("caught", "repair", "end"),
            extra=error("broken"),
        )
    )
    assert case.todo == ["repair"]


def test_an_escalation_informs_without_interrupting_and_nobody_need_listen(run: Run) -> None:
    case = run(
        diagram(
            start(),
            sub_process(
                "sub",
                start("s"),
                node("intermediateThrowEvent", "tell", catches("escalation", "late")),
                user("go-on"),
                end("e"),
                chain("s", "tell", "go-on", "e"),
            ),
            boundary("told", "sub", catches("escalation", "late"), interrupting=False),
            user("look"),
            node("intermediateThrowEvent", "unheard", catches("escalation", "late")),
            end(),
            chain("start", "sub", "unheard", "end"),
            chain("told", "look", "end"),
            extra=escalation("late"),
        )
    )
    assert case.todo == ["go-on", "look"]
    case.complete("go-on")
    case.complete("look")
    assert case.state == "COMPLETED"


def with_event_sub_process(*, interrupting: bool) -> object:
    return diagram(
        start(),
        user("work"),
        end(),
        chain("start", "work", "end"),
        sub_process(
            "asked",
            start("ask", catches("message", "question"), isInterrupting="true" if interrupting else "false"),
            user("answer"),
            end("answered"),
            chain("ask", "answer", "answered"),
            event=True,
        ),
        extra=message("question", "=id"),
    )


def test_a_non_interrupting_event_sub_process_runs_beside_as_often_as_it_is_started(play: Player) -> None:
    play.deploy(with_event_sub_process(interrupting=False))  # type: ignore[arg-type]
    case = play.start("p", {"id": 1})
    play.publish("question", "1", {"text": "when?"})
    play.publish("question", "1", {"text": "how much?"})
    assert case.todo == ["answer", "answer", "work"]
    case.complete("work")
    assert case.state == "ACTIVE"
    for task in case.open_tasks():
        from engine.user_tasks import CompleteUserTask

        case.execute(CompleteUserTask(task.key))
    assert case.state == "COMPLETED"


def test_an_interrupting_event_sub_process_takes_the_place_of_everything_else(play: Player) -> None:
    play.deploy(with_event_sub_process(interrupting=True))  # type: ignore[arg-type]
    case = play.start("p", {"id": 1})
    play.publish("question", "1")
    assert case.todo == ["answer"]
    assert play.publish("question", "1") == []
    case.complete("answer")
    assert case.state == "COMPLETED"


@pytest.mark.covers("beyond", "terminate", "only its scope")
def test_a_terminate_end_event_ends_only_its_own_scope(run: Run) -> None:
    case = run(
        diagram(
            start(),
            sub_process(
                "sub",
                start("s"),
                gateway("parallel", "fork"),
                user("a"),
                user("b"),
                end("stop", "<bpmn:terminateEventDefinition/>"),
                flow("s", "fork"),
                flow("fork", "a"),
                flow("fork", "b"),
                flow("a", "stop"),
            ),
            user("after"),
            end(),
            chain("start", "sub", "after", "end"),
        )
    )
    case.complete("a")
    assert case.todo == ["after"]


def test_a_link_continues_elsewhere_in_the_same_scope(run: Run) -> None:
    link = '<bpmn:linkEventDefinition name="L"/>'
    case = run(
        diagram(
            start(),
            node("intermediateThrowEvent", "out", link),
            node("intermediateCatchEvent", "in", link),
            user("after"),
            end(),
            chain("start", "out"),
            chain("in", "after", "end"),
        )
    )
    assert case.todo == ["after"]


def test_a_receive_task_waits_for_its_message(play: Player) -> None:
    play.deploy(
        diagram(
            start(),
            node("receiveTask", "parts", messageRef="message-parts"),
            end(),
            chain("start", "parts", "end"),
            extra=message("parts", "=id"),
        )
    )
    case = play.start("p", {"id": 7})
    play.publish("parts", "7")
    assert case.state == "COMPLETED"
