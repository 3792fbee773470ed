"""A site learns from its own moderators: models, blind reviews, campaigns, hosts"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002_site_models"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "site_models",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=20), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("file", sa.LargeBinary(), nullable=False),
        sa.Column("weights", sa.LargeBinary(), nullable=False),
        sa.Column("card", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("seen", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column(
            "scores", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("parent", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"], ["sites.id"], name=op.f("fk_site_models_site_id_sites")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site_models")),
        sa.UniqueConstraint("site_id", "version", name=op.f("uq_site_models_site_id_version")),
    )
    op.create_table(
        "linked_hosts",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("host", sa.String(length=253), nullable=False),
        sa.Column("comment_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comments.id"], name=op.f("fk_linked_hosts_comment_id_comments")
        ),
        sa.ForeignKeyConstraint(
            ["site_id"], ["sites.id"], name=op.f("fk_linked_hosts_site_id_sites")
        ),
        sa.PrimaryKeyConstraint("site_id", "host", "comment_id", name=op.f("pk_linked_hosts")),
        sa.Index("ix_linked_hosts_comment_id", "comment_id"),
    )
    op.add_column("sites", sa.Column("model", sa.Uuid(as_uuid=False), nullable=True))
    op.add_column(
        "sites",
        sa.Column("fresh_decisions", sa.Integer(), nullable=False, server_default=sa.text("0")),
    )
    op.add_column("sites", sa.Column("learn_due", sa.DateTime(timezone=True), nullable=True))
    op.add_column("sites", sa.Column("learned_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("comments", sa.Column("campaign", sa.Uuid(as_uuid=False), nullable=True))
    op.add_column(
        "reviews", sa.Column("blind", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("decisions", sa.Column("site_id", sa.Integer(), nullable=True))

    # A site can learn from its earlier decisions. The previous release does not fill this column,
    # so the few decisions that it writes after this migration are never learned.
    op.execute(
        "UPDATE decisions SET site_id = (SELECT comments.site_id FROM comments WHERE comments.id = decisions.comment_id)"
        " WHERE \"by\" <> 'policy'"
    )
    op.execute(
        "UPDATE sites SET fresh_decisions = (SELECT count(*) FROM decisions"
        " WHERE decisions.site_id = sites.id AND \"by\" <> 'policy')"
    )
    op.execute("UPDATE sites SET learn_due = CURRENT_TIMESTAMP WHERE fresh_decisions >= 25")
    human = sa.text("\"by\" <> 'policy'")
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_decisions_by_humans",
            "decisions",
            ["site_id", "id"],
            unique=False,
            postgresql_concurrently=True,
            postgresql_where=human,
            sqlite_where=human,
        )
        op.create_index(
            "ix_reviews_blind",
            "reviews",
            ["site_id", "id"],
            unique=False,
            postgresql_concurrently=True,
            postgresql_where=sa.text("blind"),
            sqlite_where=sa.text("blind = 1"),
        )


def downgrade() -> None:
    op.drop_index("ix_reviews_blind", table_name="reviews")
    op.drop_index("ix_decisions_by_humans", table_name="decisions")
    op.drop_column("decisions", "site_id")
    op.drop_column("reviews", "blind")
    op.drop_column("comments", "campaign")
    for column in ("learned_at", "learn_due", "fresh_decisions", "model"):
        op.drop_column("sites", column)
    op.drop_table("linked_hosts")
    op.drop_table("site_models")
