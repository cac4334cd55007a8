"""Process owners say when the company works: it holds at once, in every process, and who changed it is kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from engine.models import CalendarSetting
from people.models import User
from tests.conftest import MakeUser
from tests.diagrams import chain, diagram, end, start, user
from tests.play import Player

SignIn = Callable[[User], FlaskClient]

#: Open on weekdays; the test's clock stands at a Monday, 3 March 2025.
WEEK: dict[str, str] = {f"day-{weekday}": "08:00-12:00, 13:30-17:30" for weekday in range(1, 6)}


@pytest.fixture
def owner(make_user: MakeUser) -> User:
    """A process owner."""
    return make_user("song.ping", role="process owner", name="宋萍")


def save(browser: FlaskClient, based_on: int = 0, reason: str = "盘点", **fields: object) -> tuple[int, str]:
    """Save a calendar; return the status, and the page that follows."""
    sent = {**WEEK, "public_holidays": "1", "based_on": str(based_on), "reason": reason, **fields}
    answer = browser.post("/calendar", data=sent, follow_redirects=True)
    return answer.status_code, answer.text


def due_in_two_working_days(player: Player) -> datetime | None:
    """Return when a task is due whose process allows two working days."""
    return player.start("p").task("do").due_at


@pytest.fixture
def player(sessions: sessionmaker[Session]) -> Player:
    """A database with a process whose task is due after two working days."""
    player = Player(sessions)
    schedule = '<zeebe:taskSchedule dueDate="=add working days(now(), 2)"/>'
    player.deploy(diagram(start(), user("do", schedule), end(), chain("start", "do", "end")))
    return player


def test_a_day_off_holds_in_the_engine_from_the_next_case_on(player: Player, owner: User, sign_in: SignIn) -> None:
    before = due_in_two_working_days(player)
    assert before is not None
    assert before.astimezone(UTC).date().isoformat() == "2025-03-05"
    status, page = save(sign_in(owner), date="2025-03-04", hours="", why="年度盘点")
    assert status == 200
    assert "The calendar is saved." in page
    assert "年度盘点" in page
    after = due_in_two_working_days(player)
    assert after is not None
    assert after.astimezone(UTC).date().isoformat() == "2025-03-06"


def test_an_extra_working_day_counts(player: Player, owner: User, sign_in: SignIn) -> None:
    browser = sign_in(owner)
    closed = {"day-1": "8:00–17:00", "day-2": "", "day-3": "", "day-4": "", "day-5": ""}
    save(browser, **closed)
    far = due_in_two_working_days(player)
    assert far is not None
    assert far.astimezone(UTC).date().isoformat() == "2025-03-17"
    save(browser, 1, **closed, date=["2025-03-04", "2025-03-08"], hours=["08:00-12:00", "08:00-12:00"], why=["", ""])
    near = due_in_two_working_days(player)
    assert near is not None
    assert near.astimezone(UTC).date().isoformat() == "2025-03-08"


def test_who_changed_it_when_and_why_is_kept(owner: User, sign_in: SignIn, sessions: sessionmaker[Session]) -> None:
    browser = sign_in(owner)
    assert "Nobody yet" in browser.get("/calendar").text
    save(browser, reason="新规定")
    save(browser, 1, reason="再改", **{"day-6": "08:00-12:00"})
    page = browser.get("/calendar").text
    assert "宋萍" in page
    assert "新规定" in page
    assert 'value="08:00-12:00"' in page
    with sessions() as session:
        stored = session.scalars(select(CalendarSetting).order_by(CalendarSetting.version)).all()
    assert [(row.version, row.set_by, row.reason) for row in stored] == [
        (1, "song.ping", "新规定"),
        (2, "song.ping", "再改"),
    ]
    assert stored[0].data["week"]["6"] == []
    assert stored[1].data["week"]["6"] == [["08:00", "12:00"]]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"day-2": "from eight to noon"}, "Tuesday: write hours like"),
        ({"day-3": "12:00-08:00"}, "Wednesday: write hours like"),
        ({"day-3": "08:00-12:00, 11:00-13:00"}, "Wednesday: write hours like"),
        ({"date": "2025-03-40", "hours": "", "why": ""}, "2025-03-40: write hours like"),
        ({"date": ["2025-05-01", "2025-05-01"], "hours": ["", ""], "why": ["", ""]}, "each date only once"),
        ({f"day-{weekday}": "" for weekday in range(1, 8)}, "at least one working day"),
        ({"reason": " "}, "Say why"),
    ],
)
def test_what_makes_no_sense_is_said_and_nothing_entered_is_lost(
    owner: User, sign_in: SignIn, sessions: sessionmaker[Session], fields: dict[str, object], sentence: str
) -> None:
    status, page = save(sign_in(owner), **{"day-7": "09:09-10:10", **fields})
    assert status == 400
    assert sentence in page
    assert "day-7" in fields or 'value="09:09-10:10"' in page
    with sessions() as session:
        assert session.scalars(select(CalendarSetting)).all() == []


def test_of_two_who_change_it_the_second_sees_what_the_first_has_saved(
    owner: User, make_user: MakeUser, sign_in: SignIn
) -> None:
    other = make_user("boss", role="admin")
    save(sign_in(owner), reason="先", **{"day-6": "09:00-11:00"})
    status, page = save(sign_in(other), reason="后")
    assert status == 409
    assert "Somebody has changed the calendar meanwhile." in page
    assert 'value="09:00-11:00"' in page


def test_others_have_no_say(make_user: MakeUser, sign_in: SignIn) -> None:
    for role in ("staff", "manager"):
        browser = sign_in(make_user(f"a.{role}", role=role))
        assert browser.get("/calendar").status_code == 403
        status, page = save(browser)
        assert status == 403
        assert "Only process owners change the company" in page
        assert 'href="/calendar"' not in browser.get("/profile").text
