"""The pages of tasks as a browser meets them: what they show, what they refuse, and what they lead to."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from database import dumps
from people.models import User
from tests.conftest import MakeUser
from tests.play import Case, Player
from tests.tasks.conftest import RECEPTION, TEAM, form, single_task
from tests.tasks.form_makers import field, schema

SignIn = Callable[[User], FlaskClient]

HTMX = {"HX-Request": "true"}


@pytest.fixture
def case(shop: Player) -> Case:
    """One car at reception."""
    return shop.start("car-repair", {"plate": "沪A 12345", "customer": "张先生"}, by="wang.fang")


def key_of(case: Case, element_id: str = "estimate") -> int:
    return case.task(element_id).key


def submit(browser: FlaskClient, path: str, entered: Any) -> TestResponse:
    """Send a form as the form island does."""
    return browser.post(path, data={"variables": dumps(entered)})


def island(answer: TestResponse) -> Any:
    """What the page gives to the form island."""
    found = re.search(r'<script type="application/json">(.*?)</script>', answer.text, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


# --- the worklist


def test_the_worklist_needs_somebody_who_has_signed_in(client: FlaskClient) -> None:
    assert client.get("/tasks").status_code == 302


def test_who_has_nothing_in_hand_sees_what_waits_for_the_groups(case: Case, wang: User, sign_in: SignIn) -> None:
    page = sign_in(wang).get("/tasks").text

    assert "沪A 12345 张先生" in page
    assert "Claim" in page
    assert "in 4 hours" in page


def test_who_has_a_task_in_hand_sees_it_first(case: Case, wang: User, li: User, sign_in: SignIn) -> None:
    browser = sign_in(wang)
    browser.post(f"/tasks/{key_of(case)}/claim")

    assert "沪A 12345" in browser.get("/tasks").text
    assert "沪A 12345" not in sign_in(li).get("/tasks?whose=groups").text
    assert "王芳" not in sign_in(li).get("/tasks?whose=groups").text.split("<main")[1]
    assert "王芳" in sign_in(li).get("/tasks?whose=all").text.split("<main")[1]


def test_the_worklist_speaks_chinese(case: Case, make_user: MakeUser, sign_in: SignIn) -> None:
    person = make_user("zhou.yan", RECEPTION, locale="zh")

    page = sign_in(person).get("/tasks").text

    assert '<html lang="zh">' in page
    assert "领取" in page
    assert "Claim" not in page


def test_the_worklist_can_be_searched(case: Case, wang: User, sign_in: SignIn) -> None:
    browser = sign_in(wang)

    assert "沪A 12345" in browser.get("/tasks?whose=groups&search=12345").text
    assert "Nothing found." in browser.get("/tasks?whose=groups&search=99999").text


def test_a_cursor_that_is_none_is_a_bad_request(wang: User, sign_in: SignIn) -> None:
    assert sign_in(wang).get("/tasks?cursor=x").status_code == 400


def news_address(page: str) -> str:
    """Where the open worklist asks for news."""
    found = re.search(r'hx-get="(/tasks/news[^"]*)"', page)
    assert found is not None
    return found[1].replace("&amp;", "&")


def test_new_tasks_are_told_in_one_line_and_move_nothing(case: Case, shop: Player, wang: User, sign_in: SignIn) -> None:
    browser = sign_in(wang)
    address = news_address(browser.get("/tasks?whose=groups").text)

    unchanged = browser.get(address, headers=HTMX).text
    assert f'hx-target="#task-{key_of(case)}"' in unchanged
    assert "new task" not in unchanged

    shop.start("car-repair", {"plate": "B2", "customer": "x"})
    changed = browser.get(address, headers=HTMX).text
    assert "1 new task – show" in changed
    assert "B2 x" not in changed, "the row comes when somebody asks for it"
    assert re.search(r'id="count-groups"[^>]*>2<', changed)


def test_the_open_worklist_hears_who_took_a_task(case: Case, wang: User, li: User, sign_in: SignIn) -> None:
    browser = sign_in(wang)
    address = news_address(browser.get("/tasks?whose=groups").text)

    sign_in(li).post(f"/tasks/{key_of(case)}/claim")
    assert "李娜" in browser.get(address, headers=HTMX).text
    submit(sign_in(li), f"/tasks/{key_of(case)}/complete", {"price": 1})
    assert "has been done or taken away" in browser.get(address, headers=HTMX).text


def test_news_tell_nothing_of_tasks_that_are_not_ones_own(case: Case, zhang: User, sign_in: SignIn) -> None:
    answer = sign_in(zhang).get(f"/tasks/news?rows={key_of(case)}.x.{'9' * 30}", headers=HTMX)

    assert answer.status_code == 200
    assert "沪A 12345" not in answer.text


def test_a_claim_from_the_list_answers_with_the_row(case: Case, wang: User, sign_in: SignIn) -> None:
    answer = sign_in(wang).post(f"/tasks/{key_of(case)}/claim?part=row", headers=HTMX)

    assert answer.status_code == 200
    assert f'<tr id="task-{key_of(case)}"' in answer.text
    assert "Open" in answer.text
    assert case.task("estimate").assignee == "wang.fang"


def test_a_claim_that_comes_too_late_says_so_in_the_row(case: Case, wang: User, li: User, sign_in: SignIn) -> None:
    sign_in(li).post(f"/tasks/{key_of(case)}/claim")

    answer = sign_in(wang).post(f"/tasks/{key_of(case)}/claim?part=row", headers=HTMX)

    assert answer.status_code == 409
    assert "Somebody was faster." in answer.text
    assert "李娜" in answer.text
    assert case.task("estimate").assignee == "li.na"


def test_a_claim_of_what_is_done_says_so_in_the_row(case: Case, wang: User, li: User, sign_in: SignIn) -> None:
    key = key_of(case)
    submit(sign_in(li), f"/tasks/{key}/complete", {"price": 1})

    answer = sign_in(wang).post(f"/tasks/{key}/claim?part=row", headers=HTMX)

    assert answer.status_code == 409
    assert "has been done or taken away" in answer.text


# --- one task


def test_the_page_of_a_task_has_the_form_with_its_data(case: Case, wang: User, sign_in: SignIn) -> None:
    answer = sign_in(wang).get(f"/tasks/{key_of(case)}")

    content = island(answer)
    assert [component["key"] for component in content["schema"]["components"]] == ["plate", "price", "note"]
    assert content["data"] == {"plate": "沪A 12345"}
    assert content["errors"] == {}
    assert "按 document 000, line 576 估价。" in answer.text
    assert f"/instances/{case.key}" in answer.text
    assert "with nobody yet" in answer.text


def test_text_in_variables_cannot_break_out_of_the_page(shop: Player, wang: User, sign_in: SignIn) -> None:
    case = shop.start("car-repair", {"plate": "</script><script>alert(1)</script>", "customer": "<b>x</b>"})

    answer = sign_in(wang).get(f"/tasks/{key_of(case)}")

    assert "<script>alert(1)" not in answer.text
    assert "<b>x</b>" not in answer.text
    assert island(answer)["data"]["plate"] == "</script><script>alert(1)</script>"


def test_claiming_on_the_page_changes_the_page_in_place(case: Case, wang: User, sign_in: SignIn) -> None:
    answer = sign_in(wang).post(f"/tasks/{key_of(case)}/claim?part=page", headers=HTMX)

    assert 'id="task-holder" hx-swap-oob="true"' in answer.text
    assert "with me" in answer.text
    assert "Return to the group" in answer.text


def test_somebody_of_another_group_is_turned_away(case: Case, zhang: User, sign_in: SignIn) -> None:
    browser, key = sign_in(zhang), key_of(case)

    assert browser.get(f"/tasks/{key}").status_code == 403
    assert browser.post(f"/tasks/{key}/claim").status_code == 403
    assert browser.post(f"/tasks/{key}/return").status_code == 403
    assert browser.post(f"/tasks/{key}/assign", data={"username": "zhang.gang"}).status_code == 403
    assert submit(browser, f"/tasks/{key}/complete", {"price": 1}).status_code == 403
    assert (case.todo, case.task("estimate").assignee) == (["estimate"], None)


def test_a_task_that_does_not_exist(wang: User, sign_in: SignIn) -> None:
    assert sign_in(wang).get("/tasks/1").status_code == 404
    assert sign_in(wang).post("/tasks/1/claim").status_code == 404
    assert sign_in(wang).get("/tasks/99999999999999999999999").status_code == 404


def test_returning_and_handing_on(case: Case, wang: User, li: User, sign_in: SignIn) -> None:
    browser, key = sign_in(wang), key_of(case)
    browser.post(f"/tasks/{key}/claim")

    assert "Return to the group" in browser.get(f"/tasks/{key}").text
    assert browser.post(f"/tasks/{key}/return").status_code == 302
    assert case.task("estimate").assignee is None

    assert browser.post(f"/tasks/{key}/assign", data={"username": "li.na"}).status_code == 302
    assert case.task("estimate").assignee == "li.na"


def test_a_completed_task_leads_back_to_the_worklist(case: Case, wang: User, sign_in: SignIn) -> None:
    browser = sign_in(wang)

    answer = submit(browser, f"/tasks/{key_of(case)}/complete", {"price": 1280, "note": "左前门"})

    assert (answer.status_code, answer.location) == (302, "/tasks")
    assert case.variables["note"] == "左前门"
    page = browser.get("/tasks").text
    assert "“估价” is done." in page
    assert "next step" not in page


def test_who_may_do_the_next_step_of_the_case_lands_on_it(case: Case, make_user: MakeUser, sign_in: SignIn) -> None:
    browser = sign_in(make_user("song.ping", RECEPTION, TEAM))

    answer = submit(browser, f"/tasks/{key_of(case)}/complete?whose=groups", {"price": 1})

    assert answer.location == f"/tasks/{key_of(case, 'repair')}?whose=groups"
    page = browser.get(answer.location).text
    assert "This is the next step of the case." in page
    assert 'href="/tasks?whose=groups"' in page


def test_the_list_that_one_came_from_is_kept_with_its_filter(case: Case, wang: User, sign_in: SignIn) -> None:
    browser = sign_in(wang)
    listed = browser.get("/tasks?whose=groups&search=12345").text
    link = f"/tasks/{key_of(case)}?whose=groups&amp;search=12345"
    assert f'href="{link}"' in listed
    task = browser.get(link.replace("&amp;", "&")).text
    assert f'action="/tasks/{key_of(case)}/complete?whose=groups&amp;search=12345"' in task

    answer = submit(browser, f"/tasks/{key_of(case)}/complete?whose=groups&search=12345", {"price": 1})

    assert answer.location == "/tasks?whose=groups&search=12345"


def test_wrong_values_come_back_with_sentences_and_nothing_is_lost(case: Case, wang: User, sign_in: SignIn) -> None:
    entered = {"price": "a lot", "note": "左前门"}

    answer = submit(sign_in(wang), f"/tasks/{key_of(case)}/complete", entered)

    assert answer.status_code == 400
    content = island(answer)
    assert content["errors"] == {"price": ["This must be a number."]}
    assert content["data"] == {"plate": "沪A 12345", **entered}
    assert case.todo == ["estimate"]
    assert "price" not in case.variables


def test_the_sentences_are_in_the_readers_language(case: Case, make_user: MakeUser, sign_in: SignIn) -> None:
    person = make_user("zhou.yan", RECEPTION, locale="zh")

    answer = submit(sign_in(person), f"/tasks/{key_of(case)}/complete", {"price": -5})

    assert island(answer)["errors"] == {"price": ["不能小于 0。"]}


@pytest.mark.parametrize("sent", ["[]", "5", "{", '{"price": NaN}', "[" * 100_000])
def test_what_is_no_json_object_is_a_bad_request(sent: str, case: Case, wang: User, sign_in: SignIn) -> None:
    answer = sign_in(wang).post(f"/tasks/{key_of(case)}/complete", data={"variables": sent})

    assert answer.status_code == 400
    assert case.todo == ["estimate"]


def test_a_task_completed_twice_tells_by_whom(case: Case, wang: User, li: User, sign_in: SignIn) -> None:
    key = key_of(case)
    submit(sign_in(wang), f"/tasks/{key}/complete", {"price": 1})

    answer = submit(sign_in(li), f"/tasks/{key}/complete", {"price": 2})

    assert answer.status_code == 409
    assert "王芳 has completed this task already." in answer.text
    assert case.variables["price"] == 1


def test_a_task_that_somebody_else_holds_tells_who(case: Case, wang: User, li: User, sign_in: SignIn) -> None:
    sign_in(wang).post(f"/tasks/{key_of(case)}/claim")

    answer = submit(sign_in(li), f"/tasks/{key_of(case)}/complete", {"price": 2})

    assert answer.status_code == 409
    assert "王芳 has this task now." in answer.text
    page = sign_in(li).get(f"/tasks/{key_of(case)}").text
    assert "data-readonly" in page
    assert ">Complete<" not in page


def test_a_forged_request_is_refused(case: Case, wang: User, sign_in: SignIn) -> None:
    browser = sign_in(wang)
    browser.application.config["WTF_CSRF_ENABLED"] = True

    assert submit(browser, f"/tasks/{key_of(case)}/complete", {"price": 1}).status_code == 400
    assert case.todo == ["estimate"]


# --- starting


def test_the_start_page_lists_what_may_be_started_by_folder(
    shop: Player, wang: User, zhang: User, sign_in: SignIn
) -> None:
    page = sign_in(wang).get("/start").text

    assert "Auto repair" in page
    assert "/start/car-repair" in page
    assert "There is no process that you may start." in sign_in(zhang).get("/start").text


def test_a_started_process_leads_to_its_first_task(shop: Player, wang: User, sign_in: SignIn) -> None:
    browser = sign_in(wang)
    assert island(browser.get("/start/car-repair"))["data"] == {}

    answer = submit(browser, "/start/car-repair", {"plate": "沪A 12345", "customer": "张先生"})

    case = shop.only("car-repair")
    assert (answer.status_code, answer.location) == (302, f"/tasks/{key_of(case)}")
    assert case.title == "沪A 12345 张先生"


def test_a_started_process_leads_to_its_page_when_the_first_task_is_not_ones_own(
    shop: Player, boss: User, sign_in: SignIn
) -> None:
    answer = submit(sign_in(boss), "/start/car-repair", {"plate": "沪A 12345"})

    assert answer.location == f"/instances/{shop.only('car-repair').key}"


def test_a_wrong_start_form_comes_back(shop: Player, wang: User, sign_in: SignIn) -> None:
    answer = submit(sign_in(wang), "/start/car-repair", {"plate": "", "customer": "张先生"})

    assert answer.status_code == 400
    assert island(answer)["errors"] == {"plate": ["This field is required."]}
    assert island(answer)["data"]["customer"] == "张先生"
    assert shop.instances("car-repair") == []


def test_a_process_that_is_not_ones_to_start(shop: Player, zhang: User, sign_in: SignIn) -> None:
    assert sign_in(zhang).get("/start/car-repair").status_code == 403
    assert submit(sign_in(zhang), "/start/car-repair", {"plate": "A"}).status_code == 403
    assert sign_in(zhang).get("/start/nothing").status_code == 404
    assert shop.instances("car-repair") == []


def test_decimals_reach_the_form_as_numbers(shop: Player, wang: User, sign_in: SignIn) -> None:
    shop.deploy(form("estimate-form", schema(field("number", "price"), field("number", "hours"))))
    case = shop.start("car-repair", {"plate": "A", "price": 0.1, "hours": 2})

    answer = sign_in(wang).get(f"/tasks/{key_of(case)}")

    assert island(answer)["data"] == {"price": 0.1, "hours": 2}


def test_an_english_reader_searches_by_the_english_name(shop: Player, make_user: MakeUser, sign_in: SignIn) -> None:
    shop.deploy(single_task("estimating", name="拟定维修估价"))
    shop.start("estimating")
    english = make_user("john", locale="en")
    chinese = make_user("zhou.yan", locale="zh")

    assert "Draft the estimate" in sign_in(english).get("/tasks?whose=groups&search=the%20estim").text
    assert "拟定维修估价" not in sign_in(chinese).get("/tasks?whose=groups&search=the%20estim").text
