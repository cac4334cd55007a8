"""The disk of the database is full, and has room again."""

from __future__ import annotations

import random
import subprocess
import time

from tests.chaos.clients import Outcome
from tests.chaos.errors import Stuck
from tests.chaos.homes import Home, SmallDisk, home
from tests.chaos.trial import Result, Scene, under_load
from tests.postgresql import Cluster

#: Megabytes of the disk on which the database lies.
_SIZES = {"sqlite": 64, "postgresql": 192}

#: Seconds for which it stays full after the first request was refused.
_FULL_FOR = 3


def full(at: Home, times: int) -> Result:
    """No room is left under load, for a few seconds after the first request was refused; then there is room again."""
    disk = SmallDisk(_SIZES[at.kind])
    try:
        with home(at.kind, disk.folder, max_wal_size="64MB", min_wal_size="32MB") as small:
            return under_load(small, lambda scene: _strike(scene, small, disk, times), times)
    finally:
        disk.remove()


def _strike(scene: Scene, small: Home, disk: SmallDisk, times: int) -> str:
    started_again = 0
    refused_before = scene.load.count(Outcome.REFUSED)
    for _ in range(times):
        scene.load.wait_for(acknowledged=random.randint(20, 60))
        refused = scene.load.count(Outcome.REFUSED)
        give_up_at = time.monotonic() + 120
        # PostgreSQL goes on in what it has taken from the disk before; what it gives back is taken away again.
        while scene.load.count(Outcome.REFUSED) == refused:
            if time.monotonic() > give_up_at:
                raise Stuck("The disk is full, and nothing was refused.")
            disk.fill()
            time.sleep(0.05)
        for _ in range(_FULL_FOR * 10):
            disk.fill()
            time.sleep(0.1)
        disk.free()
        if small.cluster is not None and not _runs(small.cluster):
            small.cluster.start()
            started_again += 1
    refused_in_all = scene.load.count(Outcome.REFUSED) - refused_before
    again = f", PostgreSQL had to be started again {started_again} times" if started_again else ""
    return f"{refused_in_all} refused while it was full{again}"


def _runs(cluster: Cluster) -> bool:
    """Return whether PostgreSQL is there, if only recovering."""
    command = [str(cluster.programs / "pg_isready"), "-q", "-h", str(cluster.folder)]
    return subprocess.run(command, check=False).returncode in (0, 1)
