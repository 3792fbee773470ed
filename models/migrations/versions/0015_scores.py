"""Several scores per site: their models, how likely a review was, and who teaches"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015_scores"
down_revision = "0014_batches_in_order"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """`sites.model` stays for the previous release. Its value is copied once."""
    counts = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.create_table(
        "site_scores",
        sa.Column("site_id", sa.Integer(), sa.ForeignKey("sites.id"), nullable=False),
        sa.Column("score", sa.String(length=20), nullable=False),
        sa.Column("model", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("previous", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("live_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("announced", counts, nullable=True),
        sa.Column("watch", sa.String(length=20), nullable=True),
        sa.Column("watched", counts, nullable=True),
        sa.Column("learns", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.PrimaryKeyConstraint("site_id", "score"),
    )
    op.execute(
        "INSERT INTO site_scores (site_id, score, model) SELECT id, 'spam', model FROM sites"
        " WHERE model IS NOT NULL AND NOT EXISTS (SELECT 1 FROM site_scores"
        " WHERE site_scores.site_id = sites.id AND site_scores.score = 'spam')"
    )
    op.add_column("reviews", sa.Column("propensity", sa.Double(), nullable=True))
    op.add_column(
        "site_models",
        sa.Column("score", sa.String(length=20), nullable=False, server_default="spam"),
    )
    op.add_column(
        "api_keys", sa.Column("learn", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("decisions", sa.Column("teaches", sa.Boolean(), nullable=True))


def downgrade() -> None:
    """Do nothing: the previous release works with this schema, because migrations only add."""
