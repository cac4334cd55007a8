"""The demo: about forty cases in every stage, played on the real engine; and its clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import ColumnElement, Engine, func, select
from sqlalchemy.orm import Session

from database import create_engine, session_factory
from engine import clock
from engine.configuration import EngineConfiguration
from engine.models import Incident, IncidentState, ProcessDefinition, ProcessInstance, Timer, UserTask, UserTaskState
from people import service
from tests.conftest import MakeUser
from tests.databases import Databases, template
from web.application import create_app
from web.configuration import Configuration
from web.demo import installation
from web.demo.stories import STORIES

INFO = EngineConfiguration(clock_control=True).info()


def install(engine: Engine) -> None:
    """Put the demo into a migrated database."""
    with session_factory(engine, **INFO)() as session:
        installation.install(session, echo=lambda sentence: None)


@pytest.fixture(scope="module")
def installed(databases: Databases, empty_database: str) -> str:
    """The address of a database with the whole demo."""
    return template(databases, install, empty_database)


@pytest.fixture
def demo_url(databases: Databases, installed: str) -> Iterator[str]:
    """The address of this test's own copy of the demo's database."""
    url = databases.copy(installed)
    yield url
    databases.drop(url)


@pytest.fixture
def demo(demo_url: str) -> Iterator[Session]:
    """A session on the demo's database."""
    engine = create_engine(demo_url)
    with session_factory(engine, **INFO)() as session:
        yield session
    engine.dispose()


@pytest.fixture
def browse(demo_url: str, demo: Session, tmp_path: Path) -> Callable[[str], FlaskClient]:
    """Return a browser in which one of the demo's people has signed in."""
    app = create_app(Configuration(tmp_path, demo_url, "a key for tests only", clock_control=True))
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)

    def open_browser(username: str) -> FlaskClient:
        browser = app.test_client()
        form = {"username": username, "password": installation.PASSWORD}
        assert browser.post("/sign-in", data=form).status_code == 302
        return browser

    return open_browser


def count(session: Session, *conditions: ColumnElement[bool]) -> int:
    """Return how many rows of the conditions' table fulfil them."""
    return session.scalar(select(func.count()).where(*conditions)) or 0


def test_every_process_has_cases_some_running_and_some_ended(demo: Session) -> None:
    rows = demo.execute(
        select(ProcessInstance.process_id, ProcessInstance.state, func.count()).group_by(
            ProcessInstance.process_id, ProcessInstance.state
        )
    )
    found = {(process_id, state): number for process_id, state, number in rows}

    assert sum(found.values()) >= 40
    assert {process_id for process_id, _ in found} == set(demo.scalars(select(ProcessDefinition.process_id)))
    assert {"ACTIVE", "COMPLETED"} <= {state for _, state in found}


def test_no_page_is_empty(demo: Session) -> None:
    now = clock.now(demo)
    created = UserTask.state == UserTaskState.CREATED

    assert count(demo, created, UserTask.due_at < now) >= 3, "overdue"
    assert count(demo, created, UserTask.assignee.is_not(None)) >= 3, "in somebody's hands"
    assert count(demo, created, UserTask.assignee.is_(None), UserTask.created_at < now - timedelta(days=1)) >= 3
    assert count(demo, Timer.due_at > now) >= 5, "deadlines to come"


def test_the_only_incidents_are_those_that_the_stories_tell(demo: Session) -> None:
    slips = [story for story in STORIES if story.slip]
    plates = {str(story.values["plateNumber"]) for story in slips}

    incidents = demo.execute(
        select(ProcessInstance.title)
        .join(Incident, Incident.instance_key == ProcessInstance.key)
        .where(Incident.state == IncidentState.ACTIVE)
    ).all()

    assert slips
    assert {incident.title.split(" · ")[0] for incident in incidents} == plates


def test_nothing_is_left_undone_before_the_demos_present(demo: Session) -> None:
    assert count(demo, Timer.due_at < clock.now(demo) - timedelta(minutes=5)) == 0


