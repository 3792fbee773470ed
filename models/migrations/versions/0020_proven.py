"""Proofs of addresses, readers' keys, and followed threads"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020_proven"
down_revision = "0019_mail"
branch_labels = None
depends_on = None

_WHEN = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "proofs",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("address_index", sa.String(64), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("link_hash", sa.String(64), nullable=True),
        sa.Column("wrong_codes", sa.Integer(), nullable=False),
        sa.Column("created_at", _WHEN, nullable=False),
        sa.Column("expires_at", _WHEN, nullable=False),
        sa.Column("confirmed_at", _WHEN, nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_proofs_site_id_sites")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proofs")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_proofs_secret_hash")),
        sa.UniqueConstraint("link_hash", name=op.f("uq_proofs_link_hash")),
        sa.Index("ix_proofs_site_id_address_index", "site_id", "address_index"),
        sa.Index("ix_proofs_expires_at", "expires_at"),
    )
    op.create_table(
        "reader_keys",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("reader_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("created_at", _WHEN, nullable=False),
        sa.Column("used_at", _WHEN, nullable=False),
        sa.ForeignKeyConstraint(
            ["reader_id"], ["readers.id"], name=op.f("fk_reader_keys_reader_id_readers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reader_keys")),
        sa.UniqueConstraint("hash", name=op.f("uq_reader_keys_hash")),
        sa.Index("ix_reader_keys_reader_id", "reader_id"),
    )
    op.create_table(
        "follows",
        sa.Column("thread_id", sa.Integer(), nullable=False),
        sa.Column("reader_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("created_at", _WHEN, nullable=False),
        sa.ForeignKeyConstraint(
            ["thread_id"], ["threads.id"], name=op.f("fk_follows_thread_id_threads")
        ),
        sa.ForeignKeyConstraint(
            ["reader_id"], ["readers.id"], name=op.f("fk_follows_reader_id_readers")
        ),
        sa.PrimaryKeyConstraint("thread_id", "reader_id", name=op.f("pk_follows")),
        sa.Index("ix_follows_reader_id", "reader_id"),
    )


def downgrade() -> None:
    """Do nothing: the previous release works with this schema, because migrations only add."""
