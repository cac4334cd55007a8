"""What other engines leave out: conditions, loops, ad-hoc, compensation, transactions, complex gateways."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from engine.instances import SetVariables
from engine.models import ElementState
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
    script,
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


def test_a_condition_in_the_flow_waits_until_the_variables_fulfil_it(run: Run) -> None:
    case = run(
        diagram(
            start(),
            node("intermediateCatchEvent", "paid", when("amount >= 100")),
            end(),
            chain("start", "paid", "end"),
        ),
        {"amount": 10},
    )
    case.execute(SetVariables(case.key, {"amount": 50}))
    assert case.state == "ACTIVE"
    case.execute(SetVariables(case.key, {"amount": 100}))
    assert case.state == "COMPLETED"


def test_a_condition_at_the_border_fires_each_time_it_becomes_true(run: Run) -> None:
    case = run(
        diagram(
            start(),
            user("work"),
            boundary("hot", "work", when("temperature > 90"), interrupting=False),
            end(),
            end("warned"),
            chain("start", "work", "end"),
            flow("hot", "warned"),
        ),
        {"temperature": 20},
    )
    for temperature in (95, 96, 20, 91):
        case.execute(SetVariables(case.key, {"temperature": temperature}))
    assert case.visits("warned") == 2
    case.complete("work")
    assert case.state == "COMPLETED"


def test_a_conditional_event_sub_process_interrupts(run: Run) -> None:
    case = run(
        diagram(
            start(),
            user("work"),
            end(),
            chain("start", "work", "end"),
            sub_process(
                "stop", start("s", when("stopped")), user("clean-up"), end("e"), chain("s", "clean-up", "e"), event=True
            ),
        )
    )
    case.execute(SetVariables(case.key, {"stopped": True}))
    assert case.todo == ["clean-up"]


def looped(inside: str) -> object:
    return diagram(
        start(),
        user("try", inside=f"<bpmn:standardLoopCharacteristics {inside}"),
        user("after"),
        end(),
        chain("start", "try", "after", "end"),
    )


@pytest.mark.covers("beyond", "standard loop", "condition")
def test_a_standard_loop_goes_on_while_its_condition_holds(run: Run) -> None:
    case = run(looped("><bpmn:loopCondition>=not(done)</bpmn:loopCondition></bpmn:standardLoopCharacteristics>"))
    case.complete("try", {"done": False})
    case.complete("try", {"done": False})
    case.complete("try", {"done": True})
    assert case.todo == ["after"]


def test_a_standard_loop_stops_at_its_maximum_and_may_test_before(run: Run) -> None:
    case = run(looped('loopMaximum="2"/>'))
    case.complete("try")
    case.complete("try")
    assert case.todo == ["after"]
    skipped = run(
        looped('testBefore="true"><bpmn:loopCondition>=wanted</bpmn:loopCondition></bpmn:standardLoopCharacteristics>'),
        {"wanted": False},
    )
    assert skipped.todo == ["after"]


def test_a_standard_loop_without_a_wait_is_found_out(run: Run) -> None:
    from tests.diagrams import node as any_node

    endless = any_node(
        "scriptTask",
        "spin",
        "<bpmn:standardLoopCharacteristics><bpmn:loopCondition>=true</bpmn:loopCondition>"
        "</bpmn:standardLoopCharacteristics>",
        '<zeebe:script expression="=1" resultVariable="x"/>',
    )
    case = run(diagram(start(), endless, end(), chain("start", "spin", "end")))
    assert [incident.type for incident in case.incidents] == ["LOOP_LIMIT"]


def ad_hoc(collection: str | None = None, condition: str | None = None, **attributes: str) -> object:
    held = f'<zeebe:adHoc activeElementsCollection="={collection}"/>' if collection else ""
    done = f"<bpmn:completionCondition>={condition}</bpmn:completionCondition>" if condition else ""
    inside = user("a") + user("b") + user("c") + user("d") + flow("c", "d") + done
    return diagram(
        start(),
        node("adHocSubProcess", "any", inside, held, **attributes),
        user("after"),
        end(),
        chain("start", "any", "after", "end"),
    )


def test_an_ad_hoc_sub_process_starts_what_its_collection_names_and_ends_with_the_last(run: Run) -> None:
    case = run(ad_hoc("wanted"), {"wanted": ["a", "c"]})
    assert case.todo == ["a", "c"]
    case.complete("c")
    assert case.todo == ["a", "d"]
    case.complete("a")
    case.complete("d")
    assert case.todo == ["after"]


@pytest.mark.covers("beyond", "ad-hoc sub-process", "completion condition")
def test_an_ad_hoc_sub_process_ends_by_its_condition(run: Run) -> None:
    case = run(ad_hoc("wanted", "enough"), {"wanted": ["a", "b"], "enough": False})
    case.complete("a", {"enough": True})
    assert case.todo == ["after"]
    assert case.visits("b", ElementState.TERMINATED) == 1


@pytest.mark.covers("beyond", "ad-hoc sub-process", "started by hand")
def test_an_ad_hoc_sub_process_waits_for_somebody_to_start_an_activity(run: Run) -> None:
    from engine.instances import ActivateAdHoc

    case = run(ad_hoc())
    assert case.todo == []
    (key,) = case.live("any")
    case.execute(ActivateAdHoc(key, ["b", "b"]))
    assert case.todo == ["b", "b"]


def test_an_ad_hoc_activity_that_cannot_be_started_is_an_incident(run: Run) -> None:
    case = run(ad_hoc("wanted"), {"wanted": ["d"]})
    assert [incident.element_id for incident in case.incidents] == ["any"]


def booking(*, throw: str) -> object:
    undo = "<bpmn:compensateEventDefinition/>"
    return diagram(
        start(),
        user("book"),
        boundary("undo-book", "book", undo),
        user("cancel-booking", isForCompensation="true"),
        user("pay"),
        boundary("undo-pay", "pay", undo),
        user("pay-back", isForCompensation="true"),
        '<bpmn:association id="a1" sourceRef="undo-book" targetRef="cancel-booking"/>',
        '<bpmn:association id="a2" sourceRef="undo-pay" targetRef="pay-back"/>',
        node("intermediateThrowEvent", "undo", throw),
        user("after"),
        end(),
        chain("start", "book", "pay", "undo", "after", "end"),
    )


@pytest.mark.covers("beyond", "compensation", "all that was completed")
def test_compensation_undoes_everything_completed_and_waits_for_it(run: Run) -> None:
    case = run(booking(throw="<bpmn:compensateEventDefinition/>"))
    case.complete("book")
    case.complete("pay")
    assert case.todo == ["cancel-booking", "pay-back"]
    case.complete("pay-back")
    case.complete("cancel-booking")
    assert case.todo == ["after"]
    case.complete("after")
    assert case.state == "COMPLETED"


@pytest.mark.covers("beyond", "compensation", "one activity")
def test_compensation_of_one_activity_leaves_the_others(run: Run) -> None:
    case = run(booking(throw='<bpmn:compensateEventDefinition activityRef="pay"/>'))
    case.complete("book")
    case.complete("pay")
    assert case.todo == ["pay-back"]


@pytest.mark.covers("beyond", "transaction", "cancelled and undone")
def test_a_transaction_that_is_cancelled_undoes_what_was_done_and_leaves_at_its_border(run: Run) -> None:
    case = run(
        diagram(
            start(),
            node(
                "transaction",
                "deal",
                start("s")
                + gateway("parallel", "fork")
                + user("reserve")
                + boundary("undo", "reserve", "<bpmn:compensateEventDefinition/>")
                + user("release", isForCompensation="true")
                + '<bpmn:association id="a1" sourceRef="undo" targetRef="release"/>'
                + user("beside")
                + end("give-up", "<bpmn:cancelEventDefinition/>")
                + flow("s", "fork")
                + flow("fork", "reserve")
                + flow("fork", "beside")
                + flow("reserve", "give-up"),
            ),
            boundary("cancelled", "deal", "<bpmn:cancelEventDefinition/>"),
            user("apologise"),
            end(),
            chain("start", "deal", "end"),
            chain("cancelled", "apologise", "end"),
        )
    )
    case.complete("reserve")
    assert case.todo == ["release"]
    case.complete("release")
    assert case.todo == ["apologise"]
    case.complete("apologise")
    assert case.state == "COMPLETED"


@pytest.mark.covers("beyond", "compensation", "of a sub-process")
def test_a_completed_sub_process_is_undone_from_inside(run: Run) -> None:
    case = run(
        diagram(
            start(),
            sub_process(
                "sub",
                start("s"),
                script("book", "1", "booked"),
                boundary("undo-book", "book", "<bpmn:compensateEventDefinition/>"),
                user("cancel-booking", isForCompensation="true"),
                '<bpmn:association id="a1" sourceRef="undo-book" targetRef="cancel-booking"/>',
                end("e"),
                chain("s", "book", "e"),
            ),
            end("undo", "<bpmn:compensateEventDefinition/>"),
            chain("start", "sub", "undo"),
        )
    )
    assert case.todo == ["cancel-booking"]
    case.complete("cancel-booking")
    assert case.state == "COMPLETED"


@pytest.mark.covers("gateways", "complex", "goes on by a condition")
def test_a_complex_gateway_goes_on_with_two_of_three_and_swallows_the_third(run: Run) -> None:
    condition = "<bpmn:activationCondition>=activationCount >= 2</bpmn:activationCondition>"
    case = run(
        diagram(
            start(),
            gateway("parallel", "fork"),
            *[user(name) for name in "abc"],
            node("complexGateway", "two", condition),
            user("after"),
            end(),
            flow("start", "fork"),
            *[flow("fork", name) for name in "abc"],
            *[flow(name, "two") for name in "abc"],
            chain("two", "after", "end"),
        )
    )
    case.complete("a")
    assert case.todo == ["b", "c"]
    case.complete("c")
    assert case.todo == ["after", "b"]
    case.complete("after")
    case.complete("b")
    assert case.state == "COMPLETED"
    assert case.visits("after") == 1


def test_an_event_with_several_triggers_takes_the_first_of_them(play: Player) -> None:
    play.deploy(
        diagram(
            start(),
            node("intermediateCatchEvent", "either", catches("message", "answer") + timer("Duration", "P1D")),
            end(),
            chain("start", "either", "end"),
            extra=message("answer", "=id"),
        )
    )
    first, second = play.start("p", {"id": 1}), play.start("p", {"id": 2})
    play.publish("answer", "1")
    assert first.state == "COMPLETED"
    play.advance(timedelta(days=1))
    assert second.state == "COMPLETED"


def test_a_parallel_multiple_event_waits_for_all_of_them(play: Player) -> None:
    play.deploy(
        diagram(
            start(),
            node(
                "intermediateCatchEvent",
                "both",
                catches("message", "answer") + catches("message", "payment"),
                parallelMultiple="true",
            ),
            end(),
            chain("start", "both", "end"),
            extra=message("answer", "=id") + message("payment", "=id"),
        )
    )
    case = play.start("p", {"id": 1})
    play.publish("payment", "1", {"amount": 5})
    assert case.state == "ACTIVE"
    play.publish("answer", "1", {"text": "yes"})
    assert case.state == "COMPLETED"
    assert case.variables == {"id": 1, "amount": 5, "text": "yes"}


@pytest.mark.covers("gateways", "event-based", "starts an instance")
def test_an_event_based_gateway_and_a_receive_task_can_start_an_instance(play: Player) -> None:
    play.deploy(
        diagram(
            gateway("eventBased", "g", instantiate="true"),
            node("intermediateCatchEvent", "letter", catches("message", "letter")),
            node("intermediateCatchEvent", "phone", catches("message", "phone")),
            user("read"),
            user("listen"),
            end(),
            flow("g", "letter"),
            flow("g", "phone"),
            chain("letter", "read", "end"),
            chain("phone", "listen", "end"),
            extra=message("letter") + message("phone"),
        ),
        diagram(
            node("receiveTask", "mail", messageRef="message-mail", instantiate="true"),
            user("sort"),
            end(),
            chain("mail", "sort", "end"),
            process_id="q",
            extra=message("mail"),
        ),
    )
    play.publish("phone", "", {"from": "Li"})
    assert play.only("p").todo == ["listen"]
    play.publish("mail")
    assert play.only("q").todo == ["sort"]


@pytest.mark.covers("beyond", "compensation", "by an event sub-process of the sub-process that it undoes")
def test_a_completed_sub_process_undoes_itself_by_its_own_event_sub_process(run: Run) -> None:
    undo = "<bpmn:compensateEventDefinition/>"
    case = run(
        diagram(
            start(),
            sub_process(
                "sub",
                start("s"),
                script("book", "1", "booked"),
                boundary("undo-book", "book", undo),
                user("cancel-booking", isForCompensation="true"),
                '<bpmn:association id="a1" sourceRef="undo-book" targetRef="cancel-booking"/>',
                end("e"),
                chain("s", "book", "e"),
                sub_process(
                    "undo-sub",
                    start("undo-start", undo),
                    user("apologise"),
                    end("undo-inside", undo),
                    chain("undo-start", "apologise", "undo-inside"),
                    event=True,
                ),
            ),
            user("think"),
            end("undo", undo),
            chain("start", "sub", "think", "undo"),
        )
    )
    assert case.todo == ["think"]
    case.complete("think")
    assert case.todo == ["apologise"]
    case.complete("apologise")
    assert case.todo == ["cancel-booking"]
    case.complete("cancel-booking")
    assert case.state == "COMPLETED"
