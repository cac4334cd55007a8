"""Batch operations: a wish for many instances is written down with its items, and workers carry it out.

One transaction per item does the work and says that it is done, so that each item is done once, however many workers
there are and whenever one of them is killed. An item that fails keeps its reason and stops no other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import ColumnElement, exists, insert, literal, select, text, update
from sqlalchemy.orm import Session

from database import transaction
from database.retrying import away, retryable
from engine import batch_kinds, clock, wakeup
from engine.batch_kinds import Item, Kind
from engine.errors import EngineError, NotActive, NotFound
from engine.keys import new_key
from engine.models import BatchItem, BatchItemState, BatchOperation, BatchState

_log = structlog.get_logger("baton.batches")

#: The channel on which workers hear that there is an operation to carry out.
CHANNEL = "batches"

#: Items of one operation that are done before another operation has its turn.
TURN = 20

_UNDER_WAY = (BatchState.CREATED, BatchState.ACTIVE)
# Written out, not bound: only then does the partial index serve the query.
_IS_UNDER_WAY = text("batch_operation.state IN ('CREATED', 'ACTIVE')")


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is done to each item of an operation, for whom and why."""

    key: int
    kind: Kind
    actor: str
    reason: str


def create(session: Session, kind: Kind, where: ColumnElement[bool], *, actor: str, reason: str) -> BatchOperation:
    """Write down an operation on all the things of its kind for which `where` holds now.

    `where` is a condition on process instances (of jobs: on jobs, too), e.g. `ProcessInstance.key.in_(chosen)`. What
    begins to fit later is not taken in. Without any item the operation is over as soon as a worker sees it.
    """
    operation = BatchOperation(
        key=new_key(),
        type=kind.type,
        state=BatchState.CREATED,
        request=batch_kinds.dump(kind),
        actor=actor,
        reason=reason,
        created_at=clock.now(session),
        started_at=None,
        ended_at=None,
        total=0,
    )
    session.add(operation)
    session.flush()
    chosen = kind.items().where(where).subquery()
    rows = select(literal(operation.key), *chosen.c, literal(BatchItemState.ACTIVE.value))
    columns = ["operation_key", "item_key", "instance_key", "root_key", "state"]
    statement = insert(BatchItem).from_select(columns, rows).execution_options(preserve_rowcount=True)
    inserted: Any = session.execute(statement)
    operation.total = inserted.rowcount
    session.flush()
    wakeup.notify(session, CHANNEL)
    return operation


def cancel(session: Session, key: int) -> None:
    """Let the items that are not done stay undone; raises NotFound, NotActive when it is over."""
    _move(session, key, BatchState.CANCELED, *_UNDER_WAY, BatchState.SUSPENDED)
    now = clock.now(session)
    session.execute(update(BatchOperation).where(BatchOperation.key == key).values(ended_at=now))
    session.execute(
        update(BatchItem)
        .where(BatchItem.operation_key == key, BatchItem.state == BatchItemState.ACTIVE)
        .values(state=BatchItemState.CANCELED, processed_at=now)
    )


def suspend(session: Session, key: int) -> None:
    """Let the operation stand still until it is resumed; raises NotFound, NotActive."""
    _move(session, key, BatchState.SUSPENDED, *_UNDER_WAY)


def resume(session: Session, key: int) -> None:
    """Let a suspended operation go on; raises NotFound, NotActive."""
    _move(session, key, BatchState.CREATED, BatchState.SUSPENDED)
    wakeup.notify(session, CHANNEL)


def work(sessions: Callable[[], Session]) -> bool:
    """Do some items of every operation that is under way; return whether there may be more to do."""
    with sessions() as session:
        keys = session.scalars(select(BatchOperation.key).where(_IS_UNDER_WAY).order_by(BatchOperation.key)).all()
    more = False
    for key in keys:
        try:
            more |= _take_turn(sessions, key)
        except Exception as error:
            if away(error) or retryable(error):
                raise
            # It is tried again the next time; the others need not wait for that.
            _log.exception("batch operation failed", operation=key)
    return more


