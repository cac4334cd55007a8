"""Random processes whose user tasks have canceling listeners: whatever ends them, nothing stands still or is lost."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import invariants, leftovers
from engine.errors import NotActive
from engine.incidents import ResolveIncident
from engine.instances import CancelInstance, SetVariables
from engine.jobs import CompleteJob
from engine.models import Incident, IncidentState, Job, JobState, ProcessInstance, ProcessState, UserTask, UserTaskState
from engine.user_tasks import CompleteUserTask
from tests.engine.blocks import Block, Drawing
from tests.engine.test_listeners import task_listeners
from tests.engine.test_property import BLOCKS, X, _number, case_rows, nothing_left, player
from tests.play import Case, Player

__all__ = ["player"]

EXAMPLES = int(os.environ.get("BATON_PROPERTY_EXAMPLES", "200")) // 4

COMMANDS = st.tuples(
    st.sampled_from(["complete", "complete", "advance", "message", "resolve", "tidy", "cancel"]), st.integers(0, 7), X
)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None, print_blob=True)
@given(block=BLOCKS, x=X, commands=st.lists(COMMANDS, max_size=12))
def test_whatever_ends_a_task_waits_for_its_listeners_and_then_goes_on(
    player: Player, block: Block, x: int, commands: list[tuple[str, int, int]]
) -> None:
    drawing = Drawing(f"c{next(_number)}", listeners=task_listeners(("canceling", "tidy")))
    drawing.draw(block)
    player.deploy(*drawing.resources)
    case = player.start(drawing.process_id, {"x": x, "case": drawing.prefix})
    sound(case)
    for command, number, value in commands:
        if case.state == ProcessState.ACTIVE:
            give(case, drawing, command, number, value)
            sound(case)
    end(case)
    sound(case)
    nothing_left(case)


def give(case: Case, drawing: Drawing, command: str, number: int, x: int) -> None:
    player = case.player
    match command:
        case "complete":
            if task := pick(case_rows(case, UserTask, UserTask.state == UserTaskState.CREATED), number):
                Case(player, task.instance_key).execute(CompleteUserTask(task.key, {"x": x}))
        case "tidy":
            tidy(case, number)
        case "resolve":
            if incident := pick(case_rows(case, Incident, Incident.state == IncidentState.ACTIVE), number):
                instance = Case(player, incident.instance_key)
                instance.execute(SetVariables(instance.key, {"x": x}))
                instance.execute(ResolveIncident(incident.key))
        case "advance":
            player.advance(timedelta(hours=number))
        case "message" if drawing.messages:
            player.publish(drawing.messages[number % len(drawing.messages)], drawing.prefix)
        case "cancel" if number == 0:
            cancel(case)


def pick(rows: list[Any], number: int) -> Any:
    """Return one of the rows, or None."""
    ordered = sorted(rows, key=lambda row: row.key)
    return ordered[number % len(ordered)] if ordered else None


def tidy(case: Case, number: int) -> bool:
    """Complete one of the listeners' jobs, if there is one."""
    job = pick(case_rows(case, Job, Job.state == JobState.CREATED), number)
    if job is None:
        return False
    assert job.listener_event == "canceling"
    Case(case.player, job.instance_key).execute(CompleteJob(job.key))
    return True


def cancel(case: Case) -> None:
    try:
        case.execute(CancelInstance())
    except NotActive:
        assert case_rows(case, Job, Job.state == JobState.CREATED), "it is being cancelled already"


def end(case: Case) -> None:
    """Cancel the case, and complete listeners' jobs until there are none."""
    if case.state == ProcessState.ACTIVE:
        cancel(case)
    for _ in range(100):
        if not tidy(case, 0):
            break


def sound(case: Case) -> None:
    """Every live instance of the case has a reason to be alive, and nothing is left of one that has ended."""
    with case.player.sessions() as session:
        keys = session.scalars(select(ProcessInstance.key).where(ProcessInstance.root_key == case.key)).all()
        assert invariants.inspect(session, keys) == []
        assert leftovers.inspect(session, keys) == []
        canceling = tasks(session, keys, UserTaskState.CANCELING)
        jobs = select(Job.element_instance_key).where(Job.instance_key.in_(keys), Job.state == JobState.CREATED)
        assert canceling == set(session.scalars(jobs)), "each task that is to end has one listener at work"


def tasks(session: Session, keys: Sequence[int], state: str) -> set[int]:
    found = select(UserTask.element_instance_key).where(UserTask.instance_key.in_(keys), UserTask.state == state)
    return set(session.scalars(found))
