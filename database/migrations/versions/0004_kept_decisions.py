"""decisions that are kept, and what listeners said"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import database

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("decision_evaluation", schema=None) as batch_op:
        batch_op.add_column(sa.Column("evaluation_key", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("number", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("actor", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("root_decision_key", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("failure", sa.Text(), nullable=True))
        batch_op.alter_column("instance_key", existing_type=sa.BIGINT(), nullable=True)
        batch_op.alter_column("element_instance_key", existing_type=sa.BIGINT(), nullable=True)
        batch_op.alter_column("element_id", existing_type=sa.VARCHAR(), nullable=True)
    # What there is was made by instances, of which only the decision that was asked for is kept.
    op.execute(
        "UPDATE decision_evaluation SET evaluation_key = key, number = 1, actor = '', root_decision_key = decision_key"
    )
    with op.batch_alter_table("decision_evaluation", schema=None) as batch_op:
        batch_op.alter_column("evaluation_key", existing_type=sa.BIGINT(), nullable=False)
        batch_op.alter_column("number", existing_type=sa.Integer(), nullable=False)
        batch_op.alter_column("actor", existing_type=sa.VARCHAR(), nullable=False)
        batch_op.alter_column("root_decision_key", existing_type=sa.BIGINT(), nullable=False)
        batch_op.create_index("ix_decision_evaluation_evaluation", ["evaluation_key", "number"], unique=False)

    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.add_column(sa.Column("denied", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("denied_reason", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("updated_at", database.Instant(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_column("updated_at")
        batch_op.drop_column("denied_reason")
        batch_op.drop_column("denied")

    op.execute("DELETE FROM decision_evaluation WHERE instance_key IS NULL")
    with op.batch_alter_table("decision_evaluation", schema=None) as batch_op:
        batch_op.drop_index("ix_decision_evaluation_evaluation")
        batch_op.alter_column("element_id", existing_type=sa.VARCHAR(), nullable=False)
        batch_op.alter_column("element_instance_key", existing_type=sa.BIGINT(), nullable=False)
        batch_op.alter_column("instance_key", existing_type=sa.BIGINT(), nullable=False)
        batch_op.drop_column("failure")
        batch_op.drop_column("root_decision_key")
        batch_op.drop_column("actor")
        batch_op.drop_column("number")
        batch_op.drop_column("evaluation_key")
