"""What a command has changed, collected in memory and written in one round trip per table and kind of change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Delete, Table, Update, bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from database import Base
from database.prepared import Prepared
from engine.models import (
    CLOSED_TASKS,
    Audit,
    DecisionEvaluation,
    ElementInstance,
    ElementState,
    Incident,
    IncidentState,
    Job,
    JobState,
    LoopItems,
    MessageSubscription,
    ProcessInstance,
    SignalSubscription,
    Timer,
    UserTask,
    UserTaskGroup,
    UserTaskState,
    UserTaskUser,
    Variable,
)

Row = dict[str, Any]

#: Parents before children, because rows refer to each other.
_ORDER: tuple[type[Base], ...] = (
    ProcessInstance,
    ElementInstance,
    Variable,
    UserTask,
    UserTaskGroup,
    UserTaskUser,
    Job,
    Timer,
    MessageSubscription,
    SignalSubscription,
    LoopItems,
    Incident,
    DecisionEvaluation,
    Audit,
)

#: Waits that are deleted when their element is left.
_DELETED = (Timer, MessageSubscription, SignalSubscription, LoopItems)
#: Who may take an open user task.
_CANDIDATES: tuple[type[Base], ...] = (UserTaskGroup, UserTaskUser)
#: States of a user task that has not ended; in most of them listeners look at a change.
_OPEN_TASKS: list[str] = [state for state in UserTaskState if state not in CLOSED_TASKS]


#: Bound parameters of one statement: SQLite's limit is 32,766.
_MOST_PARAMETERS = 10_000


def batched(keys: Iterable[int], size: int) -> Iterator[list[int]]:
    """Yield the keys in lists of at most `size`."""
    remaining = iter(keys)
    while batch := list(islice(remaining, size)):
        yield batch


def _table(model: type[Base]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)
    return table


class Changes:
    """The rows to insert, update and delete at the end of a command."""

    def __init__(self) -> None:
        self._inserts: dict[type[Base], dict[Any, Row]] = defaultdict(dict)
        self._updates: dict[type[Base], dict[int, Row]] = defaultdict(dict)
        #: Per kind of wait, the keys of element instances whose waits end.
        self._closed: dict[type[Base], dict[int, Row]] = defaultdict(dict)
        #: Per element instance, the events attached to it that are waited for no more, and the kinds of wait they have.
        self._closed_events: dict[int, tuple[set[type[Base]], set[str]]] = {}
        #: Waits created in this command, by element instance: ended in the same command, they are never written.
        self._pending: dict[int, list[tuple[type[Base], int]]] = defaultdict(list)
        #: User tasks that have got candidates in this command, by element instance.
        self._offered: dict[int, set[int]] = defaultdict(set)

    def insert(self, model: type[Base], **row: Any) -> Row:
        """Add a row."""
        key = row["key"]
        self._inserts[model][key] = row
        return row

    def wait(self, model: type[Base], **row: Any) -> Row:
        """Add a row that ends with its element instance."""
        self._pending[row["element_instance_key"]].append((model, row["key"]))
        return self.insert(model, **row)

    def candidates(self, task_key: int, element_instance_key: int, groups: Iterable[str], users: Iterable[str]) -> None:
        """Add the candidates of a user task that has none."""
        self._offered[element_instance_key].add(task_key)
        for group in dict.fromkeys(groups):
            self._inserts[UserTaskGroup][task_key, group] = {"task_key": task_key, "group_id": group}
        for user in dict.fromkeys(users):
            self._inserts[UserTaskUser][task_key, user] = {"task_key": task_key, "username": user}

    def update(self, model: type[Base], key: int, **values: Any) -> None:
        """Change a row, added in this command or earlier."""
        fresh = self._inserts[model].get(key)
        if fresh is not None:
            fresh.update(values)
        else:
            self._updates[model].setdefault(key, {}).update(values)

    def delete_wait(self, model: type[Base], key: int) -> None:
        """Take away one timer or subscription: it has fired for the last time, or its event is gone."""
        self._inserts[model].pop(key, None)
        self._closed[model].setdefault(-key, {})

    def end_waits(self, element_instance_key: int, kinds: Iterable[type[Base]], at: Any) -> None:
        """End every wait of these kinds that belongs to an element instance."""
        fresh = self._pending.pop(element_instance_key, [])
        kept = []
        for model, key in fresh:
            if model not in kinds:
                kept.append((model, key))
            elif model in _DELETED:
                self._inserts[model].pop(key, None)
            else:
                row = self._inserts[model][key]
                row.update(_ended(model, at, row))
        if kept:
            self._pending[element_instance_key] = kept
        if UserTask in kinds:
            for key in self._offered.pop(element_instance_key, ()):
                self.drop_candidates(key)
        for model in kinds:
            self._closed[model][element_instance_key] = {"at": at}

    def end_events(self, element_instance_key: int, kinds: Iterable[type[Base]], event_ids: Iterable[str]) -> None:
        """End the timers and subscriptions of some of the events that an element instance waits for."""
        closed, ended = self._closed_events.setdefault(element_instance_key, (set(), set()))
        closed.update(kinds)
        ended.update(event_ids)
        kept = []
        for model, key in self._pending.pop(element_instance_key, []):
            if model in closed and self._inserts[model][key]["element_id"] in ended:
                del self._inserts[model][key]
            else:
                kept.append((model, key))
        if kept:
            self._pending[element_instance_key] = kept

    def noted(self, model: type[Base], key: int) -> Row:
        """Return what the command has changed of a row, or all of one that it has added."""
        return self._inserts[model].get(key) or self._updates[model].get(key) or {}

    def drop_candidates(self, task_key: int, *, groups: bool = True, users: bool = True) -> None:
        """Take a user task off the worklists of its candidates; of a kind that it is known not to have, nothing is."""
        for model in (model for model, wanted in zip(_CANDIDATES, (groups, users), strict=True) if wanted):
            fresh = self._inserts[model]
            for identity in [identity for identity in fresh if identity[0] == task_key]:
                del fresh[identity]
            self._closed[model][task_key] = {}

    @property
    def models(self) -> set[type[Base]]:
        """The kinds of rows that have changed, been added or been taken away."""
        of_events = (kinds for kinds, _ in self._closed_events.values())
        return set().union(self._inserts, self._updates, self._closed, *of_events)

    def flush(self, session: Session) -> None:
        """Write everything; the transaction stays open."""
        connection = session.connection()
        # What has changed and ends in the same command has ended; what a retry opens again for the same element
        # instance must not be ended with the old.
        for model, by_key in self._updates.items():
            changed = ({"_key": key} | values for key, values in by_key.items())
            for (_, *names), same in _by_columns(changed).items():
                _update_by_key(model, tuple(names)).execute(connection, same)
        self._end(connection)
        for model in _ORDER:
            rows = self._inserts.get(model)
            if rows:
                for columns, same in _by_columns(rows.values()).items():
                    _insertion(model, columns).execute(connection, same)

    def _end(self, connection: Connection) -> None:
        for owner, (kinds, event_ids) in self._closed_events.items():
            for model in kinds:
                connection.execute(_deletion_of_events(model), {"owner": owner, "events": list(event_ids)})
        for model, closed in self._closed.items():
            for keys in batched(closed, _MOST_PARAMETERS):
                if model in _DELETED:
                    owners = [key for key in keys if key > 0]
                    own = [-key for key in keys if key < 0]
                    if owners:
                        _deletion(model, "element_instance_key").execute(connection, [{"_key": key} for key in owners])
                    if own:
                        _deletion(model, "key").execute(connection, [{"_key": key} for key in own])
                elif model in _CANDIDATES:
                    _deletion(model, "task_key").execute(connection, [{"_key": key} for key in keys])
                else:
                    _end_by_state(connection, model, keys, closed[keys[0]]["at"])


def _by_columns(rows: Iterable[Row]) -> dict[tuple[str, ...], list[Row]]:
    """Return the rows by the columns that they have: those of one statement."""
    same: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        same[tuple(row)].append(row)
    return same


# The statements are built once: building them costs as much as running them.


@cache
def _insertion(model: type[Base], columns: tuple[str, ...]) -> Prepared:
    return Prepared(insert(_table(model)).values({name: bindparam(name) for name in columns}))


@cache
def _update_by_key(model: type[Base], columns: tuple[str, ...]) -> Prepared:
    table = _table(model)
    values: dict[str, Any] = {name: bindparam(name) for name in columns}
    return Prepared(update(table).where(table.c.key == bindparam("_key")).values(values))


@cache
def _deletion(model: type[Base], column: str) -> Prepared:
    table = _table(model)
    return Prepared(delete(table).where(table.c[column] == bindparam("_key")))


@cache
def _deletion_of_events(model: type[Base]) -> Delete:
    table = _table(model)
    return delete(table).where(
        table.c.element_instance_key == bindparam("owner"), table.c.element_id.in_(bindparam("events", expanding=True))
    )


@cache
def _end_of(model: type[Base]) -> Update:
    """The statement that ends the open rows of a kind of wait by their state."""
    table = _table(model)
    ends: dict[type[Base], tuple[str, str, list[str]]] = {
        UserTask: (UserTaskState.CANCELED, "ended_at", _OPEN_TASKS),
        Job: (JobState.CANCELED, "ended_at", [JobState.CREATED, JobState.FAILED]),
        Incident: (IncidentState.RESOLVED, "resolved_at", [IncidentState.ACTIVE]),
    }
    state, end_column, still = ends[model]
    mine = table.c.element_instance_key.in_(bindparam("keys", expanding=True))
    return update(table).where(mine, table.c.state.in_(still)).values({"state": state, end_column: bindparam("at")})


@cache
def _candidates_of_open(candidates: type[Base]) -> Delete:
    """The statement that deletes the candidates of the open user tasks of element instances."""
    tasks = _table(UserTask)
    mine = tasks.c.element_instance_key.in_(bindparam("keys", expanding=True))
    ended = select(tasks.c.key).where(mine, tasks.c.state.in_(_OPEN_TASKS))
    table = _table(candidates)
    return delete(table).where(table.c.task_key.in_(ended))


def _end_by_state(connection: Connection, model: type[Base], keys: Sequence[int], at: datetime) -> None:
    if model is UserTask:
        for candidates in _CANDIDATES:
            connection.execute(_candidates_of_open(candidates), {"keys": keys})
    connection.execute(_end_of(model), {"keys": keys, "at": at})


def _ended(model: type[Base], at: Any, row: Row) -> Row:
    if model is Incident:
        return {"state": IncidentState.RESOLVED, "resolved_at": at}
    state = row["state"]
    if model is UserTask:
        return {"state": UserTaskState.CANCELED, "ended_at": at} if state in _OPEN_TASKS else {}
    if model is Job:
        return {"state": JobState.CANCELED, "ended_at": at} if state == JobState.CREATED else {}
    return {"state": ElementState.TERMINATED}
