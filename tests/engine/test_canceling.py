"""Canceling listeners: a user task is terminated only after they have run, whatever terminates it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from database import transaction
from engine import invariants
from engine.errors import InvalidVariables, NotActive
from engine.incidents import ResolveIncident
from engine.instances import ActivateAdHoc, CancelInstance, SetVariables
from engine.jobs import CompleteJob, FailJob, ThrowJobError, activate
from engine.models import ElementInstance, ElementState, Job, JobState, ProcessInstance, UserTask
from engine.modification import ModifyInstance
from engine.suspension import SuspendInstance
from engine.task_listeners import ListenerResult
from engine.user_tasks import CompleteUserTask
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
    start,
    sub_process,
    timer,
    user,
)
from tests.engine.test_listeners import task_listeners
from tests.play import Case, Player

Run = Callable[..., Case]

ONE = task_listeners(("canceling", "tidy up"))
HOUR = timer("Duration", "PT1H")


def open_jobs(play: Player) -> list[Job]:
    with play.sessions() as session:
        return list(session.scalars(select(Job).where(Job.state.in_([JobState.CREATED, JobState.FAILED]))))


def sound(play: Player) -> None:
    with play.sessions() as session:
        assert invariants.check(session) == []


def tidy_up(play: Player, *, left: int = 0) -> None:
    """Complete one listener's job; `left`: how many there are then."""
    sound(play)
    job = open_jobs(play)[0]
    assert (job.kind, job.listener_event) == ("TASK_LISTENER", "canceling")
    Case(play, job.instance_key).execute(CompleteJob(job.key))
    assert len(open_jobs(play)) == left
    sound(play)


def state_of(play: Player, element_id: str) -> str:
    with play.sessions() as session:
        return session.scalars(select(UserTask.state).where(UserTask.element_id == element_id)).one()


def live(case: Case) -> list[str]:
    with case.player.sessions() as session:
        active = (ElementInstance.instance_key == case.key) & (ElementInstance.state == ElementState.ACTIVE)
        return sorted(session.scalars(select(ElementInstance.element_id).where(active)))


def guarded(extensions: str = ONE, **globals_: str) -> Resource:
    """A user task with an interrupting timer at its border."""
    late = boundary("late", "work", HOUR) + user("after") + end("end2") + chain("late", "after", "end2")
    return diagram(start(), user("work", extensions), end(), chain("start", "work", "end"), late, **globals_)


@pytest.mark.covers("beyond", "task listeners", "canceling, as jobs that hold up the end")
def test_an_interrupted_task_ends_after_its_listeners_and_the_event_goes_on_then(run: Run, play: Player) -> None:
    case = run(guarded(task_listeners(("canceling", "first"), ("canceling", "second"))))
    play.advance(timedelta(hours=2))
    assert (state_of(play, "work"), case.todo, case.timers()) == ("CANCELING", [], {})
    tidy_up(play, left=1)
    assert (state_of(play, "work"), case.todo) == ("CANCELING", [])
    tidy_up(play)
    assert (state_of(play, "work"), case.todo) == ("CANCELED", ["after"])
    assert case.visits("work", ElementState.TERMINATED) == 1
    case.complete("after")
    assert case.state == "COMPLETED"


def test_a_cancelled_instance_is_active_until_the_listeners_are_done(run: Run, play: Player) -> None:
    case = run(guarded())
    case.execute(CancelInstance("a mistake"))
    assert (case.state, state_of(play, "work")) == ("ACTIVE", "CANCELING")
    with pytest.raises(NotActive):
        case.execute(CancelInstance())
    play.advance(timedelta(hours=2))
    assert live(case) == ["work"]
    tidy_up(play)
    assert (case.state, state_of(play, "work"), live(case)) == ("TERMINATED", "CANCELED", [])


def test_what_the_event_brought_arrives_after_the_listeners(run: Run, play: Player) -> None:
    stop = boundary("stop", "work", catches("message", "stop")) + user("after") + end("end2")
    body = start() + user("work", ONE) + end() + chain("start", "work", "end") + stop + chain("stop", "after", "end2")
    case = run(diagram(body, extra=message("stop", "=1")))
    play.publish("stop", "1", {"why": "too late"})
    assert case.variables == {}
    tidy_up(play)
    assert (case.todo, case.variables) == (["after"], {"why": "too late"})


@pytest.mark.parametrize("kind", ["terminate", "error"])
def test_an_end_event_that_ends_more_than_its_own_path_waits_for_the_listeners(
    run: Run, play: Player, kind: str
) -> None:
    held = "<bpmn:terminateEventDefinition/>" if kind == "terminate" else catches("error", "e")
    inside = start("s") + gateway("parallel", "fork") + user("work", ONE) + user("other") + end("last", held)
    inside += chain("s", "fork", "work") + flow("fork", "other") + flow("other", "last")
    body = start() + sub_process("sub", inside) + boundary("failed", "sub", catches("error", "e")) + user("after")
    body += end() + chain("start", "sub", "after", "end") + flow("failed", "after")
    case = run(diagram(body, extra=error("e")))
    case.complete("other")
    assert case.todo == []
    tidy_up(play)
    assert case.todo == ["after"]
    assert case.visits("failed") == (1 if kind == "error" else 0)
    case.complete("after")
    assert case.state == "COMPLETED"


