"""The whole process library deployed, once for all tests, on a database that each test gets a copy of."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy.orm import Session, sessionmaker

from database import create_engine, session_factory, transaction
from engine import clock
from engine.configuration import EngineConfiguration
from processes.service import Resource
from tests.conftest import MONDAY, MakeUser
from tests.library.repair_shop import RepairShop
from tests.play import Player

LIBRARY = Path(__file__).parents[2] / "bpmn"


def library_resources() -> list[Resource]:
    """Return every deployable file of the library."""
    files = sorted(path for ending in ("bpmn", "dmn", "form") for path in LIBRARY.rglob(f"*.{ending}"))
    return [Resource(path.name, path.read_bytes()) for path in files]


@pytest.fixture(scope="session")
def library_database(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the library deployed."""
    path = tmp_path_factory.mktemp("library") / "library.sqlite"
    shutil.copy(empty_database, path)
    engine = create_engine(f"sqlite:///{path}")
    sessions = session_factory(engine, **EngineConfiguration(clock_control=True).info())
    with sessions() as session, transaction(session):
        clock.pin(session, MONDAY)
    Player(sessions).deploy(*library_resources())
    with engine.connect() as connection:
        # The copies are of one file: nothing may be left in the write-ahead log.
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


@pytest.fixture
def database_url(library_database: Path, tmp_path: Path) -> str:
    """The address of this test's own copy of the library."""
    path = tmp_path / "baton.sqlite"
    shutil.copy(library_database, path)
    return f"sqlite:///{path}"


@pytest.fixture
def play(sessions: sessionmaker[Session]) -> Player:
    """The library deployed, on Monday 2025-03-03 at nine o'clock in Shanghai."""
    return Player(sessions)


@pytest.fixture
def shop(play: Player, make_user: MakeUser) -> RepairShop:
    """The repair shop with the people of the organisation."""
    return RepairShop(play, make_user)
