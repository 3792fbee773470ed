"""Reports by readers, and notices of illegal content"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021_reports_notices"
down_revision = "0020_proven"
branch_labels = None
depends_on = None

_OPEN = sa.text("closed_at IS NULL")
_ID = sa.Uuid(as_uuid=False)
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "reports",
        sa.Column("id", _ID, nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("comment_id", _ID, nullable=False),
        sa.Column("reporter", sa.String(length=64), nullable=False),
        sa.Column("reader_id", _ID, nullable=True),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("is_new", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("settled_by", _ID, nullable=True),
        sa.Column("settled_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comments.id"], name=op.f("fk_reports_comment_id_comments")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_reports_site_id_sites")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
        sa.UniqueConstraint("comment_id", "reporter", name=op.f("uq_reports_comment_id_reporter")),
        sa.Index("ix_reports_site_id_reporter", "site_id", "reporter"),
    )
    op.create_table(
        "notices",
        sa.Column("id", _ID, nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("comment_id", _ID, nullable=False),
        sa.Column("category", sa.String(length=60), nullable=False),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("contact", sa.LargeBinary(), nullable=True),
        sa.Column("language", sa.String(length=35), nullable=False),
        sa.Column("opened_at", _MOMENT, nullable=False),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("closed_at", _MOMENT, nullable=True),
        sa.Column("closed_by", _ID, nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("is_automated", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comments.id"], name=op.f("fk_notices_comment_id_comments")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_notices_site_id_sites")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.Index("ix_notices_comment_id", "comment_id"),
        sa.Index("ix_notices_site_id_id", "site_id", "id"),
        sa.Index(
            "ix_notices_open", "site_id", "due_at", postgresql_where=_OPEN, sqlite_where=_OPEN
        ),
    )


def downgrade() -> None:
    """Do nothing: the previous release works with this schema, because migrations only add."""
