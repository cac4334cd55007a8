"""The whole product in Chromium: a real server on a database with the library and the people of the demo."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.serving import make_server

from database import session_factory, transaction
from engine import clock
from engine.configuration import EngineConfiguration
from people import organisation
from people.models import User
from processes import service as processes
from tests.browser.people import Office
from tests.conftest import MONDAY, PASSWORD
from tests.databases import Databases, template
from tests.library.conftest import LIBRARY, library_resources
from tests.library.repair_shop import RepairShop
from tests.play import Player
from tests.web.frontend.conftest import DIST
from web.application import create_app
from web.configuration import Configuration


@pytest.fixture(scope="session")
def database_template(databases: Databases, empty_database: str) -> str:
    """A database with the library and the organisation."""

    def fill(engine: Engine) -> None:
        sessions = session_factory(engine, **EngineConfiguration(clock_control=True).info())
        with sessions() as session, transaction(session):
            clock.pin(session, MONDAY)
            organisation.load(session, organisation.read(LIBRARY / "organisation.json"), password=PASSWORD, at=MONDAY)
            processes.deploy(session, library_resources(), "admin")

    return template(databases, fill, empty_database)


@pytest.fixture
def app(configuration: Configuration, sessions: sessionmaker[Session]) -> Flask:
    """The application as it is served, on Monday 2025-03-03 at nine o'clock in Shanghai."""
    return create_app(configuration)


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """Where the running server listens."""
    if not (DIST / "manifest.json").exists():
        pytest.skip("the front end is not built: run `make build`")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def office(chromium: Any, address: str) -> Iterator[Office]:
    """Everybody's windows; a script error or a breach of the content policy in any of them fails the test."""
    office = Office(chromium, address)
    yield office
    office.close()
    assert office.failures == []


@pytest.fixture
def shop(sessions: sessionmaker[Session]) -> RepairShop:
    """The shop whose people bring cases to where a test begins."""

    def colleague(username: str, *_groups: str, role: str = "") -> User:
        with sessions() as session:
            return session.scalars(select(User).where(User.username == username)).one()

    return RepairShop(Player(sessions), colleague)
