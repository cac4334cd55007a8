"""Large processes: that they finish, and what a step costs.

    python -m benchmarks.scale            # full size
    python -m benchmarks.scale 0.01       # a hundredth of it

`tests/engine/test_scale.py` plays the same cases at a small size.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from benchmarks.machine import describe
from benchmarks.store import database
from database import transaction
from engine import definitions
from engine.execution import Outcome, create_instance, execute
from engine.models import ProcessInstance, UserTask, UserTaskState
from engine.user_tasks import CompleteUserTask
from processes.service import Resource, deploy
from tests.diagrams import chain, diagram, end, flow, gateway, loop, node, script, start, sub_process, user


@dataclass(frozen=True, slots=True)
class Play:
    """What one case has come to."""

    state: str
    #: Commands given, the start included.
    steps: int
    #: Seconds of deployment, and of all commands.
    deployment: float
    running: float


def play(sessions: sessionmaker[Session], resources: list[Resource], variables: dict[str, object]) -> Play:
    """Deploy the resources, start an instance of the first, and complete user tasks until there are none."""
    begun = time.perf_counter()
    with sessions() as session, transaction(session):
        process_id = deploy(session, resources).processes[0].process_id
    deployed = time.perf_counter()
    with sessions() as session, transaction(session):
        root = create_instance(session, definitions.latest(session, process_id), variables).instance_key
    steps = 1
    while tasks := _open(sessions, root):
        for task_key, instance_key in tasks:
            with sessions() as session, transaction(session):
                _complete(session, task_key, instance_key, last=steps >= variables.get("turns", 0))  # type: ignore[operator]
            steps += 1
    ended = time.perf_counter()
    with sessions() as session:
        state = session.scalar(select(ProcessInstance.state).where(ProcessInstance.key == root))
    return Play(str(state), steps, deployed - begun, ended - deployed)


def _open(sessions: sessionmaker[Session], root: int) -> list[tuple[int, int]]:
    with sessions() as session:
        rows = session.execute(
            select(UserTask.key, UserTask.instance_key).where(
                UserTask.root_key == root, UserTask.state == UserTaskState.CREATED
            )
        )
        return [(row.key, row.instance_key) for row in rows]


def _complete(session: Session, task_key: int, instance_key: int, *, last: bool) -> Outcome:
    return execute(session, instance_key, CompleteUserTask(task_key, {"done": last}))


# --- the processes


def turns(size: int) -> list[Resource]:
    """A loop around a user task."""
    return [
        diagram(
            start(),
            user("again"),
            gateway("exclusive", "enough", default="enough-again"),
            end(),
            chain("start", "again", "enough"),
            flow("enough", "again"),
            flow("enough", "end", "done"),
            process_id="turns",
        )
    ]


def branches(size: int) -> list[Resource]:
    """Parallel user tasks that are joined."""
    names = [f"branch{number}" for number in range(size)]
    return [
        diagram(
            start(),
            gateway("parallel", "fork"),
            *[user(name) + flow("fork", name) + flow(name, "join") for name in names],
            gateway("parallel", "join"),
            end(),
            flow("start", "fork"),
            flow("join", "end"),
            process_id="branches",
        )
    ]


def items(kind: Callable[[str], str], *, sequential: bool) -> Callable[[int], list[Resource]]:
    """A multi-instance activity whose results are collected."""

    def make(size: int) -> list[Resource]:
        marks = loop(
            f"for i in 1..{size} return i",
            sequential=sequential,
            inputElement="item",
            outputCollection="results",
            outputElement="=item * 2",
        )
        return [diagram(start(), kind(marks), end(), chain("start", "each", "end"), process_id="items")]

    return make


def _user(inside: str) -> str:
    return user("each", inside=inside)


def _script(inside: str) -> str:
    return node("scriptTask", "each", inside, '<zeebe:script expression="=item + 1" resultVariable="sum"/>')


def scopes(size: int) -> list[Resource]:
    """Sub-processes inside of each other."""
    content = start("s") + user("inmost") + end("e") + chain("s", "inmost", "e")
    for level in range(size):
        name = f"level{level}"
        content = start(f"s{level}") + sub_process(name, content) + end(f"e{level}")
        content += chain(f"s{level}", name, f"e{level}")
    return [diagram(content, process_id="scopes")]


def calls(size: int) -> list[Resource]:
    """Processes that call each other."""
    made = []
    for level in range(size):
        held = f'<zeebe:calledElement processId="call{level + 1}"/>'
        inner = node("callActivity", "inner", extensions=held) if level < size - 1 else user("inner")
        made.append(diagram(start(), inner, end(), chain("start", "inner", "end"), process_id=f"call{level}"))
    return made


def elements(size: int) -> list[Resource]:
    """A chain of scripts with a user task after every hundred."""
    names = [f"e{number}" for number in range(size - 2)]
    made = [user(name) if number % 100 == 0 else script(name, "1", "x") for number, name in enumerate(names)]
    return [diagram(start(), *made, end(), chain("start", *names, "end"), process_id="elements")]


#: Name, size at full, and what makes the resources.
CASES: dict[str, tuple[int, Callable[[int], list[Resource]]]] = {
    "turns of a loop": (10_000, turns),
    "parallel branches with a join": (1_000, branches),
    "items in parallel, user tasks": (1_000, items(_user, sequential=False)),
    "items in sequence, user tasks": (1_000, items(_user, sequential=True)),
    "items in parallel, scripts": (1_000, items(_script, sequential=False)),
    "items in sequence, scripts": (1_000, items(_script, sequential=True)),
    "levels of sub-process": (50, scopes),
    "levels of call activity": (50, calls),
    "elements in one diagram": (2_000, elements),
}


def run(factor: float) -> Iterator[tuple[str, int, Play]]:
    """Play every case at a part of its full size."""
    for name, (full, make) in CASES.items():
        size = max(round(full * factor), 3)
        with database() as sessions:
            variables: dict[str, object] = {"done": False, "turns": size} if make is turns else {}
            yield name, size, play(sessions, make(size), variables)


def main() -> None:
    """Print the table."""
    factor = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    print(describe())
    print(f"{'case':32} {'size':>6} {'ended as':>10} {'commands':>9} {'deploy':>9} {'per command':>12} {'all':>9}")
    for name, size, played in run(factor):
        each = played.running / played.steps * 1000
        print(
            f"{name:32} {size:6} {played.state:>10} {played.steps:9} {played.deployment:8.2f}s {each:9.2f} ms "
            f"{played.running:8.2f}s",
            flush=True,
        )


if __name__ == "__main__":
    main()
