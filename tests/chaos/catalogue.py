"""All faults by their names, with what the page says of them and how often the command does them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos.faults import clocks, crowds, databases, disks, poison, processes
from tests.chaos.homes import KINDS, Home
from tests.chaos.trial import Result


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which a company may be hit."""

    name: str
    #: What happens, for the page.
    what: str
    strike: Callable[[Home, int], Result]
    times: int
    kinds: tuple[str, ...] = KINDS


_POSTGRESQL = ("postgresql",)

FAULTS = {
    fault.name: fault
    for fault in (
        Fault("kill", "SIGKILL of a random server process or worker under load", processes.kill, 50),
        Fault("power", "SIGKILL of everything at once under load, PostgreSQL too; started again", processes.power, 10),
        Fault(
            "restart",
            "PostgreSQL stopped as by a power failure under load, and started again",
            databases.restart,
            10,
            _POSTGRESQL,
        ),
        Fault(
            "failover",
            "The primary killed under load, a synchronous standby promoted",
            databases.failover,
            3,
            _POSTGRESQL,
        ),
        Fault(
            "terminate",
            "A random connection to PostgreSQL terminated under load, ten a second",
            databases.terminate,
            200,
            _POSTGRESQL,
        ),
        Fault("cut", "Connections cut in the middle of a commit under load", databases.cut, 100, _POSTGRESQL),
        Fault(
            "conflicts",
            "A tenth of all commands ended by 40001 or 40P01, and rows locked in the opposite order",
            databases.conflicts,
            1000,
            _POSTGRESQL,
        ),
        Fault("disk", "No room left on the disk under load, then room again", disks.full, 3),
        Fault("clock", "The machine's clock set an hour forward and back under load", clocks.machine, 2),
        Fault("skew", "The clock of one worker an hour ahead, then behind", clocks.worker, 2, _POSTGRESQL),
        Fault("poison", "A timer, a message and a job that fail every time", poison.poison, 1),
        Fault("deployments", "Two deployments of the same files at the same moment", crowds.deployments, 20),
        Fault("timers", "Timers due at the same instant", crowds.same_timers, 4),
        Fault("task", "Users who complete the same task at the same moment", crowds.same_task, 3),
    )
}
