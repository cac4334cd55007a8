"""Values are tried where they are used: in processes that run on a real database."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session, sessionmaker

from tests.play import Player


@pytest.fixture
def play(sessions: sessionmaker[Session]) -> Player:
    """A player on an empty database, on Monday 2025-03-03 at nine o'clock in Shanghai."""
    return Player(sessions)
