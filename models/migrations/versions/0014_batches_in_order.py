"""Find the last decision of a batch in one step"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014_batches_in_order"
down_revision = "0013_sessions"
branch_labels = None
depends_on = None

_TOGETHER = sa.text("batch IS NOT NULL")


def upgrade() -> None:
    """The new index begins with the column of the old one, so it also serves the previous
    release.
    """
    if op.get_bind().dialect.name == "sqlite":
        _replace("DROP INDEX IF EXISTS ix_decisions_batch")
        return
    with op.get_context().autocommit_block():  # only outside a transaction are writers not blocked
        _replace("DROP INDEX CONCURRENTLY IF EXISTS ix_decisions_batch")


def _replace(drop_the_old: str) -> None:
    op.create_index(
        "ix_decisions_batch_id",
        "decisions",
        ["batch", "id"],
        postgresql_where=_TOGETHER,
        sqlite_where=_TOGETHER,
        postgresql_concurrently=True,
    )
    op.execute(drop_the_old)


def downgrade() -> None:
    """Do nothing: the previous release works with this schema."""