def test_an_interrupting_event_sub_process_begins_after_the_listeners(run: Run, play: Player) -> None:
    asked = (
        start("asked", HOUR, isInterrupting="true") + user("inside") + end("done") + chain("asked", "inside", "done")
    )
    body = start() + user("work", ONE) + end() + chain("start", "work", "end") + sub_process("e", asked, event=True)
    case = run(diagram(body))
    play.advance(timedelta(hours=1))
    assert case.todo == []
    tidy_up(play)
    assert case.todo == ["inside"]
    case.complete("inside")
    assert case.state == "COMPLETED"


def test_a_multi_instance_activity_is_complete_after_the_listeners_of_those_that_it_ends(
    run: Run, play: Player
) -> None:
    inside = loop("[1, 2, 3]", condition="numberOfCompletedInstances > 0")
    case = run(
        diagram(start(), user("work", ONE, inside), user("after"), end(), chain("start", "work", "after", "end"))
    )
    first = case.open_tasks()[0]
    case.execute(complete(first))
    assert case.todo == []
    tidy_up(play, left=1)
    assert case.todo == []
    tidy_up(play)
    assert case.todo == ["after"]


def complete(task: UserTask) -> CompleteUserTask:
    return CompleteUserTask(task.key, {})


def test_an_ad_hoc_sub_process_is_complete_after_the_listeners(run: Run, play: Player) -> None:
    inside = user("work", ONE) + user("other") + "<bpmn:completionCondition>=ready</bpmn:completionCondition>"
    ad_hoc = node("adHocSubProcess", "free", inside, '<zeebe:adHoc activeElementsCollection=\'=["work", "other"]\'/>')
    case = run(diagram(start(), ad_hoc, user("after"), end(), chain("start", "free", "after", "end")))
    case.complete("other", {"ready": True})
    assert case.todo == []
    tidy_up(play)
    assert case.todo == ["after"]


def test_activities_are_started_while_the_listeners_of_those_before_still_run(run: Run, play: Player) -> None:
    ad_hoc = node("adHocSubProcess", "free", user("work", ONE) + user("other"))
    case = run(diagram(start(), ad_hoc, end(), chain("start", "free", "end")))
    (key,) = case.live("free")
    case.execute(ActivateAdHoc(key, ["work"]))
    case.execute(ActivateAdHoc(key, ["other"], cancel_remaining=True))
    assert case.todo == ["other"]
    case.complete("other")
    assert case.state == "ACTIVE"
    tidy_up(play)
    assert case.state == "COMPLETED"


def test_a_transaction_undoes_what_was_done_after_the_listeners(run: Run, play: Player) -> None:
    inside = start("s") + gateway("parallel", "fork") + user("work", ONE) + user("other") + end("give up", CANCEL)
    inside += chain("s", "fork", "work") + flow("fork", "other") + flow("other", "give up")
    inside += boundary("undo", "other", "<bpmn:compensateEventDefinition/>") + user("undone", isForCompensation="true")
    inside += '<bpmn:association id="a" sourceRef="undo" targetRef="undone"/>'
    body = start() + node("transaction", "t", inside.replace("give up", "given-up")) + user("after") + end()
    body += boundary("cancelled", "t", CANCEL) + chain("start", "t", "end") + chain("cancelled", "after", "end")
    case = run(diagram(body))
    case.complete("other")
    assert case.todo == []
    tidy_up(play)
    assert case.todo == ["undone"]
    case.complete("undone")
    assert case.todo == ["after"]


CANCEL = "<bpmn:cancelEventDefinition/>"


def called(depth: int) -> list[Resource]:
    """Processes p1, p2, ... that call each other; the last holds the task."""
    found = []
    for level in range(1, depth + 1):
        inner = f'<zeebe:calledElement processId="p{level + 1}"/>'
        step = user("work", ONE) if level == depth else node("callActivity", "work", extensions=inner)
        body = start() + step + end() + chain("start", "work", "end")
        found.append(diagram(body, process_id=f"p{level}"))
    return found


@pytest.mark.parametrize("depth", [2, 30])
def test_callers_wait_for_the_listeners_of_what_they_have_called(play: Player, depth: int) -> None:
    play.deploy(*called(depth))
    case = play.start("p1")
    case.execute(CancelInstance())
    with play.sessions() as session:
        assert set(session.scalars(select(ProcessInstance.state))) == {"ACTIVE"}
    tidy_up(play)
    with play.sessions() as session:
        assert set(session.scalars(select(ProcessInstance.state))) == {"TERMINATED"}