def _take_turn(sessions: Callable[[], Session], key: int) -> bool:
    """Do at most TURN items of one operation; return whether there may be more."""
    with sessions() as session:
        with transaction(session):
            wish = _begin(session, key)
        return wish is not None and all(_do_next(session, wish) for _ in range(TURN))


def _begin(session: Session, key: int) -> _Wish | None:
    """Return what an operation wishes, which has begun now if not before; None when it is suspended or over."""
    operation = session.scalar(select(BatchOperation).where(BatchOperation.key == key).with_for_update())
    if operation is None or operation.state not in _UNDER_WAY:
        return None
    operation.state = BatchState.ACTIVE
    operation.started_at = operation.started_at or clock.now(session)
    kind = batch_kinds.load(operation.type, operation.request)
    return _Wish(key, kind, operation.actor, operation.reason)


def _do_next(session: Session, wish: _Wish) -> bool:
    """Do the next item that no other worker has in hand; return whether there was one."""
    item: Item | None = None
    try:
        with transaction(session):
            item = _claim(session, wish)
            if item is None:
                _close(session, wish.key)
                return False
            wish.kind.carry_out(session, item)
            _note(session, wish.key, item.key, BatchItemState.COMPLETED)
    except Exception as error:
        # The database is away or chose this transaction as a victim: the item is as it was.
        if item is None or away(error) or retryable(error):
            raise
        level = _log.info if isinstance(error, EngineError) else _log.exception
        level("batch item failed", operation=wish.key, item=item.key, error=str(error))
        reason = str(error) if isinstance(error, EngineError) else f"{type(error).__name__}: {error}"
        with transaction(session):
            # A sentence may quote what was sent, and PostgreSQL keeps no NUL.
            _note(session, wish.key, item.key, BatchItemState.FAILED, reason.replace("\0", "\N{REPLACEMENT CHARACTER}"))
    return True


def _claim(session: Session, wish: _Wish) -> Item | None:
    """Lock the next item until the transaction ends; None when there is none or the operation stands still."""
    row = session.execute(
        select(BatchItem.item_key, BatchItem.instance_key)
        .join(BatchOperation, BatchOperation.key == BatchItem.operation_key)
        .where(
            BatchItem.operation_key == wish.key,
            BatchItem.state == BatchItemState.ACTIVE,
            BatchOperation.state == BatchState.ACTIVE,
        )
        .order_by(BatchItem.item_key)
        .limit(1)
        .with_for_update(skip_locked=True, of=BatchItem)
    ).first()
    return None if row is None else Item(row.item_key, row.instance_key, wish.actor, wish.reason)


def _note(session: Session, key: int, item_key: int, state: BatchItemState, error: str | None = None) -> None:
    session.execute(
        update(BatchItem)
        .where(
            BatchItem.operation_key == key,
            BatchItem.item_key == item_key,
            # Of a failed item the lock is gone: another worker may have done it, somebody may have cancelled it.
            BatchItem.state == BatchItemState.ACTIVE,
        )
        .values(state=state, processed_at=clock.now(session), error=error)
    )


def _close(session: Session, key: int) -> None:
    """End an operation without items that are to be done; those in another worker's hands still are."""
    left = exists().where(BatchItem.operation_key == key, BatchItem.state == BatchItemState.ACTIVE)
    session.execute(
        update(BatchOperation)
        .where(BatchOperation.key == key, BatchOperation.state == BatchState.ACTIVE, ~left)
        .values(state=BatchState.COMPLETED, ended_at=clock.now(session))
    )


def _move(session: Session, key: int, to: BatchState, *states: BatchState) -> None:
    operation = session.scalar(select(BatchOperation).where(BatchOperation.key == key).with_for_update())
    if operation is None:
        raise NotFound("batch operation", key)
    if operation.state not in states:
        raise NotActive("batch operation", key, operation.state.lower())
    operation.state = to
    session.flush()


__all__ = ["cancel", "create", "resume", "suspend", "work"]
