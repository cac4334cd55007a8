"""Diagrams and moments that nobody plans for: each of these once lost something, hung, or might have."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select

from database import transaction
from engine import signals
from engine.errors import DeploymentRefused, EndlessExchange, InvalidVariables
from engine.incidents import ResolveIncident
from engine.instances import CancelInstance, SetVariables
from engine.jobs import CompleteJob, FailJob, ThrowJobError
from engine.models import ElementInstance, Incident, IncidentState, MessageSubscription, ProcessInstance, Timer
from engine.user_tasks import CompleteUserTask
from processes.service import Resource
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
    mapping,
    message,
    node,
    script,
    service,
    signal,
    start,
    sub_process,
    timer,
    user,
)
from tests.play import Case, Player

Run = Callable[..., Case]


def when(condition: str) -> str:
    held = f"<bpmn:condition>={condition}</bpmn:condition>"
    return f"<bpmn:conditionalEventDefinition>{held}</bpmn:conditionalEventDefinition>"


def broadcast(play: Player, name: str) -> list[int]:
    with play.sessions() as session, transaction(session):
        return signals.broadcast(session, name)


def open_incidents(play: Player) -> list[str]:
    with play.sessions() as session:
        return list(session.scalars(select(Incident.type).where(Incident.state == IncidentState.ACTIVE)))


def event_process(element_id: str, event: str, *inside: str, interrupting: bool = True, task: str = "handle") -> str:
    return sub_process(
        element_id,
        start(f"{element_id}-start", event, isInterrupting="true" if interrupting else "false"),
        *(inside or (user(task),)),
        end(f"{element_id}-end"),
        chain(f"{element_id}-start", task, f"{element_id}-end"),
        event=True,
    )


# --- gateways


def test_a_gateway_without_outgoing_flows_ends_its_path(run: Run) -> None:
    for kind in ("exclusive", "inclusive", "parallel"):
        assert run(diagram(start(), gateway(kind, "g"), flow("start", "g"))).state == "COMPLETED"


def test_a_flow_from_a_task_to_itself_is_a_loop(run: Run) -> None:
    case = run(
        diagram(
            start(),
            user("again"),
            end(),
            flow("start", "again"),
            flow("again", "again", "more"),
            flow("again", "end", "not(more)"),
        )
    )
    for more in (True, True, False):
        case.complete("again", {"more": more})
    assert case.state == "COMPLETED"
    assert case.visits("again") == 3


def test_a_join_that_waits_for_itself_is_an_incident(run: Run) -> None:
    case = run(diagram(start(), gateway("parallel", "g"), end(), flow("start", "g"), flow("g", "g"), flow("g", "end")))
    assert [incident.type for incident in case.incidents] == ["JOIN_DEADLOCK"]


def test_an_inclusive_join_beside_a_branch_that_only_comes_back_round_the_loop_does_not_wait_for_it(run: Run) -> None:
    # The other branch can reach the join by going round the loop, but then the waiting branch comes again as well.
    case = run(
        diagram(
            start(),
            gateway("exclusive", "again"),
            gateway("parallel", "fork"),
            gateway("inclusive", "choose"),
            user("a"),
            user("b"),
            gateway("inclusive", "chosen"),
            user("beside"),
            user("after"),
            gateway("parallel", "join"),
            gateway("exclusive", "enough", default="enough-again"),
            end(),
            chain("start", "again", "fork", "choose"),
            flow("choose", "a", "true"),
            flow("choose", "b", "both"),
            flow("a", "chosen"),
            flow("b", "chosen"),
            chain("chosen", "after", "join"),
            chain("fork", "beside", "join"),
            flow("join", "enough"),
            flow("enough", "again"),
            flow("enough", "end", "done"),
        ),
        {"both": False, "done": False},
    )
    case.complete("a")
    assert case.todo == ["after", "beside"]
    case.complete("after")
    case.complete("beside", {"both": True})
    case.complete("b")
    assert case.todo == ["a", "beside"]
    case.complete("a", {"done": True})
    case.complete("beside")
    case.complete("after")
    assert case.state == "COMPLETED"


def test_an_inclusive_join_waits_for_a_token_that_comes_by_a_link(run: Run) -> None:
    link = '<bpmn:linkEventDefinition name="L"/>'
    case = run(
        diagram(
            start(),
            gateway("parallel", "fork"),
            user("a"),
            user("b"),
            node("intermediateThrowEvent", "out", link),
            node("intermediateCatchEvent", "in", link),
            gateway("inclusive", "join"),
            user("after"),
            end(),
            flow("start", "fork"),
            flow("fork", "a"),
            flow("fork", "b"),
            flow("a", "join"),
            chain("b", "out"),
            chain("in", "join", "after", "end"),
        )
    )
    case.complete("a")
    assert case.todo == ["b"]
    case.complete("b")
    assert case.todo == ["after"]


def test_many_branches_may_arrive_at_one_join_at_one_go(run: Run) -> None:
    # More arrivals than a loop without a wait may have turns, and yet no loop.
    names = [f"s{number}" for number in range(1_100)]
    case = run(
        diagram(
            start(),
            gateway("parallel", "fork"),
            gateway("parallel", "join"),
            end(),
            chain("start", "fork"),
            *[node("task", name) + flow("fork", name) + flow(name, "join") for name in names],
            chain("join", "end"),
        )
    )
    assert case.state == "COMPLETED"


# --- events on scopes


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


# --- incidents


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


# --- compensation


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


# --- variables


def test_fractions_survive_between_the_parts_of_a_parallel_multiple_event(play: Player) -> None:
    play.deploy(
        diagram(
            start(),
            node(
                "intermediateCatchEvent",
                "both",
                catches("message", "a") + catches("message", "b"),
                parallelMultiple="true",
            ),
            end(),
            chain("start", "both", "end"),
            extra=message("a", "=id") + message("b", "=id"),
        )
    )
    case = play.start("p", {"id": 1})
    play.publish("a", "1", {"price": Decimal("0.10")})
    play.publish("b", "1", {"n": 1})
    assert case.variables == {"id": 1, "price": Decimal("0.10"), "n": 1}


def test_variables_may_have_the_names_of_feel_keywords(run: Run) -> None:
    names = ["if", "then", "for", "null", "true", "and", "in", "function", "item", "loopCounter", "", " ", "a.b", "名"]
    case = run(
        diagram(start(), script("s", "1 + 1", "two"), user("work"), end(), chain("start", "s", "work", "end")),
        {name: number for number, name in enumerate(names)},
    )
    case.complete("work", dict.fromkeys(names, "changed"))
    assert case.variables == {**dict.fromkeys(names, "changed"), "two": 2}


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("depth", [100, 250, 400, 900, 5_000])
def test_deep_json_is_either_refused_or_can_be_used(play: Player, depth: int) -> None:
    play.deploy(diagram(start(), script("s", "deep", "copy"), user("work"), end(), chain("start", "s", "work", "end")))
    try:
        case = play.start("p", {"deep": nested(depth)})
    except InvalidVariables:
        assert depth > 100
        return
    assert case.todo == ["work"] or [incident.element_id for incident in case.incidents] == ["s"]
    case.execute(CancelInstance())


@pytest.mark.parametrize("value", ["\ud800", {"a"}, b"x", Decimal("NaN")])
def test_what_is_no_json_is_refused(play: Player, value: object) -> None:
    play.deploy(diagram(start(), user("work"), end(), chain("start", "work", "end")))
    with pytest.raises(InvalidVariables):
        play.start("p", {"x": value})


def test_huge_numbers_are_kept(run: Run) -> None:
    case = run(diagram(start(), user("work"), end(), chain("start", "work", "end")), {"n": 10**30, "m": -(2**64)})
    assert case.variables == {"n": 10**30, "m": -(2**64)}


# --- depth


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
