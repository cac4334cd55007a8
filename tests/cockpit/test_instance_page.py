"""The page of one case: what it tells, to whom, and what a manager can do there."""

from __future__ import annotations

from collections.abc import Callable

from flask.testing import FlaskClient
from sqlalchemy import select

from engine.models import ProcessInstance, UserTask, Variable
from people.models import User
from tests.cockpit.conftest import Company

SignIn = Callable[[User], FlaskClient]


def test_the_page_tells_what_the_case_waits_for_and_what_comes_by_itself(company: Company, sign_in: SignIn) -> None:
    case = company.repair()
    page = sign_in(company.receptionist).get(f"/instances/{case}").text
    assert "沪A12345 李雷" in page
    assert "李娜" in page
    assert "王芳" in page
    assert "in 3 hours" in page
    assert "催办" in page
    assert "If “接待登记” is not done by then; it goes on meanwhile." in page
    assert "Next: 提醒接待员." in page


def test_the_diagram_shows_where_the_tokens_are_and_the_way_they_came(company: Company, sign_in: SignIn) -> None:
    case = company.repair()
    company.complete(case, "reception", amount=50)
    state = sign_in(company.receptionist).get(f"/instances/{case}/diagram.json").json
    assert state is not None
    assert state["active"] == [{"elementId": "wash", "count": 1}]
    assert state["incidents"] == []
    assert {entry["elementId"] for entry in state["completed"]} == {"start", "reception", "large"}
    assert state["flows"] == ["large-wash", "reception-large", "start-reception"]


def test_the_diagram_is_the_version_that_the_case_runs_in(company: Company, sign_in: SignIn) -> None:
    case = company.repair()
    answer = sign_in(company.receptionist).get(f"/instances/{case}/diagram.xml")
    assert answer.mimetype == "application/xml"
    assert "接待登记" in answer.text


def test_staff_outside_get_403_from_the_page_and_its_parts(company: Company, sign_in: SignIn) -> None:
    case = company.repair()
    browser = sign_in(company.outsider)
    for part in ("", "/diagram.xml", "/diagram.json"):
        answer = browser.get(f"/instances/{case}{part}")
        assert answer.status_code == 403, part
        assert "沪A12345" not in answer.text


def test_an_unknown_case_is_404(company: Company, sign_in: SignIn) -> None:
    browser = sign_in(company.manager)
    assert browser.get("/instances/4711").status_code == 404
    assert browser.get(f"/instances/{2**63}").status_code == 404


def test_history_names_who_did_what_and_how_long_it_took(company: Company, sign_in: SignIn) -> None:
    case = company.repair()
    company.assign(case, "reception", "wang.fang")
    company.wait(hours=2)
    company.complete(case, "reception", amount=50)
    page = sign_in(company.manager).get(f"/instances/{case}").text
    steps = page[page.index('id="history"') :]
    assert "2 hours" in steps
    assert steps.index("接待登记") < steps.index("洗车")
    actions = page[page.index('id="actions"') :]
    assert "王芳" in actions
    assert "completed" in actions


def test_an_incident_tells_the_sentence_the_expression_and_the_variables(company: Company, sign_in: SignIn) -> None:
    case = company.repair()
    company.complete(case, "reception", amount="many")
    page = sign_in(company.manager).get(f"/instances/{case}").text
    assert "A value that this step needs is missing or of the wrong kind." in page
    assert "amount &gt; 1000" in page
    assert "amount = many" in page


def test_a_manager_repairs_the_variable_and_retries(company: Company, sign_in: SignIn) -> None:
    case = company.repair()
    company.complete(case, "reception", amount="many")
    incident = company.incident(case)
    assert incident is not None
    browser = sign_in(company.manager)
    failed = browser.post(f"/instances/{case}/incidents/{incident.key}/retry", follow_redirects=True)
    assert "failed again" in failed.text
    again = company.incident(case)
    assert again is not None
    assert again.key != incident.key
    browser.post(f"/instances/{case}/variables", data={"name": "amount", "value": "2000", "kind": "json"})
    answer = browser.post(f"/instances/{case}/incidents/{again.key}/retry", follow_redirects=True)
    assert "tried again and went on" in answer.text
    assert company.incident(case) is None
    assert company.task(case, "approve").name == "审批"


def test_an_incident_that_somebody_resolved_is_not_retried_twice(company: Company, sign_in: SignIn) -> None:
    case = company.repair()
    company.complete(case, "reception", amount="many")
    incident = company.incident(case)
    assert incident is not None
    browser = sign_in(company.manager)
    browser.post(f"/instances/{case}/variables", data={"name": "amount", "value": "1", "kind": "json"})
    assert browser.post(f"/instances/{case}/incidents/{incident.key}/retry").status_code == 302
    assert browser.post(f"/instances/{case}/incidents/{incident.key}/retry").status_code == 409


def test_a_variable_keeps_its_kind_and_refuses_what_is_not_json(company: Company, sign_in: SignIn) -> None:
    case = company.repair(amount=5)
    browser = sign_in(company.manager)
    browser.post(f"/instances/{case}/variables", data={"name": "plate", "value": "沪B1", "kind": "text"})
    refused = browser.post(f"/instances/{case}/variables", data={"name": "amount", "value": "{", "kind": "json"})
    assert refused.status_code == 400
    assert "must be JSON" in refused.text
    nameless = browser.post(f"/instances/{case}/variables", data={"name": " ", "value": "1", "kind": "json"})
    assert nameless.status_code == 400
    with company.sessions() as session:
        rows = session.execute(select(Variable.name, Variable.value).where(Variable.instance_key == case))
        assert dict(rows.all()) == {"plate": "沪B1", "customer": "李雷", "amount": 5}
        assert session.get_one(ProcessInstance, case).title == "沪B1 李雷"


