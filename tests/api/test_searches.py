"""Searches: sorting, pages by offset and by cursor, what a page tells of its list, and how many queries it takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests.api.conftest import Browse
from tests.conftest import MONDAY
from tests.diagrams import chain, diagram, end, start, user
from tests.play import Player

#: One row of each, without a due date for the third and the fifth.
DUE = ["2025-03-05T00:00:00Z", "2025-03-04T00:00:00Z", None, "2025-03-04T00:00:00Z", None]


@pytest.fixture
def boss(play: Player, http: Browse) -> httpx.Client:
    """A manager's client; five tasks are open, some with a due date, two of them with the same."""
    schedule = '<zeebe:taskSchedule dueDate="=due"/><zeebe:priorityDefinition priority="=priority"/>'
    play.deploy(diagram(start(), user("a", schedule), end(), chain("start", "a", "end")))
    for number, due in enumerate(DUE):
        play.start("p", {"due": due, "number": number, "priority": 50 + number % 2})
    return http("boss")


def _search(client: httpx.Client, what: str = "user-tasks", **body: Any) -> dict[str, Any]:
    response = client.post(f"/{what}/search", json=body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def _keys(answer: dict[str, Any]) -> list[str]:
    return [item["userTaskKey"] for item in answer["items"]]


def test_without_a_wish_the_oldest_come_first(boss: httpx.Client) -> None:
    answer = _search(boss)
    assert _keys(answer) == sorted(_keys(answer), key=int)
    assert len(answer["items"]) == 5
    assert (answer["page"]["totalItems"], answer["page"]["hasMoreTotalItems"]) == (5, False)


@pytest.mark.parametrize("order", ["ASC", "DESC"])
def test_what_has_no_value_comes_last_in_both_orders(boss: httpx.Client, order: str) -> None:
    due = [item["dueDate"] for item in _search(boss, sort=[{"field": "dueDate", "order": order}])["items"]]
    dated = due[:3]
    assert due[3:] == [None, None]
    assert dated == sorted(dated, reverse=order == "DESC")


_ORDERS: list[list[dict[str, str]]] = [
    [],
    [{"field": "dueDate"}],
    [{"field": "dueDate", "order": "DESC"}],
    [{"field": "priority", "order": "desc"}, {"field": "dueDate", "order": "asc"}],
    [{"field": "name"}, {"field": "creationDate", "order": "DESC"}],
]


@pytest.mark.parametrize("sort", _ORDERS)
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_follow_each_other_forwards_and_backwards(boss: httpx.Client, sort: Any, limit: int) -> None:
    whole = _keys(_search(boss, sort=sort))
    page = _search(boss, sort=sort, page={"limit": limit})
    forwards, cursors = _keys(page), [page["page"]["startCursor"]]
    while page["items"]:
        page = _search(boss, sort=sort, page={"limit": limit, "after": page["page"]["endCursor"]})
        forwards += _keys(page)
        cursors += [page["page"]["startCursor"]] if page["items"] else []
        assert page["page"]["totalItems"] == 5
    assert forwards == whole
    backwards: list[str] = []
    cursor = cursors[-1]
    while cursor:
        page = _search(boss, sort=sort, page={"limit": limit, "before": cursor})
        backwards = _keys(page) + backwards
        cursor = page["page"]["startCursor"]
    assert backwards == whole[: whole.index(forwards[(len(cursors) - 1) * limit])]


def test_pages_by_offset(boss: httpx.Client) -> None:
    whole = _keys(_search(boss))
    parts = [_keys(_search(boss, page={"from": number, "limit": 2})) for number in (0, 2, 4, 6)]
    assert parts == [whole[:2], whole[2:4], whole[4:], []]


def test_a_page_of_nothing_counts_all_the_same(boss: httpx.Client) -> None:
    answer = _search(boss, page={"limit": 0})
    assert answer == {
        "items": [],
        "page": {"totalItems": 5, "hasMoreTotalItems": False, "startCursor": None, "endCursor": None},
    }


def test_an_empty_body_and_no_body_ask_for_everything(boss: httpx.Client) -> None:
    bodies = [boss.post("/user-tasks/search", content=content).json() for content in (b"", b"{}", b"null")]
    assert [len(body["items"]) for body in bodies] == [5, 5, 5]


_NONSENSE: list[dict[str, Any]] = [
    {"sort": [{"field": "colour"}]},
    {"sort": [{"field": "name", "order": "UP"}]},
    {"sort": "name"},
    {"page": {"limit": -1}},
    {"page": {"limit": 10_001}},
    {"page": {"from": -1}},
    {"page": {"after": "nonsense"}},
    {"page": {"after": "W10="}},
    {"page": {"after": "WyJ4Il0="}},
    {"page": {"before": "bnVsbA=="}},
    {"filter": {"colour": "red"}},
    {"filter": {"name": {"$smells": "good"}}},
    {"filter": {"name": {"$in": "text"}}},
    {"filter": {"userTaskKey": "abc"}},
    {"filter": {"userTaskKey": {"$in": ["99999999999999999999"]}}},
    {"filter": {"dueDate": "tomorrow"}},
    {"filter": {"dueDate": "2025-03-04T00:00:00"}},
    {"filter": {"priority": {"$gt": "high"}}},
    {"filter": []},
    {"nonsense": 1},
]


def test_a_search_that_makes_no_sense_is_refused(boss: httpx.Client) -> None:
    for body in _NONSENSE:
        response = boss.post("/user-tasks/search", json=body)
        assert (response.status_code, response.json()["title"]) == (400, "BAD_REQUEST"), (body, response.text)


def test_the_cursor_of_another_order_is_refused(boss: httpx.Client) -> None:
    cursor = _search(boss, sort=[{"field": "name"}])["page"]["endCursor"]
    for sort in ([], [{"field": "priority"}]):
        response = boss.post("/user-tasks/search", json={"sort": sort, "page": {"after": cursor}})
        assert response.status_code == 400, sort


_LIKE: list[tuple[str, bool]] = [
    ("p", True),
    ("*", True),
    ("?", True),
    ("??", False),
    ("%", False),
    ("_", False),
    ("\\*", False),
    ("\\p", True),
]


def test_like_knows_stars_and_question_marks_only(boss: httpx.Client) -> None:
    for text, found in _LIKE:
        answer = _search(boss, "process-definitions", filter={"processDefinitionId": {"$like": text}})
        assert bool(answer["items"]) is found, text


_SORTS = {
    "user-tasks": ["creationDate", "completionDate", "dueDate", "followUpDate", "priority", "name"],
    "process-instances": [
        "processInstanceKey",
        "processDefinitionId",
        "processDefinitionKey",
        "processDefinitionName",
        "processDefinitionVersion",
        "processDefinitionVersionTag",
        "parentProcessInstanceKey",
        "parentElementInstanceKey",
        "startDate",
        "endDate",
        "state",
        "hasIncident",
        "tenantId",
    ],
    "element-instances": [
        "elementInstanceKey",
        "processInstanceKey",
        "processDefinitionId",
        "processDefinitionKey",
        "elementId",
        "type",
        "state",
        "startDate",
        "endDate",
        "incidentKey",
        "tenantId",
    ],
    "variables": ["name", "value", "variableKey", "scopeKey", "processInstanceKey", "tenantId"],
    "process-definitions": [
        "name",
        "processDefinitionId",
        "processDefinitionKey",
        "resourceName",
        "tenantId",
        "version",
        "versionTag",
    ],
    "users": ["username", "name"],
    "groups": ["groupId", "name"],
}


@pytest.mark.parametrize("what", _SORTS)
def test_a_list_can_be_paged_in_each_of_its_orders(boss: httpx.Client, what: str) -> None:
    whole = len(_search(boss, what)["items"])
    assert whole
    for field in _SORTS[what]:
        for order in ("ASC", "DESC"):
            sort = [{"field": field, "order": order}]
            seen: list[str] = []
            page = _search(boss, what, sort=sort, page={"limit": 2})
            while page["items"]:
                seen += [str(item) for item in page["items"]]
                page = _search(boss, what, sort=sort, page={"limit": 2, "after": page["page"]["endCursor"]})
            assert len(seen) == len(set(seen)) == whole, (what, field, order)


@contextmanager
def _queries() -> Iterator[list[str]]:
    """Collect the statements that every connection of the process runs."""
    statements: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.parametrize(
    "what", ["user-tasks", "process-instances", "element-instances", "variables", "incidents", "jobs"]
)
def test_a_search_takes_one_query_and_one_count_besides_knowing_who_asks(boss: httpx.Client, what: str) -> None:
    boss.get("/status")
    with _queries() as who_asks:
        boss.get("/status")
    with _queries() as asked:
        _search(boss, what)
    assert len(asked) - len(who_asks) == 2


def test_instants_are_written_in_utc(boss: httpx.Client) -> None:
    task = _search(boss)["items"][0]
    assert (task["creationDate"], task["dueDate"]) == ("2025-03-03T01:00:00.000Z", "2025-03-05T00:00:00.000Z")
    assert MONDAY.isoformat() == "2025-03-03T01:00:00+00:00"
    assert all(isinstance(value, str) for name, value in task.items() if name.endswith("Key") and value is not None)
