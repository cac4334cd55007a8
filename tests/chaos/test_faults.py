"""The faults that matter most, in short: the real programs on a real database, and nothing is lost.

`python -m tests.chaos` tries these and all others for longer.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import make_url

from tests.chaos.clients import Outcome
from tests.chaos.faults import crowds, processes
from tests.chaos.faults import databases as away
from tests.chaos.homes import Home
from tests.chaos.trial import Result
from tests.databases import Databases


@pytest.fixture
def home(databases: Databases, empty_database: str) -> Iterator[Home]:
    """A migrated database that runs on the real time."""
    url = databases.copy(empty_database)
    yield Home(make_url(url).get_backend_name(), url)
    databases.drop(url)


def assert_nothing_lost(result: Result) -> None:
    """Fail with what was lost, doubled or broken, and what the programs said."""
    assert result.findings.sentences() == [], result.log
    assert result.record.counts[Outcome.ACKNOWLEDGED] > 0
    assert result.timers > 0


def test_killed_processes_lose_nothing(home: Home) -> None:
    assert_nothing_lost(processes.kill(home, 2))


def test_timers_that_are_due_at_once_fire_once_each_before_two_workers(home: Home) -> None:
    result = crowds.same_timers(home, 1, timers=40)

    assert_nothing_lost(result)
    assert result.timers == 40


def test_of_many_who_complete_the_same_task_one_wins(home: Home) -> None:
    assert_nothing_lost(crowds.same_task(home, 1, crowd=60))


@pytest.mark.postgresql_only(reason="SQLite is part of the process, so no connection to it can break")
def test_commits_that_break_are_done_once_or_not_at_all(home: Home) -> None:
    assert_nothing_lost(away.cut(home, 6))


@pytest.mark.postgresql_only(reason="SQLite has one writer, so no two can be in each other's way")
def test_transactions_that_the_database_gives_up_are_done_again(home: Home) -> None:
    assert_nothing_lost(away.conflicts(home, 60))
