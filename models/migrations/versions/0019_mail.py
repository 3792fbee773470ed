"""Mails that Greenroom owes to readers, the attempts to send them, and readers' choices"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019_mail"
down_revision = "0018_readers"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_WHEN = sa.DateTime(timezone=True)
_OWED = sa.text("due IS NOT NULL")


def upgrade() -> None:
    _create_mails()
    op.create_table(
        "mail_attempts",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("mail_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("at", _WHEN, nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("ms", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(300), nullable=True),
        sa.ForeignKeyConstraint(
            ["mail_id"], ["mails.id"], name=op.f("fk_mail_attempts_mail_id_mails")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_attempts")),
        sa.Index("ix_mail_attempts_mail_id", "mail_id"),
        sa.Index("ix_mail_attempts_at", "at"),
    )
    op.create_table(
        "mailboxes",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("address_index", sa.String(64), nullable=False),
        sa.Column("replies", sa.String(20), nullable=False),
        sa.Column("decisions", sa.String(20), nullable=False),
        sa.Column("threads", sa.String(20), nullable=False),
        sa.Column("stopped_at", _WHEN, nullable=True),
        sa.Column("stopped_why", sa.String(300), nullable=True),
        sa.Column("created_at", _WHEN, nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_mailboxes_site_id_sites")),
        sa.PrimaryKeyConstraint("site_id", "address_index", name=op.f("pk_mailboxes")),
    )
    op.add_column(
        "threads", sa.Column("followers", sa.Integer(), nullable=False, server_default="0")
    )


def _create_mails() -> None:
    op.create_table(
        "mails",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=True),
        sa.Column("address_index", sa.String(64), nullable=False),
        sa.Column("reader_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("comment_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("data", _JSON, nullable=False),
        sa.Column("once", sa.String(120), nullable=True),
        sa.Column("is_daily", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("due", _WHEN, nullable=True),
        sa.Column("lease", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", _WHEN, nullable=False),
        sa.Column("ended_at", _WHEN, nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_mails_site_id_sites")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mails")),
        sa.UniqueConstraint("once", name=op.f("uq_mails_once")),
        sa.Index("ix_mails_due", "due", postgresql_where=_OWED, sqlite_where=_OWED),
        sa.Index("ix_mails_address_index_created_at", "address_index", "created_at"),
        sa.Index("ix_mails_reader_id", "reader_id"),
        sa.Index("ix_mails_comment_id", "comment_id"),
        sa.Index("ix_mails_ended_at", "ended_at"),
    )


def downgrade() -> None:
    """Do nothing: the previous release works with this schema, because migrations only add."""
