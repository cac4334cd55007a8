"""Where the company of a fault keeps its data: a file of SQLite, a durable PostgreSQL, or two of them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.served import DURABLE
from tests.chaos.errors import LeftOut, Stuck
from tests.postgresql import USER, Cluster, connect

KINDS = ("sqlite", "postgresql")


@dataclass(frozen=True, slots=True)
class Home:
    """A database without tables, or a migrated one that a test brings."""

    kind: str
    url: str
    #: The PostgreSQL that the fault may stop; None: it is SQLite, or somebody else's.
    cluster: Cluster | None = None


@contextmanager
def home(kind: str, parent: Path | None = None, **settings: str) -> Iterator[Home]:
    """Yield a new database of this kind, in the folder `parent` or among the temporary files."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(dir=parent) as folder:
            yield Home(kind, f"sqlite:///{folder}/baton.sqlite")
        return
    cluster = Cluster({**DURABLE, "deadlock_timeout": "200ms", **settings}, parent=parent)
    try:
        yield Home(kind, cluster.url(), cluster)
    finally:
        cluster.stop()


def power_off(cluster: Cluster) -> None:
    """Kill every process of a PostgreSQL at once."""
    # One that stands still starts no others meanwhile.
    os.kill(cluster.processes()[0], signal.SIGSTOP)
    family = cluster.processes()
    for pid in family:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    give_up_at = time.monotonic() + 60
    # Also not waiting to be buried: the next one would take it for alive.
    while any(Path(f"/proc/{pid}").exists() for pid in family):
        if time.monotonic() > give_up_at:
            raise Stuck("PostgreSQL could not be killed.")
        time.sleep(0.01)


class Pair:
    """A primary and a standby that has all that was acknowledged; after a failover a new standby can be set up."""

    _SETTINGS = {**DURABLE, "deadlock_timeout": "200ms", "wal_level": "replica", "hot_standby": "on"}  # noqa: RUF012

    def __init__(self) -> None:
        #: The places of the two: the address stays the same, whichever cluster is in a place.
        self._places = Path(tempfile.mkdtemp(prefix="baton-pair-"))
        self.primary = Cluster(self._SETTINGS)
        self._primary_place, self._standby_place = "a", "b"
        self._put(self._primary_place, self.primary)
        try:
            self.standby = self._follow()
        except BaseException:
            self.primary.stop()
            raise

    @property
    def url(self) -> str:
        """The address of whichever of the two can be written."""
        hosts = "&".join(f"host={self._places / place}" for place in "ab")
        return f"postgresql+psycopg://{USER}@/postgres?{hosts}&target_session_attrs=read-write"

    def fail_over(self) -> None:
        """The primary is lost for ever, and the standby takes over."""
        power_off(self.primary)
        lost, self.primary = self.primary, self.standby
        self._primary_place, self._standby_place = self._standby_place, self._primary_place
        self.primary.run("pg_ctl", "-D", str(self.primary.folder / "data"), "-w", "promote")
        lost.stop()

    def renew(self) -> None:
        """Set up another standby in the place of the lost primary."""
        self.standby = self._follow()

    def _follow(self) -> Cluster:
        """Return a standby; from now on nothing is acknowledged that it does not have on its disk."""
        standby = Cluster(self._SETTINGS, standby_of=self.primary)
        self._put(self._standby_place, standby)
        with connect(self.primary.folder) as primary:
            primary.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            primary.execute("SELECT pg_reload_conf()")
            give_up_at = time.monotonic() + 60
            while primary.execute("SELECT sync_state FROM pg_stat_replication").fetchone() != ("sync",):
                if time.monotonic() > give_up_at:
                    raise Stuck("The standby does not follow the primary.")
                time.sleep(0.1)
        return standby

    def _put(self, place: str, cluster: Cluster) -> None:
        link = self._places / place
        link.unlink(missing_ok=True)
        link.symlink_to(cluster.folder)

    def stop(self) -> None:
        """Remove both."""
        self.standby.stop()
        self.primary.stop()
        for link in self._places.iterdir():
            link.unlink()
        self._places.rmdir()


class SmallDisk:
    """A disk of a few megabytes that can be filled; only root can have one; raises LeftOut."""

    def __init__(self, megabytes: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="baton-disk-"))
        self._ballast = self.folder / "ballast"
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "tmpfs", str(self.folder)],
            capture_output=True,
            check=False,
        )
        if done.returncode:
            self.folder.rmdir()
            raise LeftOut(f"no disk can be mounted: {done.stderr.decode().strip()}")

    def fill(self) -> None:
        """Leave no room at all."""
        with self._ballast.open("ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(b"\0" * size)

    def free(self) -> None:
        """Make room again."""
        self._ballast.unlink(missing_ok=True)

    def remove(self) -> None:
        """Give the disk back."""
        subprocess.run(["umount", "-l", str(self.folder)], check=True)
        self.folder.rmdir()
