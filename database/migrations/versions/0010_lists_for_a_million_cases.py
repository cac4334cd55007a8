"""lists for a million cases"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

OPEN = "state = 'CREATED'"
EVERYBODY = "state = 'CREATED' AND candidate_groups = '[]' AND candidate_users = '[]'"

#: Name of an index of user tasks, its columns, those that it had before, condition.
CHANGED: tuple[tuple[str, list[str | sa.TextClause], list[str | sa.TextClause], str], ...] = (
    ("ix_user_task_due", ["due_at", sa.text("priority DESC"), "key"], ["due_at"], OPEN),
    ("ix_user_task_everybody", ["candidate_groups", "key"], ["key"], EVERYBODY),
)

#: Index, table, columns, condition.
INDEXES: tuple[tuple[str, str, list[str | sa.TextClause], str | None], ...] = (
    ("ix_process_instance_starter", "process_instance", ["started_by", "started_at"], None),
    ("ix_user_task_assignee", "user_task", ["assignee"], "assignee IS NOT NULL"),
    ("ix_user_task_completed_by", "user_task", ["completed_by"], "completed_by IS NOT NULL"),
    ("ix_user_task_process", "user_task", ["process_id"], OPEN),
)


def upgrade() -> None:
    for name, columns, _, condition in CHANGED:
        op.drop_index(name, table_name="user_task")
        _create(name, "user_task", columns, condition)
    for index in INDEXES:
        _create(*index)


def downgrade() -> None:
    for index, table, _, _ in INDEXES:
        op.drop_index(index, table_name=table)
    for name, _, columns, condition in CHANGED:
        op.drop_index(name, table_name="user_task")
        _create(name, "user_task", columns, condition)


def _create(name: str, table: str, columns: list[str | sa.TextClause], condition: str | None) -> None:
    where = sa.text(condition) if condition else None
    op.create_index(name, table, columns, unique=False, sqlite_where=where, postgresql_where=where)
