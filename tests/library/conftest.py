"""The whole process library deployed, once for all tests, on a database that each test gets a copy of."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from database import session_factory, transaction
from engine import clock
from engine.configuration import EngineConfiguration
from processes.service import Resource
from tests.conftest import MONDAY, MakeUser
from tests.databases import Databases, template
from tests.library.repair_shop import RepairShop
from tests.play import Player

LIBRARY = Path(__file__).parents[2] / "bpmn"


def library_resources() -> list[Resource]:
    """Return every deployable file of the library."""
    files = sorted(path for ending in ("bpmn", "dmn", "form") for path in LIBRARY.rglob(f"*.{ending}"))
    return [Resource(path.name, path.read_bytes()) for path in files]


@pytest.fixture(scope="session")
def database_template(databases: Databases, empty_database: str) -> str:
    """A database with the library deployed."""

    def fill(engine: Engine) -> None:
        sessions = session_factory(engine, **EngineConfiguration(clock_control=True).info())
        with sessions() as session, transaction(session):
            clock.pin(session, MONDAY)
        Player(sessions).deploy(*library_resources())

    return template(databases, fill, empty_database)


@pytest.fixture
def play(sessions: sessionmaker[Session]) -> Player:
    """The library deployed, on Monday 2025-03-03 at nine o'clock in Shanghai."""
    return Player(sessions)


@pytest.fixture
def shop(play: Player, make_user: MakeUser) -> RepairShop:
    """The repair shop with the people of the organisation."""
    return RepairShop(play, make_user)
