"""API keys: scopes, a name, who created it, expiry, last use, its successor; or no site"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012_api_keys"
down_revision = "0011_avatars"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """SQLite makes a column nullable only by copying the table, in one transaction."""
    # PostgreSQL changes the table in place; SQLite leaves this behind only if it was killed.
    op.execute("DROP TABLE IF EXISTS _alembic_tmp_api_keys")
    with op.batch_alter_table("api_keys") as batch:
        batch.alter_column("site_id", existing_type=sa.Integer(), nullable=True)
    scopes = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    for column in (
        sa.Column("scopes", scopes, nullable=True),
        sa.Column("name", sa.String(length=80), nullable=False, server_default=""),
        sa.Column("created_by", sa.String(length=80), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replaced_by", sa.Uuid(as_uuid=False), nullable=True),
    ):
        op.add_column("api_keys", column)


def downgrade() -> None:
    """Do nothing: the previous release works with this schema, because migrations only add."""
