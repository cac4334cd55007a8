"""The worklist: whose tasks, in which order, found how, in pages; and that it stays fast with many tasks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, insert, text
from sqlalchemy.orm import Session

from database import transaction
from engine.models import UserTask, UserTaskGroup
from people.models import User
from tasks import service
from tasks.worklist import Whose, Worklist, counts, next_of_case, open_names, several, worklist
from tests.conftest import MONDAY, MakeUser
from tests.diagrams import diagram, end, flow, start
from tests.plans import plan
from tests.play import Player
from tests.tasks.conftest import single_task

HOUR = timedelta(hours=1)


def named(listed: Worklist) -> list[str]:
    return [row.title or row.name for row in listed.rows]


@pytest.fixture
def cars(shop: Player) -> Player:
    """Three cars at reception, one an hour after the other."""
    for plate in ("A1", "A2", "A3"):
        shop.start("car-repair", {"plate": plate, "customer": "x"})
        shop.set_clock(shop.now + HOUR)
    return shop


def test_mine_are_those_assigned_to_me(cars: Player, wang: User, li: User, session: Session) -> None:
    key = cars.instances("car-repair")[1].task("estimate").key
    with transaction(session):
        service.claim(session, wang, key)

    assert named(worklist(session, wang, Whose.MINE)) == ["A2 x"]
    assert named(worklist(session, li, Whose.MINE)) == []


def test_my_groups_are_those_that_nobody_has_and_i_may_claim(
    cars: Player, wang: User, li: User, zhang: User, session: Session
) -> None:
    key = cars.instances("car-repair")[0].task("estimate").key
    with transaction(session):
        service.claim(session, wang, key)

    assert named(worklist(session, li, Whose.GROUPS)) == ["A2 x", "A3 x"]
    assert named(worklist(session, wang, Whose.GROUPS)) == ["A2 x", "A3 x"]
    assert named(worklist(session, zhang, Whose.GROUPS)) == []


def test_all_are_those_i_may_see_with_who_has_them(
    cars: Player, wang: User, li: User, zhang: User, boss: User, session: Session
) -> None:
    key = cars.instances("car-repair")[0].task("estimate").key
    with transaction(session):
        service.claim(session, wang, key)

    rows = worklist(session, li, Whose.ALL).rows
    assert [(row.assignee_name, row.may_work) for row in rows] == [("王芳", True), (None, True), (None, True)]
    assert [row.may_work for row in worklist(session, boss, Whose.ALL).rows] == [False, False, False]
    assert worklist(session, zhang, Whose.ALL).rows == []


def test_a_done_task_is_gone(cars: Player, wang: User, session: Session) -> None:
    first = cars.instances("car-repair")[0].task("estimate").key
    with transaction(session):
        service.complete(session, wang, first, {"price": 1})

    assert named(worklist(session, wang, Whose.ALL)) == ["A2 x", "A3 x"]
    assert several(session, wang, [first]) == {}


def test_candidates_by_name_and_tasks_for_everybody(shop: Player, wang: User, zhang: User, session: Session) -> None:
    shop.deploy(single_task("named", "<zeebe:assignmentDefinition candidateUsers='zhang.gang'/>", "只给张刚"))
    shop.deploy(single_task("free", name="谁都可以"))
    shop.start("named")
    shop.start("free")

    assert named(worklist(session, zhang, Whose.GROUPS)) == ["只给张刚", "谁都可以"]
    assert named(worklist(session, wang, Whose.GROUPS)) == ["谁都可以"]


def test_overdue_comes_first_then_due_date_then_priority_then_age(shop: Player, wang: User, session: Session) -> None:
    def task(name: str, due: str | None, priority: int) -> None:
        schedule = f"<zeebe:taskSchedule dueDate='{due}'/>" if due else ""
        rank = f"<zeebe:priorityDefinition priority='{priority}'/>"
        shop.deploy(single_task(name, schedule + rank, name))
        shop.start(name)

    task("no-date", None, 50)
    task("no-date-urgent", None, 90)
    task("later", "2025-03-09T09:00:00+08:00", 99)
    task("soon", "2025-03-04T09:00:00+08:00", 50)
    task("soon-urgent", "2025-03-04T09:00:00+08:00", 80)
    task("soon-younger", "2025-03-04T09:00:00+08:00", 50)
    task("overdue", "2025-03-01T09:00:00+08:00", 1)

    assert named(worklist(session, wang)) == [
        "overdue",
        "soon-urgent",
        "soon",
        "soon-younger",
        "later",
        "no-date-urgent",
        "no-date",
    ]


def test_pages_follow_one_another_without_gap_or_repetition(shop: Player, wang: User, session: Session) -> None:
    shop.deploy(single_task("free"))
    shop.deploy(single_task("urgent", "<zeebe:priorityDefinition priority='80'/>"))
    for _ in range(3):
        shop.start("car-repair", {"plate": "A", "customer": "x"})
        shop.start("free")
        shop.start("urgent")

    whole = [row.key for row in worklist(session, wang).rows]
    paged: list[int] = []
    cursor = None
    while True:
        page = worklist(session, wang, cursor=cursor, size=2)
        paged += [row.key for row in page.rows]
        cursor = page.cursor
        if cursor is None:
            break

    assert len(whole) == 9
    assert paged == whole


@pytest.mark.parametrize("cursor", ["x", "1~2", "2025-01-01~1~1", "~a~1", "~1~1~1"])
def test_what_is_no_cursor_is_refused(cursor: str, wang: User, session: Session) -> None:
    with pytest.raises(ValueError, match=r"cursor|int|isoformat|unpack"):
        worklist(session, wang, cursor=cursor)


def test_search_looks_into_the_names_of_task_case_and_process(cars: Player, wang: User, session: Session) -> None:
    assert named(worklist(session, wang, search=" a2 ")) == ["A2 x"]
    assert len(worklist(session, wang, search="估").rows) == 3
    assert len(worklist(session, wang, search="car-rep").rows) == 3
    assert worklist(session, wang, search="100%").rows == []
    assert worklist(session, wang, search="_").rows == []
    assert len(worklist(session, wang, search="estimate", names=("估价",)).rows) == 3
    assert open_names(session) == {"估价", "car-repair"}


def test_one_process_can_be_picked(cars: Player, wang: User, session: Session) -> None:
    cars.deploy(single_task("free", name="谁都可以"))
    cars.start("free")

    assert named(worklist(session, wang, process_id="free")) == ["谁都可以"]
    assert len(worklist(session, wang, process_id="car-repair").rows) == 3


def test_counts_are_told_for_each_process_and_view(cars: Player, wang: User, boss: User, session: Session) -> None:
    cars.deploy(single_task("free"))
    cars.start("free")
    with transaction(session):
        service.claim(session, wang, cars.instances("car-repair")[0].task("estimate").key)

    assert [(count.process_id, count.mine, count.groups, count.all) for count in counts(session, wang)] == [
        ("car-repair", 1, 2, 3),
        ("free", 0, 1, 1),
    ]
    assert [(count.process_id, count.mine, count.groups, count.all) for count in counts(session, boss)] == [
        ("car-repair", 0, 0, 3),
        ("free", 0, 1, 1),
    ]


def test_a_called_case_bears_the_title_of_its_caller(shop: Player, wang: User, session: Session) -> None:
    called = '<bpmn:callActivity id="call"><bpmn:extensionElements><zeebe:calledElement processId="free"/></bpmn:extensionElements></bpmn:callActivity>'  # noqa: E501
    title = "<zeebe:properties><zeebe:property name='title' value='=plate'/></zeebe:properties>"
    shop.deploy(single_task("free"))
    shop.deploy(
        diagram(
            start(), called, end(), flow("start", "call"), flow("call", "end"), process_id="caller", extensions=title
        )
    )
    case = shop.start("caller", {"plate": "A9"})

    assert named(worklist(session, wang)) == ["A9"]
    following = next_of_case(session, wang, case.key)
    assert following is not None
    assert following.element_id == "do"


@contextmanager
def queries(session: Session) -> Iterator[list[tuple[str, Any]]]:
    """Collect the statements and parameters that the database gets."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if statement.startswith("SELECT"):
            seen.append((statement, parameters))

    engine = session.get_bind()
    assert isinstance(engine, Engine)
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def thousands(shop: Player, session: Session, make_user: MakeUser) -> None:
    """Ten thousand open tasks of other people, and as many done; only a few belong to the shop's own."""
    case = shop.start("car-repair", {"plate": "A1", "customer": "x"})
    pattern = {name: getattr(case.task("estimate"), name) for name in UserTask.__mapper__.attrs.keys()}  # noqa: SIM118
    base = pattern["key"] + 1
    rows = [
        {
            **pattern,
            "key": base + number,
            "state": "CREATED" if number % 2 else "COMPLETED",
            "assignee": f"user{number % 50}",
            "candidate_groups": [f"group{number % 40}"],
            "due_at": MONDAY + timedelta(minutes=number),
        }
        for number in range(20_000)
    ]
    with transaction(session):
        session.execute(insert(UserTask), rows)
        session.execute(
            insert(UserTaskGroup),
            [
                {"task_key": row["key"], "group_id": row["candidate_groups"][0]}
                for row in rows
                if row["state"] == "CREATED"
            ],
        )
        session.execute(text("ANALYZE"))


@pytest.mark.parametrize("whose", list(Whose))
def test_one_query_for_the_list_and_one_for_the_counts(
    whose: Whose, cars: Player, wang: User, session: Session
) -> None:
    with queries(session) as seen:
        worklist(session, wang, whose)
        assert len(seen) == 1
        counts(session, wang)
        assert len(seen) == 2


@pytest.mark.usefixtures("thousands")
@pytest.mark.parametrize(
    ("whose", "indexes"),
    [
        (Whose.MINE, {"ix_user_task_mine"}),
        (Whose.GROUPS, {"ix_user_task_group_group", "ix_user_task_user_user"}),
        (Whose.ALL, {"ix_user_task_group_group", "ix_user_task_user_user"}),
    ],
)
def test_the_list_finds_its_tasks_by_index(whose: Whose, indexes: set[str], wang: User, session: Session) -> None:
    with queries(session) as seen:
        assert len(worklist(session, wang, whose).rows) == (0 if whose == Whose.MINE else 1)
    [(statement, parameters)] = seen

    found = plan(session, statement, parameters)

    assert found.indexes >= indexes
    # Tables are searched by an index, or (open tasks only) walked along a partial one.
    assert not any("user_task" in table for table in found.whole_tables), found
