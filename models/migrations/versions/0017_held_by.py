"""Which checks held a comment"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017_held_by"
down_revision = "0016_teaching"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("comments", sa.Column("held_by", sa.String(length=120), nullable=True))


def downgrade() -> None:
    """Do nothing: the previous release works with this schema, because migrations only add."""
