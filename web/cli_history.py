"""The commands about ended cases: `baton history` says how long they are kept, `baton archive` reads what is gone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import chain

import click
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from database import create_engine, dumps, session_factory
from engine import caseless, definitions, retention
from engine.archive import Archive, ArchiveFile
from engine.errors import NotFound
from engine.models import ProcessInstance
from engine.retention import Cleanup
from web import logs
from web.configuration import Configuration, from_environment

_PROCESS = click.option("--process", "process_id", help="The id of one process (default: all).")
_DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def history() -> None:
    """How long ended cases are kept."""


@history.command("set-removal-times")
@_PROCESS
def set_removal_times(process_id: str | None) -> None:
    """Apply today's times to live to cases that have ended before.

    A case is given its removal time when it ends: by the property `historyTimeToLive` of its process, else by
    BATON_HISTORY_TTL. Where these have changed since, this command catches up.
    """
    with _sessions(_configured()) as sessions:
        try:
            if process_id is not None:
                with sessions() as session:
                    definitions.latest(session, process_id)
        except NotFound as error:
            raise click.ClickException(str(error)) from None
        changed = sum(retention.set_removal_times(sessions, process_id))
        with sessions() as session:
            last = session.scalar(select(func.count()).where(ProcessInstance.removal_at.is_not(None)))
    click.echo(f"{changed} removal times changed; {last} ended cases have one.")


@history.command("clean-up")
def clean_up() -> None:
    """Archive and remove now what the workers would within the next minutes."""
    configuration = _configured()
    with _sessions(configuration) as sessions:
        before = _count(sessions)
        for _ in chain(Cleanup(Archive(configuration.archive_directory)).work(sessions), caseless.clean_up(sessions)):
            pass
        click.echo(f"{before - _count(sessions)} process instances removed; archive: {configuration.archive_directory}")


def _count(sessions: sessionmaker[Session]) -> int:
    with sessions() as session:
        return session.scalar(select(func.count()).select_from(ProcessInstance)) or 0


@click.group()
def archive() -> None:
    """What has been removed from the database: JSON lines in gzip files, one for each process and day of ending."""


@archive.command("list")
@_PROCESS
def list_files(process_id: str | None) -> None:
    """List the files: day, process, cases, bytes and path."""
    for file in Archive(_configured().archive_directory).files(process_id):
        number = sum(1 for _ in file.cases())
        click.echo(f"{file.day}  {file.process:32}{number:>8}{file.path.stat().st_size:>12}  {file.path}")


@archive.command()
@_PROCESS
@click.option("--from", "first", type=_DAY, help="The first day of ending, like 2026-01-31.")
@click.option("--to", "last", type=_DAY, help="The last day of ending.")
@click.option("--case", "instance_key", type=int, help="The key of one topmost process instance.")
def export(process_id: str | None, first: datetime | None, last: datetime | None, instance_key: int | None) -> None:
    """Write archived cases to standard output, one JSON object a line, each case once."""
    found = False
    for file in Archive(_configured().archive_directory).files(process_id):
        if _within(file, first, last):
            for case in file.cases():
                if instance_key in (None, case["processInstanceKey"]):
                    found = True
                    click.echo(dumps(case))
    if instance_key is not None and not found:
        raise click.ClickException(f"The archive has no case {instance_key}.")


def _within(file: ArchiveFile, first: datetime | None, last: datetime | None) -> bool:
    return (first is None or file.day >= first.date()) and (last is None or file.day <= last.date())


def _configured() -> Configuration:
    configuration = from_environment()
    logs.configure(configuration.log_format, configuration.log_level)
    return configuration


@contextmanager
def _sessions(configuration: Configuration) -> Iterator[sessionmaker[Session]]:
    engine = create_engine(configuration.database_url)
    try:
        yield session_factory(engine, **configuration.engine().info())
    finally:
        engine.dispose()


#: What `web.cli` adds to the command `baton`.
COMMANDS = (history, archive)
