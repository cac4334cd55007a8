"""One engine step with its commit, against stock SpiffWorkflow loading, running and dumping the same process.

    python -m benchmarks.engine_step

The process is a chain of user tasks, each with a boundary timer. Ours completes a user task: lock, load, run, write,
commit on a SQLite file. SpiffWorkflow's, as its manual has it: deserialize the instance, complete the task, run the
engine steps, serialize; nothing is written to a disk, so the comparison favours it.
"""

from __future__ import annotations

import io
import json
import time

from SpiffWorkflow import TaskState
from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer

from benchmarks.machine import describe, milliseconds
from benchmarks.store import database
from database import transaction
from engine import definitions
from engine.execution import create_instance, execute
from engine.user_tasks import CompleteUserTask
from processes.service import Resource, deploy
from tests.diagrams import boundary, chain, diagram, end, flow, start, timer, user

#: Steps measured per size, at least.
STEPS = 60


def process(tasks: int, duration: str) -> Resource:
    """Return a chain of user tasks with a boundary timer each."""
    names = [f"task{number}" for number in range(tasks)]
    parts = [start(), end(), end("late"), chain("start", *names, "end")]
    for name in names:
        parts += [user(name, name=name), boundary(f"{name}-late", name, timer("Duration", duration))]
        parts.append(flow(f"{name}-late", "late"))
    return diagram(*parts)


def ours(tasks: int) -> list[float]:
    """Return the seconds of each of our steps."""
    seconds: list[float] = []
    with database() as sessions:
        with sessions() as session, transaction(session):
            deploy(session, [process(tasks, "P1D")])
        while len(seconds) < STEPS:
            with sessions() as session, transaction(session):
                outcome = create_instance(session, definitions.latest(session, "p"), {"plate": "粤B12345"})
            while outcome.user_task_keys and len(seconds) < STEPS:
                begun = time.perf_counter()
                with sessions() as session, transaction(session):
                    command = CompleteUserTask(outcome.user_task_keys[0], {"answer": 1})
                    outcome = execute(session, outcome.instance_key, command, actor="benchmark")
                seconds.append(time.perf_counter() - begun)
    return seconds


def stock(tasks: int) -> list[float]:
    """Return the seconds of each of SpiffWorkflow's steps."""
    parser = BpmnParser()
    # Its timers are Python expressions.
    parser.add_bpmn_io(io.BytesIO(process(tasks, '"P1D"').content))
    spec = parser.get_spec("p")
    registry = BpmnWorkflowSerializer.configure()
    serializer = BpmnWorkflowSerializer(registry)
    seconds: list[float] = []
    while len(seconds) < STEPS:
        workflow = BpmnWorkflow(spec)
        workflow.do_engine_steps()
        stored = json.dumps(serializer.to_dict(workflow))
        while len(seconds) < STEPS:
            begun = time.perf_counter()
            workflow = serializer.from_dict(json.loads(stored))
            ready = workflow.get_next_task(state=TaskState.READY, manual=True)
            if ready is None:
                break
            ready.data["answer"] = 1
            ready.run()
            workflow.do_engine_steps()
            workflow.refresh_waiting_tasks()
            stored = json.dumps(serializer.to_dict(workflow))
            seconds.append(time.perf_counter() - begun)
    return seconds


def main() -> None:
    """Measure three sizes, ours and theirs in turn, and print the ratio of the medians."""
    print(describe())
    for tasks in (10, 30, 100):
        mine, theirs = ours(tasks), stock(tasks)
        ratio = sorted(theirs)[len(theirs) // 2] / sorted(mine)[len(mine) // 2]
        print(f"{tasks:4d} user tasks with boundary timers")
        print(f"     Baton, with commit           {milliseconds(mine)}")
        print(f"     SpiffWorkflow load+run+dump  {milliseconds(theirs)}   {ratio:.1f} times as long")


if __name__ == "__main__":
    main()
