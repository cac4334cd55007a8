"""the company's calendar"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import database

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calendar_setting",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("data", database.Json(), nullable=False),
        sa.Column("set_at", database.Instant(timezone=True), nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_calendar_setting")),
        sa.UniqueConstraint("version", name=op.f("uq_calendar_setting_version")),
    )


def downgrade() -> None:
    op.drop_table("calendar_setting")
