"""suspended cases"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TABLE, NAME = "process_instance", "ix_process_instance_suspended"


def upgrade() -> None:
    condition = sa.text("suspended_at IS NOT NULL")
    op.create_index(NAME, TABLE, ["started_at"], unique=False, sqlite_where=condition, postgresql_where=condition)


def downgrade() -> None:
    op.drop_index(NAME, table_name=TABLE)