def test_a_manager_cancels_a_case_with_a_reason(company: Company, sign_in: SignIn) -> None:
    case = company.repair()
    browser = sign_in(company.manager)
    assert browser.post(f"/instances/{case}/cancel", data={"reason": "  "}).status_code == 400
    page = browser.post(f"/instances/{case}/cancel", data={"reason": "客户取消"}, follow_redirects=True).text
    assert "The case is cancelled." in page
    assert "客户取消" in page
    with company.sessions() as session:
        assert session.get_one(ProcessInstance, case).state == "TERMINATED"
    assert browser.post(f"/instances/{case}/cancel", data={"reason": "again"}).status_code == 409


def test_a_manager_hands_a_task_to_somebody_and_back_to_all(company: Company, sign_in: SignIn) -> None:
    case = company.repair()
    company.assign(case, "reception", "wang.fang")
    task = company.task(case, "reception")
    browser = sign_in(company.manager)
    address = f"/instances/{case}/tasks/{task.key}/reassign"
    assert "李娜" in browser.post(address, data={"assignee": "li.na"}, follow_redirects=True).text
    assert company.task(case, "reception").assignee == "li.na"
    browser.post(address, data={"assignee": ""})
    assert company.task(case, "reception").assignee is None
    refused = browser.post(address, data={"assignee": "nobody.here"})
    assert refused.status_code == 400
    assert "There is no active user nobody.here." in refused.text


def test_only_managers_intervene(company: Company, sign_in: SignIn) -> None:
    case = company.repair()
    company.complete(case, "reception", amount="many")
    incident = company.incident(case)
    assert incident is not None
    other = company.repair()
    task = company.task(other, "reception")
    for user in (company.receptionist, company.owner):
        browser = sign_in(user)
        assert browser.post(f"/instances/{other}/cancel", data={"reason": "x"}).status_code == 403
        assert browser.post(f"/instances/{case}/incidents/{incident.key}/retry").status_code == 403
        assert browser.post(f"/instances/{case}/variables", data={"name": "a", "value": "1"}).status_code == 403
        reassign = browser.post(f"/instances/{other}/tasks/{task.key}/reassign", data={"assignee": "li.na"})
        assert reassign.status_code == 403
        assert "Cancel the case" not in browser.get(f"/instances/{other}").text
    with company.sessions() as session:
        assert session.get_one(ProcessInstance, other).state == "ACTIVE"
        assert session.get_one(UserTask, task.key).assignee is None


def test_what_belongs_to_another_case_is_not_there(company: Company, sign_in: SignIn) -> None:
    case, other = company.repair(), company.repair()
    task = company.task(other, "reception")
    browser = sign_in(company.manager)
    assert browser.post(f"/instances/{case}/tasks/{task.key}/reassign", data={"assignee": "li.na"}).status_code == 404
    scope = {"name": "a", "value": "1", "kind": "json", "scope": str(other)}
    assert browser.post(f"/instances/{case}/variables", data=scope).status_code == 404


def test_parent_and_child_lead_to_each_other(company: Company, sign_in: SignIn) -> None:
    parent = company.start("caller", actor="zhou.jie")
    with company.sessions() as session:
        child = session.scalars(select(ProcessInstance.key).where(ProcessInstance.parent_key == parent)).one()
    browser = sign_in(company.manager)
    assert f'href="/instances/{child}"' in browser.get(f"/instances/{parent}").text
    page = browser.get(f"/instances/{child}").text
    assert f'href="/instances/{parent}"' in page
    assert browser.post(f"/instances/{child}/cancel", data={"reason": "x"}).status_code == 409
    with company.sessions() as session:
        assert session.get_one(ProcessInstance, child).state == "ACTIVE"


def test_an_action_leads_back_only_to_our_own_pages(company: Company, sign_in: SignIn) -> None:
    case = company.repair()
    task = company.task(case, "reception")
    browser = sign_in(company.manager)
    for target, wanted in (
        ("/stalled?reason=incident", "/stalled?reason=incident"),
        ("//evil.example", f"/instances/{case}"),
    ):
        answer = browser.post(
            f"/instances/{case}/tasks/{task.key}/reassign", data={"assignee": "li.na", "next": target}
        )
        assert answer.headers["Location"] == wanted


def test_a_form_without_its_token_changes_nothing(company: Company, sign_in: SignIn, app: object) -> None:
    case = company.repair()
    browser = sign_in(company.manager)
    app.config["WTF_CSRF_ENABLED"] = True  # type: ignore[attr-defined]
    assert browser.post(f"/instances/{case}/cancel", data={"reason": "x"}).status_code == 400
    with company.sessions() as session:
        assert session.get_one(ProcessInstance, case).state == "ACTIVE"


def test_a_suspended_case_stands_still_until_a_manager_resumes_it(company: Company, sign_in: SignIn) -> None:
    case = company.repair()
    task = company.task(case, "reception")
    manager, receptionist = sign_in(company.manager), sign_in(company.receptionist)
    assert receptionist.post(f"/instances/{case}/suspend", data={"reason": "x"}).status_code == 403
    manager.post(f"/instances/{case}/suspend", data={"reason": "the customer is abroad"})
    page = manager.get(f"/instances/{case}").text
    assert "suspended" in page
    assert "the customer is abroad" in page
    refused = receptionist.post(f"/tasks/{task.key}/complete", data={"variables": "{}"})
    assert refused.status_code == 409
    assert "This case stands still" in refused.text
    manager.post(f"/instances/{case}/resume")
    with company.sessions() as session:
        assert session.get_one(ProcessInstance, case).suspended_at is None
    assert "Suspend the case" in manager.get(f"/instances/{case}").text
