"""Every request leaves one line, with a number that leads from the answer to the log."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog
from flask.testing import FlaskClient

from people.models import User
from tests.conftest import MakeUser
from web import logs


@pytest.fixture
def as_json(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Logs as a collector reads them; afterwards as before."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    logs.configure("json", "info")
    yield
    structlog.reset_defaults()
    root.handlers = handlers
    root.setLevel(level)


def lines(captured: str) -> list[dict[str, object]]:
    """Return the events that were logged."""
    return [json.loads(line) for line in captured.splitlines() if line.startswith("{")]


def test_a_request_is_one_line_with_its_number_user_and_status(
    as_json: None,
    sign_in: Callable[[User], FlaskClient],
    make_user: MakeUser,
    capsys: pytest.CaptureFixture[str],
) -> None:
    browser = sign_in(make_user("wang.fang"))

    answer = browser.get("/profile", headers={"X-Request-ID": "number-1234"})

    (line,) = [line for line in lines(capsys.readouterr().err) if line["event"] == "request"]
    assert answer.headers["X-Request-ID"] == line["request_id"] == "number-1234"
    assert (line["method"], line["path"], line["status"], line["user"]) == ("GET", "/profile", 200, "wang.fang")


def test_a_number_that_could_forge_a_line_is_replaced(client: FlaskClient) -> None:
    answer = client.get("/sign-in", headers={"X-Request-ID": "x" * 100})

    assert len(answer.headers["X-Request-ID"]) == 32


def test_health_checks_leave_no_line(as_json: None, client: FlaskClient, capsys: pytest.CaptureFixture[str]) -> None:
    client.get("/healthz")

    assert [line for line in lines(capsys.readouterr().err) if line["event"] == "request"] == []
