"""A manager moves a case by hand: sees in words what would happen, does it, and is told when the case has changed."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from database import transaction
from engine.invariants import check, report
from engine.models import (
    Audit,
    ElementInstance,
    ElementState,
    InstanceState,
    ProcessInstance,
    UserTask,
    UserTaskState,
    Variable,
)
from people.models import User
from tests.cockpit.conftest import Company

SignIn = Callable[[User], FlaskClient]


def place(company: Company, case: int, element_id: str) -> int:
    """Return the key of the live visit of an element."""
    with company.sessions() as session:
        return session.scalars(
            select(ElementInstance.key).where(
                ElementInstance.instance_key == case,
                ElementInstance.element_id == element_id,
                ElementInstance.state == ElementState.ACTIVE,
            )
        ).one()


def open_tasks(company: Company, case: int) -> list[str]:
    """Return the element ids of the open tasks of a case."""
    with company.sessions() as session:
        return sorted(
            session.scalars(
                select(UserTask.element_id).where(
                    UserTask.instance_key == case, UserTask.state == UserTaskState.CREATED
                )
            )
        )


def hidden(page: str, name: str) -> str:
    """Return the value of a hidden field of a page."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, name
    return found[1]


def see(browser: FlaskClient, case: int, choice: dict[str, object], page: str = "course") -> str:
    """Ask what a choice would lead to."""
    answer = browser.post(f"/instances/{case}/{page}", data={**choice, "step": "look"})
    assert answer.status_code == 200, answer.text
    return answer.text


def confirm(seen: str, choice: dict[str, object], reason: str = "客户改变主意") -> dict[str, object]:
    """Return what the button that does it sends after its consequences were seen."""
    return {
        **choice,
        "step": "do",
        "reason": reason,
        "revision": hidden(seen, "revision") if 'name="revision"' in seen else "",
        "seen": hidden(seen, "seen"),
    }


def test_a_manager_sees_in_words_what_a_move_leads_to_before_anything_happens(
    company: Company, sign_in: SignIn
) -> None:
    case = company.repair()
    company.assign(case, "reception", "wang.fang")
    key = place(company, case, "reception")
    browser = sign_in(company.manager)
    assert "接待登记" in browser.get(f"/instances/{case}/course").text
    page = see(browser, case, {f"place-{key}": "to:wash"})
    assert "The task “接待登记” that 王芳 has in hand is withdrawn." in page
    assert "The deadline “催办”" in page
    assert "The task “洗车” is created for 洗车工作人员." in page
    assert open_tasks(company, case) == ["reception"]
    with company.sessions() as session:
        assert session.scalars(select(Audit.action).where(Audit.instance_key == case)).all() == [
            "create process instance",
            "assign user task",
        ]


def test_the_move_happens_with_who_when_and_why_in_the_history(company: Company, sign_in: SignIn) -> None:
    case = company.repair()
    choice: dict[str, object] = {f"place-{place(company, case, 'reception')}": "to:wash"}
    browser = sign_in(company.manager)
    sent = confirm(see(browser, case, choice), choice)
    page = browser.post(f"/instances/{case}/course", data=sent, follow_redirects=True).text
    assert open_tasks(company, case) == ["wash"]
    assert "The case goes on as you have chosen." in page
    history = page[page.index('id="actions"') :]
    assert "周杰" in history
    assert "客户改变主意" in history
    with company.sessions() as session:
        noted = session.scalars(select(Audit).where(Audit.action == "modify process instance")).one()
    assert (noted.actor, noted.details["reason"]) == ("zhou.jie", "客户改变主意")


def test_a_step_is_started_in_addition_with_changed_data(company: Company, sign_in: SignIn) -> None:
    case = company.repair(amount=5)
    choice: dict[str, object] = {
        "start": "approve",
        "name": ["amount", "remark"],
        "kind": ["json", "text"],
        "value": ["2000", "急"],
    }
    browser = sign_in(company.manager)
    page = see(browser, case, choice)
    assert "The task “审批” is created for 业务主管." in page
    assert "withdrawn" not in page
    browser.post(f"/instances/{case}/course", data=confirm(page, choice))
    assert open_tasks(company, case) == ["approve", "reception"]
    with company.sessions() as session:
        rows = session.execute(select(Variable.name, Variable.value).where(Variable.scope_key == case))
        assert dict(rows.all()) == {"plate": "沪A12345", "customer": "李雷", "amount": 2000, "remark": "急"}


