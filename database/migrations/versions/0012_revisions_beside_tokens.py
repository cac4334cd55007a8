"""revisions beside tokens"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

#: Moves the revisions from one table to the other.
_MOVE = "UPDATE {to} SET revision = coalesce((SELECT revision FROM {source} WHERE {same}), 0)"
_SAME = "instance_state.instance_key = process_instance.key"


def upgrade() -> None:
    op.add_column("instance_state", sa.Column("revision", sa.Integer(), nullable=False, server_default="0"))
    op.execute(_MOVE.format(to="instance_state", source="process_instance", same=_SAME))
    # Not in a batch: where SQLite copies a table, it refuses to drop one that other rows refer to.
    op.drop_column("process_instance", "revision")


def downgrade() -> None:
    op.add_column("process_instance", sa.Column("revision", sa.Integer(), nullable=False, server_default="0"))
    op.execute(_MOVE.format(to="process_instance", source="instance_state", same=_SAME))
    op.drop_column("instance_state", "revision")
