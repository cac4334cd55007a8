"""Searches are answered by the replica as long as it follows, and by the primary else; nobody is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.orm import Session, sessionmaker

import database.replica
from database.extension import replica_of
from database.replica import Replica, ReplicaState
from database.rest import Results
from database.rest.endpoint import OPERATIONS
from people.models import User
from tests.conftest import PASSWORD, MakeUser
from tests.diagrams import chain, diagram, end, start, user
from tests.play import Player
from tests.replica.conftest import Pair
from web.application import create_app
from web.configuration import Configuration


@pytest.fixture
def player(sessions: sessionmaker[Session]) -> Player:
    """Starts cases of the process `p` in the primary."""
    player = Player(sessions)
    player.deploy(diagram(start(), user("first"), end(), chain("start", "first", "end")))
    return player


@pytest.fixture
def boss(make_user: MakeUser) -> User:
    """Somebody who sees all cases."""
    return make_user("boss", role="manager")


@pytest.fixture
def replica(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Replica]:
    """The replica as the application knows it, which looks at it each time that somebody searches."""
    monkeypatch.setattr(database.replica, "_HOLDS_SECONDS", 0.0)
    monkeypatch.setattr(database.replica, "_FIRST_PAUSE_SECONDS", 0.0)
    replica = replica_of(app)
    assert replica is not None
    yield replica
    replica.engine.dispose()


@pytest.fixture
def standing_still(pair: Pair, player: Player, boss: User) -> Iterator[Pair]:
    """The standby knows of one case, and hears of none that are started from now on."""
    player.start("p")
    pair.stand_still()
    yield pair
    pair.go_on()


def search(client: FlaskClient, what: str = "process-instances") -> int:
    """Return how many of them a search finds."""
    answer = client.post(f"/v2/{what}/search", json={}, auth=("boss", PASSWORD))
    assert answer.status_code == 200, answer.text
    return int(answer.json["page"]["totalItems"])


def test_searches_are_answered_by_the_replica_and_all_else_by_the_primary(
    standing_still: Pair, player: Player, replica: Replica, client: FlaskClient
) -> None:
    second = player.start("p")

    assert search(client) == search(client, "user-tasks") == 1
    assert client.get(f"/v2/process-instances/{second.key}", auth=("boss", PASSWORD)).status_code == 200
    assert client.get("/healthz").json["replica"] == "follows"

    standing_still.go_on()
    assert search(client) == search(client, "user-tasks") == 2


def test_a_replica_that_is_too_far_behind_is_left_alone(
    standing_still: Pair, player: Player, configuration: Configuration
) -> None:
    # Whatever it has is older than nothing.
    client = create_app(replace(configuration, replica_seconds=0)).test_client()
    player.start("p")

    assert search(client) == 2
    assert client.get("/healthz").json["replica"] == "left alone"


def test_while_the_replica_is_away_the_primary_answers(
    pair: Pair, player: Player, boss: User, replica: Replica, client: FlaskClient
) -> None:
    player.start("p")
    pair.catch_up()
    assert search(client) == 1
    assert replica.state is ReplicaState.FOLLOWS

    pair.standby.halt()
    try:
        player.start("p")
        assert search(client) == 2
        assert replica.state is ReplicaState.LEFT_ALONE
        assert search(client) == 2
    finally:
        pair.standby.start()

    player.start("p")
    pair.catch_up()
    assert search(client) == 3
    assert replica.state is ReplicaState.FOLLOWS


RAISE = "DO $$ BEGIN RAISE EXCEPTION 'not here' USING ERRCODE = '{}'; END $$"


@pytest.mark.parametrize(
    ("trouble", "state"),
    [
        # What a standby tells a query that is in the way of what it has to replay, and one that takes too long.
        (RAISE.format("40001"), ReplicaState.FOLLOWS),
        (RAISE.format("57014"), ReplicaState.FOLLOWS),
        # A column is missing, because the standby has not replayed an upgrade yet; something is broken there.
        (RAISE.format("42703"), ReplicaState.LEFT_ALONE),
        (RAISE.format("XX000"), ReplicaState.LEFT_ALONE),
        ("SELECT pg_terminate_backend(pg_backend_pid())", ReplicaState.LEFT_ALONE),
    ],
)
def test_a_search_that_the_replica_gives_up_is_done_by_the_primary(
    standing_still: Pair, player: Player, replica: Replica, client: FlaskClient, trouble: str, state: ReplicaState
) -> None:
    player.start("p")
    asked = 0

    def refuse(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        nonlocal asked
        if "process_instance" in statement:
            asked += 1
            cursor.execute(trouble)

    event.listen(replica.engine, "before_cursor_execute", refuse)

    assert search(client) == 2
    assert asked == 1
    assert replica.state is state


def test_a_replica_that_is_frozen_holds_nobody_up(
    pair: Pair, player: Player, boss: User, replica: Replica, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database.replica, "_PATIENCE_SECONDS", 0.5)
    player.start("p")
    pair.catch_up()
    assert search(client) == 1
    assert replica.state is ReplicaState.FOLLOWS

    with pair.frozen():
        player.start("p")
        assert search(client) == 2
        assert replica.state is ReplicaState.LEFT_ALONE

    pair.catch_up()
    assert search(client) == 2
    assert replica.state is ReplicaState.FOLLOWS


def test_what_is_no_standby_of_the_same_database_is_left_alone(
    pair: Pair, player: Player, boss: User, configuration: Configuration
) -> None:
    """An old primary that has come back, and the standby's copy of another database."""
    for url in (pair.primary.url("baton"), pair.standby.url("baton")):
        client = create_app(replace(configuration, replica_url=url)).test_client()
        player.start("p")

        assert search(client) == len(player.instances("p"))
        assert client.get("/healthz").json["replica"] == "left alone"


def test_what_the_replica_does_not_know_yet_is_not_missing(
    standing_still: Pair, player: Player, replica: Replica, client: FlaskClient
) -> None:
    task = player.start("p").task("first")

    answer = client.post(f"/v2/user-tasks/{task.key}/variables/search", json={}, auth=("boss", PASSWORD))

    assert answer.status_code == 200
    assert replica.state is ReplicaState.FOLLOWS


def test_every_search_can_be_answered_by_a_replica(
    pair: Pair, player: Player, boss: User, app: Flask, replica: Replica, client: FlaskClient
) -> None:
    case = player.start("p")
    pair.catch_up()
    asked: list[object] = []
    event.listen(replica.engine, "checkout", lambda *_: asked.append(None))

    searches = [
        rule
        for rule in app.url_map.iter_rules()
        if (operation := OPERATIONS.get(app.view_functions[rule.endpoint])) is not None
        and any(isinstance(result, type) and issubclass(result, Results) for result in operation.results)
    ]
    assert {rule.rule for rule in app.url_map.iter_rules() if rule.rule.endswith("/search")} == {
        rule.rule for rule in searches if rule.rule.endswith("/search")
    }
    for rule in searches:
        path = rule.rule
        for argument in rule.arguments:
            path = path.replace(f"<int:{argument}>", str(case.key)).replace(f"<{argument}>", "p")
        before = len(asked)
        method = "POST" if "POST" in (rule.methods or ()) else "GET"
        answer = client.open(path, method=method, json={} if method == "POST" else None, auth=("boss", PASSWORD))
        assert answer.status_code in (200, 403, 404), (path, answer.text)
        assert len(asked) == before + 1, path
        assert replica.state is ReplicaState.FOLLOWS, path
