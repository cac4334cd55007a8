"""Gateways: which flows a token takes, and what joins wait for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.diagrams import boundary, chain, diagram, end, flow, gateway, node, script, start, timer, user
from tests.play import Case

Run = Callable[..., Case]


def exclusive(default: str = "g-small") -> object:
    return diagram(
        start(),
        gateway("exclusive", "g", default=default),
        user("small"),
        user("large"),
        end(),
        flow("start", "g"),
        flow("g", "large", "amount > 100"),
        flow("g", "small"),
        chain("small", "end"),
        flow("large", "end"),
    )


@pytest.mark.parametrize(("amount", "taken"), [(50, "small"), (101, "large")])
def test_an_exclusive_gateway_takes_the_flow_whose_condition_holds(run: Run, amount: int, taken: str) -> None:
    assert run(exclusive(), {"amount": amount}).todo == [taken]


def test_a_condition_that_is_null_is_an_incident_with_the_reason_and_can_be_retried(run: Run) -> None:
    from engine.incidents import ResolveIncident
    from engine.instances import SetVariables

    case = run(exclusive())
    (incident,) = case.incidents
    assert incident.element_id == "g"
    assert "amount" in incident.message
    assert incident.details["expression"] == "amount > 100"
    case.execute(SetVariables(case.key, {"amount": 500}))
    case.execute(ResolveIncident(incident.key))
    assert case.todo == ["large"]
    assert case.incidents == []


def fork_and_join(*, after: str = "after") -> object:
    return diagram(
        start(),
        gateway("parallel", "fork"),
        user("a"),
        user("b"),
        user("c"),
        gateway("parallel", "join"),
        user(after),
        end(),
        flow("start", "fork"),
        *[flow("fork", name) for name in "abc"],
        *[flow(name, "join") for name in "abc"],
        chain("join", after, "end"),
    )


def test_a_parallel_join_waits_for_every_branch(run: Run) -> None:
    case = run(fork_and_join())
    assert case.todo == ["a", "b", "c"]
    case.complete("b")
    case.complete("a")
    assert case.todo == ["c"]
    case.complete("c")
    assert case.todo == ["after"]
    case.complete("after")
    assert case.state == "COMPLETED"


@pytest.mark.covers("gateways", "parallel", "in a loop")
def test_a_join_in_a_loop_counts_each_turn_anew(run: Run) -> None:
    case = run(
        diagram(
            start(),
            gateway("exclusive", "again"),
            gateway("parallel", "fork"),
            user("a"),
            user("b"),
            gateway("parallel", "join"),
            gateway("exclusive", "enough", default="enough-again"),
            end(),
            flow("start", "again"),
            flow("again", "fork"),
            *[flow("fork", name) for name in "ab"],
            *[flow(name, "join") for name in "ab"],
            flow("join", "enough"),
            flow("enough", "again"),
            flow("enough", "end", "done = true"),
        ),
        {"done": False},
    )
    for turn in range(5):
        assert case.todo == ["a", "b"]
        case.complete("a")
        case.complete("b", {"done": turn == 4})
    assert case.state == "COMPLETED"


def test_tokens_in_excess_stay_at_a_join_for_the_next_turn(run: Run) -> None:
    # A timer sends a second token along branch a before branch b is done.
    case = run(
        diagram(
            start(),
            gateway("parallel", "fork"),
            user("a"),
            user("b"),
            boundary("again", "b", timer("Duration", "PT1H"), interrupting=False),
            gateway("exclusive", "merge"),
            gateway("parallel", "join"),
            user("after"),
            end(),
            flow("start", "fork"),
            flow("fork", "a"),
            flow("fork", "b"),
            flow("a", "merge"),
            flow("again", "merge"),
            flow("merge", "join"),
            flow("b", "join"),
            chain("join", "after", "end"),
        )
    )
    from datetime import timedelta

    case.complete("a")
    case.player.advance(timedelta(hours=2))
    case.complete("b")
    assert case.todo == ["after"]
    case.complete("after")
    # One token of branch a is left over at the join and can never be matched: a person is told.
    assert [incident.type for incident in case.incidents] == ["JOIN_DEADLOCK"]


def inclusive() -> object:
    return diagram(
        start(),
        gateway("inclusive", "fork", default="fork-none"),
        user("wash"),
        user("wax"),
        user("none"),
        gateway("inclusive", "join"),
        user("after"),
        end(),
        flow("start", "fork"),
        flow("fork", "wash", "wash"),
        flow("fork", "wax", "wax"),
        flow("fork", "none"),
        *[flow(name, "join") for name in ("wash", "wax", "none")],
        chain("join", "after", "end"),
    )


@pytest.mark.parametrize(
    ("wash", "wax", "taken"),
    [(True, True, ["wash", "wax"]), (True, False, ["wash"]), (False, False, ["none"])],
)
def test_an_inclusive_join_waits_for_the_branches_taken(run: Run, wash: bool, wax: bool, taken: list[str]) -> None:
    case = run(inclusive(), {"wash": wash, "wax": wax})
    assert case.todo == taken
    for number, name in enumerate(taken, 1):
        case.complete(name)
        assert (case.todo == ["after"]) == (number == len(taken))
    case.complete("after")
    assert case.state == "COMPLETED"


@pytest.mark.covers("gateways", "inclusive", "unstructured join")
def test_an_inclusive_join_goes_on_when_the_missing_branch_ends_elsewhere(run: Run) -> None:
    case = run(
        diagram(
            start(),
            gateway("inclusive", "fork"),
            user("a"),
            user("b"),
            gateway("exclusive", "way", default="way-stop"),
            end("stop"),
            gateway("inclusive", "join"),
            user("after"),
            end(),
            flow("start", "fork"),
            flow("fork", "a", "true"),
            flow("fork", "b", "true"),
            flow("a", "join"),
            flow("b", "way"),
            flow("way", "stop"),
            flow("way", "join", "false"),
            chain("join", "after", "end"),
        )
    )
    case.complete("a")
    assert case.todo == ["b"]
    case.complete("b")
    assert case.todo == ["after"]


@pytest.mark.covers("gateways", "none", "splits after a task")
def test_flows_out_of_a_task_fork_without_a_gateway(run: Run) -> None:
    case = run(
        diagram(start(), user("a"), user("b"), user("c"), end(), flow("start", "a"), flow("a", "b"), flow("a", "c"))
    )
    case.complete("a")
    assert case.todo == ["b", "c"]
    case.complete("b")
    assert case.state == "ACTIVE"
    case.complete("c")
    assert case.state == "COMPLETED"


def test_a_loop_without_a_wait_becomes_an_incident_not_a_hanging_server(run: Run) -> None:
    case = run(
        diagram(
            start(),
            script("count", "n + 1", "n"),
            gateway("exclusive", "g"),
            flow("start", "count"),
            flow("count", "g"),
            flow("g", "count"),
        ),
        {"n": 0},
    )
    (incident,) = case.incidents
    assert incident.type == "LOOP_LIMIT"


def test_a_manual_task_is_passed_and_kept_in_history(run: Run) -> None:
    case = run(diagram(start(), node("manualTask", "hand"), end(), chain("start", "hand", "end")))
    assert case.state == "COMPLETED"
    assert case.trail() == ["start", "hand", "end"]
