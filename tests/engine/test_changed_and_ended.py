"""What a command both changes and ends has ended, with all that belongs to it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from database import transaction
from engine import jobs
from engine.jobs import CompleteJob, FailJob
from engine.models import Job, UserTask, UserTaskGroup, UserTaskUser
from engine.task_listeners import ListenerResult
from engine.user_tasks import AssignUserTask, UpdateUserTask
from tests.diagrams import boundary, chain, diagram, end, service, start, timer, user
from tests.engine.test_listeners import task_listeners
from tests.play import Case, Player

#: A boundary event that takes over as soon as a job, of a listener or of the element itself, brings `stop`.
STOP = """<bpmn:conditionalEventDefinition>
<bpmn:condition xsi:type="bpmn:tFormalExpression">=stop = true</bpmn:condition>
</bpmn:conditionalEventDefinition>"""

NEW_CANDIDATES = ListenerResult(corrections={"candidateGroups": ["night shift"], "candidateUsers": ["li"]})


def case_with(play: Player, work: str, event: str) -> Case:
    """Start a case that stands at `work`, which the boundary event ends."""
    play.deploy(
        diagram(
            start(),
            work,
            end(),
            chain("start", "work", "end"),
            boundary("leave", "work", event),
            end("left"),
            chain("leave", "left"),
        )
    )
    return play.start("p")


def task_of(play: Player) -> UserTask:
    """Return the one user task, in whatever state."""
    with play.sessions() as session:
        return session.scalars(select(UserTask)).one()


def candidates(play: Player) -> list[str]:
    """Return all groups and users that any task is offered to."""
    with play.sessions() as session:
        return [*session.scalars(select(UserTaskGroup.group_id)), *session.scalars(select(UserTaskUser.username))]


@pytest.mark.parametrize("denied", [False, True])
@pytest.mark.parametrize("event", ["creating", "updating", "assigning"])
def test_a_task_that_is_left_while_a_listener_answers_is_canceled(play: Player, event: str, denied: bool) -> None:
    case = case_with(play, user("work", task_listeners((event, "listener"))), STOP)
    task = task_of(play)
    if event == "updating":
        case.execute(UpdateUserTask(task.key, priority=3))
    if event == "assigning":
        case.execute(AssignUserTask(task.key, "wang.fang"))
    (job,) = case.jobs()

    # That a task is created cannot be denied; its candidates are corrected instead.
    result = ListenerResult(denied=True) if denied and event != "creating" else NEW_CANDIDATES
    case.execute(CompleteJob(job.key, {"stop": True}, result=result))

    left = task_of(play)
    assert (case.state, left.state, left.ended_at) == ("COMPLETED", "CANCELED", play.now)
    assert candidates(play) == []


def test_a_job_that_is_left_because_of_what_its_failure_brings_is_not_tried_again(play: Player) -> None:
    case = case_with(play, service("work"), STOP)
    (job,) = case.jobs()

    case.execute(FailJob(job.key, 2, "no parts", variables={"stop": True}))

    with play.sessions() as session, transaction(session):
        assert session.get_one(Job, job.key).state == "CANCELED"
        assert jobs.activate(session, "work", "worker", timedelta(minutes=5), 10) == []
    assert case.state == "COMPLETED"


def test_a_listener_that_corrects_a_canceled_task_offers_it_to_nobody(play: Player) -> None:
    case = case_with(play, user("work", task_listeners(("canceling", "listener"))), timer("Duration", "P1D"))
    play.advance(timedelta(days=2))
    (job,) = case.jobs()

    case.execute(CompleteJob(job.key, result=NEW_CANDIDATES))

    assert (case.state, task_of(play).state) == ("COMPLETED", "CANCELED")
    assert candidates(play) == []
