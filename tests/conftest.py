"""What every test may ask for: a migrated database of its own, sessions on it, the application, people, a browser."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from database import create_engine, migrations, session_factory, transaction
from engine import clock
from engine.configuration import EngineConfiguration
from people import passwords, service
from people.models import User
from tests.databases import Databases, PostgresqlDatabases, SqliteFiles, template
from tests.postgresql import Cluster, PostgresqlMissing
from web.application import create_app
from web.configuration import Configuration

#: Where the clock of every test stands at first: a Monday, nine o'clock in the company's zone (Asia/Shanghai).
MONDAY = datetime(2025, 3, 3, 1, 0, tzinfo=UTC)

#: The password of every user that `make_user` makes.
PASSWORD = "correct horse"


#: The system's browser, and how it is started: as root, and without asking its maker for anything.
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

#: The socket folder of the run's PostgreSQL cluster; absent when the tests run on SQLite.
SOCKETS = pytest.StashKey[str]()
CLUSTER = pytest.StashKey[Cluster]()

#: Sentences about tests that this run leaves out.
LEFT_OUT = pytest.StashKey[dict[str, int]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare on which database the tests run."""
    parser.addoption(
        "--database",
        choices=("sqlite", "postgresql"),
        default="sqlite",
        help="run the tests on SQLite (default), or those that use a database on a throw-away PostgreSQL",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Start PostgreSQL once for all processes of the run if it is asked for; compile the catalogues."""
    _compile_catalogues()
    if config.getoption("--database") != "postgresql" or config.getoption("collectonly"):
        return
    # A process of pytest-xdist gets the address from the one that started it.
    if hasattr(config, "workerinput"):
        config.stash[SOCKETS] = config.workerinput["sockets"]
        return
    try:
        config.stash[CLUSTER] = Cluster()
    except PostgresqlMissing as error:
        raise pytest.UsageError(str(error)) from None
    config.stash[SOCKETS] = str(config.stash[CLUSTER].folder)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a process of pytest-xdist where PostgreSQL is."""
    if SOCKETS in node.config.stash:
        node.workerinput["sockets"] = node.config.stash[SOCKETS]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop PostgreSQL and remove its data."""
    if CLUSTER in config.stash:
        config.stash[CLUSTER].stop()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what says that it is about the other database, and on PostgreSQL what uses no database at all."""
    chosen = config.getoption("--database")
    other = {"sqlite": "postgresql", "postgresql": "sqlite"}[chosen]
    left_out: dict[str, list[pytest.Item]] = {}
    for item in items:
        if marker := item.get_closest_marker(f"{other}_only"):
            left_out.setdefault(f"{item.nodeid}: {marker.kwargs['reason']}", []).append(item)
        elif chosen == "postgresql" and "databases" not in getattr(item, "fixturenames", ()):
            left_out.setdefault("tests that use no database", []).append(item)
    config.stash[LEFT_OUT] = {reason: len(those) for reason, those in left_out.items()}
    gone = {item for those in left_out.values() for item in those}
    if gone:
        config.hook.pytest_deselected(items=list(gone))
        items[:] = [item for item in items if item not in gone]


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Tell the process that writes the summary what has been left out; to leave out everything is no failure."""
    left_out = session.config.stash.get(LEFT_OUT, {})
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["left_out"] = left_out
    if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and left_out:
        session.exitstatus = pytest.ExitCode.OK


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a process of pytest-xdist has left out; each leaves out the same."""
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", {})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say on which database the tests ran, and what has been left out."""
    terminalreporter.write_line(f"Database: {config.getoption('--database')}")
    for reason, number in config.stash.get(LEFT_OUT, {}).items():
        terminalreporter.write_line(f"Left out {number}: {reason}")


def _compile_catalogues() -> None:
    """Compile the Chinese catalogue when its source is newer, as `make build` does."""
    for source in Path(__file__).parents[1].glob("web/translations/*/LC_MESSAGES/*.po"):
        compiled = source.with_suffix(".mo")
        if compiled.exists() and compiled.stat().st_mtime >= source.stat().st_mtime:
            continue
        # Written beside and moved, since several test processes may do this at once.
        with source.open("rb") as catalogue, NamedTemporaryFile(dir=source.parent, delete=False) as file:
            write_mo(file, read_po(catalogue))
        Path(file.name).replace(compiled)


@pytest.fixture(scope="session")
def databases(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """Makes databases of the kind that the tests run on."""
    if SOCKETS not in pytestconfig.stash:
        yield SqliteFiles(tmp_path_factory.mktemp("databases"))
        return
    worker = getattr(pytestconfig, "workerinput", {}).get("workerid", "main")
    made = PostgresqlDatabases(pytestconfig.stash[SOCKETS], worker)
    yield made
    made.close()


@pytest.fixture(scope="session")
def empty_database(databases: Databases) -> str:
    """The address of a migrated database without rows; copied for each test, because copying is fast."""
    return template(databases, migrations.upgrade)


@pytest.fixture(scope="session")
def database_template(empty_database: str) -> str:
    """The address of the database of which each test gets a copy; nobody may connect to it."""
    return empty_database


@pytest.fixture
def database_url(databases: Databases, database_template: str) -> Iterator[str]:
    """The address of this test's own database."""
    url = databases.copy(database_template)
    yield url
    databases.drop(url)


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    """Connections to this test's own database."""
    engine = create_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sessions(database: Engine) -> sessionmaker[Session]:
    """Makes sessions whose clock can be set; it stands at MONDAY."""
    maker = session_factory(database, **EngineConfiguration(clock_control=True).info())
    with maker() as session, transaction(session):
        clock.pin(session, MONDAY)
    return maker


@pytest.fixture
def session(sessions: sessionmaker[Session]) -> Iterator[Session]:
    """One session; write inside `with transaction(session):`."""
    with sessions() as session:
        yield session


class MakeUser(Protocol):
    """Makes a user with the password PASSWORD."""

    def __call__(
        self, username: str, *groups: str, role: str = "staff", name: str | None = None, locale: str | None = None
    ) -> User: ...


@pytest.fixture(scope="session")
def password_hash() -> str:
    """The hash of PASSWORD; made once, because hashing is slow on purpose."""
    return passwords.hash_password(PASSWORD)


@pytest.fixture
def make_user(sessions: sessionmaker[Session], password_hash: str) -> MakeUser:
    """Make users by `make_user("wang.fang", "业务接待员", role="manager")`; groups come into being as needed."""

    def make(
        username: str, *groups: str, role: str = "staff", name: str | None = None, locale: str | None = None
    ) -> User:
        with sessions() as session, transaction(session):
            user = User(
                username=username,
                name=name or username,
                password_hash=password_hash,
                role=role,
                active=True,
                locale=locale,
                created_at=MONDAY,
                groups=[service.save_group(session, group, "") for group in groups],
            )
            session.add(user)
            session.flush()
            session.refresh(user)
        return user

    return make


@pytest.fixture
def configuration(database_url: str, tmp_path: Path) -> Configuration:
    """Settings of the application under test."""
    return Configuration(
        data_directory=tmp_path,
        database_url=database_url,
        secret_key="a key for tests only",
        zone=ZoneInfo("Asia/Shanghai"),
        clock_control=True,
    )


@pytest.fixture
def app(configuration: Configuration, sessions: sessionmaker[Session]) -> Flask:
    """The whole application on this test's database; forms need no CSRF token unless a test switches that on."""
    app = create_app(configuration)
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser that has not signed in; English pages."""
    client = app.test_client()
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


@pytest.fixture
def sign_in(app: Flask) -> Callable[[User], FlaskClient]:
    """Return a browser in which the user has signed in; each call is a browser of its own."""

    def open_browser(user: User) -> FlaskClient:
        browser = app.test_client()
        browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
        with browser.session_transaction() as cookie:
            cookie["_user_id"] = user.get_id()
            cookie["_fresh"] = True
        return browser

    return open_browser


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The system's Chromium; one for all tests of a process, because Playwright can be started only once in it."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()
