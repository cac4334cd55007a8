"""The command `baton`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from database import create_engine, loads, migrations, session_factory, transaction
from engine import clock, definitions, invariants, leftovers
from engine.errors import DeploymentRefused, EngineError
from engine.execution import create_instance
from engine.export import write_ocel, write_xes
from people import service as people
from people.errors import PeopleError
from people.models import Role
from processes import service as processes
from web import cli_history, cli_maintenance, library, logs
from web.configuration import Configuration, InvalidConfiguration, from_environment
from web.demo import installation


@click.group()
def baton() -> None:
    """Baton (接力) runs BPMN processes and hands the tasks in them from one person to the next.

    \b
    Settings come from the environment:
      BATON_DATA            data directory (default: ./data)
      BATON_DATABASE_URL    SQLAlchemy URL (default: SQLite in the data directory)
      BATON_REPLICA_URL     a standby of that database, which answers the searches of the API (default: none)
      BATON_REPLICA_SECONDS how old the last commit of that standby may be, in seconds (default: 30)
      BATON_SECRET_KEY      signs session cookies (default: made once, kept in the data directory)
      BATON_ZONE            the company's time zone (default: Asia/Shanghai)
      BATON_CLOCK_CONTROL   1: the clock can be set from the pages (default: 0, in the demo 1)
      BATON_HISTORY_TTL     how long ended cases are kept where their process does not say: a number of days or an
                            ISO 8601 duration like P2Y (default: for ever)
      BATON_ARCHIVE         directory of the cases that were removed (default: archive in the data directory)
      BATON_PROXIES         number of trusted reverse proxies in front (default: 0)
      BATON_LOG_FORMAT      console or json (default: console)
      BATON_LOG_LEVEL       debug, info, warning or error (default: info)
      BATON_STOP_SECONDS    seconds that a process told to stop has for what it has in hand (default: 30)
    """


def main() -> None:
    """Run the command; settings that cannot be used end it with a sentence."""
    try:
        baton(prog_name="baton")
    except InvalidConfiguration as error:
        sys.exit(f"baton: {error}")


@baton.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", default=8000, show_default=True, help="Port to listen at.")
@click.option("--processes", default=1, show_default=True, help="Server processes.")
@click.option("--worker/--no-worker", default=True, show_default=True, help="Start workers beside the server.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(min=1), help="Worker processes.")
def serve(host: str, port: int, processes: int, worker: bool, workers: int) -> None:
    """Migrate the database and serve the pages and the API."""
    from web import serving

    configuration = _configured()
    _migrate(configuration)
    click.echo(f"Baton: http://{host}:{port}")
    serving.serve(
        host,
        port,
        stop_seconds=configuration.stop_seconds,
        processes=processes,
        workers=workers if worker else 0,
    )


@baton.command()
@click.option("--processes", default=1, show_default=True, type=click.IntRange(min=1), help="Worker processes.")
@click.option("--parent", type=int, hidden=True)
def worker(processes: int, parent: int | None) -> None:
    """Enforce deadlines until stopped; start as many as you like, on as many machines as share the database."""
    from web import serving

    configuration = _configured()
    if processes > 1:
        serving.supervise(processes)
    else:
        serving.work(configuration, parent=parent)


@baton.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
def deploy(paths: tuple[Path, ...]) -> None:
    """Deploy BPMN, DMN and form files, or all of them in a directory: all or none."""
    files = library.resources(paths)
    if not files:
        raise click.ClickException(f"There is no {', '.join(library.SUFFIXES)} file.")
    with _session() as session:
        try:
            with transaction(session):
                groups = [group.id for group in people.list_groups(session)]
                deployed = processes.deploy(session, files, actor="baton deploy", groups=groups)
        except DeploymentRefused as error:
            for problem in error.problems:
                click.echo(str(problem), err=True)
            raise click.ClickException("Nothing was deployed.") from None
        click.echo(f"Deployed {len(files)} files (deployment {deployed.key}).")


@baton.command()
@click.argument("process_id")
@click.option("--variables", default="{}", help="Variables as a JSON object.")
def start(process_id: str, variables: str) -> None:
    """Start an instance of the latest version of a process, and print its key."""
    values = _variables(variables)
    with _session() as session:
        try:
            with transaction(session):
                definition = definitions.latest(session, process_id)
                outcome = create_instance(session, definition, values, actor="baton start")
        except EngineError as error:
            raise click.ClickException(str(error)) from None
        click.echo(outcome.instance_key)


@baton.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", default=8000, show_default=True, help="Port to listen at.")
@click.option("--serve/--no-serve", "serving_too", default=True, help="Serve after everything is set up.")
def demo(host: str, port: int, serving_too: bool) -> None:
    """Set up the demo in ./data/demo (library, organisation, about forty cases) unless it is there, and serve it."""
    # The server and worker processes read it too. Not the usual directory: nobody's real data get a clock that moves.
    os.environ.setdefault("BATON_DATA", "data/demo")
    os.environ["BATON_CLOCK_CONTROL"] = "1"
    configuration = _configured()
    _migrate(configuration)
    with _session(configuration) as session:
        installation.install(session, echo=click.echo)
        click.echo(installation.welcome(session, f"http://{host}:{port}"))
    if serving_too:
        from web import serving

        serving.serve(host, port, stop_seconds=configuration.stop_seconds)


@baton.command()
@click.option("--report/--no-report", default=True, help="Raise an incident for what is found.")
def check(report: bool) -> None:
    """Prove that every live instance has a reason to be alive, and that nothing is open of one that has ended.

    Ends with 1 where that is not so.
    """
    configuration = _configured()
    engine = create_engine(configuration.database_url)
    sessions = session_factory(engine, **configuration.engine().info())
    with sessions() as session:
        found = invariants.check(session)
        left = list(leftovers.check(session))
    for violation in [*found, *left]:
        click.echo(str(violation))
    raised = [*invariants.report(sessions, found), *leftovers.end(sessions, left)] if report else []
    violations = len(found) + len(left)
    click.echo(f"{violations} violations, {len(raised)} new incidents." if violations else "Every instance is sound.")
    engine.dispose()
    if violations:
        sys.exit(1)


@baton.command()
@click.argument("form", type=click.Choice(["xes", "ocel"]))
@click.argument("path", type=click.Path(dir_okay=False, writable=True, path_type=Path))
@click.option("--process", "process_id", help="The id of one process (default: all).")
@click.option("--commands", is_flag=True, help="XES: tell the audited commands, too; OCEL always tells them.")
def export(form: str, path: Path, process_id: str | None, commands: bool) -> None:
    """Write what has happened for process-mining tools: as XES (IEEE 1849) or OCEL 2.0 (JSON)."""
    with _session() as session:
        try:
            if process_id is not None:
                definitions.latest(session, process_id)
        except EngineError as error:
            raise click.ClickException(str(error)) from None
        if form == "xes":
            with path.open("wb") as binary:
                count = write_xes(session, binary, process_id, commands=commands)
        else:
            with path.open("w", encoding="utf-8") as text:
                count = write_ocel(session, text, process_id)
    click.echo(f"{path}: {count} cases.")


for command in (*cli_maintenance.COMMANDS, *cli_history.COMMANDS):
    baton.add_command(command)


@baton.group()
def db() -> None:
    """The database."""


@db.command()
def upgrade() -> None:
    """Bring the database to the tables that this version needs."""
    _migrate(_configured())
    click.echo("The database is up to date.")


@baton.group()
def user() -> None:
    """The people who can sign in."""


@user.command()
@click.argument("username")
@click.option("--name", help="Full name (default: the username).")
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.STAFF.value, show_default=True)
@click.option("--group", "groups", multiple=True, help="A group that the user works in; may be given several times.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
def add(username: str, name: str | None, role: str, groups: tuple[str, ...], password_stdin: bool) -> None:
    """Make a user."""
    password = (
        sys.stdin.readline().rstrip("\r\n")
        if password_stdin
        else click.prompt("Password", hide_input=True, confirmation_prompt=True)
    )
    with _session() as session:
        try:
            with transaction(session):
                people.create_user(
                    session,
                    username=username,
                    name=name or username,
                    password=password,
                    role=role,
                    groups=groups,
                    at=clock.now(session),
                )
        except PeopleError as error:
            raise click.ClickException(str(error)) from None
    click.echo(f"{username} can sign in now.")


def _configured() -> Configuration:
    configuration = from_environment()
    logs.configure(configuration.log_format, configuration.log_level)
    return configuration


def _migrate(configuration: Configuration) -> None:
    engine = create_engine(configuration.database_url)
    migrations.upgrade(engine)
    engine.dispose()


def _session(configuration: Configuration | None = None) -> Session:
    configuration = configuration or _configured()
    engine = create_engine(configuration.database_url)
    return session_factory(engine, **configuration.engine().info())()


def _variables(text: str) -> dict[str, Any]:
    try:
        values = loads(text)
    except ValueError as error:
        raise click.ClickException(f"--variables: {error}") from None
    if not isinstance(values, dict):
        raise click.ClickException('--variables: a JSON object is needed, like {"plate": "粤B12345"}.')
    return values


if __name__ == "__main__":
    main()
