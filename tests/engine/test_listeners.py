"""Listeners: jobs that hold up an element, or a change of a user task, until a worker has done them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from sqlalchemy import select

from engine.errors import DeploymentRefused, InvalidVariables, NotActive
from engine.held_changes import HeldChange, held_changes
from engine.incidents import ResolveIncident
from engine.instances import SetVariables
from engine.jobs import CompleteJob, FailJob
from engine.models import Job, UserTask, UserTaskGroup, UserTaskUser
from engine.task_listeners import ListenerResult
from engine.user_tasks import AssignUserTask, CompleteUserTask, UpdateUserTask
from processes.service import Resource
from tests.diagrams import chain, diagram, end, mapping, script, start, user
from tests.play import Case, Player

Run = Callable[..., Case]


def execution_listeners(*listeners: tuple[str, str]) -> str:
    rows = "".join(f'<zeebe:executionListener eventType="{event}" type="{job}"/>' for event, job in listeners)
    return f"<zeebe:executionListeners>{rows}</zeebe:executionListeners>"


def task_listeners(*listeners: tuple[str, str]) -> str:
    rows = "".join(f'<zeebe:taskListener eventType="{event}" type="{job}"/>' for event, job in listeners)
    return f"<zeebe:taskListeners>{rows}</zeebe:taskListeners>"


def one_task(extensions: str) -> Resource:
    return diagram(start(), user("work", extensions), user("after"), end(), chain("start", "work", "after", "end"))


def job(case: Case, job_type: str) -> Job:
    (found,) = case.jobs()
    assert found.type == job_type
    return found


@pytest.mark.covers("beyond", "execution listeners", "start and end, as jobs")
def test_execution_listeners_run_one_after_the_other_around_the_element(run: Run) -> None:
    held = execution_listeners(("start", "before 1"), ("start", "before 2"), ("end", "behind"))
    case = run(one_task(held + mapping({"a": "1"}, {"sum": "a + b + c"})))
    assert case.todo == []
    assert (job(case, "before 1").kind, job(case, "before 1").listener_event) == ("EXECUTION_LISTENER", "start")
    case.execute(CompleteJob(job(case, "before 1").key, {"b": 2}))
    case.execute(CompleteJob(job(case, "before 2").key))
    assert case.todo == ["work"]
    case.complete("work", {"c": 3})
    assert case.todo == []
    case.execute(CompleteJob(job(case, "behind").key, {"note": "done"}))
    assert case.todo == ["after"]
    assert case.variables == {"sum": 6, "note": "done"}


def test_listeners_hold_up_what_is_done_at_once_and_the_whole_process(play: Player) -> None:
    play.deploy(
        diagram(
            start(),
            script("count", "1", "n", execution_listeners(("start", "look"))),
            end(),
            chain("start", "count", "end"),
            extensions=execution_listeners(("start", "open"), ("end", "close")),
        )
    )
    case = play.start("p")
    for name in ("open", "look", "close"):
        assert case.state == "ACTIVE"
        case.execute(CompleteJob(job(case, name).key))
    assert (case.state, case.variables) == ("COMPLETED", {"n": 1})


def test_a_listener_that_fails_is_an_incident_and_its_element_waits(run: Run) -> None:
    case = run(one_task(execution_listeners(("start", "before"))))
    case.execute(FailJob(job(case, "before").key, 0, "no connection"))
    (incident,) = case.incidents
    case.execute(ResolveIncident(incident.key))
    case.execute(CompleteJob(job(case, "before").key))
    assert case.todo == ["work"]


@pytest.mark.covers("beyond", "task listeners", "as jobs that may deny")
def test_a_completing_listener_sees_the_change_first_and_may_deny_it(run: Run) -> None:
    case = run(one_task(task_listeners(("completing", "check"))))
    key = case.task("work").key
    case.execute(CompleteUserTask(key, {"price": Decimal("1.10")}), by="wang")
    with pytest.raises(NotActive):
        case.execute(CompleteUserTask(key), by="li")
    denied = ListenerResult(denied=True, denied_reason="too cheap")
    case.execute(CompleteJob(job(case, "check").key, result=denied))
    assert case.todo == ["work"]
    assert case.variables == {}
    case.execute(CompleteUserTask(key, {"price": Decimal("2.20")}), by="wang")
    case.execute(CompleteJob(job(case, "check").key))
    assert case.todo == ["after"]
    assert case.variables == {"price": Decimal("2.20")}
    with case.player.sessions() as session:
        task = session.get_one(UserTask, key)
        assert (task.completed_by, task.state) == ("wang", "COMPLETED")


def test_listeners_correct_what_is_about_to_happen(run: Run) -> None:
    case = run(one_task(task_listeners(("creating", "route"), ("assigning", "redirect"), ("updating", "bound"))))
    assert case.todo == []
    corrected = ListenerResult(corrections={"candidateGroups": ["班组"], "priority": 90})
    case.execute(CompleteJob(job(case, "route").key, result=corrected))
    task = case.task("work")
    assert (task.candidate_groups, task.priority) == (["班组"], 90)
    case.execute(AssignUserTask(task.key, "wang"))
    case.execute(CompleteJob(job(case, "redirect").key, result=ListenerResult(corrections={"assignee": "li"})))
    assert case.task("work").assignee == "li"
    case.execute(UpdateUserTask(task.key, due_at=case.player.now, priority=10))
    case.execute(CompleteJob(job(case, "bound").key))
    assert (case.task("work").due_at, case.task("work").priority) == (case.player.now, 10)


def test_a_denial_takes_back_what_earlier_listeners_have_corrected(run: Run) -> None:
    case = run(one_task(task_listeners(*[("completing", "a"), ("completing", "b")], ("assigning", "c"))))
    key = case.task("work").key
    case.execute(UpdateUserTask(key, due_at=case.player.now, priority=10))
    case.execute(CompleteUserTask(key), by="wang")
    later = {"priority": 90, "dueDate": "2030-01-01T00:00:00Z", "candidateGroups": ["班组"], "assignee": "li"}
    case.execute(CompleteJob(job(case, "a").key, result=ListenerResult(corrections=later)))
    (seen,) = held(case)
    assert seen.corrected["assignee"] == "li"
    assert seen.corrected["candidate_groups"] == ["班组"]
    case.execute(CompleteJob(job(case, "b").key, result=ListenerResult(denied=True)))
    task = case.task("work")
    assert (task.priority, task.due_at, task.candidate_groups, task.assignee) == (10, case.player.now, [], None)
    case.execute(CompleteUserTask(key), by="wang")
    for name in ("a", "b"):
        case.execute(CompleteJob(job(case, name).key, result=ListenerResult(corrections={"priority": 20})))
    with case.player.sessions() as session:
        done = session.get_one(UserTask, key)
        assert (done.priority, done.completed_by, done.state) == (20, "wang", "COMPLETED")


def test_that_a_task_is_created_cannot_be_denied(run: Run) -> None:
    case = run(one_task(task_listeners(("creating", "route"))))
    with pytest.raises(InvalidVariables):
        case.execute(CompleteJob(job(case, "route").key, result=ListenerResult(denied=True)))
    case.execute(CompleteJob(job(case, "route").key))
    assert case.todo == ["work"]


@pytest.mark.parametrize("event", ["completing", "assigning", "updating"])
def test_a_listener_that_cannot_be_called_is_an_incident_and_then_all_are_called_anew(run: Run, event: str) -> None:
    case = run(one_task(task_listeners((event, "first"), (event, "=kind"))))
    key = case.task("work").key
    change = {
        "completing": CompleteUserTask(key, {"n": 1}),
        "assigning": AssignUserTask(key, "wang"),
        "updating": UpdateUserTask(key, priority=3),
    }
    case.execute(change[event])
    case.execute(CompleteJob(job(case, "first").key, result=ListenerResult(corrections={"priority": 99})))
    (incident,) = case.incidents
    assert "job type" in incident.message
    case.execute(SetVariables(case.key, {"kind": "second"}))
    case.execute(ResolveIncident(incident.key))
    case.execute(CompleteJob(job(case, "first").key))
    case.execute(CompleteJob(job(case, "second").key))
    if event == "completing":
        assert (case.todo, case.variables) == (["after"], {"kind": "second", "n": 1})
    else:
        task = case.task("work")
        assert (task.assignee, task.priority) == (("wang", 50) if event == "assigning" else (None, 3))


def test_a_first_listener_that_cannot_be_called_leaves_the_task_open(run: Run) -> None:
    case = run(one_task(task_listeners(("completing", "=kind"))))
    case.complete("work", {"kind": 5})
    (incident,) = case.incidents
    assert case.variables == {}
    case.execute(SetVariables(case.key, {"kind": "check"}))
    case.execute(ResolveIncident(incident.key))
    case.execute(CompleteJob(job(case, "check").key))
    assert case.todo == ["after"]


def held(case: Case) -> list[HeldChange]:
    with case.player.sessions() as session:
        return list(held_changes(session, [case.key]).values())


@pytest.mark.parametrize("listener", [task_listeners(("middle", "x")), execution_listeners(("middle", "x"))])
def test_a_listener_for_a_moment_that_is_not_executed_is_refused(play: Player, listener: str) -> None:
    with pytest.raises(DeploymentRefused):
        play.deploy(one_task(listener))


@pytest.mark.parametrize("corrected", [["new"], []])
def test_the_worklists_have_a_task_as_the_listener_has_corrected_it(
    run: Run, play: Player, corrected: list[str]
) -> None:
    assignment = '<zeebe:assignmentDefinition candidateGroups="old" />'
    case = run(one_task(assignment + task_listeners(("updating", "look"))))
    with play.sessions() as session:
        key = session.scalars(select(UserTask.key)).one()

    case.execute(UpdateUserTask(key, candidate_users=["li"]))
    case.execute(CompleteJob(job(case, "look").key, {}, ListenerResult(corrections={"candidateGroups": corrected})))

    with play.sessions() as session:
        task = session.get_one(UserTask, key)
        assert (task.candidate_groups, task.candidate_users) == (corrected, ["li"])
        assert list(session.scalars(select(UserTaskGroup.group_id))) == corrected
        assert list(session.scalars(select(UserTaskUser.username))) == ["li"]
    case.complete("work")
    with play.sessions() as session:
        assert session.scalars(select(UserTaskGroup).where(UserTaskGroup.task_key == key)).all() == []
