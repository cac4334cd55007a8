"""The worklist: the open tasks that are a person's own, their groups', or anybody's whose work they may see."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Select,
    and_,
    case,
    func,
    literal_column,
    or_,
    select,
    text,
    union,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from database.counting import counted
from engine.models import ProcessDefinition, ProcessInstance, UserTask, UserTaskGroup, UserTaskUser
from people.models import User
from people.permissions import may_see_all, may_work, takes_part

#: Rows of one page.
PAGE_SIZE = 50

#: Most characters of a search text.
SEARCH_LENGTH = 100

# Written out, not bound: only then do the partial indexes on open tasks serve the query.
_OPEN = text("user_task.state = 'CREATED'")
_FOR_EVERYBODY = text("user_task.candidate_groups = '[]' AND user_task.candidate_users = '[]'")

_Case, _Root = aliased(ProcessInstance), aliased(ProcessInstance)
_title = func.coalesce(func.nullif(_Case.title, ""), _Root.title)


#: The order of tasks that are due at the same instant, or at none.
_AMONG_EQUALS = (UserTask.priority.desc(), UserTask.key)


class Whose(StrEnum):
    """Which open tasks are asked for."""

    #: Assigned to the person.
    MINE = "mine"
    #: Nobody has them, and the person may claim them.
    GROUPS = "groups"
    #: Everything open that the person may see, whoever has it.
    ALL = "all"


@dataclass(frozen=True, slots=True)
class WorklistRow:
    """One open task with what a person needs to choose it."""

    key: int
    name: str
    process_id: str
    process_name: str
    instance_key: int
    #: What people call the case; of the calling case where the called one has no title.
    title: str
    assignee: str | None
    assignee_name: str | None
    candidate_groups: list[str]
    candidate_users: list[str]
    priority: int
    created_at: datetime
    due_at: datetime | None
    #: The person may claim it and complete it.
    may_work: bool


@dataclass(frozen=True, slots=True)
class Worklist:
    """One page of the worklist; `cursor` leads to the next page, None: this is the last."""

    rows: list[WorklistRow]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class ProcessCount:
    """How many open tasks of one process a person has in each view."""

    process_id: str
    process_name: str
    mine: int
    groups: int
    all: int


def worklist(
    session: Session,
    user: User,
    whose: Whose = Whose.ALL,
    *,
    search: str = "",
    names: tuple[str, ...] = (),
    process_id: str | None = None,
    cursor: str | None = None,
    size: int = PAGE_SIZE,
) -> Worklist:
    """Return open tasks, overdue first, then by due date, priority and age; one query.

    `search` is looked for in the names of the task, of the case and of the process; a task is found too if its name or
    its process's name is one of `names` (labels whose translation matches). `cursor` is of the page before. Raises
    ValueError for a cursor that is none.
    """
    query = _rows().where(_belongs(user, whose))
    if process_id:
        query = query.where(UserTask.process_id == process_id)
    if search := search.strip()[:SEARCH_LENGTH]:
        places = (UserTask.name, ProcessDefinition.name, _title)
        found = [place.icontains(search, autoescape=True) for place in places]
        query = query.where(or_(*found, UserTask.name.in_(names), ProcessDefinition.name.in_(names)))
    if cursor:
        query = query.where(_after(cursor))
    if whose == Whose.ALL and may_see_all(user):
        query = _rows().where(UserTask.key.in_(_first_keys(query, size)))
    # A due date that has passed comes before every other, and no due date after all of them.
    query = query.order_by(UserTask.due_at.asc().nulls_last(), *_AMONG_EQUALS).limit(size + 1)
    found_rows = [_row(columns, user) for columns in session.execute(query).mappings()]
    page = found_rows[:size]
    return Worklist(page, _cursor(page[-1]) if len(found_rows) > size else None)


def _first_keys(query: Select[*tuple[Any, ...]], size: int) -> Select[int]:
    """Return the keys of the first tasks with and without a due date: each have their order from an index, not all."""
    # The date stays in the order of those that have none: without it PostgreSQL would not see the index's order.
    keys = query.with_only_columns(UserTask.key).order_by(UserTask.due_at, *_AMONG_EQUALS).limit(size + 1)
    with_date, without = keys.where(UserTask.due_at.is_not(None)), keys.where(UserTask.due_at.is_(None))
    first = union_all(*(select(part.subquery().c.key) for part in (with_date, without))).subquery()
    return select(first.c.key)


def several(session: Session, user: User, keys: Collection[int]) -> dict[int, WorklistRow]:
    """Return those of the tasks that are open and that the user may see, by key; one query."""
    query = _rows().where(UserTask.key.in_(keys), _belongs(user, Whose.ALL))
    return {columns["key"]: _row(columns, user) for columns in session.execute(query).mappings()}


def open_names(session: Session) -> set[str]:
    """Return the names of all open tasks and of their processes."""
    query = (
        select(UserTask.name, ProcessDefinition.name)
        .join(ProcessDefinition, ProcessDefinition.key == UserTask.definition_key)
        .where(_OPEN)
        .distinct()
    )
    return {name for names in session.execute(query) for name in names}


def counts(session: Session, user: User) -> list[ProcessCount]:
    """Return the open tasks of each process that the user sees, counted for each view, by process name; one query.

    Of the tasks of everybody, which a manager sees, no more than MOST_COUNTED of each process are counted.
    """
    if not takes_part(user):
        return []
    own = (
        select(
            UserTask.process_id.label("process_id"),
            func.sum(case((_belongs(user, Whose.MINE), 1), else_=0)).label("mine"),
            func.sum(case((_belongs(user, Whose.GROUPS), 1), else_=0)).label("groups"),
            func.count().label("number"),
        )
        .where(_OPEN, _own(user))
        .group_by(UserTask.process_id)
        .subquery()
    )
    named = select(ProcessDefinition.process_id, func.max(ProcessDefinition.name).label("name"))
    processes = named.group_by(ProcessDefinition.process_id).subquery()
    same = processes.c.process_id == own.c.process_id
    mine, groups = func.coalesce(own.c.mine, 0), func.coalesce(own.c.groups, 0)
    number: ColumnElement[int] = own.c.number
    found = processes.join(own, same)
    if may_see_all(user):
        tasks = select(UserTask.key).where(_OPEN, UserTask.process_id == processes.c.process_id).correlate(processes)
        number = counted(tasks)
        found = processes.outerjoin(own, same)
    query = (
        select(processes.c.process_id, processes.c.name, mine, groups, number)
        .select_from(found)
        .order_by(processes.c.name)
    )
    return [ProcessCount(*row) for row in session.execute(query) if row[4]]


def next_of_case(session: Session, user: User, root_key: int) -> UserTask | None:
    """Return the most urgent open task of the case (by its root instance) that is the user's or may be claimed."""
    return session.scalar(
        select(UserTask)
        .where(
            _OPEN,
            UserTask.instance_key.in_(select(ProcessInstance.key).where(ProcessInstance.root_key == root_key)),
            or_(_belongs(user, Whose.MINE), _belongs(user, Whose.GROUPS)),
        )
        .order_by(
            case((UserTask.assignee == user.username, 0), else_=1),
            UserTask.due_at.asc().nulls_last(),
            UserTask.priority.desc(),
            UserTask.key,
        )
        .limit(1)
    )


