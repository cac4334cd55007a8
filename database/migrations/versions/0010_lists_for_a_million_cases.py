"""lists for a million cases"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

OPEN = "state = 'CREATED'"
DUE = "ix_user_task_due"

#: Index, table, columns, condition.
INDEXES = (
    ("ix_process_instance_starter", "process_instance", ["started_by", "started_at"], None),
    ("ix_user_task_assignee", "user_task", ["assignee"], "assignee IS NOT NULL"),
    ("ix_user_task_completed_by", "user_task", ["completed_by"], "completed_by IS NOT NULL"),
    ("ix_user_task_process", "user_task", ["process_id"], OPEN),
)


def upgrade() -> None:
    op.drop_index(DUE, table_name="user_task")
    _create(DUE, "user_task", ["due_at", sa.text("priority DESC"), "key"], OPEN)
    for index in INDEXES:
        _create(*index)


def downgrade() -> None:
    for name, table, _, _ in INDEXES:
        op.drop_index(name, table_name=table)
    op.drop_index(DUE, table_name="user_task")
    _create(DUE, "user_task", ["due_at"], OPEN)


def _create(name: str, table: str, columns: list[str | sa.TextClause], condition: str | None) -> None:
    where = sa.text(condition) if condition else None
    op.create_index(name, table, columns, unique=False, sqlite_where=where, postgresql_where=where)
