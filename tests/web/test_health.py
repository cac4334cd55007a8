"""What load balancers are told."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from database import transaction
from engine.duties import Turn
from tests.databases import Databases
from web.application import create_app
from web.configuration import Configuration
from web.heartbeat import Heartbeat
from web.models import WorkerPulse


def test_a_migrated_database_is_healthy(client: FlaskClient, sessions: sessionmaker[Session]) -> None:
    answer = client.get("/healthz")

    assert answer.status_code == 200
    assert answer.json == {
        "status": "ok",
        "database": "reachable",
        "migrations": "up to date",
        "workers": 0,
        "worker_silent_seconds": None,
    }


def test_a_workers_heartbeat_is_seen(client: FlaskClient, sessions: sessionmaker[Session]) -> None:
    heart = Heartbeat()
    heart.take(Turn(sessions, "a:1"))
    heart.take(Turn(sessions, "a:1"))
    heart.take(Turn(sessions, "b:1"))
    with sessions() as session, transaction(session):
        at = session.scalars(select(WorkerPulse.beat_at).where(WorkerPulse.worker == "a:1")).one()
        gone = WorkerPulse(worker="c:1", beat_at=at - timedelta(minutes=5))
        session.add(gone)

    answer = client.get("/healthz").json

    assert answer
    assert answer["worker_silent_seconds"] < 60
    assert answer["workers"] == 2


def test_a_database_without_our_tables_is_not(databases: Databases, tmp_path: Path) -> None:
    app = create_app(Configuration(tmp_path, databases.create(), "key"))

    answer = app.test_client().get("/healthz")

    assert answer.status_code == 503
    assert answer.json
    assert answer.json["migrations"].startswith("missing")


@pytest.mark.parametrize("url", ["sqlite:///{}/no/such/directory", "postgresql+psycopg://baton@/baton?host={}"])
def test_a_database_that_does_not_answer_is_not(tmp_path: Path, url: str) -> None:
    app = create_app(Configuration(tmp_path, url.format(tmp_path), "key"))

    answer = app.test_client().get("/healthz")

    assert answer.status_code == 503
    assert answer.json
    assert answer.json["database"] == "unreachable"
