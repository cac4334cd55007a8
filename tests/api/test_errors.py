"""What bad, forbidden and late requests get: a problem (RFC 9457) that says what to do, and nothing changed."""

from __future__ import annotations

import threading

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.models import Audit, InstanceState, UserTask, Variable
from tests.api.conftest import Browse, Connect, deploy, repair_files
from tests.conftest import PASSWORD
from tests.diagrams import chain, diagram, end, start, user

CAR = {"plate": "粤B12345", "kind": "small"}


#: What can be read of a process instance.
_PARTS = ("", "/sequence-flows", "/statistics/element-instances")


@pytest.fixture
def task(connect: Connect, http: Browse) -> str:
    """The key of the first task of a repair, nobody's yet."""
    deploy(connect("owner"), *repair_files())
    http("wang").post("/process-instances", json={"processDefinitionId": "car-repair", "variables": CAR})
    return str(http("wang").post("/user-tasks/search").json()["items"][0]["userTaskKey"])


def _problem(response: httpx.Response, status: int, title: str) -> dict[str, object]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, object] = response.json()
    assert (problem["status"], problem["title"]) == (status, title)
    assert problem["detail"]
    assert problem["instance"] == response.request.url.path
    return problem


def _trace(session: Session) -> list[object]:
    """Everything that a command could have changed."""
    session.rollback()
    return [
        session.execute(select(UserTask.key, UserTask.state, UserTask.assignee).order_by(UserTask.key)).all(),
        session.execute(
            select(InstanceState.instance_key, InstanceState.revision).order_by(InstanceState.instance_key)
        ).all(),
        session.execute(select(Variable.name, Variable.value).order_by(Variable.key)).all(),
        session.scalar(select(func.count()).select_from(Audit)),
    ]


def test_nobody_is_asked_to_sign_in(address: str) -> None:
    response = httpx.post(f"{address}/v2/user-tasks/search")
    _problem(response, 401, "UNAUTHORIZED")
    assert response.headers["www-authenticate"].startswith("Basic ")


def test_a_wrong_password_is_refused(address: str, staff: None) -> None:
    _problem(httpx.get(f"{address}/v2/topology", auth=("wang", "wrong")), 401, "UNAUTHORIZED")


def test_a_session_without_its_token_changes_nothing(address: str, task: str, session: Session) -> None:
    before = _trace(session)
    with httpx.Client(base_url=address, follow_redirects=True, headers={"Accept-Language": "en"}) as browser:
        page = browser.get("/sign-in").text
        token = page.split('name="csrf_token"', 1)[1].split('value="', 1)[1].split('"', 1)[0]
        browser.post("/sign-in", data={"username": "wang", "password": PASSWORD, "csrf_token": token})
        assert browser.get("/v2/authentication/me").json()["username"] == "wang"
        path = f"/v2/user-tasks/{task}/assignment"
        _problem(browser.post(path, json={"assignee": "wang"}), 400, "BAD_REQUEST")
        assert _trace(session) == before
        page = browser.get("/tasks").text
        token = page.split('name="csrf-token" content="', 1)[1].split('"', 1)[0]
        answer = browser.post(path, json={"assignee": "wang"}, headers={"X-CSRFToken": token})
        assert answer.status_code == 204, answer.text


def test_somebody_from_another_group_changes_nothing(task: str, http: Browse, session: Session) -> None:
    instance = http("wang").get(f"/user-tasks/{task}").json()["processInstanceKey"]
    li, before = http("li"), _trace(session)
    answers = [
        li.post(f"/user-tasks/{task}/completion", json={"variables": {"price": 1}}),
        li.post(f"/user-tasks/{task}/assignment", json={"assignee": "li"}),
        li.delete(f"/user-tasks/{task}/assignee"),
        li.patch(f"/user-tasks/{task}", json={"changeset": {"priority": 1}}),
        li.get(f"/user-tasks/{task}"),
        li.get(f"/user-tasks/{task}/form"),
        li.post(f"/user-tasks/{task}/variables/search"),
        *(li.get(f"/process-instances/{instance}{part}") for part in _PARTS),
        li.post("/process-instances", json={"processDefinitionId": "car-repair", "variables": CAR}),
    ]
    for answer in answers:
        _problem(answer, 403, "FORBIDDEN")
    assert _trace(session) == before


def test_somebody_outside_sees_nothing_of_the_case(task: str, http: Browse) -> None:
    wang, li = http("wang"), http("li")
    for thing in ("user-tasks", "process-instances", "element-instances", "variables"):
        assert wang.post(f"/{thing}/search").json()["page"]["totalItems"] > 0
        answer = li.post(f"/{thing}/search").json()
        assert (answer["items"], answer["page"]["totalItems"]) == ([], 0), thing
    places = [
        ("process-instances", "processInstanceKey"),
        ("element-instances", "elementInstanceKey"),
        ("variables", "variableKey"),
    ]
    for thing, key in places:
        found = wang.post(f"/{thing}/search").json()["items"][0][key]
        assert wang.get(f"/{thing}/{found}").status_code == 200
        _problem(li.get(f"/{thing}/{found}"), 403, "FORBIDDEN")


_ENTRIES: list[object] = [
    {"price": "much"},
    {"price": -1},
    {},
    {"price": 10, "note": 5},
    {"price": 10, "approved": True},
    [1],
    "text",
    7,
]