def _rows() -> Select[*tuple[Any, ...]]:
    return (
        select(
            UserTask.key,
            UserTask.name,
            UserTask.process_id,
            ProcessDefinition.name.label("process_name"),
            UserTask.instance_key,
            _title.label("title"),
            UserTask.assignee,
            User.name.label("assignee_name"),
            UserTask.candidate_groups,
            UserTask.candidate_users,
            UserTask.priority,
            UserTask.created_at,
            UserTask.due_at,
        )
        .join(ProcessDefinition, ProcessDefinition.key == UserTask.definition_key)
        .join(_Case, _Case.key == UserTask.instance_key)
        .join(_Root, _Root.key == UserTask.root_key)
        .outerjoin(User, User.username == UserTask.assignee)
        .where(_OPEN)
    )


def _belongs(user: User, whose: Whose) -> ColumnElement[bool]:
    if not takes_part(user):
        return literal_column("1 = 0")
    mine = UserTask.assignee == user.username
    if whose == Whose.MINE:
        return mine
    candidate = UserTask.key.in_(_candidate_keys(user))
    if whose == Whose.GROUPS:
        # Not `IS NULL`, by which SQLite would begin with all the tasks that nobody has.
        return and_(func.coalesce(UserTask.assignee, "") == "", candidate)
    if may_see_all(user):
        return literal_column("1 = 1")
    return _own(user)


def _own(user: User) -> ColumnElement[bool]:
    """Return the condition that the task is the user's or may be claimed, beginning at the user."""
    mine = select(UserTask.key.label("task_key")).where(_OPEN, UserTask.assignee == user.username)
    keys = union(mine, _candidate_keys(user)).subquery()
    return UserTask.key.in_(select(keys.c.task_key))


def _candidate_keys(user: User) -> Select[tuple[int]]:
    """Return the keys of the open tasks that `may_work` grants to the user as a candidate."""
    keys = union(
        select(UserTaskGroup.task_key.label("task_key")).where(UserTaskGroup.group_id.in_(sorted(user.group_ids))),
        select(UserTaskUser.task_key).where(UserTaskUser.username == user.username),
        select(UserTask.key).where(_OPEN, _FOR_EVERYBODY),
    ).subquery()
    return select(keys.c.task_key)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """What `may_work` asks of a task."""

    assignee: str | None
    candidate_groups: list[str]
    candidate_users: list[str]


def _row(columns: RowMapping, user: User) -> WorklistRow:
    values = {str(name): value for name, value in columns.items()}
    candidate = _Candidate(values["assignee"], values["candidate_groups"], values["candidate_users"])
    return WorklistRow(**values, may_work=may_work(user, candidate))


# A cursor is the place of the last row in the order: due instant (or nothing), priority, key.


def _cursor(row: WorklistRow) -> str:
    due = row.due_at.isoformat() if row.due_at else ""
    return f"{due}~{row.priority}~{row.key}"


def _after(cursor: str) -> ColumnElement[bool]:
    due_text, priority_text, key_text = cursor.split("~")
    priority, key = int(priority_text), int(key_text)
    later = or_(UserTask.priority < priority, and_(UserTask.priority == priority, UserTask.key > key))
    if not due_text:
        return and_(UserTask.due_at.is_(None), later)
    due = datetime.fromisoformat(due_text)
    if due.tzinfo is None:
        raise ValueError(f"{cursor} is not a cursor of the worklist")
    return or_(UserTask.due_at > due, and_(UserTask.due_at == due, later), UserTask.due_at.is_(None))
