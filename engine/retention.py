"""Retention: hierarchies whose removal time has come are archived, then removed with everything that belongs to them.

First the archive is on the disk, then the rows go, in a transaction that takes itself back when it does not remove
exactly what was archived. Whatever happens in between, nothing is lost; what is archived twice can be told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import ColumnElement, CursorResult, Select, Table, delete, exists, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from database import Base, transaction
from engine import clock, definitions
from engine.archive import Archive, Case
from engine.configuration import configuration
from engine.duties import Sessions
from engine.models import BatchItem, ElementInstance, MessageCorrelation, ProcessInstance, ProcessState
from engine.time_to_live import removal_at

_log = structlog.get_logger("baton.retention")

#: Hierarchies removed in one transaction, at most.
BATCH = 50
#: Visits of elements in one transaction, about: with them come all other rows. A single hierarchy may have more.
BATCH_VISITS = 1_000

#: Rows that name an instance but belong to something else, and go with that.
_OTHERS: frozenset[str] = frozenset({MessageCorrelation.__tablename__, BatchItem.__tablename__})


class Changed(Exception):
    """What was to be removed is not what was archived; it is archived again next time."""


class Cleanup:
    """The duty that archives and removes what need no longer be kept; `work` is what it does each time."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def work(self, sessions: Sessions) -> Iterator[None]:
        """Remove all that is due, a batch at a time; yields after each.

        A hierarchy that cannot be removed is logged, left for the next time, and keeps no other from being removed.
        """
        left: set[int] = set()
        while roots := self._next(sessions, left):
            try:
                self._remove(sessions, roots)
            except (Changed, IntegrityError):
                # One of them; the others need not wait for it.
                for root in roots:
                    self._remove_alone(sessions, root, left)
                    yield
            yield

    def _next(self, sessions: Sessions, left: set[int]) -> list[int]:
        """Return the topmost instances of the next batch."""
        with sessions() as session:
            due = select(ProcessInstance.key).where(*_is_due(clock.now(session)), ProcessInstance.key.not_in(left))
            roots = session.scalars(due.order_by(ProcessInstance.removal_at).limit(BATCH)).all()
            chosen: list[int] = []
            visits = 0
            for root in roots:
                of_root = ElementInstance.instance_key.in_(_members([root]))
                visits += session.scalar(select(func.count()).select_from(ElementInstance).where(of_root)) or 0
                if chosen and visits > BATCH_VISITS:
                    break
                chosen.append(root)
        return chosen

    def _remove_alone(self, sessions: Sessions, root: int, left: set[int]) -> None:
        try:
            self._remove(sessions, [root])
        except (Changed, IntegrityError) as error:
            _log.warning("history could not be removed", instance=root, error=str(error))
            left.add(root)

    def _remove(self, sessions: Sessions, roots: Sequence[int]) -> None:
        with sessions() as session:
            found = _collect(session, roots)
            cases = list(_cases(session, roots, found))
        self._archive.add(cases)
        with sessions() as session, transaction(session):
            _delete(session, roots, {table: len(rows) for table, rows in found.items()})
        instances = len(found[ProcessInstance.__tablename__])
        _log.info("history removed", hierarchies=len(roots), instances=instances)


def _is_due(now: datetime) -> list[ColumnElement[bool]]:
    member = aliased(ProcessInstance)
    running = exists().where(member.root_key == ProcessInstance.key, member.state == ProcessState.ACTIVE)
    return [ProcessInstance.removal_at <= now, ProcessInstance.state != ProcessState.ACTIVE, ~running]


def _members(roots: Sequence[int]) -> Select[int]:
    """Return the query for the instances of hierarchies: there may be more than a statement can list."""
    return select(ProcessInstance.key).where(ProcessInstance.root_key.in_(roots))


def belonging(roots: Sequence[int]) -> list[tuple[Table, ColumnElement[bool]]]:
    """Return every table that has rows of hierarchies, with the condition for these; in an order to delete in.

    A table belongs to instances when it has an `instance_key`, or refers to the `key` of a table that has one.
    """
    owned: dict[str, ColumnElement[bool]] = {}
    for table in Base.metadata.sorted_tables:
        if table.name in _OTHERS:
            continue
        if table.name == ProcessInstance.__tablename__:
            owned[table.name] = table.c.root_key.in_(roots)
        elif "instance_key" in table.c:
            owned[table.name] = table.c.instance_key.in_(_members(roots))
        else:
            for reference in table.foreign_keys:
                parent = reference.column.table
                if "instance_key" in parent.c and reference.column.name == "key":
                    of_these = select(parent.c.key).where(parent.c.instance_key.in_(_members(roots)))
                    owned[table.name] = reference.parent.in_(of_these)
    referring_first = [table for table in reversed(Base.metadata.sorted_tables) if table.name in owned]
    # Which rows belong to a hierarchy is known as long as its instances are there.
    referring_first.sort(key=lambda table: table.name == ProcessInstance.__tablename__)
    return [(table, owned[table.name]) for table in referring_first]


