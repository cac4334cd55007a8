"""indexes for lists"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

#: Index, table, columns, condition.
INDEXES = (
    ("ix_process_instance_called", "process_instance", ["parent_key"], "parent_key IS NOT NULL"),
    ("ix_process_instance_process", "process_instance", ["process_id", "started_at"], None),
    ("ix_process_instance_state", "process_instance", ["state", "started_at"], None),
    (
        "ix_user_task_everybody",
        "user_task",
        ["key"],
        "state = 'CREATED' AND candidate_groups = '[]' AND candidate_users = '[]'",
    ),
    ("ix_user_task_untouched", "user_task", ["touched_at"], "state = 'CREATED' AND assignee IS NULL"),
)


def upgrade() -> None:
    for name, table, columns, condition in INDEXES:
        where = sa.text(condition) if condition else None
        op.create_index(name, table, columns, unique=False, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name, table, _, _ in INDEXES:
        op.drop_index(name, table_name=table)