def test_taking_the_last_token_away_is_announced_as_the_end_of_the_case(company: Company, sign_in: SignIn) -> None:
    case = company.repair()
    choice: dict[str, object] = {
        f"place-{place(company, case, 'reception')}": "withdraw",
        "name": "note",
        "kind": "text",
        "value": "weg",
    }
    browser = sign_in(company.manager)
    page = see(browser, case, choice)
    assert "Nothing is left in the case: it is cancelled for good." in page
    browser.post(f"/instances/{case}/course", data=confirm(page, choice))
    with company.sessions() as session:
        assert session.get_one(ProcessInstance, case).state == "TERMINATED"


def test_a_failure_on_the_way_is_foreseen(company: Company, sign_in: SignIn) -> None:
    case = company.repair()
    page = see(sign_in(company.manager), case, {f"place-{place(company, case, 'reception')}": "to:large"})
    assert "“金额大吗” will fail:" in page
    assert company.incident(case) is None


def test_the_end_of_a_called_case_is_told_with_its_tasks(company: Company, sign_in: SignIn) -> None:
    case = company.start("caller", actor="zhou.jie")
    choice: dict[str, object] = {f"place-{place(company, case, 'call')}": "to:end"}
    page = see(sign_in(company.manager), case, choice)
    assert "The case “增项流程” that it started ends." in page
    assert "1 open task ends with it." in page
    assert "The case reaches its end and is completed." in page


def test_nothing_is_done_without_a_reason_or_without_a_choice(company: Company, sign_in: SignIn) -> None:
    case = company.repair()
    choice: dict[str, object] = {f"place-{place(company, case, 'reception')}": "to:wash"}
    browser = sign_in(company.manager)
    without = browser.post(f"/instances/{case}/course", data=confirm(see(browser, case, choice), choice, reason="  "))
    assert without.status_code == 400
    assert "Say why" in without.text
    nothing = browser.post(f"/instances/{case}/course", data={"step": "look"})
    assert nothing.status_code == 400
    assert "Choose at least one step" in nothing.text
    assert open_tasks(company, case) == ["reception"]


def test_what_was_not_seen_is_not_done(company: Company, sign_in: SignIn) -> None:
    case = company.repair()
    key = place(company, case, "reception")
    choice: dict[str, object] = {f"place-{key}": "to:wash"}
    browser = sign_in(company.manager)
    sent = confirm(see(browser, case, choice), choice) | {f"place-{key}": "to:approve"}
    page = browser.post(f"/instances/{case}/course", data=sent)
    assert "The task “审批” is created for 业务主管." in page.text
    assert open_tasks(company, case) == ["reception"]


def test_the_second_of_two_managers_gets_a_sentence_and_the_case_as_it_is(company: Company, sign_in: SignIn) -> None:
    case = company.repair()
    choice: dict[str, object] = {f"place-{place(company, case, 'reception')}": "to:wash"}
    browser = sign_in(company.manager)
    sent = confirm(see(browser, case, choice), choice)
    company.complete(case, "reception", amount=5000)
    late = browser.post(f"/instances/{case}/course", data=sent)
    assert late.status_code == 409
    assert "The case has changed since you looked at it." in late.text
    assert "Last changed by 王芳" in late.text
    assert "审批" in late.text[late.text.index("Where the case stands") :]
    assert open_tasks(company, case) == ["approve"]


def test_a_place_that_is_gone_is_said_so(company: Company, sign_in: SignIn) -> None:
    case = company.repair()
    key = place(company, case, "reception")
    company.complete(case, "reception", amount=5)
    answer = sign_in(company.manager).post(
        f"/instances/{case}/course", data={f"place-{key}": "to:wash", "step": "look"}
    )
    assert answer.status_code == 409
    assert "Somebody was faster" in answer.text


@pytest.mark.parametrize("target", ["to:start", "to:remind", "to:nowhere", "to:"])
def test_what_cannot_be_activated_is_refused_with_a_sentence(company: Company, sign_in: SignIn, target: str) -> None:
    case = company.repair()
    browser = sign_in(company.manager)
    answer = browser.post(
        f"/instances/{case}/course", data={f"place-{place(company, case, 'reception')}": target, "step": "look"}
    )
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert open_tasks(company, case) == ["reception"]


