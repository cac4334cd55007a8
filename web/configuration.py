"""What a server process must be told, read from `BATON_*` environment variables; every setting has a safe default."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.configuration import DEFAULT_ZONE, EngineConfiguration

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
    zone: ZoneInfo = DEFAULT_ZONE
    #: The clock can be set from the pages: for demos, never where real work is done.
    clock_control: bool = False
    #: Reverse proxies in front of the server whose `X-Forwarded-*` headers are believed.
    proxies: int = 0
    #: `console` for people, `json` for log collectors.
    log_format: str = "console"
    log_level: str = "info"

    def engine(self) -> EngineConfiguration:
        """Return the engine's part of the settings."""
        return EngineConfiguration(zone=self.zone, clock_control=self.clock_control)


def from_environment(
    environment: Mapping[str, str] = os.environ, *, clock_control: bool | None = None
) -> Configuration:
    """Read the settings; makes the data directory and the secret key in it. Raises InvalidConfiguration.

    BATON_DATA            data directory (default: ./data)
    BATON_DATABASE_URL    SQLAlchemy URL (default: SQLite in the data directory)
    BATON_SECRET_KEY      signs the session cookies (default: made once and kept in the data directory)
    BATON_ZONE            the company's time zone (default: Asia/Shanghai)
    BATON_CLOCK_CONTROL   1: the clock can be set (default: 0, and 1 in the demo)
    BATON_PROXIES         number of trusted reverse proxies (default: 0)
    BATON_LOG_FORMAT      console or json (default: console)
    BATON_LOG_LEVEL       debug, info, warning or error (default: info)
    """
    directory = Path(environment.get("BATON_DATA") or "data").resolve()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Configuration(
        data_directory=directory,
        database_url=environment.get("BATON_DATABASE_URL") or f"sqlite:///{directory / 'baton.sqlite'}",
        secret_key=environment.get("BATON_SECRET_KEY") or _secret_key(directory / "secret_key"),
        zone=_zone(environment.get("BATON_ZONE")),
        clock_control=_flag(environment, "BATON_CLOCK_CONTROL") if clock_control is None else clock_control,
        proxies=_number(environment, "BATON_PROXIES"),
        log_format=_choice(environment, "BATON_LOG_FORMAT", ("console", "json")),
        log_level=_choice(environment, "BATON_LOG_LEVEL", ("info", "debug", "warning", "error")),
    )


def _secret_key(path: Path) -> str:
    try:
        # O_EXCL: of two processes that start at once, one makes the key and the other reads it.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        key = secrets.token_urlsafe(48)
        file.write(key)
    return key


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


def _number(environment: Mapping[str, str], name: str) -> int:
    text = environment.get(name) or "0"
    if not text.isascii() or not text.isdigit():
        raise InvalidConfiguration(f"{name}: {text} is not a number.")
    return int(text)


def _choice(environment: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    text = (environment.get(name) or choices[0]).strip().lower()
    if text not in choices:
        raise InvalidConfiguration(f"{name}: {text} is not one of {', '.join(choices)}.")
    return text
