"""Odd moments of events: interruptions, signals and messages that meet, and what throws without end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.errors import EndlessExchange
from engine.instances import CancelInstance, SetVariables
from processes.service import Resource
from tests.diagrams import (
    boundary,
    catches,
    chain,
    diagram,
    end,
    error,
    flow,
    gateway,
    loop,
    message,
    node,
    script,
    signal,
    start,
    sub_process,
    timer,
    user,
)
from tests.engine.odd import Run, broadcast, event_process, when
from tests.play import Case, Player


def test_an_interrupting_event_sub_process_leaves_the_deadline_at_the_border_of_its_scope(run: Run) -> None:
    case = run(
        diagram(
            start(),
            sub_process(
                "sub",
                start("s"),
                user("work"),
                end("e"),
                chain("s", "work", "e"),
                event_process("asked", when("asked")),
            ),
            boundary("late", "sub", timer("Duration", "PT1H")),
            user("escalated"),
            end(),
            chain("start", "sub", "end"),
            chain("late", "escalated", "end"),
        ),
        {"asked": False},
    )
    case.execute(SetVariables(case.key, {"asked": True}))
    assert case.todo == ["handle"]
    case.player.advance(timedelta(hours=2))
    assert case.todo == ["escalated"]


def test_an_interrupted_instance_still_holds_the_correlation_key_that_started_it(play: Player) -> None:
    play.deploy(
        diagram(
            start(inside=catches("message", "arrived")),
            user("work"),
            end(),
            chain("start", "work", "end"),
            event_process("stop", when("stopped = true")),
            extra=message("arrived", "=plate"),
        )
    )
    (key,) = play.publish("arrived", "B1")
    Case(play, key).execute(SetVariables(key, {"stopped": True}))
    assert Case(play, key).todo == ["handle"]
    assert play.publish("arrived", "B1") == []


def test_two_interrupting_conditions_that_become_true_at_once_fire_one_of_them(run: Run) -> None:
    case = run(
        diagram(
            start(),
            user("work"),
            boundary("one", "work", when("x > 1")),
            boundary("two", "work", when("x > 0")),
            user("first"),
            user("second"),
            end(),
            chain("start", "work", "end"),
            chain("one", "first", "end"),
            chain("two", "second", "end"),
        ),
        {"x": 0},
    )
    case.execute(SetVariables(case.key, {"x": 5}))
    assert case.todo == ["first"]
    case.complete("first")
    assert case.state == "COMPLETED"


def test_two_timers_at_the_same_instant_fire_one_interruption(run: Run) -> None:
    case = run(
        diagram(
            start(),
            sub_process(
                "sub",
                start("s"),
                user("work"),
                boundary("in", "work", timer("Duration", "PT1H")),
                end("e"),
                end("e2"),
                chain("s", "work", "e"),
                flow("in", "e2"),
            ),
            boundary("out", "sub", timer("Duration", "PT1H")),
            user("after"),
            user("late"),
            end(),
            chain("start", "sub", "after", "end"),
            chain("out", "late", "end"),
        )
    )
    case.player.advance(timedelta(hours=1))
    assert case.todo in (["after"], ["late"])
    assert case.timers() == {}


def test_a_signal_that_ends_what_else_waits_for_it_reaches_the_rest(play: Player) -> None:
    play.deploy(
        diagram(
            start(),
            sub_process(
                "sub",
                start("s"),
                node("intermediateCatchEvent", "inner", catches("signal", "closing")),
                end("e"),
                chain("s", "inner", "e"),
            ),
            boundary("outer", "sub", catches("signal", "closing")),
            user("closed"),
            end(),
            chain("start", "sub", "end"),
            chain("outer", "closed", "end"),
            extra=signal("closing"),
        )
    )
    first, second = play.start("p"), play.start("p")
    broadcast(play, "closing")
    for case in (first, second):
        assert case.todo in (["closed"], [])
        assert case.state == ("ACTIVE" if case.todo else "COMPLETED")


def caller_and_called(event: str, extra: str) -> tuple[Resource, Resource]:
    called = diagram(
        start(),
        node("intermediateCatchEvent", "inner", event),
        end(),
        chain("start", "inner", "end"),
        process_id="child",
        extra=extra,
    )
    caller = diagram(
        start(),
        node("callActivity", "call", extensions='<zeebe:calledElement processId="child"/>'),
        boundary("outer", "call", event),
        user("closed"),
        end(),
        chain("start", "call", "end"),
        chain("outer", "closed", "end"),
        process_id="parent",
        extra=extra,
    )
    return called, caller


def test_a_signal_or_message_that_ends_a_called_process_waiting_for_it_too_is_delivered(play: Player) -> None:
    play.deploy(*caller_and_called(catches("signal", "closing"), signal("closing")))
    case = play.start("parent")
    broadcast(play, "closing")
    assert case.todo == ["closed"] or case.state == "COMPLETED"
    play.deploy(*caller_and_called(catches("message", "closing"), message("closing", "=id")))
    case = play.start("parent", {"id": 1})
    play.publish("closing", "1")
    assert case.todo == ["closed"] or case.state == "COMPLETED"


def test_an_instance_that_waits_for_one_message_twice_gets_it_once(play: Player) -> None:
    play.deploy(
        diagram(
            start(),
            sub_process(
                "sub",
                start("s"),
                node("intermediateCatchEvent", "inner", catches("message", "answer")),
                end("e"),
                chain("s", "inner", "e"),
            ),
            boundary("outer", "sub", catches("message", "answer")),
            user("closed"),
            end(),
            chain("start", "sub", "end"),
            chain("outer", "closed", "end"),
            extra=message("answer", "=id"),
        )
    )
    case = play.start("p", {"id": 1})
    assert play.publish("answer", "1") == [case.key]
    assert case.todo == ["closed"] or case.state == "COMPLETED"


def test_a_message_that_a_command_itself_has_made_pointless_is_not_lost(play: Player) -> None:
    # One branch throws what the other waits for, and in the same command ends the other.
    play.deploy(
        diagram(
            start(),
            gateway("parallel", "fork"),
            node("intermediateCatchEvent", "wait", catches("message", "m")),
            user("work"),
            node("intermediateThrowEvent", "throw", catches("message", "m")),
            end("stop", "<bpmn:terminateEventDefinition/>"),
            end(),
            flow("start", "fork"),
            chain("fork", "wait", "end"),
            chain("fork", "work", "throw", "stop"),
            extra=message("m", "=id"),
        )
    )
    case = play.start("p", {"id": 1})
    case.complete("work")
    assert case.state == "COMPLETED"
    assert case.visits("wait") == 0
    second = play.start("p", {"id": 1})
    assert second.visits("wait") == 1, "kept in the buffer for the next who waits"


def test_an_error_thrown_in_an_event_sub_process_is_not_caught_by_itself_but_around(run: Run) -> None:
    case = run(
        diagram(
            start(),
            sub_process(
                "sub",
                start("s"),
                user("work"),
                end("e"),
                chain("s", "work", "e"),
                sub_process(
                    "on-error",
                    start("caught", catches("error", "broken")),
                    user("repair"),
                    end("again", catches("error", "broken")),
                    chain("caught", "repair", "again"),
                    event=True,
                ),
                sub_process(
                    "asked",
                    start("ask", when("fail"), isInterrupting="false"),
                    end("fail", catches("error", "broken")),
                    chain("ask", "fail"),
                    event=True,
                ),
            ),
            boundary("border", "sub", catches("error", "broken")),
            user("last"),
            end(),
            chain("start", "sub", "end"),
            chain("border", "last", "end"),
            extra=error("broken"),
        )
    )
    case.execute(SetVariables(case.key, {"fail": True}))
    assert case.todo == ["repair"]
    case.complete("repair")
    assert case.todo == ["last"]


def test_terminate_ends_called_processes_too(play: Player) -> None:
    play.deploy(
        diagram(start(), user("inside"), end(), chain("start", "inside", "end"), process_id="child"),
        diagram(
            start(),
            gateway("parallel", "fork"),
            node("callActivity", "call", loop("[1, 2]"), '<zeebe:calledElement processId="child"/>'),
            user("work"),
            end("stop", "<bpmn:terminateEventDefinition/>"),
            end(),
            chain("start", "fork", "call", "end"),
            chain("fork", "work", "stop"),
            process_id="parent",
        ),
    )
    case = play.start("parent")
    assert len(play.instances("child")) == 2
    case.complete("work")
    assert case.state == "COMPLETED"
    assert [child.state for child in play.instances("child")] == ["TERMINATED", "TERMINATED"]


@pytest.mark.covers("beyond", "event sub-process", "inside of another")
def test_event_sub_processes_inside_of_event_sub_processes_run_and_end(run: Run) -> None:
    inner = sub_process(
        "inner",
        start("inner-start", when("deeper"), isInterrupting="false"),
        user("deep"),
        end("inner-end"),
        chain("inner-start", "deep", "inner-end"),
        event=True,
    )
    case = run(
        diagram(
            start(),
            user("work"),
            end(),
            chain("start", "work", "end"),
            event_process("outer", when("deep"), user("handle"), inner),
        ),
        {"deep": False, "deeper": False},
    )
    case.execute(SetVariables(case.key, {"deep": True}))
    case.execute(SetVariables(case.key, {"deeper": True}))
    assert case.todo == ["deep", "handle"]
    case.complete("handle")
    case.complete("deep")
    assert case.state == "COMPLETED"


def test_conditions_that_set_each_other_off_become_an_incident(run: Run) -> None:
    case = run(
        diagram(
            start(),
            user("work"),
            end(),
            chain("start", "work", "end"),
            event_process("ping", when("x = 0"), script("a", "1", "x"), interrupting=False, task="a"),
            event_process("pong", when("x = 1"), script("b", "0", "x"), interrupting=False, task="b"),
        )
    )
    case.execute(SetVariables(case.key, {"x": 0}))
    assert "LOOP_LIMIT" in {incident.type for incident in case.incidents}
    case.execute(CancelInstance())


def test_a_process_that_starts_itself_by_a_message_without_end_is_refused(play: Player) -> None:
    play.deploy(
        diagram(
            start(inside=catches("message", "again")),
            end("end", catches("message", "again")),
            chain("start", "end"),
            extra=message("again"),
        )
    )
    with pytest.raises(EndlessExchange):
        play.publish("again")
    assert play.instances("p") == []
