"""Console sessions have a device and a last use; a site may require a second factor"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013_sessions"
down_revision = "0012_api_keys"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("console_sessions", sa.Column("device", sa.String(length=80), nullable=True))
    op.add_column(
        "console_sessions", sa.Column("used_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column(
        "sites",
        sa.Column(
            "second_factor_required", sa.Boolean(), nullable=False, server_default=sa.false()
        ),
    )


def downgrade() -> None:
    """Do nothing: the previous release works with this schema, because migrations only add."""
