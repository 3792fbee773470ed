"""Store which process began a screening, when, and how many isolated ones did not finish"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010_begun_screenings"
down_revision = "0009_url_is_final"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("comments", sa.Column("screening_by", sa.String(80), nullable=True))
    op.add_column(
        "comments", sa.Column("screening_since", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column(
        "comments", sa.Column("screenings_alone", sa.Integer(), nullable=False, server_default="0")
    )


def downgrade() -> None:
    """Do nothing: the previous release works with this schema, because migrations only add."""
