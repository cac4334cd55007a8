"""claims and duties"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import database

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cluster_duty",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("holder", sa.String(), nullable=True),
        sa.Column("leased_until", database.Instant(timezone=True), nullable=True),
        sa.Column("last_run_at", database.Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_cluster_duty")),
    )
    with op.batch_alter_table("timer", schema=None) as batch_op:
        batch_op.add_column(sa.Column("next_at", database.Instant(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("claimed_by", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("claimed_until", database.Instant(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.execute("UPDATE timer SET next_at = CASE WHEN not_before > due_at THEN not_before ELSE due_at END")
    with op.batch_alter_table("timer", schema=None) as batch_op:
        batch_op.alter_column("next_at", nullable=False)
        batch_op.create_index(batch_op.f("ix_timer_next_at"), ["next_at"], unique=False)
        batch_op.drop_column("not_before")


def downgrade() -> None:
    with op.batch_alter_table("timer", schema=None) as batch_op:
        batch_op.add_column(sa.Column("not_before", database.Instant(timezone=True), nullable=True))
    op.execute("UPDATE timer SET not_before = next_at WHERE next_at > due_at")
    with op.batch_alter_table("timer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_timer_next_at"))
        batch_op.drop_column("failures")
        batch_op.drop_column("claimed_until")
        batch_op.drop_column("claimed_by")
        batch_op.drop_column("next_at")
    op.drop_table("cluster_duty")
