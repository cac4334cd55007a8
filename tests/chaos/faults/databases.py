"""The database goes away, fails over, cuts connections, or gives transactions up."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from database import transaction
from tests.chaos.clients import Outcome
from tests.chaos.errors import Stuck
from tests.chaos.homes import Home, Pair
from tests.chaos.proxy import CuttingProxy
from tests.chaos.trial import Result, Scene, under_load

#: Seconds between two lost connections.
_CUT_EVERY = 0.1


def restart(home: Home, times: int) -> Result:
    """PostgreSQL is stopped as a power failure stops it and started again, under load."""
    cluster = home.cluster
    assert cluster is not None

    def strike(scene: Scene) -> str:
        away = []
        for _ in range(times):
            scene.load.wait_for(acknowledged=random.randint(5, 100))
            cluster.halt("immediate")
            begun = time.monotonic()
            time.sleep(random.uniform(0.2, 2))
            cluster.start()
            scene.load.wait_for(acknowledged=1)
            away.append(time.monotonic() - begun)
        return f"clients are served again {max(away):.1f} s after the stop at most"

    return under_load(home, strike, times)


def failover(home: Home, times: int) -> Result:
    """The primary is killed under load and a synchronous standby promoted; everybody follows by the address."""
    pair = Pair()

    def strike(scene: Scene) -> str:
        away = []
        for number in range(times):
            if number:
                pair.renew()
            scene.load.wait_for(acknowledged=random.randint(20, 100))
            begun = time.monotonic()
            pair.fail_over()
            scene.load.wait_for(acknowledged=1)
            away.append(time.monotonic() - begun)
        return f"clients are served by the new primary {max(away):.1f} s after the loss at most"

    try:
        return under_load(Home(home.kind, pair.url), strike, times)
    finally:
        pair.stop()


def terminate(home: Home, times: int) -> Result:
    """Random backends of PostgreSQL are terminated under load."""
    victim = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND "
        "pid <> pg_backend_pid() AND backend_type = 'client backend' ORDER BY random() LIMIT 1"
    )

    def strike(scene: Scene) -> str:
        for _ in range(times):
            time.sleep(_CUT_EVERY)
            with scene.sessions() as session:
                session.execute(victim)
        return ""

    return under_load(home, strike, times)


def cut(home: Home, times: int) -> Result:
    """Connections break while a transaction is being committed: before COMMIT has arrived, or before its answer has."""
    proxy = CuttingProxy(Path(str(make_url(home.url).query["host"])))
    url = make_url(home.url).update_query_dict({"host": str(proxy.folder)}).render_as_string(hide_password=False)

    def strike(scene: Scene) -> str:
        proxy.share = 0.1
        give_up_at = time.monotonic() + 300
        while min(proxy.cut_before, proxy.cut_after) < times / 2:
            if time.monotonic() > give_up_at:
                raise Stuck(f"Only {proxy.cut_before} and {proxy.cut_after} commits were cut.")
            time.sleep(0.05)
        proxy.share = 0.0
        assert scene.load.count(Outcome.UNKNOWN), "clients have heard that the outcome is unknown"
        return f"{proxy.cut_before} cut before PostgreSQL heard COMMIT, {proxy.cut_after} before its answer came back"

    try:
        return under_load(home, strike, times, url=url)
    finally:
        proxy.stop()


#: A tenth of what the audit trail is told fails as PostgreSQL fails when transactions are in each other's way.
_INJECT = """
CREATE FUNCTION chaos_inject() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF random() < 0.1 THEN
        IF random() < 0.5 THEN
            RAISE EXCEPTION 'injected' USING ERRCODE = '40001';
        END IF;
        RAISE EXCEPTION 'injected' USING ERRCODE = '40P01';
    END IF;
    RETURN NEW;
END $$
"""
_INJECTED = "CREATE TRIGGER chaos_inject BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION chaos_inject()"
_DEADLOCKS = text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
_OPEN_TASK = text("SELECT key, root_key FROM user_task WHERE state = 'CREATED' ORDER BY random() LIMIT 1")


def conflicts(home: Home, times: int) -> Result:
    """A tenth of all commands fails with SQLSTATE 40001 or 40P01, while others lock rows in the opposite order."""

    def strike(scene: Scene) -> str:
        with scene.sessions() as session, transaction(session):
            session.execute(text(_INJECT))
            session.execute(text(_INJECTED))
        stopping = threading.Event()
        opponents = [threading.Thread(target=_oppose, args=(scene, stopping.is_set)) for _ in range(2)]
        for opponent in opponents:
            opponent.start()
        scene.load.wait_for(acknowledged=times, seconds=600)
        stopping.set()
        for opponent in opponents:
            opponent.join()
        with scene.sessions() as session, transaction(session):
            session.execute(text("DROP TRIGGER chaos_inject ON audit"))
        with scene.sessions() as session:
            return f"{session.scalar(_DEADLOCKS)} deadlocks of rows besides a tenth of all commands injected"

    return under_load(home, strike, times)


def _oppose(scene: Scene, stopped: Callable[[], bool]) -> None:
    """Lock a task first and its case after it, which is the other way round than commands do."""
    while not stopped():
        try:
            with scene.sessions() as session, transaction(session):
                task = session.execute(_OPEN_TASK).one_or_none()
                if task is None:
                    continue
                session.execute(text("SELECT 1 FROM user_task WHERE key = :key FOR UPDATE"), {"key": task.key})
                time.sleep(0.02)
                session.execute(
                    text("SELECT 1 FROM process_instance WHERE key = :key FOR UPDATE"), {"key": task.root_key}
                )
        except DBAPIError as error:
            if not isinstance(error.orig, psycopg.errors.DeadlockDetected):
                raise
