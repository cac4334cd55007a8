"""What starts instances: conditions that somebody has evaluated, and several triggers that belong together."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from xml.sax.saxutils import escape

import pytest

from database import transaction
from engine import invariants, signals, starts
from engine.errors import DeploymentRefused, InvalidVariables, NotFound
from engine.incidents import ResolveIncident
from engine.instances import SetVariables
from processes.service import Resource
from tests.diagrams import (
    catches,
    chain,
    diagram,
    end,
    flow,
    gateway,
    mapping,
    message,
    node,
    signal,
    start,
    sub_process,
    timer,
    user,
)
from tests.play import Case, Player


def when(condition: str) -> str:
    held = f"<bpmn:condition>={escape(condition)}</bpmn:condition>"
    return f"<bpmn:conditionalEventDefinition>{held}</bpmn:conditionalEventDefinition>"


def conditional(process_id: str, **conditions: str) -> Resource:
    events = "".join(start(name, when(condition)) + flow(name, "work") for name, condition in conditions.items())
    return diagram(events, user("work"), end(), chain("work", "end"), process_id=process_id)


def evaluate(play: Player, variables: dict[str, Any], definition_key: int | None = None) -> list[int]:
    with play.sessions() as session, transaction(session):
        found = starts.evaluate_conditions(session, variables, definition_key=definition_key, actor="wang")
        return [one.instance_key for one in found]


def test_a_condition_starts_an_instance_with_the_variables_that_fulfil_it(play: Player) -> None:
    play.deploy(conditional("order", start="stock < 10"), conditional("holiday", start="stock > 1000"))
    assert evaluate(play, {"stock": 50}) == []
    assert evaluate(play, {"other": 1}) == []
    (key,) = evaluate(play, {"stock": 3, "part": "oil filter"})
    case = play.only("order")
    assert (case.key, case.todo, case.variables) == (key, ["work"], {"stock": 3, "part": "oil filter"})
    assert evaluate(play, {"stock": 3}) != [key]


def test_each_conditional_start_event_that_is_fulfilled_starts_an_instance_of_its_own(play: Player) -> None:
    play.deploy(conditional("p", low="stock < 10", empty="stock = 0"))
    assert len(evaluate(play, {"stock": 5})) == 1
    assert len(evaluate(play, {"stock": 0})) == 2
    assert sorted(case.trail()[0] for case in play.instances("p")) == ["empty", "low", "low"]


def test_only_the_newest_version_is_looked_at_unless_another_is_named(play: Player) -> None:
    old = play.deploy(conditional("p", start="stock < 10")).processes[0].key
    new = play.deploy(conditional("p", start="stock < 5")).processes[0].key
    assert evaluate(play, {"stock": 7}) == []
    assert len(evaluate(play, {"stock": 7}, old)) == 1
    assert evaluate(play, {"stock": 7}, new) == []


def test_an_evaluation_of_what_is_not_there_is_refused(play: Player) -> None:
    with pytest.raises(NotFound):
        evaluate(play, {}, 1)
    with pytest.raises(InvalidVariables):
        evaluate(play, [])  # type: ignore[arg-type]


def test_a_filter_of_the_variables_that_a_condition_looks_at_is_refused(play: Player) -> None:
    """Camunda 8 has it; here a condition is looked at whenever any variable is written."""
    held = '<bpmn:extensionElements><zeebe:conditionalFilter variableEvents="create"/></bpmn:extensionElements>'
    event = start("start", when("stock < 10").replace("<bpmn:condition>", f"{held}<bpmn:condition>"))
    with pytest.raises(DeploymentRefused, match="conditionalFilter"):
        play.deploy(diagram(event, user("work"), end(), chain("start", "work", "end")))


# --- several triggers that belong together


def together(*, gateway_first: bool, keyed: bool = False) -> Resource:
    """Two messages and a signal, all of which belong to one instance."""
    key = "=order" if keyed else None
    globals_ = message("order", key) + message("payment", key) + signal("stocked")
    events = {"ordered": catches("message", "order"), "paid": catches("message", "payment")}
    events["ready"] = catches("signal", "stocked")
    if not gateway_first:
        body = start("all", "".join(events.values()), parallelMultiple="true") + user("pack") + end()
        return diagram(body + chain("all", "pack", "end"), extra=globals_)
    body = gateway("eventBased", "first", instantiate="true", eventGatewayType="Parallel") + end()
    for name, held in events.items():
        after = f"after-{name}"
        body += node("intermediateCatchEvent", name, held) + user(after)
        body += flow("first", name) + chain(name, after, "end")
    return diagram(body, extra=globals_)


def broadcast(play: Player) -> None:
    with play.sessions() as session, transaction(session):
        signals.broadcast(session, "stocked", {"shelf": 4})


@pytest.mark.covers("gateways", "event-based", "starts an instance, which waits for all of its events")
def test_the_first_of_all_events_starts_an_instance_that_waits_for_the_others(play: Player) -> None:
    play.deploy(together(gateway_first=True))
    play.publish("order", "17", {"order": 17})
    case = play.only("p")
    assert case.todo == ["after-ordered"]
    case.complete("after-ordered")
    assert case.state == "ACTIVE"
    play.publish("payment", "18")
    assert len(play.instances("p")) == 2
    play.publish("payment", "17", {"paid": True})
    broadcast(play)
    assert len(play.instances("p")) == 2
    assert case.todo == ["after-paid", "after-ready"]
    assert case.variables == {"order": 17, "paid": True, "shelf": 4}
    case.complete("after-paid")
    assert case.state == "ACTIVE"
    case.complete("after-ready")
    assert case.state == "COMPLETED"


def test_a_parallel_multiple_start_event_goes_on_when_all_of_its_triggers_have_come(play: Player) -> None:
    play.deploy(together(gateway_first=False))
    play.publish("payment", "17", {"paid": True})
    case = play.only("p")
    broadcast(play)
    assert (case.todo, case.variables) == ([], {})
    play.publish("payment", "17", {"paid": "again"})
    assert inspect(play, case) == []
    play.publish("order", "17", {"order": 17})
    assert (play.only("p").todo, case.variables) == (["pack"], {"paid": True, "shelf": 4, "order": 17})
    case.complete("pack")
    assert case.state == "COMPLETED"


@pytest.mark.parametrize("gateway_first", [True, False])
def test_what_a_signal_has_started_waits_for_messages_by_their_own_key(play: Player, gateway_first: bool) -> None:
    play.deploy(together(gateway_first=gateway_first, keyed=True))
    with play.sessions() as session, transaction(session):
        signals.broadcast(session, "stocked", {"order": 17})
    case = play.only("p")
    if not gateway_first:
        # What has come is not known outside of the event before all has, so there is no key to wait with.
        (incident,) = case.incidents
        assert "correlation key" in incident.message
        case.execute(SetVariables(case.key, {"order": 17}))
        case.execute(ResolveIncident(incident.key))
    play.publish("order", "17")
    play.publish("payment", "17")
    assert len(play.instances("p")) == 1
    assert case.todo == (["after-ordered", "after-paid", "after-ready"] if gateway_first else ["pack"])


def test_a_time_that_an_instance_waits_for_starts_no_other(play: Player) -> None:
    daily = start("all", catches("message", "m") + timer("Date", "2025-03-04T09:00:00+08:00"), parallelMultiple="true")
    play.deploy(diagram(daily, user("work"), end(), chain("all", "work", "end"), extra=message("m")))
    play.publish("m", "1")
    play.advance(timedelta(days=2))
    assert play.only("p").todo == ["work"]


def test_a_time_that_comes_first_starts_an_instance_that_waits_for_the_message(play: Player) -> None:
    daily = start("all", timer("Date", "2025-03-04T09:00:00+08:00") + catches("message", "m"), parallelMultiple="true")
    play.deploy(diagram(daily, user("work"), end(), chain("all", "work", "end"), extra=message("m")))
    play.advance(timedelta(days=2))
    case = play.only("p")
    assert case.todo == []
    play.publish("m")
    assert case.todo == ["work"]


def test_only_a_gateway_that_starts_an_instance_waits_for_all_of_its_events(play: Player) -> None:
    with pytest.raises(DeploymentRefused) as refusal:
        play.deploy(
            diagram(
                start(), gateway("eventBased", "choice", eventGatewayType="Parallel"), end(),
                node("intermediateCatchEvent", "a", timer("Duration", "PT1H")),
                node("intermediateCatchEvent", "b", timer("Duration", "PT2H")),
                chain("start", "choice", "a", "end"), chain("choice", "b", "end"),
            )
        )  # fmt: skip
    assert [problem.element_id for problem in refusal.value.problems] == ["choice"]


def test_what_a_start_event_has_brought_is_not_lost_when_what_is_around_it_fails(play: Player) -> None:
    """The message's variables reach the output mapping also at the second attempt."""
    started = node("startEvent", "begun", catches("message", "m"), mapping(outputs={"total": "amount * 2"}))
    asked = start("asked", catches("message", "cancel"), isInterrupting="true")
    events = sub_process("events", asked, end("gone"), flow("asked", "gone"), event=True)
    play.deploy(
        diagram(
            started, user("work"), end(), events, chain("begun", "work", "end"),
            extra=message("m") + message("cancel", "=assert(order, order != null)"),
        )
    )  # fmt: skip
    play.publish("m", "", {"amount": 21})
    case = play.only("p")
    (incident,) = case.incidents
    case.execute(SetVariables(case.key, {"order": 7}))
    case.execute(ResolveIncident(incident.key))
    assert (case.todo, case.variables) == (["work"], {"order": 7, "total": 42})


def inspect(play: Player, case: Case) -> list[invariants.Violation]:
    with play.sessions() as session:
        return invariants.inspect(session, [case.key])
