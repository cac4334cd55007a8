"""Processes are killed: one now and then, or all of them with their database."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress

from tests.chaos.homes import Home, power_off
from tests.chaos.trial import Result, Scene, under_load


def kill(home: Home, times: int) -> Result:
    """SIGKILL of a random server process or worker under load; those that watch over them start others."""

    def strike(scene: Scene) -> str:
        killed = {"server processes": 0, "workers": 0}
        while sum(killed.values()) < times:
            scene.company.wait_until_well()
            scene.load.wait_for(acknowledged=random.randint(5, 60))
            kind = random.choice(list(killed))
            there = scene.company.workers if kind == "workers" else scene.company.server_processes
            # Those that were killed before may not all be there again.
            with suppress(ProcessLookupError, IndexError):
                os.kill(random.choice(there), signal.SIGKILL)
                killed[kind] += 1
        return ", ".join(f"{number} {kind}" for kind, number in killed.items())

    return under_load(home, strike, times)


def power(home: Home, times: int) -> Result:
    """SIGKILL of every process at once, those of PostgreSQL too, at random moments under load."""

    def strike(scene: Scene) -> str:
        seconds = []
        for _ in range(times):
            scene.load.wait_for(acknowledged=random.randint(5, 100))
            scene.company.kill_all()
            if home.cluster is not None:
                power_off(home.cluster)
            begun = time.monotonic()
            if home.cluster is not None:
                home.cluster.start()
            scene.company.start()
            seconds.append(time.monotonic() - begun)
        return f"answers again after {max(seconds):.1f} s at most"

    return under_load(home, strike, times)
