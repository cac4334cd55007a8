"""Stalled cases: each reason at its time, who could act, and what a manager does about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from flask.testing import FlaskClient
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from cockpit import stalled
from cockpit.stalled import Reason, StalledFilter, StalledRow
from database import transaction
from engine.keys import new_key
from engine.models import ElementInstance, ProcessInstance, UserTask
from people.models import User
from tests.cockpit.conftest import Company, Statements
from tests.plans import plan

SignIn = Callable[[User], FlaskClient]


def _stalled(company: Company, wanted: StalledFilter | None = None) -> list[StalledRow]:
    with company.sessions() as session:
        return list(stalled.page(session, wanted or StalledFilter()).rows)


def _reasons(company: Company) -> list[tuple[Reason, str]]:
    return [(row.reason, row.element_id) for row in _stalled(company)]


def test_a_case_in_time_is_not_stalled(company: Company) -> None:
    company.repair()
    company.wait(hours=3, minutes=30)
    assert _reasons(company) == []


def test_a_task_past_its_due_date_is_stalled_whoever_has_it(company: Company) -> None:
    free, held = company.repair(), company.repair()
    company.assign(held, "reception", "li.na")
    company.wait(hours=4, minutes=1)
    rows = _stalled(company)
    assert [(row.reason, row.element_name) for row in rows] == [(Reason.TASK_OVERDUE, "接待登记")] * 2
    assert {row.instance_key for row in rows} == {free, held}
    assert rows[0].since == datetime(2025, 3, 3, 5, 0, tzinfo=UTC)


def test_a_timer_that_no_worker_fires_is_stalled(company: Company) -> None:
    company.repair()
    company.wait(hours=3, minutes=3, worker=False)
    assert _reasons(company) == [(Reason.TIMER_OVERDUE, "remind")]
    company.wait(minutes=0)
    assert _reasons(company) == []


def test_an_incident_is_stalled_from_the_moment_it_happens(company: Company) -> None:
    case = company.repair()
    company.complete(case, "reception", amount="many")
    (row,) = _stalled(company)
    assert (row.reason, row.element_id, row.element_name) == (Reason.INCIDENT, "large", "金额大吗")
    assert row.incident is not None
    assert row.incident.type == "EXTRACT_VALUE_ERROR"


def test_a_task_that_nobody_takes_for_a_day_is_stalled(company: Company) -> None:
    case = company.repair()
    company.complete(case, "reception", amount=5)
    company.wait(hours=23)
    assert _reasons(company) == []
    company.wait(hours=2)
    assert _reasons(company) == [(Reason.UNTOUCHED, "wash")]


def test_a_task_that_somebody_has_taken_is_not_left_lying(company: Company) -> None:
    case = company.repair()
    company.complete(case, "reception", amount=5)
    company.assign(case, "wash", "zhao.lei")
    company.wait(days=3)
    assert _reasons(company) == []


def test_an_overdue_task_that_nobody_took_is_told_once(company: Company) -> None:
    case = company.repair()
    company.wait(days=2)
    mine = [row for row in _stalled(company) if row.element_id == "reception"]
    assert [(row.instance_key, row.reason) for row in mine] == [(case, Reason.TASK_OVERDUE)]


def test_an_ended_case_is_not_stalled(company: Company, sign_in: SignIn) -> None:
    case = company.repair()
    company.wait(days=2)
    sign_in(company.manager).post(f"/instances/{case}/cancel", data={"reason": "old"})
    assert _reasons(company) == []


def test_what_is_stuck_longest_comes_first(company: Company) -> None:
    waiting = company.repair()
    company.complete(waiting, "reception", amount=5)
    company.wait(hours=20)
    failed = company.repair()
    company.complete(failed, "reception", amount="many")
    late = company.repair()
    company.wait(hours=5)
    rows = _stalled(company)
    assert [(row.instance_key, row.reason) for row in rows] == [
        (waiting, Reason.UNTOUCHED),
        (failed, Reason.INCIDENT),
        (late, Reason.TASK_OVERDUE),
    ]


def test_reason_and_process_narrow_the_page(company: Company) -> None:
    case = company.repair()
    company.complete(case, "reception", amount="many")
    company.start("child")
    company.wait(days=2)
    with company.sessions() as session:
        assert stalled.process_choices(session) == [("child", "增项流程"), ("repair", "维修")]
        counts = stalled.counts(session, StalledFilter())
    assert counts.by_reason[Reason.INCIDENT] == 1
    assert counts.by_reason[Reason.UNTOUCHED] == 1
    assert counts.total == 2
    assert [row.process_id for row in _stalled(company, StalledFilter(process_id="child"))] == ["child"]
    assert [row.reason for row in _stalled(company, StalledFilter(reason=Reason.INCIDENT))] == [Reason.INCIDENT]


def test_pages_follow_each_other_without_gap_or_repetition(company: Company) -> None:
    for number in range(5):
        company.repair(f"沪A0000{number}")
    failed = company.repair()
    company.complete(failed, "reception", amount="many")
    company.wait(hours=5)
    whole = [row.key for row in _stalled(company)]
    seen: list[int] = []
    with company.sessions() as session:
        after = None
        while True:
            page = stalled.page(session, StalledFilter(), after, size=2)
            seen += [row.key for row in page.rows]
            after = page.next
            if after is None:
                break
    assert len(whole) == 6
    assert seen == whole


def test_only_managers_see_what_is_stalled(company: Company, sign_in: SignIn) -> None:
    for user, status in ((company.manager, 200), (company.receptionist, 403), (company.owner, 403)):
        assert sign_in(user).get("/stalled").status_code == status


def test_the_page_says_why_in_a_sentence_and_who_could_act(company: Company, sign_in: SignIn) -> None:
    failed, held = company.repair("沪A00001"), company.repair("沪A00002")
    company.complete(failed, "reception", amount="many")
    company.assign(held, "reception", "li.na")
    company.repair("沪A00003")
    company.wait(hours=6)
    page = sign_in(company.manager).get("/stalled").text
    assert "A value that this step needs is missing or of the wrong kind." in page
    assert "李娜 has taken it and is 2 hours late." in page
    assert "It is 2 hours late, and nobody has taken it." in page
    assert "王芳" in page


def test_the_page_speaks_chinese(company: Company, make_user: Callable[..., User], sign_in: SignIn) -> None:
    failed = company.repair("沪A00001")
    company.complete(failed, "reception", amount="many")
    company.repair("沪A00003")
    company.wait(hours=6)
    page = sign_in(make_user("wu.zong", role="manager", locale="zh")).get("/stalled").text
    assert "已逾期 2 小时，还没有人领取。" in page
    assert "这一步需要的值缺失或类型不对。" in page


def test_reassigning_from_the_page_leads_back_to_it(company: Company, sign_in: SignIn) -> None:
    case = company.repair()
    company.wait(hours=5)
    task = company.task(case, "reception")
    browser = sign_in(company.manager)
    assert f"/instances/{case}/tasks/{task.key}/reassign" in browser.get("/stalled").text
    answer = browser.post(
        f"/instances/{case}/tasks/{task.key}/reassign",
        data={"assignee": "li.na", "next": "/stalled?reason=task-overdue"},
    )
    assert answer.headers["Location"] == "/stalled?reason=task-overdue"
    assert "李娜 has taken it" in browser.get("/stalled").text


def test_the_stalled_child_of_a_case_is_cancelled_as_a_whole(company: Company, sign_in: SignIn) -> None:
    parent = company.start("caller", actor="zhou.jie")
    company.wait(days=2)
    page = sign_in(company.manager).get("/stalled").text
    assert "Cancel the whole case" in page
    assert f'action="/instances/{parent}/cancel"' in page


def _thousands(session: Session, company: Company, case: int) -> None:
    """Three thousand overdue tasks, copied from one."""
    instance, task = session.get_one(ProcessInstance, case), company.task(case, "reception")
    visit = session.get_one(ElementInstance, task.element_instance_key)
    due = datetime(2025, 3, 3, 2, 0, tzinfo=UTC)
    rows: dict[type, list[dict[str, object]]] = {ProcessInstance: [], ElementInstance: [], UserTask: []}
    for number in range(3000):
        instance_key, visit_key = new_key(), new_key()
        rows[ProcessInstance].append({**_values(instance), "key": instance_key, "root_key": instance_key})
        rows[ElementInstance].append({**_values(visit), "key": visit_key, "instance_key": instance_key})
        rows[UserTask].append(
            {
                **_values(task),
                "key": new_key(),
                "instance_key": instance_key,
                "root_key": instance_key,
                "element_instance_key": visit_key,
                "due_at": due + timedelta(seconds=number),
            }
        )
    for model, values in rows.items():
        session.execute(insert(model), values)


def _values(row: object) -> dict[str, object]:
    return {column.key: getattr(row, column.key) for column in row.__table__.columns}  # type: ignore[attr-defined]


def test_thousands_of_stalled_tasks_take_no_more_queries_than_one(company: Company, statements: Statements) -> None:
    def queries() -> int:
        with company.sessions() as session, statements(session) as sent:
            stalled.page(session, StalledFilter())
            stalled.counts(session, StalledFilter())
        return len(sent)

    case = company.repair()
    company.wait(hours=5)
    one = queries()
    with company.sessions() as session, transaction(session):
        _thousands(session, company, case)
    assert queries() == one
    assert one <= 11


def test_each_reason_is_found_by_an_index(company: Company, statements: Statements) -> None:
    case = company.repair()
    company.wait(hours=5)
    with company.sessions() as session:
        with transaction(session):
            _thousands(session, company, case)
            if session.get_bind().dialect.name == "postgresql":
                # Of rows that nobody has counted it may think anything.
                session.execute(text("ANALYZE"))
        for reason, table, indexes in (
            (Reason.INCIDENT, "incident", "ix_incident_open"),
            (Reason.TASK_OVERDUE, "user_task", "ix_user_task_due"),
            (Reason.TIMER_OVERDUE, "timer", "ix_timer_due_at"),
            # Which of the two depends on what the database thinks of the rows.
            (Reason.UNTOUCHED, "user_task", "ix_user_task_untouched ix_user_task_mine"),
        ):
            wanted = StalledFilter(reason=reason)
            with statements(session) as sent:
                stalled.page(session, wanted)
                stalled.counts(session, wanted)
            told = [(statement, parameters) for statement, parameters in sent if f"FROM {table}" in statement]
            assert told
            for statement, parameters in told:
                found = plan(session, statement, parameters)
                # What is counted may be read off another index; what is listed must come in its order.
                assert "count(" in statement or found.indexes & set(indexes.split()), (statement, found)
                assert table not in found.whole_tables, (statement, found)


def test_a_group_without_members_is_told(company: Company, sign_in: SignIn) -> None:
    company.start("child")
    company.wait(days=2)
    page = sign_in(company.manager).get("/stalled").text
    assert "nobody: 业务员 has no members" in page
