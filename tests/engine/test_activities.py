"""Activities: user tasks, jobs, scripts, mappings, multi-instance, called processes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from database import transaction
from engine import jobs
from engine.errors import AlreadyAssigned, CalledByAnother, InvalidVariables, NotActive, NotFound
from engine.incidents import ResolveIncident
from engine.instances import CancelInstance, SetVariables
from engine.jobs import CompleteJob, FailJob
from engine.models import ElementState, UserTask
from engine.user_tasks import AssignUserTask, CompleteUserTask, UnassignUserTask, UpdateUserTask
from tests.diagrams import (
    boundary,
    catches,
    chain,
    diagram,
    end,
    error,
    loop,
    mapping,
    node,
    script,
    service,
    start,
    sub_process,
    timer,
    user,
)
from tests.play import Case, Player

Run = Callable[..., Case]


def one_task(extensions: str = "", **attributes: str) -> object:
    lanes = (
        '<bpmn:laneSet id="lanes"><bpmn:lane id="lane" name="业务接待员"><bpmn:flowNodeRef>work</bpmn:flowNodeRef>'
        "</bpmn:lane></bpmn:laneSet>"
    )
    return diagram(lanes, start(), user("work", extensions, **attributes), end(), chain("start", "work", "end"))


def test_a_user_task_belongs_to_the_group_that_its_lane_names(run: Run) -> None:
    task = run(one_task(name="接待")).task("work")
    assert (task.name, task.candidate_groups, task.assignee) == ("接待", ["业务接待员"], None)


def test_who_and_until_when_may_be_expressions(run: Run) -> None:
    case = run(
        one_task(
            '<zeebe:assignmentDefinition assignee="=boss" candidateGroups="=[&quot;a&quot;, team]"'
            ' candidateUsers="x, y"/>'
            '<zeebe:taskSchedule dueDate="=now() + duration(&quot;P1D&quot;)"'
            ' followUpDate="2025-03-04T09:00:00+08:00"/>'
            '<zeebe:priorityDefinition priority="=40 + 2"/>'
        ),
        {"boss": "li", "team": "b"},
    )
    task = case.task("work")
    assert (task.assignee, task.candidate_groups, task.candidate_users, task.priority) == (
        "li",
        ["a", "b"],
        ["x", "y"],
        42,
    )
    assert task.due_at == case.player.now + timedelta(days=1)
    assert task.follow_up_at is not None
    assert task.follow_up_at.isoformat() == "2025-03-04T01:00:00+00:00"


def test_a_task_is_completed_once(run: Run) -> None:
    case = run(one_task())
    key = case.task("work").key
    case.complete("work", by="wang")
    with pytest.raises(NotActive):
        case.execute(CompleteUserTask(key))
    with case.player.sessions() as session:
        task = session.get(UserTask, key)
        assert task is not None
        assert (task.state, task.completed_by) == ("COMPLETED", "wang")


def test_claiming_what_somebody_else_has_is_refused_and_returning_frees_it(run: Run) -> None:
    case = run(one_task())
    key = case.task("work").key
    case.execute(AssignUserTask(key, "wang", allow_override=False))
    with pytest.raises(AlreadyAssigned):
        case.execute(AssignUserTask(key, "li", allow_override=False))
    case.execute(UnassignUserTask(key))
    case.execute(AssignUserTask(key, "li", allow_override=False))
    assert case.task("work").assignee == "li"


def test_an_update_changes_only_what_it_names(run: Run) -> None:
    case = run(one_task())
    key = case.task("work").key
    case.execute(UpdateUserTask(key, candidate_groups=["班组"], priority=80))
    task = case.task("work")
    assert (task.candidate_groups, task.priority, task.due_at) == (["班组"], 80, None)


@pytest.mark.parametrize("variables", [[1], "x", None, {"a": object()}])
def test_variables_must_be_a_json_object_and_nothing_changes_when_they_are_not(run: Run, variables: object) -> None:
    case = run(one_task())
    with pytest.raises(InvalidVariables):
        case.execute(CompleteUserTask(case.task("work").key, variables))  # type: ignore[arg-type]
    assert case.todo == ["work"]


def test_money_is_exact(run: Run) -> None:
    case = run(
        diagram(start(), script("sum", "0.1 + 0.2", "total"), user("look"), end(), chain("start", "sum", "look", "end"))
    )
    assert case.variables["total"] == Decimal("0.3")


def test_a_script_that_hangs_becomes_an_incident(run: Run) -> None:
    endless = "count(for a in 1..100000, b in 1..100000 return a * b)"
    case = run(diagram(start(), script("hang", endless, "x"), end(), chain("start", "hang", "end")))
    (incident,) = case.incidents
    assert incident.element_id == "hang"
    assert case.state == "ACTIVE"


def test_an_expression_that_eats_memory_becomes_an_incident(run: Run) -> None:
    hungry = 'for i in 1..1000000 return string join(for j in 1..1000 return "xxxxxxxxxxxxxxxx")'
    case = run(diagram(start(), script("eat", hungry, "x"), end(), chain("start", "eat", "end")))
    assert [incident.element_id for incident in case.incidents] == ["eat"]


def test_inputs_are_local_and_outputs_decide_what_leaves(run: Run) -> None:
    case = run(
        diagram(
            start(),
            user("work", mapping({"local": "amount * 2"}, {"result": "local + answer", "nested.deep": "answer"})),
            user("after"),
            end(),
            chain("start", "work", "after", "end"),
        ),
        {"amount": 10},
    )
    case.complete("work", {"answer": 5, "noise": 1})
    assert case.variables == {"amount": 10, "result": 25, "nested": {"deep": 5}}


def test_a_variable_is_written_to_the_scope_that_declares_it(run: Run) -> None:
    case = run(
        diagram(
            start(),
            sub_process(
                "sub",
                start("s"),
                user("inside"),
                end("e"),
                chain("s", "inside", "e"),
                extensions=mapping({"own": "1"}),
            ),
            user("after"),
            end(),
            chain("start", "sub", "after", "end"),
        ),
        {"shared": 1},
    )
    case.complete("inside", {"own": 2, "shared": 2, "fresh": 2})
    assert case.variables == {"shared": 2, "fresh": 2}


def test_an_output_that_fails_is_retried_without_doing_the_task_again(run: Run) -> None:
    case = run(
        diagram(
            start(),
            user(
                "work", mapping(outputs={"day": 'date and time(when) + duration("P1D")', "n": "assert(n, n != null)"})
            ),
            end(),
            chain("start", "work", "end"),
        )
    )
    case.complete("work", {"when": "2025-03-03T10:00:00"})
    (incident,) = case.incidents
    assert case.todo == []
    case.execute(SetVariables(case.key, {"n": 1}))
    case.execute(ResolveIncident(incident.key))
    assert case.state == "COMPLETED"
    assert case.variables["day"] == "2025-03-04T10:00:00"


def test_workers_lease_jobs_and_a_lease_that_runs_out_is_free_again(play: Player) -> None:
    play.deploy(diagram(start(), service("work"), end(), chain("start", "work", "end")))
    case = play.start("p")

    def activate(worker: str) -> list[int]:
        with play.sessions() as session, transaction(session):
            return [job.key for job in jobs.activate(session, "work", worker, timedelta(minutes=1), 10)]

    assert len(activate("first")) == 1
    assert activate("second") == []
    play.advance(timedelta(minutes=2))
    (key,) = activate("second")
    case.execute(FailJob(key, 2, "again", back_off=timedelta(minutes=10)))
    assert activate("second") == []
    play.advance(timedelta(minutes=10))
    assert activate("second") == [key]
    case.execute(CompleteJob(key, {"done": True}))
    assert (case.state, case.variables) == ("COMPLETED", {"done": True})


def signatures(*, sequential: bool = False, condition: str | None = None) -> object:
    names = {"inputElement": "department", "outputCollection": "signatures", "outputElement": "=department + signature"}
    return diagram(
        start(),
        user("sign", inside=loop("departments", sequential=sequential, condition=condition, **names)),
        user("after"),
        end(),
        chain("start", "sign", "after", "end"),
    )


@pytest.mark.covers("beyond", "multi-instance", "output collection")
def test_parallel_multi_instance_collects_results_in_the_order_of_the_items(run: Run) -> None:
    case = run(signatures(), {"departments": ["A", "B", "C"]})
    tasks = case.open_tasks()
    assert len(tasks) == 3
    for task, mark in zip(reversed(tasks), "321", strict=True):
        case.execute(CompleteUserTask(task.key, {"signature": mark}))
    assert case.todo == ["after"]
    assert case.variables["signatures"] == ["A1", "B2", "C3"]


def test_sequential_multi_instance_does_one_after_the_other(run: Run) -> None:
    case = run(signatures(sequential=True), {"departments": ["A", "B"]})
    case.complete("sign", {"signature": "1"})
    case.complete("sign", {"signature": "2"})
    assert case.todo == ["after"]
    assert case.variables["signatures"] == ["A1", "B2"]


@pytest.mark.covers("beyond", "multi-instance", "completion condition")
def test_a_completion_condition_ends_the_rest(run: Run) -> None:
    case = run(signatures(condition="numberOfCompletedInstances >= 2"), {"departments": ["A", "B", "C"]})
    first, second, _ = case.open_tasks()
    case.execute(CompleteUserTask(first.key, {"signature": "1"}))
    case.execute(CompleteUserTask(second.key, {"signature": "2"}))
    assert case.todo == ["after"]
    assert case.visits("sign", ElementState.TERMINATED) == 1
    assert case.variables["signatures"] == ["A1", "B2", None]


def test_multi_instance_of_nothing_is_done_at_once_and_of_no_list_is_an_incident(run: Run) -> None:
    case = run(signatures(), {"departments": []})
    assert (case.todo, case.variables["signatures"]) == (["after"], [])
    wrong = case.player.start("p", {"departments": "A"})
    assert [incident.element_id for incident in wrong.incidents] == ["sign"]


def test_a_boundary_timer_on_multi_instance_ends_all_of_it(run: Run) -> None:
    case = run(
        diagram(
            start(),
            user("sign", inside=loop("[1, 2, 3]")),
            boundary("late", "sign", timer("Duration", "P1D")),
            user("remind"),
            end(),
            chain("start", "sign", "end"),
            chain("late", "remind", "end"),
        )
    )
    assert len(case.timers()) == 1
    case.player.advance(timedelta(days=1))
    assert case.todo == ["remind"]


def test_multi_instance_of_a_sub_process_gives_each_its_own_scope(run: Run) -> None:
    case = run(
        diagram(
            start(),
            sub_process(
                "each",
                start("s"),
                script("twice", "item * 2", "double"),
                user("work"),
                end("e"),
                chain("s", "twice", "work", "e"),
                inside=loop("[1, 2]", inputElement="item", outputCollection="all", outputElement="=double"),
                extensions=mapping({"double": "0"}),
            ),
            end(),
            chain("start", "each", "end"),
        )
    )
    for task in case.open_tasks():
        case.execute(CompleteUserTask(task.key))
    assert (case.state, case.variables) == ("COMPLETED", {"all": [2, 4]})


def call(process_id: str = "child", extensions: str = "", **attributes: str) -> str:
    given = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return node(
        "callActivity", "call", extensions=f'<zeebe:calledElement processId="{process_id}"{given}/>' + extensions
    )


def parent(called: str) -> object:
    return diagram(
        start(),
        called,
        boundary("failed", "call", catches("error", "broken")),
        user("repair"),
        user("after"),
        end(),
        chain("start", "call", "after", "end"),
        chain("failed", "repair", "end"),
        process_id="parent",
        extra=error("broken"),
    )


def child() -> object:
    return diagram(start(), user("work"), end(), chain("start", "work", "end"), process_id="child")


@pytest.mark.covers("beyond", "call activity", "mappings and propagation")
def test_a_called_process_is_an_instance_of_its_own_and_hands_its_result_back(play: Player) -> None:
    play.deploy(
        child(), parent(call(extensions=mapping({"x": "amount"}, {"result": "y"}), propagateAllParentVariables="false"))
    )  # type: ignore[arg-type]
    case = play.start("parent", {"amount": 3})
    called = case.child("child")
    assert called.variables == {"x": 3}
    called.complete("work", {"y": 9, "z": 1})
    assert called.state == "COMPLETED"
    assert case.todo == ["after"]
    assert case.variables == {"amount": 3, "result": 9}


def test_ending_the_caller_ends_the_called_and_the_called_cannot_be_ended_alone(play: Player) -> None:
    play.deploy(child(), parent(call()))  # type: ignore[arg-type]
    case = play.start("parent")
    called = case.child("child")
    with pytest.raises(CalledByAnother):
        called.execute(CancelInstance())
    case.execute(CancelInstance("mistake"))
    assert (case.state, called.state, called.todo) == ("TERMINATED", "TERMINATED", [])


def test_an_error_in_a_called_process_is_caught_at_the_call(play: Player) -> None:
    failing = diagram(
        start(),
        user("work"),
        end("fail", catches("error", "broken")),
        chain("start", "work", "fail"),
        process_id="child",
        extra=error("broken"),
    )
    play.deploy(failing, parent(call()))  # type: ignore[arg-type]
    case = play.start("parent")
    called = case.child("child")
    called.complete("work")
    assert (called.state, case.todo) == ("TERMINATED", ["repair"])


def test_processes_that_call_each_other_without_end_become_an_incident(play: Player) -> None:
    play.deploy(diagram(start(), call("p"), end(), chain("start", "call", "end")))
    play.start("p")
    incidents = [incident for case in play.instances("p") for incident in case.incidents]
    assert [incident.type for incident in incidents] == ["LOOP_LIMIT"]


def test_cancelling_takes_everything_off_the_lists(run: Run) -> None:
    case = run(one_task())
    key = case.task("work").key
    case.execute(CancelInstance("customer left"), by="boss")
    assert (case.state, case.todo) == ("TERMINATED", [])
    with pytest.raises(NotActive):
        case.execute(CompleteUserTask(key))
    with pytest.raises(NotFound):
        Case(case.player, 1).execute(CancelInstance())


def test_the_audit_trail_keeps_who_changed_which_variable_from_what(run: Run) -> None:
    from sqlalchemy import select

    from engine.models import Audit

    case = run(one_task(), {"price": Decimal("1.50")})
    case.complete("work", {"price": Decimal("2.50"), "note": "x"}, by="wang")
    with case.player.sessions() as session:
        kept = session.scalars(select(Audit).where(Audit.action == "complete user task")).one()
    assert (kept.actor, kept.details) == (
        "wang",
        {"variables": {"price": Decimal("2.50"), "note": "x"}, "before": {"price": Decimal("1.50")}},
    )
