"""Store work that is due for the whole installation"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008_chores"
down_revision = "0007_keyring"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "chores",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_chores")),
        if_not_exists=True,
    )


def downgrade() -> None:
    """Do nothing: the previous release works with this schema, because migrations only add."""
