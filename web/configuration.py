"""What a server process must be told, read from `BATON_*` environment variables; every setting has a safe default."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine import time_to_live
from engine.configuration import DEFAULT_ZONE, EngineConfiguration
from feel.durations import Duration

#: Name of the file in the data directory that holds the secret key.
KEY_FILE = "secret_key"

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


class InvalidConfiguration(Exception):
    """An environment variable has a value that cannot be used."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """Settings of one server process."""

    data_directory: Path
    database_url: str
    secret_key: str = field(repr=False)
    #: A standby of the database that answers searches while its last commit is at most so many seconds old; None: none.
    replica_url: str | None = None
    replica_seconds: int = 30
    zone: ZoneInfo = DEFAULT_ZONE
    #: The clock can be set from the pages: for demos, never where real work is done.
    clock_control: bool = False
    #: Reverse proxies in front of the server whose `X-Forwarded-*` headers are believed.
    proxies: int = 0
    #: How long the history of ended cases is kept where their process says nothing; None: for ever.
    history_time_to_live: Duration | None = None
    #: Where ended cases are archived before they are removed; None: `archive` in the data directory.
    archive: Path | None = None
    #: `console` for people, `json` for log collectors.
    log_format: str = "console"
    log_level: str = "info"
    #: Seconds that a process which was told to stop has for what it has in hand.
    stop_seconds: int = 30

    def engine(self) -> EngineConfiguration:
        """Return the engine's part of the settings."""
        return EngineConfiguration(
            zone=self.zone, clock_control=self.clock_control, history_time_to_live=self.history_time_to_live
        )

    @property
    def archive_directory(self) -> Path:
        """The directory of the archive, which need not be there yet."""
        return self.archive or self.data_directory / "archive"


def from_environment(environment: Mapping[str, str] = os.environ) -> Configuration:
    """Return the settings, which `baton --help` lists; makes the data directory, and the secret key in it.

    Raises InvalidConfiguration, which names the variable.
    """
    directory = Path(environment.get("BATON_DATA") or "data").resolve()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    database_url = environment.get("BATON_DATABASE_URL") or f"sqlite:///{directory / 'baton.sqlite'}"
    return Configuration(
        data_directory=directory,
        database_url=database_url,
        replica_url=_replica(environment.get("BATON_REPLICA_URL"), database_url),
        replica_seconds=_number(environment, "BATON_REPLICA_SECONDS", 30),
        secret_key=environment.get("BATON_SECRET_KEY") or _secret_key(directory / KEY_FILE),
        zone=_zone(environment.get("BATON_ZONE")),
        clock_control=_flag(environment, "BATON_CLOCK_CONTROL"),
        proxies=_number(environment, "BATON_PROXIES", 0),
        history_time_to_live=_time_to_live(environment, "BATON_HISTORY_TTL"),
        archive=Path(environment["BATON_ARCHIVE"]).resolve() if environment.get("BATON_ARCHIVE") else None,
        log_format=_choice(environment, "BATON_LOG_FORMAT", ("console", "json")),
        log_level=_choice(environment, "BATON_LOG_LEVEL", ("info", "debug", "warning", "error")),
        stop_seconds=max(_number(environment, "BATON_STOP_SECONDS", 30), 1),
    )


def _replica(url: str | None, database_url: str) -> str | None:
    if url and not (url.startswith("postgresql") and database_url.startswith("postgresql")):
        raise InvalidConfiguration("BATON_REPLICA_URL: only a database of PostgreSQL has a replica, and is one.")
    return url or None


def _secret_key(path: Path) -> str:
    if not path.exists():
        with NamedTemporaryFile("w", dir=path.parent) as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            # The key appears whole or not at all, and of two processes that start at once one makes it.
            with suppress(FileExistsError):
                os.link(file.name, path)
    return path.read_text()


def _zone(name: str | None) -> ZoneInfo:
    if not name:
        return DEFAULT_ZONE
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidConfiguration(f"BATON_ZONE: there is no time zone {name}; write it like Asia/Shanghai.") from error


def _flag(environment: Mapping[str, str], name: str) -> bool:
    text = environment.get(name, "").strip().lower()
    if text not in _TRUE | _FALSE:
        raise InvalidConfiguration(f"{name}: {text} is neither 1 nor 0.")
    return text in _TRUE


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name) or str(default)
    if not text.isascii() or not text.isdigit():
        raise InvalidConfiguration(f"{name}: {text} is not a number.")
    return int(text)


def _time_to_live(environment: Mapping[str, str], name: str) -> Duration | None:
    text = environment.get(name, "").strip()
    try:
        return time_to_live.parse(text) if text else None
    except time_to_live.InvalidTimeToLive as error:
        raise InvalidConfiguration(f"{name}: {error}") from error


def _choice(environment: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    text = (environment.get(name) or choices[0]).strip().lower()
    if text not in choices:
        raise InvalidConfiguration(f"{name}: {text} is not one of {', '.join(choices)}.")
    return text
