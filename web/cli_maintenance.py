"""The commands by which data are moved and kept: `baton copy`, `backup`, `restore`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import click
from sqlalchemy import Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import Session

from database import copying as database_copying
from database import create_engine
from database.backup import Backup, Part, back_up
from database.copying import Copied
from database.errors import DatabaseRefused, NotEmpty
from web import heartbeat, logs
from web.configuration import KEY_FILE, Configuration, from_environment

#: A worker that has been silent for so long has ended.
_WORKER_GONE = timedelta(seconds=2 * heartbeat.INTERVAL_SECONDS)

_P = ParamSpec("_P")


def _explained(command: Callable[_P, None]) -> Callable[_P, None]:
    """End a command with a sentence when it is refused."""

    @wraps(command)
    def run(*arguments: _P.args, **options: _P.kwargs) -> None:
        try:
            command(*arguments, **options)
        except (DatabaseRefused, OSError) as error:
            raise click.ClickException(str(error)) from None
        except SQLAlchemyError as error:
            raise click.ClickException(f"The database says: {getattr(error, 'orig', None) or error}") from None

    return run


@click.command()
@click.argument("source")
@click.argument("target")
@click.option("--rehearse", is_flag=True, help="Copy although workers are at work on the source.")
@_explained
def copy(source: str, target: str, rehearse: bool) -> None:
    """Copy everything from the database SOURCE into the empty database TARGET, whatever kind either is.

    Both are SQLAlchemy URLs: sqlite:///data/baton.sqlite, postgresql+psycopg://user:password@host/name. All of it is
    copied or nothing; every table is read back and compared. Stop the servers first: what is done on the source after
    the copy has begun is not copied.
    """
    with _opened(source, must_exist=True) as origin, _opened(target) as goal:
        if not rehearse:
            _refuse_workers(origin)
        copied = database_copying.copy(origin, goal, _show_copied)
    rows = sum(table.rows for table in copied)
    click.echo(f"{rows} rows in {len(copied)} tables: the same number and checksum in source and target.")


def _show_copied(table: Copied) -> None:
    click.echo(f"{table.table:32}{table.rows:>12}  {table.checksum}")


def _refuse_workers(engine: Engine) -> None:
    with Session(engine) as session:
        try:
            silent = heartbeat.feel(session).silent_for
        except SQLAlchemyError:
            # No table: the copy will say that it has no tables of ours.
            return
    if silent is not None and silent < _WORKER_GONE:
        seconds = _WORKER_GONE.seconds
        raise click.ClickException(
            f"A worker was at work on the source {silent.seconds} seconds ago. Stop all servers and workers, wait "
            f"{seconds} seconds, and try again; or give --rehearse to try the copy while they work."
        )


@click.command()
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
@_explained
def backup(path: Path) -> None:
    """Write everything to the new file PATH, while the server works: all rows as of one instant, and the secret key."""
    configuration = _configured()
    with _opened(configuration.database_url, must_exist=True) as engine:
        manifest = back_up(engine, path, {KEY_FILE: configuration.secret_key.encode()})
    click.echo(
        f"{path}: {manifest.rows} rows in {len(manifest.parts)} tables as of {manifest.made_at} "
        f"(revision {manifest.revision}). It holds the secret key: keep it where only you can read it."
    )


@click.command()
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace what the database holds.")
@click.option("--dry-run", is_flag=True, help="Only prove that the file is whole.")
@_explained
def restore(path: Path, force: bool, dry_run: bool) -> None:
    """Put the backup PATH into the database of the settings, and its secret key into the data directory.

    All of it or nothing. Stop the servers first.
    """
    with Backup(path) as saved:
        if dry_run:
            saved.verify()
            click.echo(f"{path} is whole: {saved.manifest.rows} rows as of {saved.manifest.made_at}.")
            return
        configuration = _configured()
        try:
            with _opened(configuration.database_url) as engine:
                saved.restore(engine, overwrite=force, done=_show_part)
        except NotEmpty as error:
            raise click.ClickException(f"{error} Give --force to replace what is there.") from None
        key = saved.file(KEY_FILE)
    if key is not None:
        _keep_secret_key(configuration, key)
    click.echo(f"{saved.manifest.rows} rows as of {saved.manifest.made_at}: the same number and checksum as backed up.")


def _show_part(part: Part) -> None:
    click.echo(f"{part.table:32}{part.rows:>12}  {part.checksum}")


def _keep_secret_key(configuration: Configuration, key: bytes) -> None:
    path = configuration.data_directory / KEY_FILE
    beside = path.with_name(f"{KEY_FILE}.part")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


@contextmanager
def _opened(url: str, *, must_exist: bool = False) -> Iterator[Engine]:
    try:
        parsed = make_url(url)
        path = parsed.database
        if must_exist and parsed.get_backend_name() == "sqlite" and (path is None or not Path(path).exists()):
            raise click.ClickException(f"There is no database {path}.")
        engine = create_engine(url)
    except (ArgumentError, NoSuchModuleError) as error:
        raise click.ClickException(f"{error} Write it like sqlite:///data/baton.sqlite.") from None
    try:
        yield engine
    finally:
        engine.dispose()


def _configured() -> Configuration:
    configuration = from_environment()
    logs.configure(configuration.log_format, configuration.log_level)
    return configuration


#: What `web.cli` adds to the command `baton`.
COMMANDS = (copy, backup, restore)
