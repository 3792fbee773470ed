"""Edits of comments, and the decisions about them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023_edits"
down_revision = "0022_appeals"
branch_labels = None
depends_on = None


def upgrade() -> None:
    evidence = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.create_table(
        "edits",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("comment_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.String(length=80), nullable=True),
        sa.Column("decision_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("reason", sa.String(length=20), nullable=True),
        sa.Column("html", sa.Text(), nullable=True),
        sa.Column("language", sa.String(length=8), nullable=True),
        sa.Column("risk", sa.Double(), nullable=True),
        sa.Column("found", sa.String(length=120), nullable=True),
        sa.Column("campaign", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("policy_version", sa.Integer(), nullable=True),
        sa.Column("evidence", evidence, nullable=False),
        sa.ForeignKeyConstraint(["comment_id"], ["comments.id"]),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.id"]),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.Index("ix_edits_comment_id_id", "comment_id", "id"),
    )
    op.add_column("comments", sa.Column("edit_id", sa.Uuid(as_uuid=False), nullable=True))
    op.add_column("decisions", sa.Column("edit_id", sa.Uuid(as_uuid=False), nullable=True))


def downgrade() -> None:
    """Do nothing: the previous release works with this schema, because migrations only add."""
