"""Odd joins, forks and loops: each of these once hung, or might have."""

from __future__ import annotations

from tests.diagrams import (
    chain,
    diagram,
    end,
    flow,
    gateway,
    node,
    start,
    user,
)
from tests.engine.odd import Run


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