def test_the_clock_runs_on_from_a_wednesday_morning(demo: Session) -> None:
    now = clock.now(demo)
    local = now.astimezone(EngineConfiguration().zone)

    assert timedelta(0) <= datetime.now(UTC) - now < timedelta(days=8)
    assert (local.weekday(), local.hour) == (2, 10)
    setting = demo.get(clock.ClockSetting, 1)
    assert setting is not None
    assert setting.pinned_at is None


def test_setting_up_again_changes_nothing(demo: Session) -> None:
    before = (count(demo, ProcessInstance.key > 0), demo.scalar(select(func.max(ProcessInstance.key))))
    said: list[str] = []

    installation.install(demo, echo=said.append)

    assert (count(demo, ProcessInstance.key > 0), demo.scalar(select(func.max(ProcessInstance.key)))) == before
    assert said == []


def test_two_installations_are_alike(
    databases: Databases, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "STORIES", STORIES[:6] + STORIES[-2:])

    def states() -> list[tuple[object, ...]]:
        engine = create_engine(template(databases, install, empty_database))
        with session_factory(engine, **INFO)() as session:
            rows = session.execute(
                select(
                    UserTask.process_id, UserTask.element_id, UserTask.state, UserTask.assignee, UserTask.created_at
                ).order_by(UserTask.key)
            )
            return [tuple(row) for row in rows]

    assert states() == states()


def test_the_welcome_names_the_address_and_everybody_who_can_sign_in(demo: Session) -> None:
    welcome = installation.welcome(demo, "http://127.0.0.1:8000")

    assert "http://127.0.0.1:8000" in welcome
    assert installation.PASSWORD in welcome
    assert all(user.username in welcome for user in service.list_users(demo))


@pytest.mark.parametrize(
    "path", ["/tasks", "/tasks?whose=all", "/start", "/instances", "/stalled", "/processes", "/profile"]
)
def test_a_managers_pages_open(browse: Callable[[str], FlaskClient], path: str) -> None:
    assert browse("chen.guoqiang").get(path).status_code == 200


def test_moving_to_the_next_deadline_fires_it(browse: Callable[[str], FlaskClient], demo: Session) -> None:
    due_at = demo.scalar(select(func.min(Timer.due_at)))
    first = set(demo.scalars(select(Timer.key).where(Timer.due_at == due_at)))
    demo.rollback()

    answer = browse("wang.fang").post("/demo/clock", data={"by": "deadline", "next": "/tasks"})

    assert answer.headers["Location"] == "/tasks"
    assert due_at is not None
    assert timedelta(0) <= clock.now(demo) - due_at < timedelta(minutes=5)
    assert first.isdisjoint(demo.scalars(select(Timer.key).where(Timer.due_at <= due_at)))


def test_a_week_passes_in_a_moment_with_all_its_deadlines(browse: Callable[[str], FlaskClient], demo: Session) -> None:
    before = clock.now(demo)
    demo.rollback()
    browser = browse("wang.fang")

    browser.post("/demo/clock", data={"by": "week"})

    assert timedelta(days=7) <= clock.now(demo) - before < timedelta(days=7, minutes=5)
    assert count(demo, Timer.due_at <= clock.now(demo) - timedelta(minutes=5), Timer.failures == 0) == 0
    assert browser.get("/tasks").status_code == 200


def test_the_clock_moves_only_by_the_offered_steps(browse: Callable[[str], FlaskClient], demo: Session) -> None:
    before = clock.now(demo)
    demo.rollback()

    assert browse("wang.fang").post("/demo/clock", data={"by": "century"}).status_code == 400
    assert clock.now(demo) - before < timedelta(minutes=5)


def test_outside_of_the_demo_there_is_no_such_control(database_url: str, tmp_path: Path, make_user: MakeUser) -> None:
    user = make_user("wang.fang")
    app = create_app(Configuration(tmp_path, database_url, "a key for tests only", clock_control=False))
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    browser = app.test_client()
    with browser.session_transaction() as cookie:
        cookie["_user_id"] = user.get_id()

    assert browser.post("/demo/clock", data={"by": "week"}).status_code == 404
    assert "/demo/clock" not in browser.get("/profile").text