def test_a_wrong_entry_leaves_the_task_open(task: str, http: Browse, session: Session) -> None:
    wang, before = http("wang"), _trace(session)
    for variables in _ENTRIES:
        response = wang.post(f"/user-tasks/{task}/completion", json={"variables": variables})
        _problem(response, 400, "BAD_REQUEST")
        assert _trace(session) == before, variables


_STARTS: list[object] = [
    {"processDefinitionId": "car-repair", "variables": {"plate": 5}},
    {"processDefinitionId": "car-repair", "variables": {"plate": "A", "kind": "huge"}},
    {"processDefinitionId": "car-repair", "variables": {}},
    {"processDefinitionId": "car-repair", "variables": [1]},
    {"processDefinitionId": 7},
    {"processDefinitionKey": "seven"},
    {"processDefinitionId": "car-repair", "processDefinitionKey": "1"},
    {"processDefinitionId": "car-repair", "processDefinitionVersion": "latest"},
    {"processDefinitionId": "car-repair", "unknown": 1},
    {},
    [],
    "car-repair",
]


def test_a_start_that_makes_no_sense_creates_nothing(task: str, http: Browse, session: Session) -> None:
    wang, before = http("wang"), _trace(session)
    for body in _STARTS:
        _problem(wang.post("/process-instances", json=body), 400, "BAD_REQUEST")
        assert _trace(session) == before, body


#: Cut off, no text, not a number, nested too deeply, an open text.
_BODIES = [b"{", b"\xff\xfe", b'{"variables": NaN}', b'{"a":' * 100_000, b"[" * 100_000, b'"' + b"x" * 10]


def test_a_body_that_is_no_json_is_refused(task: str, http: Browse) -> None:
    wang = http("wang")
    for content in _BODIES:
        _problem(wang.post(f"/user-tasks/{task}/completion", content=content), 400, "BAD_REQUEST")


_ABSENT: list[tuple[str, str]] = [
    ("GET", "/user-tasks/1"),
    ("GET", "/user-tasks/99999999999999999999999"),
    ("GET", "/user-tasks/abc"),
    ("GET", "/process-instances/1"),
    ("GET", "/element-instances/1"),
    ("GET", "/variables/1"),
    ("GET", "/incidents/1"),
    ("GET", "/forms/1"),
    ("GET", "/process-definitions/1"),
    ("GET", "/process-definitions/1/xml"),
    ("GET", "/decision-definitions/1"),
    ("GET", "/users/nobody"),
    ("GET", "/groups/nobody"),
    ("GET", "/nothing/here"),
    ("POST", "/user-tasks/1/completion"),
    ("POST", "/process-instances/1/cancellation"),
    ("POST", "/incidents/1/resolution"),
    ("POST", "/jobs/1/completion"),
]


def test_what_is_not_there_is_not_found(http: Browse) -> None:
    root = http("root")
    for method, path in _ABSENT:
        _problem(root.request(method, path), 404, "NOT_FOUND")


def test_an_unknown_process_is_not_found(http: Browse) -> None:
    _problem(http("root").post("/process-instances", json={"processDefinitionId": "nothing"}), 404, "NOT_FOUND")


def test_a_wrong_method_is_refused(http: Browse) -> None:
    _problem(http("root").put("/user-tasks/search"), 405, "METHOD_NOT_ALLOWED")


def test_of_two_people_at_once_one_completes_the_task(connect: Connect, http: Browse) -> None:
    deploy(connect("owner"), diagram(start(), user("a"), user("b"), end(), chain("start", "a", "b", "end")))
    http("wang").post("/process-instances", json={"processDefinitionId": "p"})
    key = http("wang").post("/user-tasks/search").json()["items"][0]["userTaskKey"]
    clients = [http("wang"), http("zhang")]
    for client in clients:
        client.get("/topology")
    together, answers = threading.Barrier(2), []

    def complete(client: httpx.Client) -> None:
        together.wait(10)
        answers.append(client.post(f"/user-tasks/{key}/completion", json={}))

    threads = [threading.Thread(target=complete, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    done, late = sorted(answers, key=lambda answer: answer.status_code)
    assert done.status_code == 204
    _problem(late, 409, "CONFLICT")
    open_tasks = http("wang").post("/user-tasks/search", json={"filter": {"state": "CREATED"}}).json()["items"]
    assert [item["elementId"] for item in open_tasks] == ["b"]


def test_of_two_people_at_once_one_gets_the_task(task: str, make_user: object, http: Browse) -> None:
    wang, boss = http("wang"), http("boss")
    first = wang.post(f"/user-tasks/{task}/assignment", json={"assignee": "wang", "allowOverride": False})
    second = boss.post(f"/user-tasks/{task}/assignment", json={"assignee": "boss", "allowOverride": False})
    assert first.status_code == 204
    assert "wang" in str(_problem(second, 409, "CONFLICT")["detail"])


def test_the_task_of_a_colleague_cannot_be_completed(task: str, http: Browse) -> None:
    http("boss").post(f"/user-tasks/{task}/assignment", json={"assignee": "boss"})
    answer = http("wang").post(f"/user-tasks/{task}/completion", json={"variables": {"price": 1}})
    _problem(answer, 409, "CONFLICT")
