"""Threads: whether a moderator gave the address"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009_url_is_final"
down_revision = "0008_chores"
branch_labels = None
depends_on = None


def upgrade() -> None:
    columns = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("threads")}
    if "url_is_final" not in columns:
        op.add_column(
            "threads",
            sa.Column("url_is_final", sa.Boolean(), nullable=False, server_default=sa.false()),
        )


def downgrade() -> None:
    """Do nothing: the previous release works with this schema, because migrations only add."""
