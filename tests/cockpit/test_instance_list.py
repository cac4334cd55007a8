"""The instance list: what it shows, to whom, and how it is narrowed and paged."""

from __future__ import annotations

from collections.abc import Callable

from flask.testing import FlaskClient

from cockpit import instances
from cockpit.instances import InstanceFilter, Trouble
from cockpit.visibility import ways
from engine.instances import CancelInstance
from engine.models import ProcessState
from engine.suspension import ResumeInstance, SuspendInstance
from people.models import User
from tests.cockpit.conftest import Company, Statements

SignIn = Callable[[User], FlaskClient]


def _listed(company: Company, user: User, wanted: InstanceFilter | None = None) -> list[int]:
    with company.sessions() as session:
        page = instances.page(session, ways(session, user), wanted or InstanceFilter())
    return [row.key for row in page.rows]


def test_newest_cases_come_first(company: Company) -> None:
    first = company.repair("沪A00001")
    company.wait(minutes=5)
    second = company.repair("沪A00002")
    assert _listed(company, company.manager) == [second, first]


def test_staff_see_the_cases_that_their_groups_take_part_in(company: Company) -> None:
    repair, child_owner = company.repair(), company.start("child", actor="zhou.jie")
    assert _listed(company, company.receptionist) == [repair]
    assert _listed(company, company.washer) == [repair]
    assert _listed(company, company.outsider) == []
    assert set(_listed(company, company.manager)) == {repair, child_owner}


def test_who_started_a_case_sees_it_whatever_their_groups(company: Company) -> None:
    case = company.start("child", actor="chen.hr")
    assert _listed(company, company.outsider) == [case]


def test_who_has_had_a_task_in_a_case_sees_it(company: Company) -> None:
    case = company.repair()
    company.assign(case, "reception", "chen.hr")
    assert _listed(company, company.outsider) == [case]


def test_text_finds_title_value_variable_and_number(company: Company) -> None:
    mine, other = company.repair("沪A12345", note='he said "now"'), company.repair("苏B99999")
    for text in ("12345", "沪a123", 'said "now"', "plate=沪A", str(mine)):
        assert _listed(company, company.manager, InstanceFilter(text=text)) == [mine], text
    assert set(_listed(company, company.manager, InstanceFilter(text="李雷"))) == {mine, other}
    assert _listed(company, company.manager, InstanceFilter(text="customer=沪A")) == []
    assert _listed(company, company.manager, InstanceFilter(text="%")) == []


def test_state_and_process_narrow_the_list(company: Company) -> None:
    repair, child = company.repair(), company.start("child")
    company.complete(child, "extra")
    assert _listed(company, company.manager, InstanceFilter(state=ProcessState.ACTIVE)) == [repair]
    assert _listed(company, company.manager, InstanceFilter(state=ProcessState.COMPLETED)) == [child]
    assert _listed(company, company.manager, InstanceFilter(process_id="child")) == [child]


def test_a_case_is_overdue_from_the_due_date_of_its_task_on(company: Company) -> None:
    case = company.repair()
    wanted = InstanceFilter(trouble=Trouble.OVERDUE)
    company.wait(hours=3, minutes=59)
    assert _listed(company, company.manager, wanted) == []
    company.wait(minutes=2)
    assert _listed(company, company.manager, wanted) == [case]


def test_a_case_is_overdue_when_no_worker_fires_its_timer(company: Company) -> None:
    case = company.repair()
    company.wait(hours=3, minutes=10, worker=False)
    assert _listed(company, company.manager, InstanceFilter(trouble=Trouble.OVERDUE)) == [case]


def test_a_failed_decision_is_a_case_with_an_incident(company: Company) -> None:
    failed, fine = company.repair(), company.repair()
    company.complete(failed, "reception", amount="many")
    assert _listed(company, company.manager, InstanceFilter(trouble=Trouble.INCIDENT)) == [failed]
    with company.sessions() as session:
        counts = instances.counts(session, ways(session, company.manager), InstanceFilter())
    assert (counts.total, counts.incident, counts.overdue) == (2, 1, 0)
    assert fine in _listed(company, company.manager, InstanceFilter(state=ProcessState.ACTIVE))


def test_suspended_cases_are_found_until_they_go_on_or_end(
    company: Company, sign_in: Callable[[User], FlaskClient]
) -> None:
    resumed, cancelled, held, fine = (company.repair() for _ in range(4))
    browser = sign_in(company.manager)
    assert "only=suspended" not in browser.get("/instances").text
    for case in (resumed, cancelled, held):
        company.execute(case, SuspendInstance())
    wanted = InstanceFilter(trouble=Trouble.SUSPENDED)
    assert set(_listed(company, company.manager, wanted)) == {resumed, cancelled, held}

    company.execute(resumed, ResumeInstance())
    company.execute(cancelled, CancelInstance())

    assert _listed(company, company.manager, wanted) == [held]
    with company.sessions() as session:
        counts = instances.counts(session, ways(session, company.manager), InstanceFilter())
    assert (counts.suspended, counts.by_state["ACTIVE"]) == (1, 3)
    listed = browser.get("/instances?only=suspended").text
    assert f"/instances/{held}" in listed
    assert f"/instances/{fine}" not in listed


def test_pages_follow_each_other_without_gap_or_repetition(company: Company) -> None:
    keys = []
    for number in range(7):
        keys.append(company.repair(f"沪A0000{number}"))
        if number % 3 == 0:
            company.wait(minutes=1)
    seen: list[int] = []
    with company.sessions() as session:
        after = None
        while True:
            page = instances.page(session, ways(session, company.manager), InstanceFilter(), after, size=3)
            seen += [row.key for row in page.rows]
            after = page.next
            if after is None:
                break
    assert seen == keys[::-1]


def test_a_page_takes_the_same_number_of_queries_however_long_it_is(company: Company, statements: Statements) -> None:
    def queries() -> int:
        with company.sessions() as session, statements(session) as sent:
            instances.page(session, ways(session, company.receptionist), InstanceFilter())
        return len(sent)

    company.repair()
    one = queries()
    for number in range(30):
        company.repair(f"沪A000{number}")
    assert queries() == one
    assert one <= 8


def test_the_page_tells_where_each_case_stands(company: Company, sign_in: SignIn) -> None:
    case = company.repair()
    company.assign(case, "reception", "li.na")
    page = sign_in(company.manager).get("/instances").text
    assert "沪A12345 李雷" in page
    assert "接待登记" in page
    assert "李娜" in page
    assert f"/instances/{case}" in page


def test_the_page_keeps_its_filter_while_one_pages_on(company: Company, sign_in: SignIn) -> None:
    for number in range(instances.PAGE_SIZE + 1):
        company.repair(f"沪A{number:05}")
    browser = sign_in(company.manager)
    page = browser.get("/instances?state=ACTIVE&q=沪A")
    assert page.text.count("data-keyboard-row") == instances.PAGE_SIZE
    start = page.text.index('rel="next"')
    link = page.text[start:].partition('href="')[2].partition('"')[0].replace("&amp;", "&")
    older = browser.get(link)
    assert older.text.count("data-keyboard-row") == 1
    assert 'value="沪A"' in older.text


def test_a_broken_address_shows_the_list(company: Company, sign_in: SignIn) -> None:
    company.repair()
    page = sign_in(company.manager).get("/instances?state=NONSENSE&only=x&after=yesterday_1&q=%00")
    assert page.status_code == 200


def test_somebody_who_is_not_signed_in_is_asked_to(company: Company, client: FlaskClient) -> None:
    assert company.repair()
    assert client.get("/instances").status_code == 302
