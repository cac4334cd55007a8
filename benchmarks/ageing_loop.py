"""A loop that runs for 10,000 turns: is the last turn as fast as the first?

python -m benchmarks.ageing_loop [TURNS]
"""

from __future__ import annotations

import sys
import time
from statistics import median

from benchmarks.machine import describe, milliseconds
from benchmarks.store import database
from database import transaction
from engine import definitions
from engine.execution import create_instance, execute
from engine.user_tasks import CompleteUserTask
from processes.service import deploy
from tests.diagrams import boundary, chain, diagram, end, flow, gateway, start, timer, user

#: Turns before the first that counts: caches fill.
WARM_UP = 50
#: Turns compared at each end.
WINDOW = 100


def main() -> None:
    """Run the loop and print the ratio of the last turns to the first."""
    turns = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    print(describe())
    loop = diagram(
        start(),
        user("remind"),
        boundary("later", "remind", timer("Duration", "P1D")),
        gateway("exclusive", "again", default="again-remind"),
        end(),
        chain("start", "remind", "again"),
        flow("later", "again"),
        flow("again", "remind"),
        flow("again", "end", "stop"),
    )
    seconds: list[float] = []
    with database() as sessions:
        with sessions() as session, transaction(session):
            deploy(session, [loop])
            outcome = create_instance(session, definitions.latest(session, "p"), {"stop": False})
        for _ in range(WARM_UP + turns):
            begun = time.perf_counter()
            with sessions() as session, transaction(session):
                command = CompleteUserTask(outcome.user_task_keys[0], {"turn": 1})
                outcome = execute(session, outcome.instance_key, command)
            seconds.append(time.perf_counter() - begun)
    first, last = seconds[WARM_UP : WARM_UP + WINDOW], seconds[-WINDOW:]
    print(f"first {WINDOW} turns       {milliseconds(first)}")
    print(f"last {WINDOW} of {turns:,}  {milliseconds(last)}   ratio of medians {median(last) / median(first):.2f}")


if __name__ == "__main__":
    main()
