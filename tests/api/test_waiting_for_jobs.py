"""Workers that find no job wait for one, and keep nobody else from being served."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from camunda_orchestration_sdk import CamundaClient
from camunda_orchestration_sdk.models import (
    ActivatedJobResult,
    JobActivationRequest,
    JobFailRequest,
    ProcessCreationById,
)
from flask import Flask
from werkzeug.serving import make_server

from database.rest.turns import Turns
from tests.api.conftest import Browse, Connect, deploy
from tests.diagrams import chain, diagram, end, service, start
from tests.play import Player

#: Longer than any of these tests should take.
PATIENCE = 20_000


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """The address of a server that answers two requests at the same time, besides three that wait."""
    server = make_server("127.0.0.1", 0, Turns(app.wsgi_app, running=2, waiting=3), threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def robot(connect: Connect) -> CamundaClient:
    """A worker; a process with the job `print` is deployed."""
    deploy(connect("owner"), diagram(start(), service("s", "print"), end(), chain("start", "s", "end")))
    return connect("robot")


@pytest.fixture
def background() -> Iterator[ThreadPoolExecutor]:
    """Threads in which clients wait."""
    with ThreadPoolExecutor(8) as threads:
        yield threads


def _activate(client: CamundaClient, patience: int = PATIENCE, **body: Any) -> list[ActivatedJobResult]:
    request = {"type": "print", "timeout": 60_000, "maxJobsToActivate": 1, "requestTimeout": patience, **body}
    return client.activate_jobs(data=JobActivationRequest.from_dict(request)).jobs


def _waiting(app: Flask, number: int) -> None:
    """Wait until so many requests wait for jobs."""
    while app.extensions["job_bell"].waiting < number:
        time.sleep(0.01)


def test_a_worker_gets_a_job_as_soon_as_there_is_one(
    robot: CamundaClient, connect: Connect, play: Player, app: Flask, background: ThreadPoolExecutor
) -> None:
    waiting = background.submit(_activate, robot)
    _waiting(app, 1)
    assert not waiting.done()
    connect("boss").create_process_instance(data=ProcessCreationById.from_dict({"processDefinitionId": "p"}))
    (job,) = waiting.result()
    assert job.element_id == "s"


def test_the_time_to_wait_is_over_without_a_job(robot: CamundaClient) -> None:
    begun = time.monotonic()
    assert _activate(robot, patience=300) == []
    assert time.monotonic() - begun >= 0.3


def test_who_does_not_want_to_wait_does_not(robot: CamundaClient, app: Flask) -> None:
    assert _activate(robot, patience=-1) == []
    assert app.extensions["job_bell"].waiting == 0


def test_each_of_several_who_wait_gets_a_job(
    robot: CamundaClient, play: Player, app: Flask, background: ThreadPoolExecutor
) -> None:
    waiting = [background.submit(_activate, robot) for _ in range(3)]
    _waiting(app, 3)
    for _ in range(3):
        play.start("p")
    jobs = [job.job_key for found in waiting for job in found.result()]
    assert len(set(jobs)) == 3


def test_a_job_comes_back_to_who_waits_when_its_back_off_is_over(
    robot: CamundaClient, play: Player, app: Flask, background: ThreadPoolExecutor
) -> None:
    play.start("p")
    (job,) = _activate(robot)
    failure = {"retries": 1, "retryBackOff": 60_000}
    robot.fail_job(job_key=job.job_key, data=JobFailRequest.from_dict(failure))
    waiting = background.submit(_activate, robot)
    _waiting(app, 1)
    play.advance(timedelta(minutes=1))
    assert [again.job_key for again in waiting.result()] == [job.job_key]


def test_those_who_wait_starve_nobody(
    robot: CamundaClient, play: Player, app: Flask, background: ThreadPoolExecutor, http: Browse
) -> None:
    waiting: list[Future[list[ActivatedJobResult]]] = [background.submit(_activate, robot) for _ in range(3)]
    _waiting(app, 3)
    # More than may wait get their answer at once; others are served as ever.
    assert _activate(robot) == []
    boss = http("boss")
    for _ in range(3):
        assert boss.post("/process-instances", json={"processDefinitionId": "p"}).status_code == 200
    assert all(len(found.result()) == 1 for found in waiting)


def test_a_worker_that_may_not_is_told_at_once(http: Browse, robot: CamundaClient) -> None:
    body = {"type": "print", "timeout": 1000, "maxJobsToActivate": 1, "requestTimeout": PATIENCE}
    assert http("wang").post("/jobs/activation", json=body).status_code == 403
    assert http("robot").post("/jobs/activation", json={**body, "type": "a\0b"}).status_code == 400
