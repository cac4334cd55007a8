"""What every test may ask for: a migrated database of its own, sessions on it, the application, people, a browser."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Protocol
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
from web.application import create_app
from web.configuration import Configuration

#: Where the clock of every test stands at first: a Monday, nine o'clock in the company's zone (Asia/Shanghai).
MONDAY = datetime(2025, 3, 3, 1, 0, tzinfo=UTC)

#: The password of every user that `make_user` makes.
PASSWORD = "correct horse"


def pytest_configure() -> None:
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
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file without rows; copied for each test, because copying is fast."""
    path = tmp_path_factory.mktemp("database") / "empty.sqlite"
    engine = create_engine(f"sqlite:///{path}")
    migrations.upgrade(engine)
    engine.dispose()
    return path


@pytest.fixture
def database_url(empty_database: Path, tmp_path: Path) -> str:
    """The address of this test's own database."""
    path = tmp_path / "baton.sqlite"
    shutil.copy(empty_database, path)
    return f"sqlite:///{path}"


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
