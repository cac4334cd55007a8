"""A manager moves cases to another version and does the same to many: seen first, then done case by case by workers."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from database import transaction
from engine.models import Audit, ProcessInstance
from engine.worker import run_due
from people.models import User
from processes.service import Resource, deploy
from tests.cockpit.conftest import Company
from tests.cockpit.diagrams import REPAIR

SignIn = Callable[[User], FlaskClient]

#: The washer's task is another one.
CHANGED = (
    REPAIR.decode()
    .replace('<userTask id="wash" name="洗车">', '<userTask id="wash-and-dry" name="洗车擦干">')
    .replace('sourceRef="wash"', 'sourceRef="wash-and-dry"')
    .replace('targetRef="wash"', 'targetRef="wash-and-dry"')
)


@pytest.fixture
def second(company: Company) -> Callable[[], int]:
    """Deploy the second version and return its key."""

    def make() -> int:
        with company.sessions() as session, transaction(session):
            deployed = deploy(session, [Resource("repair.bpmn", CHANGED.encode())], "sun.owner")
            return deployed.processes[0].key

    return make


def version_of(company: Company, case: int) -> int:
    """Return the version that a case runs in."""
    with company.sessions() as session:
        return session.scalars(select(ProcessInstance.version).where(ProcessInstance.key == case)).one()


def followed(browser: FlaskClient, address: str, **fields: object) -> tuple[str, str]:
    """Post a form; return the path of the page it leads to, and the page."""
    answer = browser.post(address, data=fields, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    return answer.request.path, answer.text


def test_the_page_suggests_what_each_step_becomes(company: Company, second: Callable[[], int], sign_in: SignIn) -> None:
    company.repair()
    browser = sign_in(company.manager)
    only = browser.get("/processes/repair/migration").text
    assert "There is only one version" in only
    second()
    page = browser.get("/processes/repair/migration").text
    gone = page[page.index('id="map-wash"') : page.index("</select>", page.index('id="map-wash"'))]
    assert '<option value="">' in gone
    assert "洗车擦干 (wash-and-dry)" in gone
    assert "selected" not in gone
    kept = page[page.index('id="map-reception"') : page.index("</select>", page.index('id="map-reception"'))]
    assert '<option value="reception" selected>' in kept
    assert "1 now" in page
    assert "Move running cases to another version" in browser.get("/processes/repair").text


def test_a_dry_run_says_for_each_case_what_would_happen_or_why_it_cannot(
    company: Company, second: Callable[[], int], sign_in: SignIn
) -> None:
    at_reception, at_wash = company.repair("沪A1"), company.repair("沪A2")
    company.complete(at_wash, "reception", amount=5)
    second()
    browser = sign_in(company.manager)
    page = browser.post("/processes/repair/migration", data={"step": "look", "map:reception": "reception"}).text
    assert "1 case can be moved." in page
    assert "1 cannot and stays as it is." in page
    cannot = page[page.index("cannot be moved</span>") :]
    assert "“洗车” is active and has no mapping." in cannot
    # What needs a look comes first.
    assert "沪A1" in cannot
    assert "no longer waited for: 催办" in page
    assert (version_of(company, at_reception), version_of(company, at_wash)) == (1, 1)


def test_all_that_can_be_moved_are_and_the_others_are_listed_with_their_reason(
    company: Company, second: Callable[[], int], sign_in: SignIn
) -> None:
    moved, stays = company.repair("沪A1"), company.repair("沪A2")
    company.complete(stays, "reception", amount=5)
    second()
    browser = sign_in(company.manager)
    plan = {"map:reception": "reception", "map:remind": "remind"}
    without = browser.post("/processes/repair/migration", data={**plan, "step": "all", "reason": " "})
    assert without.status_code == 400
    assert "Say why" in without.text
    path, page = followed(browser, "/processes/repair/migration", **plan, step="all", reason="新流程生效")
    assert "0 of 2" in page
    assert "every 2s" in page
    run_due(company.sessions)
    page = browser.get(path).text
    assert "2 of 2" in page
    assert "1 failed" in page
    assert "“洗车” is active and has no mapping." in page
    assert "every 2s" not in page
    assert (version_of(company, moved), version_of(company, stays)) == (2, 1)
    with company.sessions() as session:
        noted = session.scalars(select(Audit).where(Audit.action == "migrate process instance")).one()
    assert (noted.instance_key, noted.actor, noted.details["reason"]) == (moved, "zhou.jie", "新流程生效")
    assert "新流程生效" in browser.get(f"/instances/{moved}").text
    assert "新流程生效" in browser.get("/batches").text


def test_only_the_chosen_cases_are_moved_by_a_changed_mapping(
    company: Company, second: Callable[[], int], sign_in: SignIn
) -> None:
    cases = [company.repair(f"沪A{number}") for number in range(3)]
    for case in cases:
        company.complete(case, "reception", amount=5)
    second()
    browser = sign_in(company.manager)
    plan = {"map:wash": "wash-and-dry"}
    nobody = browser.post("/processes/repair/migration", data={**plan, "step": "chosen", "reason": "x"})
    assert nobody.status_code == 400
    path, _page = followed(
        browser, "/processes/repair/migration", **plan, step="chosen", reason="试点", case=[str(cases[1])]
    )
    run_due(company.sessions)
    assert "1 of 1" in browser.get(path).text
    assert [version_of(company, case) for case in cases] == [1, 2, 1]
    assert company.task(cases[1], "wash-and-dry").name == "洗车擦干"


def test_the_case_list_lets_many_be_cancelled_and_retried_with_a_reason(company: Company, sign_in: SignIn) -> None:
    cases = [company.repair(f"沪A{number}") for number in range(3)]
    browser = sign_in(company.manager)
    page = browser.get("/instances").text
    assert len(re.findall('type="checkbox" name="case"', page)) == 3
    refused = browser.post("/batches", data={"what": "cancel", "case": str(cases[0]), "reason": ""})
    assert refused.status_code == 302
    path, page = followed(browser, "/batches", what="cancel", reason="重复")
    assert path == "/instances"
    assert "tick at least one case" in page
    assert '<option value="cancel" selected>' in page
    assert 'value="重复"' in page
    path, _page = followed(browser, "/batches", what="cancel", case=[str(key) for key in cases[:2]], reason="重复")
    run_due(company.sessions)
    assert "2 of 2" in browser.get(path).text
    with company.sessions() as session:
        states = session.execute(select(ProcessInstance.key, ProcessInstance.state)).all()
    assert dict(states) == {cases[0]: "TERMINATED", cases[1]: "TERMINATED", cases[2]: "ACTIVE"}
    assert "重复" in browser.get(f"/instances/{cases[0]}").text

    company.complete(cases[2], "reception", amount="many")
    path, _page = followed(browser, "/batches", what="retry", reason="规则已改", all="1", only="incident")
    incident = company.incident(cases[2])
    run_due(company.sessions)
    assert "金额大吗" in browser.get(path).text
    again = company.incident(cases[2])
    assert incident is not None
    assert again is not None
    assert again.key != incident.key


def test_what_does_not_fit_is_said_to_be_left_out(company: Company, sign_in: SignIn) -> None:
    still, running = company.repair("沪A1"), company.repair("沪A2")
    browser = sign_in(company.manager)
    _path, page = followed(browser, "/batches", what="suspend", case=[str(still)], reason="等配件")
    assert "left out" not in page
    run_due(company.sessions)
    assert "suspended" in browser.get("/instances?q=沪A1").text
    assert "suspended" not in browser.get("/instances?q=沪A2").text.split("<tbody")[1]
    path, page = followed(browser, "/batches", what="suspend", case=[str(still), str(running)], reason="盘点")
    assert "1 case that you chose is left out" in page
    run_due(company.sessions)
    assert "1 of 1" in browser.get(path).text


def test_an_operation_is_held_up_goes_on_and_is_stopped(company: Company, sign_in: SignIn) -> None:
    case = company.repair()
    browser = sign_in(company.manager)
    path, _page = followed(browser, "/batches", what="suspend", case=[str(case)], reason="盘点")
    assert "held up" in followed(browser, f"{path}/suspend")[1]
    run_due(company.sessions)
    assert "0 of 1" in browser.get(path).text
    assert "waits for a worker" in followed(browser, f"{path}/resume")[1]
    assert "stopped" in followed(browser, f"{path}/cancel")[1]
    run_due(company.sessions)
    page = browser.get(path).text
    assert "left undone" in page
    assert "0 of 1" in page
    assert "It was over before" in followed(browser, f"{path}/cancel")[1]
    with company.sessions() as session:
        assert session.get_one(ProcessInstance, case).suspended_at is None


def test_only_managers_do_the_same_to_many(company: Company, second: Callable[[], int], sign_in: SignIn) -> None:
    case = company.repair()
    second()
    for user in (company.receptionist, company.owner):
        browser = sign_in(user)
        assert browser.get("/processes/repair/migration").status_code == 403
        assert "Move running cases" not in browser.get("/processes/repair").text
        assert browser.post("/processes/repair/migration", data={"step": "all", "reason": "x"}).status_code == 403
        assert browser.get("/batches").status_code == 403
        answer = browser.post("/batches", data={"what": "cancel", "case": str(case), "reason": "x"})
        assert answer.status_code == 403
        assert "Do the same" not in browser.get("/instances").text
