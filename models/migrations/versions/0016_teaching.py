"""The teaching queue: when picks are due, and an index of those that wait"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016_teaching"
down_revision = "0015_scores"
branch_labels = None
depends_on = None

_PICKED = sa.text("cause = 'teaching' AND closed_at IS NULL")


def upgrade() -> None:
    op.add_column("sites", sa.Column("teach_due", sa.DateTime(timezone=True), nullable=True))
    if op.get_bind().dialect.name == "sqlite":
        _index()
        return
    with op.get_context().autocommit_block():  # only outside a transaction are writers not blocked
        _index()


def _index() -> None:
    op.create_index(
        "ix_reviews_picks",
        "reviews",
        ["site_id", "id"],
        postgresql_where=_PICKED,
        sqlite_where=_PICKED,
        postgresql_concurrently=True,
    )


def downgrade() -> None:
    """Do nothing: the previous release works with this schema, because migrations only add."""
