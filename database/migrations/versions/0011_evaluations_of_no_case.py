"""evaluations of no case"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLE = "decision_evaluation"
ASKED_FOR, INSTANCE = "ix_decision_evaluation_asked_for", "ix_decision_evaluation_instance"


def upgrade() -> None:
    op.drop_index(INSTANCE, table_name=TABLE)
    for name, column, condition in (
        (INSTANCE, "instance_key", sa.text("instance_key IS NOT NULL")),
        (ASKED_FOR, "at", sa.text("instance_key IS NULL")),
    ):
        op.create_index(name, TABLE, [column], unique=False, sqlite_where=condition, postgresql_where=condition)


def downgrade() -> None:
    op.drop_index(ASKED_FOR, table_name=TABLE)
    op.drop_index(INSTANCE, table_name=TABLE)
    op.create_index(INSTANCE, TABLE, ["instance_key"], unique=False)
