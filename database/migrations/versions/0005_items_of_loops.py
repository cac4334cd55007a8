"""items of loops"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import database

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "loop_items",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("instance_key", sa.BigInteger(), nullable=False),
        sa.Column("element_instance_key", sa.BigInteger(), nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("items", database.Json(), nullable=False),
        sa.ForeignKeyConstraint(["instance_key"], ["process_instance.key"], name=op.f("fk_loop_items_instance_key")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_loop_items")),
    )
    with op.batch_alter_table("loop_items", schema=None) as batch_op:
        batch_op.create_index("ix_loop_items_element_instance", ["element_instance_key", "first"], unique=False)
        batch_op.create_index("ix_loop_items_instance", ["instance_key"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("loop_items", schema=None) as batch_op:
        batch_op.drop_index("ix_loop_items_instance")
        batch_op.drop_index("ix_loop_items_element_instance")

    op.drop_table("loop_items")
