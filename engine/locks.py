"""The lock of a hierarchy of instances: one command at a time."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from database.prepared import Prepared
from engine.models import ProcessInstance

_LOCK = Prepared(select(ProcessInstance.key).where(ProcessInstance.key == bindparam("key")).with_for_update())

_TRY = Prepared(
    select(ProcessInstance.key).where(ProcessInstance.key == bindparam("key")).with_for_update(skip_locked=True)
)

_HELD = "baton_locked_roots"


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
        session.expire_all()
        session.info[_HELD] = (session.get_transaction(), _held(session) | set(keys))


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
    session.expire_all()
    session.info[_HELD] = (session.get_transaction(), _held(session) | {root_key})
    return True
