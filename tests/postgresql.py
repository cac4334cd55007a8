"""A throw-away PostgreSQL cluster for one run of the tests: made, started, and gone afterwards however the run ends."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import mkdtemp

import psycopg

#: What makes a database that nobody will miss fast.
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "1h",
    "max_connections": "300",
    # Where our users are, so that nothing relies on a server in UTC.
    "timezone": "Asia/Shanghai",
}

#: The database user that owns everything.
USER = "baton"

_SECONDS_TO_START = 60

# The guard lives as long as its standard input is open, so it ends with the process that started it, even if that is
# killed.
_GUARD = """
cat >/dev/null
"$1/pg_ctl" -D "$2/data" -m immediate stop >/dev/null 2>&1
rm -rf "$2"
"""


class PostgresqlMissing(Exception):
    """PostgreSQL was asked for and cannot be started here."""


def find_programs() -> Path:
    """Return the folder of `initdb` and `pg_ctl`: that of the PATH, else Debian's newest; raises PostgresqlMissing."""
    on_path = shutil.which("initdb")
    if on_path and shutil.which("pg_ctl"):
        return Path(on_path).resolve().parent
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if not found:
        raise PostgresqlMissing(
            "PostgreSQL is not installed: neither is `initdb` on the PATH nor is there a /usr/lib/postgresql/*/bin. "
            "Run scripts/setup_system.sh as root, or apt-get install postgresql."
        )
    return max(found, key=lambda folder: float(folder.parent.name))


class Cluster:
    """A running PostgreSQL that answers on a Unix socket of its own only; `stop` removes all of it.

    `settings` replace those of `FAST` one by one; the files lie in a folder of their own in `parent`. With `standby_of`
    it is a copy of another cluster that follows it until it is promoted. Started by root, it runs as the user
    `postgres`, because PostgreSQL refuses to run as root.
    """

    def __init__(
        self,
        settings: Mapping[str, str] | None = None,
        *,
        parent: Path | None = None,
        standby_of: Cluster | None = None,
    ) -> None:
        self.programs = find_programs()
        self._account = _account()
        self.folder = Path(mkdtemp(prefix="baton-postgresql-", dir=parent))
        if self._account:
            shutil.chown(self.folder, self._account.pw_uid, self._account.pw_gid)
        self._guard = self._open(["sh", "-c", _GUARD, "guard", str(self.programs), str(self.folder)])
        try:
            if standby_of is None:
                self.run("initdb", "-D", self._data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
            else:
                source = ("-h", str(standby_of.folder), "-U", USER, "-D", self._data)
                self.run("pg_basebackup", *source, "-R", "-X", "stream", "-c", "fast")
            with (self.folder / "settings").open("w") as file:
                chosen = {**FAST, **(settings or {}), "listen_addresses": "", "unix_socket_directories": self.folder}
                file.writelines(f"{name} = '{value}'\n" for name, value in chosen.items())
            # What a standby has copied names the settings of the other one, which may go.
            with (self.folder / "data" / "postgresql.conf").open("w" if standby_of else "a") as file:
                file.write(f"include '{self.folder / 'settings'}'\n")
            self.start()
        except BaseException:
            self.stop()
            raise

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def start(self) -> None:
        """Start the server and wait until it answers; raises PostgresqlMissing with its log when it does not."""
        log = str(self.folder / "log")
        self.run("pg_ctl", "-D", self._data, "-w", "-t", str(_SECONDS_TO_START), "-l", log, "start")

    def halt(self, mode: str = "immediate") -> None:
        """Stop the server but keep its data; "immediate" is what a power failure does."""
        self.run("pg_ctl", "-D", self._data, "-w", "-m", mode, "stop")

    def stop(self) -> None:
        """Stop the server for good and remove its data."""
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        self._guard.wait()

    def url(self, name: str = "postgres") -> str:
        """Return the SQLAlchemy address of one of the cluster's databases."""
        return database_url(self.folder, name)

    def processes(self) -> list[int]:
        """Return the ids of the server's processes, first of that which starts the others."""
        postmaster = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        return [postmaster, *map(int, Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split())]

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs as the cluster's owner; raises PostgresqlMissing when it fails."""
        with (self.folder / f"{program}.out").open("w+b") as output:
            process = self._open([str(self.programs / program), *arguments], output)
            process.communicate()
            if process.returncode:
                output.seek(0)
                log = self.folder / "log"
                said = output.read().decode() + (log.read_text() if log.exists() else "")
                raise PostgresqlMissing(f"{program} of {self.programs} failed:\n{said}")

    def _open(self, command: list[str], output: object = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        who = {}
        if self._account:
            who = {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": []}
        # A session of its own: Ctrl-C ends the tests, and they end the cluster.
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=self.folder,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            start_new_session=True,
            **who,
        )


def database_url(folder: Path | str, name: str) -> str:
    """Return the SQLAlchemy address of a database of the cluster whose socket is in `folder`."""
    return f"postgresql+psycopg://{USER}@/{name}?host={folder}"


def connect(folder: Path | str) -> psycopg.Connection:
    """Return a connection by which databases are made and dropped; each statement is a transaction."""
    return psycopg.connect(host=str(folder), user=USER, dbname="postgres", autocommit=True)


def _account() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        raise PostgresqlMissing(
            "PostgreSQL does not run as root and there is no user `postgres` to run it as; apt-get install postgresql."
        ) from None
