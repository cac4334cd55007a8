"""Retention of what belongs to no case: evaluations of decisions that programs asked for, and batch operations.

They are kept as long as the settings say for all processes (`history_time_to_live`), from the evaluation, or from the
end of the operation. They are not archived: whoever asked for an evaluation has the answer, and what an operation has
done to a case is told by the history of the case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

import structlog
from sqlalchemy import CursorResult, Delete, Select, delete, select, text, tuple_

from database import transaction
from engine.duties import Sessions
from engine.models import BatchItem, BatchOperation, DecisionEvaluation
from engine.time_to_live import kept_since

_log = structlog.get_logger("baton.retention")

#: Rows removed in one transaction, at most.
BATCH = 1_000

# Written out, not bound: only then does the partial index serve the query.
_ASKED_FOR = text("decision_evaluation.instance_key IS NULL")


def clean_up(sessions: Sessions) -> Iterator[None]:
    """Remove all that need no longer be kept, a batch at a time; yields after each."""
    removed = 0
    for rows in (_evaluations, _items, _operations):
        while number := _remove(sessions, rows):
            removed += number
            yield
    if removed:
        _log.info("history of no case removed", rows=removed)


def _remove(sessions: Sessions, rows: Callable[[datetime], Delete]) -> int:
    """Carry out what `rows` makes of the instant since which history is kept; return the number of rows removed."""
    with sessions() as session, transaction(session):
        since = kept_since(session)
        if since is None:
            return 0
        result = session.execute(rows(since))
        assert isinstance(result, CursorResult)
        return result.rowcount


def evaluations_over(since: datetime) -> Select[int]:
    """Return the query for the next evaluations to be removed."""
    over = select(DecisionEvaluation.key).where(_ASKED_FOR, DecisionEvaluation.at < since)
    return over.order_by(DecisionEvaluation.at).limit(BATCH)


def _evaluations(since: datetime) -> Delete:
    return delete(DecisionEvaluation).where(DecisionEvaluation.key.in_(evaluations_over(since)))


def _items(since: datetime) -> Delete:
    over = select(BatchItem.operation_key, BatchItem.item_key).where(BatchItem.operation_key.in_(_over(since)))
    return delete(BatchItem).where(tuple_(BatchItem.operation_key, BatchItem.item_key).in_(over.limit(BATCH)))


def _operations(since: datetime) -> Delete:
    return delete(BatchOperation).where(BatchOperation.key.in_(_over(since)))


def _over(since: datetime) -> Select[int]:
    return select(BatchOperation.key).where(BatchOperation.ended_at < since)