def test_staff_and_process_owners_are_refused(company: Company, sign_in: SignIn) -> None:
    case = company.repair()
    key = place(company, case, "reception")
    for user in (company.receptionist, company.owner):
        browser = sign_in(user)
        for path in ("course", "restart"):
            assert browser.get(f"/instances/{case}/{path}").status_code == 403
            answer = browser.post(f"/instances/{case}/{path}", data={f"place-{key}": "to:wash", "step": "look"})
            assert answer.status_code == 403
            assert "Only managers intervene in a case." in answer.text
        assert "Change the course" not in browser.get(f"/instances/{case}").text
    assert open_tasks(company, case) == ["reception"]


def test_an_ended_case_is_started_anew_at_a_step(company: Company, sign_in: SignIn) -> None:
    case = company.repair()
    company.complete(case, "reception", amount=5)
    company.complete(case, "wash")
    browser = sign_in(company.manager)
    assert "Start anew" in browser.get(f"/instances/{case}").text
    first = browser.get(f"/instances/{case}/restart").text
    assert "洗车" in first
    choice: dict[str, object] = {
        "start": "approve",
        "name": "amount",
        "kind": "json",
        "value": "900",
        "version": hidden(first, "version"),
    }
    page = see(browser, case, choice, "restart")
    assert "The task “审批” is created for 业务主管." in page
    with company.sessions() as session:
        assert session.scalars(select(ProcessInstance.key)).all() == [case]
    sent = confirm(page, choice, "返修")
    answer = browser.post(f"/instances/{case}/restart", data=sent, follow_redirects=True)
    assert "This is the new case." in answer.text
    assert "返修" in answer.text
    with company.sessions() as session:
        new = session.scalars(select(ProcessInstance).where(ProcessInstance.key != case)).one()
        rows = session.execute(select(Variable.name, Variable.value).where(Variable.scope_key == new.key))
        assert dict(rows.all())["amount"] == 900
    assert new.title == "沪A12345 李雷"
    assert open_tasks(company, new.key) == ["approve"]
    assert "返修" in browser.get(f"/instances/{case}").text


def test_a_running_case_is_not_started_anew(company: Company, sign_in: SignIn) -> None:
    case = company.repair()
    assert sign_in(company.manager).get(f"/instances/{case}/restart").status_code == 409


def test_an_incident_is_corrected_and_retried_in_one_go(company: Company, sign_in: SignIn) -> None:
    case = company.repair()
    company.complete(case, "reception", amount="many")
    incident = company.incident(case)
    assert incident is not None
    browser = sign_in(company.manager)
    assert "Correct data and retry" in browser.get(f"/instances/{case}").text
    address = f"/instances/{case}/incidents/{incident.key}/repair"
    wrong = browser.post(address, data={"name": "amount", "kind": "json", "value": "{"})
    assert wrong.status_code == 400
    answer = browser.post(address, data={"name": "amount", "kind": "json", "value": "2000"}, follow_redirects=True)
    assert "tried again and went on" in answer.text
    assert open_tasks(company, case) == ["approve"]
    assert company.incident(case) is None
    again = browser.post(address, data={"name": "amount", "kind": "json", "value": "1"})
    assert again.status_code == 409
    assert "Somebody was faster" in again.text
    assert sign_in(company.receptionist).post(address, data={}).status_code == 403


def test_a_case_whose_state_is_unreadable_is_cancelled_and_started_anew(company: Company, sign_in: SignIn) -> None:
    case = company.repair()
    with company.sessions() as session, transaction(session):
        session.execute(update(InstanceState).where(InstanceState.instance_key == case).values(tokens=b"nonsense"))
    with company.sessions() as session:
        violations = check(session)
    report(company.sessions, violations)
    browser = sign_in(company.manager)
    assert "Its state cannot be read" in browser.get(f"/instances/{case}").text
    incident = company.incident(case)
    assert incident is not None
    for path, choice in (
        (f"incidents/{incident.key}/retry", {}),
        (f"incidents/{incident.key}/repair", {}),
        ("course", {f"place-{place(company, case, 'reception')}": "to:wash", "step": "look"}),
    ):
        answer = browser.post(f"/instances/{case}/{path}", data=choice)
        assert answer.status_code == 409, path
        assert "Cancel it, then start it anew at the right step." in answer.text
    browser.post(f"/instances/{case}/cancel", data={"reason": "状态损坏"})
    first = browser.get(f"/instances/{case}/restart").text
    wish: dict[str, object] = {"start": "reception", "version": hidden(first, "version")}
    sent = confirm(see(browser, case, wish, "restart"), wish)
    assert "This is the new case." in browser.post(f"/instances/{case}/restart", data=sent, follow_redirects=True).text
