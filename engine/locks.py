"""The lock of a hierarchy of instances: one command at a time."""

from __future__ import annotations

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from engine.models import ProcessInstance

_LOCK = select(ProcessInstance.key).where(ProcessInstance.key == bindparam("key")).with_for_update()

_HELD = "baton_locked_roots"


def lock(session: Session, root_key: int) -> None:
    """Keep every other command of the hierarchy out until the transaction ends; the second call in it costs nothing.

    What the session has read before may be of the time before the lock, so it is read anew when it is next looked at.
    """
    connection = session.connection()
    # On SQLite the transaction itself holds the one write lock.
    if connection.dialect.name == "sqlite":
        return
    transaction = session.get_transaction()
    owner, roots = session.info.get(_HELD, (None, frozenset()))
    if owner is not transaction:
        roots = frozenset()
    if root_key in roots:
        return
    connection.execute(_LOCK, {"key": root_key})
    session.expire_all()
    session.info[_HELD] = (transaction, roots | {root_key})
