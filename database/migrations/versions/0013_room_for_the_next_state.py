"""room for the next state"""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _fill("SET (fillfactor = 70)")


def downgrade() -> None:
    _fill("RESET (fillfactor)")


def _fill(how: str) -> None:
    # Of the pages that are written from now on; SQLite has no such thing.
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE instance_state {how}")
