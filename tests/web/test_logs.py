"""Every request leaves one line, with a number that leads from the answer to the log."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import structlog
from flask.testing import FlaskClient

from people.models import User
from tests.conftest import MakeUser
from web import logs


@contextmanager
def collected() -> Iterator[list[dict[str, Any]]]:
    """Log as a collector reads it, and return the lines of requests; afterwards logs go where they went before."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    logs.configure("json", "info")
    (handler,) = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(written := StringIO())
    lines: list[dict[str, Any]] = []
    try:
        yield lines
        events = [json.loads(line) for line in written.getvalue().splitlines()]
        lines += [event for event in events if event["event"] == "request"]
    finally:
        structlog.reset_defaults()
        root.handlers = handlers
        root.setLevel(level)


def test_a_request_is_one_line_with_its_number_user_and_status(
    sign_in: Callable[[User], FlaskClient], make_user: MakeUser
) -> None:
    browser = sign_in(make_user("wang.fang"))

    with collected() as lines:
        answer = browser.get("/profile", headers={"X-Request-ID": "number-1234"})

    (line,) = lines
    assert answer.headers["X-Request-ID"] == line["request_id"] == "number-1234"
    assert (line["method"], line["path"], line["status"], line["user"]) == ("GET", "/profile", 200, "wang.fang")


def test_a_number_that_could_forge_a_line_is_replaced(client: FlaskClient) -> None:
    answer = client.get("/sign-in", headers={"X-Request-ID": "x" * 100})

    assert len(answer.headers["X-Request-ID"]) == 32


def test_health_checks_and_static_files_leave_no_line(client: FlaskClient) -> None:
    with collected() as lines:
        client.get("/healthz")
        client.get("/static/dist/app.css")
        client.get("/sign-in")

    assert [line["path"] for line in lines] == ["/sign-in"]