def test_an_event_at_the_border_of_a_caller_waits_for_the_listeners_of_the_called(play: Player) -> None:
    inner = diagram(start(), user("work", ONE), end(), chain("start", "work", "end"), process_id="called")
    call = node("callActivity", "call", extensions='<zeebe:calledElement processId="called"/>')
    body = start() + call + end() + chain("start", "call", "end") + boundary("late", "call", HOUR) + user("after")
    play.deploy(inner, diagram(body + end("end2") + chain("late", "after", "end2")))
    case = play.start("p")
    play.advance(timedelta(hours=1))
    assert (case.todo, case.child("called").state) == ([], "ACTIVE")
    tidy_up(play)
    assert case.todo == ["after"]
    assert [child.state for child in case.children("called")] == ["TERMINATED"]


def test_a_listener_that_fails_for_good_is_an_incident_and_the_task_waits(run: Run, play: Player) -> None:
    case = run(guarded())
    play.advance(timedelta(hours=1))
    (job,) = open_jobs(play)
    case.execute(FailJob(job.key, 0, "no connection"))
    sound(play)
    (incident,) = case.incidents
    case.execute(ResolveIncident(incident.key))
    tidy_up(play)
    assert case.todo == ["after"]


def test_a_listener_whose_type_cannot_be_evaluated_is_called_when_it_can(run: Run, play: Player) -> None:
    case = run(guarded(task_listeners(("canceling", "first"), ("canceling", "=kind"))))
    case.execute(CancelInstance())
    tidy_up(play)
    (incident,) = case.incidents
    case.execute(SetVariables(case.key, {"kind": "second"}))
    case.execute(ResolveIncident(incident.key))
    assert open_jobs(play)[0].type == "first"  # the listeners before are called again, too
    tidy_up(play, left=1)
    tidy_up(play)
    assert case.state == "TERMINATED"


def test_a_cancellation_is_corrected_but_not_denied_and_no_error_comes_of_it(run: Run, play: Player) -> None:
    case = run(guarded())
    play.advance(timedelta(hours=1))
    (job,) = open_jobs(play)
    with pytest.raises(InvalidVariables):
        case.execute(CompleteJob(job.key, result=ListenerResult(denied=True)))
    with pytest.raises(NotActive):
        case.execute(ThrowJobError(job.key, "e"))
    case.execute(CompleteJob(job.key, result=ListenerResult(corrections={"priority": 7})))
    with play.sessions() as session:
        task = session.scalars(select(UserTask).where(UserTask.element_id == "work")).one()
        assert (task.state, task.priority) == ("CANCELED", 7)


def test_another_change_that_listeners_look_at_is_given_up(run: Run, play: Player) -> None:
    case = run(guarded(task_listeners(("creating", "route"), ("canceling", "tidy up"))))
    assert state_of(play, "work") == "CREATING"
    play.advance(timedelta(hours=1))
    with play.sessions() as session:
        assert session.scalars(select(Job.state).where(Job.type == "route")).one() == "CANCELED"
    tidy_up(play)
    assert case.todo == ["after"]


def test_what_is_ended_while_the_listeners_run_waits_for_them_no_less(run: Run, play: Player) -> None:
    case = run(guarded())
    play.advance(timedelta(hours=1))
    assert live(case) == ["late", "work"]
    case.execute(CancelInstance())
    assert live(case) == ["work"]
    tidy_up(play)
    assert case.state == "TERMINATED"


@pytest.mark.parametrize("which", ["work", "late"])
def test_modification_asks_no_listener(run: Run, play: Player, which: str) -> None:
    case = run(guarded())
    play.advance(timedelta(hours=1))
    case.execute(ModifyInstance(terminate=case.live(which)))
    sound(play)
    if which == "work":
        assert (case.todo, open_jobs(play)) == (["after"], [])
    else:
        tidy_up(play)
        assert case.state == "TERMINATED"


def test_a_live_task_is_taken_away_at_once_by_modification(run: Run, play: Player) -> None:
    case = run(guarded())
    case.execute(ModifyInstance(terminate=case.live("work")))
    assert (case.state, state_of(play, "work"), open_jobs(play)) == ("TERMINATED", "CANCELED", [])


def test_a_suspended_instance_that_is_cancelled_lets_its_listeners_run(run: Run, play: Player) -> None:
    case = run(guarded())
    case.execute(SuspendInstance())
    case.execute(CancelInstance())
    with play.sessions() as session, transaction(session):
        assert len(activate(session, "tidy up", "w", timedelta(minutes=1), 10)) == 1
    tidy_up(play)
    assert case.state == "TERMINATED"


def test_a_task_that_is_interrupted_as_soon_as_it_is_there_has_its_listeners_called(run: Run, play: Player) -> None:
    when = "<bpmn:conditionalEventDefinition><bpmn:condition>=stop</bpmn:condition></bpmn:conditionalEventDefinition>"
    body = start() + user("work", ONE) + end() + chain("start", "work", "end") + boundary("stopped", "work", when)
    case = run(diagram(body + user("after") + end("end2") + chain("stopped", "after", "end2")), {"stop": True})
    assert (state_of(play, "work"), case.todo) == ("CANCELING", [])
    tidy_up(play)
    assert case.todo == ["after"]
