"""The lock of a hierarchy of instances: one command at a time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from database.by_key import ByKey
from database.prepared import Prepared, together
from engine.models import ProcessInstance, UserTask

_LOCK = Prepared(select(ProcessInstance.key).where(ProcessInstance.key == bindparam("key")).with_for_update())

_TRY = Prepared(
    select(ProcessInstance.key).where(ProcessInstance.key == bindparam("key")).with_for_update(skip_locked=True)
)

_HELD = "baton_locked_roots"

_Model = TypeVar("_Model", bound=ProcessInstance | UserTask)


class Locked(Generic[_Model]):
    """Rows with their hierarchies locked: finding a root, locking it and reading the row are one round trip."""

    def __init__(self, model: type[_Model]) -> None:
        self._rows: ByKey[_Model] = ByKey(model)
        root_key = select(model.root_key).where(model.key == bindparam("key"))
        # What a row's hierarchy is never changes, so it may be found before the lock.
        self._lock = Prepared(
            select(ProcessInstance.key).where(ProcessInstance.key == root_key.scalar_subquery()).with_for_update()
        )

    def get(self, session: Session, key: int) -> _Model | None:
        """Lock as `lock` does and return the row with this key as it is then, or None."""
        connection = session.connection()
        row = (self._rows.statement, {"key": key})
        if connection.dialect.name == "sqlite":
            (found,) = together(connection, row)
        else:
            # Of two statements of a transaction, the second one sees what was committed while the first one waited.
            roots, found = together(connection, (self._lock, {"key": key}), row)
            _note(session, {root for (root,) in roots})
        return self._rows.of(session, key, found)


def lock(session: Session, root_key: int) -> None:
    """Keep every other command of the hierarchy out until the transaction ends; the second call in it costs nothing.

    What the session has read before may be of the time before the lock, so it is read anew when it is next looked at.
    """
    _take(session, root_key, _LOCK)


def lock_all(session: Session, root_keys: Select[int]) -> None:
    """Lock the hierarchies that a query of their root keys finds, in one order, so that nobody waits in a circle."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        return
    ordered = select(ProcessInstance.key).where(ProcessInstance.key.in_(root_keys)).order_by(ProcessInstance.key)
    keys = connection.scalars(ordered.with_for_update()).all()
    if keys:
        _note(session, set(keys))


def holds(session: Session, root_keys: Iterable[int]) -> bool:
    """Return whether this transaction has locked all of these hierarchies."""
    return _held(session).issuperset(root_keys)


def _held(session: Session) -> frozenset[int]:
    owner, roots = session.info.get(_HELD, (None, frozenset()))
    return roots if owner is session.get_transaction() else frozenset()


def try_lock(session: Session, root_key: int) -> bool:
    """Lock the hierarchy as `lock` does, but return False instead of waiting when a command of it is under way."""
    return _take(session, root_key, _TRY)


def _take(session: Session, root_key: int, statement: Prepared) -> bool:
    connection = session.connection()
    # On SQLite the transaction itself holds the one write lock.
    if connection.dialect.name == "sqlite":
        return True
    if root_key in _held(session):
        return True
    if statement.scalar(connection, key=root_key) is None:
        return False
    _note(session, {root_key})
    return True


def _note(session: Session, root_keys: set[int]) -> None:
    session.expire_all()
    session.info[_HELD] = (session.get_transaction(), _held(session) | root_keys)
