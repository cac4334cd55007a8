"""Batch operations and their items as the API lists them, for managers."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, Select, String, case, func, literal, select
from sqlalchemy.orm import Session

from cockpit.batch_shapes import BatchItemQuery, BatchItemShape, BatchOperationQuery, BatchOperationShape
from cockpit.service import require_manager
from database.rest import Listing, Results, matching
from engine.errors import NotFound
from engine.models import BatchItem, BatchItemState, BatchOperation
from people.models import User

#: Null: nobody is known to have wished it.
_ACTOR_TYPE = case((BatchOperation.actor != "", "USER"), else_=literal(None, String))

_OPERATION_COLUMNS = {
    "batch_operation_key": BatchOperation.key,
    "operation_type": BatchOperation.type,
    "state": BatchOperation.state,
    "actor_type": _ACTOR_TYPE,
    "actor_id": BatchOperation.actor,
}

_OPERATIONS: Listing[BatchOperation] = Listing(
    BatchOperation.key.expression,
    {
        "batchOperationKey": BatchOperation.key.expression,
        "operationType": BatchOperation.type.expression,
        "state": BatchOperation.state.expression,
        "startDate": BatchOperation.started_at.expression,
        "endDate": BatchOperation.ended_at.expression,
        "actorType": _ACTOR_TYPE,
        "actorId": BatchOperation.actor.expression,
    },
)

_ITEM_COLUMNS = {
    "batch_operation_key": BatchItem.operation_key,
    "item_key": BatchItem.item_key,
    "process_instance_key": BatchItem.instance_key,
    "state": BatchItem.state,
    "operation_type": BatchOperation.type,
}

_ITEMS: Listing[BatchItem] = Listing(
    BatchItem.item_key.expression,
    {
        "batchOperationKey": BatchItem.operation_key.expression,
        "itemKey": BatchItem.item_key.expression,
        "processInstanceKey": BatchItem.instance_key.expression,
        "processedDate": BatchItem.processed_at.expression,
        "state": BatchItem.state.expression,
    },
)


def operations(session: Session, user: User, query: BatchOperationQuery) -> Results[BatchOperationShape]:
    """Return the batch operations that `query` asks for; raises Forbidden, InvalidCursor."""
    require_manager(user)
    return _OPERATIONS.find(session, _rows().where(*matching(query.filter, _OPERATION_COLUMNS)), query, _render)


def operation(session: Session, user: User, key: int) -> BatchOperationShape:
    """Return a batch operation; raises Forbidden, NotFound."""
    require_manager(user)
    row = session.execute(_rows().where(BatchOperation.key == key)).one_or_none()
    if row is None:
        raise NotFound("batch operation", key)
    return _render(row)


def items(session: Session, user: User, query: BatchItemQuery) -> Results[BatchItemShape]:
    """Return the items that `query` asks for; raises Forbidden, InvalidCursor."""
    require_manager(user)
    rows = (
        select(BatchItem, BatchOperation.type)
        .join(BatchOperation, BatchOperation.key == BatchItem.operation_key)
        .where(*matching(query.filter, _ITEM_COLUMNS))
    )
    return _ITEMS.find(session, rows, query, _render_item)


def _rows() -> Select[BatchOperation, int, int]:
    return select(BatchOperation, _number(BatchItemState.FAILED), _number(BatchItemState.COMPLETED))


def _number(state: BatchItemState) -> Any:
    counted = select(func.count()).where(BatchItem.operation_key == BatchOperation.key, BatchItem.state == state)
    return counted.correlate(BatchOperation).scalar_subquery()


def _render(row: Row[BatchOperation, int, int]) -> BatchOperationShape:
    operation, failed, completed = row
    return BatchOperationShape(
        batch_operation_key=operation.key,
        batch_operation_type=operation.type,
        state=operation.state,
        start_date=operation.started_at,
        end_date=operation.ended_at,
        actor_type="USER" if operation.actor else None,
        actor_id=operation.actor or None,
        operations_total_count=operation.total,
        operations_failed_count=failed,
        operations_completed_count=completed,
    )


def _render_item(row: Row[BatchItem, str]) -> BatchItemShape:
    item, operation_type = row
    return BatchItemShape(
        batch_operation_key=item.operation_key,
        operation_type=operation_type,
        item_key=item.item_key,
        process_instance_key=item.instance_key,
        root_process_instance_key=item.root_key,
        state=item.state,
        processed_date=item.processed_at,
        error_message=item.error,
    )
