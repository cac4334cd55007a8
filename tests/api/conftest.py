"""A real server on a free port, and Camunda's published Python client for each person who uses it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from threading import Thread

import httpx
import pytest
from camunda_orchestration_sdk import CamundaClient
from camunda_orchestration_sdk.models import CreateDeploymentData, DeploymentResult
from camunda_orchestration_sdk.types import File
from flask import Flask
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.serving import make_server

from processes.service import Resource
from tests.conftest import PASSWORD, MakeUser
from tests.play import Player
from tests.tasks.conftest import _ESTIMATE_FORM as ESTIMATE_FORM
from tests.tasks.conftest import _START_FORM as START_FORM
from tests.tasks.conftest import RECEPTION, TEAM, form, repair_process

Connect = Callable[[str], CamundaClient]
Browse = Callable[[str], httpx.Client]


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """The address of a running server."""
    app.config["WTF_CSRF_ENABLED"] = True
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def staff(make_user: MakeUser) -> None:
    """Wang at the reception, Zhang in the team, Li anywhere else, a boss, a process owner, an admin, a robot."""
    make_user("wang", RECEPTION, name="王芳")
    make_user("zhang", TEAM, name="张伟")
    make_user("li", "人事", name="李娜")
    make_user("boss", role="manager")
    make_user("owner", role="process owner")
    make_user("root", role="admin")
    make_user("robot", RECEPTION, role="worker", name="打印服务")


@pytest.fixture
def connect(address: str, staff: None) -> Connect:
    """Return the client of somebody, by username."""

    def connect(username: str) -> CamundaClient:
        return CamundaClient(
            configuration={
                "CAMUNDA_REST_ADDRESS": address,
                "CAMUNDA_AUTH_STRATEGY": "BASIC",
                "CAMUNDA_BASIC_AUTH_USERNAME": username,
                "CAMUNDA_BASIC_AUTH_PASSWORD": PASSWORD,
                "CAMUNDA_SDK_LOG_LEVEL": "error",
            }
        )

    return connect


@pytest.fixture
def http(address: str, staff: None) -> Iterator[Browse]:
    """Return a plain HTTP client of somebody, by username, whose addresses begin at /v2."""
    opened: list[httpx.Client] = []

    def browse(username: str) -> httpx.Client:
        client = httpx.Client(base_url=f"{address}/v2", auth=httpx.BasicAuth(username, PASSWORD), timeout=30)
        opened.append(client)
        return client

    yield browse
    for client in opened:
        client.close()


@pytest.fixture
def play(sessions: sessionmaker[Session]) -> Player:
    """The engine behind the server, for what a test must bring about besides the API."""
    return Player(sessions)


def repair_files() -> list[Resource]:
    """The repair shop's process and its forms: estimate and settlement for the reception, repair for the team."""
    return [repair_process(), form("reception-form", START_FORM), form("estimate-form", ESTIMATE_FORM)]


def deploy(client: CamundaClient, *resources: Resource) -> DeploymentResult:
    """Deploy files with the client."""
    files = [File(payload=io.BytesIO(resource.content), file_name=resource.name) for resource in resources]
    return client.create_deployment(data=CreateDeploymentData(resources=files))
