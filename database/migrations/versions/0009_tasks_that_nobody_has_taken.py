"""tasks that nobody has taken"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

NAME, TABLE = "ix_user_task_untouched", "user_task"
OPEN = sa.text("state = 'CREATED'")
UNTAKEN = sa.text("state = 'CREATED' AND assignee IS NULL")


def upgrade() -> None:
    op.drop_index(NAME, table_name=TABLE)
    op.create_index(NAME, TABLE, ["assignee", "touched_at"], sqlite_where=OPEN, postgresql_where=OPEN)


def downgrade() -> None:
    op.drop_index(NAME, table_name=TABLE)
    op.create_index(NAME, TABLE, ["touched_at"], sqlite_where=UNTAKEN, postgresql_where=UNTAKEN)
