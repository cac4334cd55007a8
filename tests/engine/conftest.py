"""Engine tests play small processes on a real database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session, sessionmaker

from processes.service import Resource
from tests.play import Case, Player


def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark from which `tests.engine.coverage` makes docs/bpmn-coverage.md."""
    config.addinivalue_line("markers", "covers(table, row, column): the cell of docs/bpmn-coverage.md that it proves")


@pytest.fixture
def play(sessions: sessionmaker[Session]) -> Player:
    """A player on an empty database, on Monday 2025-03-03 at nine o'clock in Shanghai."""
    return Player(sessions)


@pytest.fixture
def run(play: Player) -> Callable[..., Case]:
    """Deploy a diagram and start its process: `run(resource, variables)`."""

    def deploy_and_start(resource: Resource, variables: dict[str, Any] | None = None) -> Case:
        deployed = play.deploy(resource)
        return play.start(deployed.processes[0].process_id, variables)

    return deploy_and_start