def _collect(session: Session, roots: Sequence[int]) -> dict[str, list[dict[str, Any]]]:
    """Return all rows of the hierarchies by table."""
    return {
        table.name: [dict(row) for row in session.execute(select(table).where(condition)).mappings()]
        for table, condition in belonging(roots)
    }


def _cases(session: Session, roots: Sequence[int], found: dict[str, list[dict[str, Any]]]) -> Iterator[Case]:
    zone = configuration(session).zone
    root_of = {row["key"]: row["root_key"] for row in found[ProcessInstance.__tablename__]}
    split: dict[int, dict[str, list[dict[str, Any]]]] = {root: {} for root in roots}
    for table in Base.metadata.sorted_tables:
        rows_of_table = found.get(table.name)
        if not rows_of_table:
            continue
        owner = _owner(table)
        for row in rows_of_table:
            root = root_of[row[owner]]
            if "key" in row:
                root_of[row["key"]] = root
            split[root].setdefault(table.name, []).append(row)
    for root, rows in split.items():
        instance = next((row for row in rows.get(ProcessInstance.__tablename__, ()) if row["key"] == root), None)
        if instance is None:
            raise Changed(f"process instance {root} is gone already")
        ended_on = instance["ended_at"].astimezone(zone).date()
        yield Case(root, instance["process_id"], ended_on, rows)


def _owner(table: Table) -> str:
    """Return the column by which a row is known to belong to an instance."""
    if table.name == ProcessInstance.__tablename__:
        return "key"
    if "instance_key" in table.c:
        return "instance_key"
    return next(reference.parent.name for reference in table.foreign_keys if reference.column.name == "key")


def _delete(session: Session, roots: Sequence[int], archived: dict[str, int]) -> None:
    """Remove every row; raises Changed when others were archived, or somebody is at work on one of the instances."""
    locked = session.scalars(
        select(ProcessInstance.key)
        .where(ProcessInstance.key.in_(roots), *_is_due(clock.now(session)))
        .with_for_update(skip_locked=True, of=ProcessInstance)
    ).all()
    if len(locked) != len(roots):
        raise Changed("somebody is at work on it, or it is no longer due")
    for table, condition in belonging(roots):
        result = session.execute(delete(table).where(condition))
        assert isinstance(result, CursorResult)
        if result.rowcount != archived[table.name]:
            raise Changed(f"{archived[table.name]} rows of {table.name} were archived, and there are {result.rowcount}")


def set_removal_times(sessions: Sessions, process_id: str | None = None) -> Iterator[int]:
    """Give instances that have ended the removal time that process and settings ask for today; yields how many changed.

    A change of either applies to instances that end after it; this applies it to those that ended before. Of one
    process, or of all; a batch at a time, each in a transaction of its own.
    """
    after = 0
    while True:
        with sessions() as session, transaction(session):
            conditions = [
                ProcessInstance.key > after,
                ProcessInstance.parent_key.is_(None),
                ProcessInstance.state != ProcessState.ACTIVE,
            ]
            if process_id is not None:
                conditions.append(ProcessInstance.process_id == process_id)
            columns = (
                ProcessInstance.key,
                ProcessInstance.definition_key,
                ProcessInstance.ended_at,
                ProcessInstance.removal_at,
            )
            rows = session.execute(select(*columns).where(*conditions).order_by(ProcessInstance.key).limit(500)).all()
            changed = 0
            for key, definition_key, ended_at, known in rows:
                assert ended_at is not None
                wanted = removal_at(ended_at, definitions.process(session, definition_key), session)
                if wanted != known:
                    session.execute(update(ProcessInstance).where(ProcessInstance.key == key).values(removal_at=wanted))
                    changed += 1
        if not rows:
            return
        yield changed
        after = rows[-1][0]
