"""What a person and a program are told when something goes wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import BadRequest, Conflict

from engine.errors import AlreadyAssigned, DeploymentRefused, InvalidVariables, NotActive, NotFound
from engine.problems import Problem
from people.errors import Forbidden
from people.models import User
from tests.conftest import MakeUser

REFUSALS = {
    "not-found": (NotFound("user task", 7), 404),
    "not-active": (NotActive("user task", 7, "completed"), 409),
    "assigned": (AlreadyAssigned(7, "li.na"), 409),
    "invalid": (InvalidVariables("The variables are not a JSON object."), 400),
    "forbidden": (Forbidden("This is not yours."), 403),
    "http": (Conflict("Too late."), 409),
    "bad": (BadRequest("No."), 400),
}


@pytest.fixture
def browser(app: Flask, sign_in: Callable[[User], FlaskClient], make_user: MakeUser) -> FlaskClient:
    """Somebody signed in to an application with an endpoint for each refusal."""

    def refuse(name: str) -> str:
        raise REFUSALS[name][0]

    def fail() -> str:
        raise RuntimeError("the secret reason")

    def refuse_deployment() -> str:
        raise DeploymentRefused([Problem("There is no start event.", "Process_1", 3, resource="order.bpmn")])

    for prefix in ("/v2", "/pages"):
        app.add_url_rule(f"{prefix}/refuse/<name>", f"refuse{prefix}", refuse)
        app.add_url_rule(f"{prefix}/fail", f"fail{prefix}", fail)
        app.add_url_rule(f"{prefix}/deploy", f"deploy{prefix}", refuse_deployment)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.config["TESTING"] = False
    return sign_in(make_user("wang.fang", locale="en"))


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_has_its_status_and_its_sentence_for_programs(browser: FlaskClient, name: str) -> None:
    refusal, status = REFUSALS[name]

    answer = browser.get(f"/v2/refuse/{name}")

    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert answer.json
    assert answer.json["status"] == status
    assert answer.json["detail"] in str(refusal)


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("not-found", 404, "There is nothing here"),
        ("not-active", 409, "Somebody was faster"),
        ("invalid", 400, "This did not work"),
        ("forbidden", 403, "This is not yours to see"),
    ],
)
def test_a_refusal_is_a_helpful_page_for_people(browser: FlaskClient, name: str, status: int, words: str) -> None:
    answer = browser.get(f"/pages/refuse/{name}")

    assert answer.status_code == status
    assert words in answer.text
    assert "Worklist" in answer.text, "the way on is there"


def test_the_page_speaks_chinese_too(browser: FlaskClient) -> None:
    browser.post("/language", data={"locale": "zh"})

    assert "这里什么也没有" in browser.get("/nothing").text


def test_a_part_of_a_page_gets_a_line_instead_of_a_page(browser: FlaskClient) -> None:
    answer = browser.get("/pages/refuse/not-active", headers={"HX-Request": "true"})

    assert answer.status_code == 409
    assert "<html" not in answer.text
    assert "completed" in answer.text


def test_a_failure_of_the_server_tells_a_number_and_no_secret(browser: FlaskClient) -> None:
    page = browser.get("/pages/fail", headers={"X-Request-ID": "number-1234"})
    api = browser.get("/v2/fail", headers={"X-Request-ID": "number-5678"})

    assert (page.status_code, api.status_code) == (500, 500)
    assert "number-1234" in page.text
    assert "number-5678" in api.text
    assert "secret reason" not in page.text + api.text


def test_a_refused_deployment_lists_its_problems(browser: FlaskClient) -> None:
    answer = browser.get("/v2/deploy")

    assert answer.status_code == 400
    assert answer.json
    assert answer.json["problems"] == [
        {
            "message": "There is no start event.",
            "elementId": "Process_1",
            "line": 3,
            "severity": "error",
            "resource": "order.bpmn",
        }
    ]


def test_an_unknown_address_is_not_found_for_programs_too(browser: FlaskClient) -> None:
    answer = browser.get("/v2/nothing")

    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
