"""Readers who are known, and a site's own sign-on"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018_readers"
down_revision = "0017_held_by"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_WHEN = sa.DateTime(timezone=True)
_KNOWN = sa.text("reader_id IS NOT NULL")


def upgrade() -> None:
    _readers()
    _sign_on()
    op.add_column("comments", sa.Column("reader_id", sa.Uuid(as_uuid=False), nullable=True))
    op.add_column("comments", sa.Column("badges", _JSON, nullable=True))
    op.add_column("threads", sa.Column("identity", sa.String(length=20), nullable=True))
    if op.get_bind().dialect.name == "sqlite":
        _index()
        return
    with op.get_context().autocommit_block():  # only outside a transaction are writers not blocked
        _index()


def _readers() -> None:
    op.create_table(
        "readers",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("folded_name", sa.String(length=300), nullable=False),
        sa.Column("email", sa.LargeBinary(), nullable=True),
        sa.Column("email_index", sa.String(length=64), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=True),
        sa.Column("avatar", sa.String(length=500), nullable=True),
        sa.Column("badges", _JSON, nullable=True),
        sa.Column("created_at", _WHEN, nullable=False),
        sa.Column("seen_at", _WHEN, nullable=False),
        sa.Column("erased_at", _WHEN, nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_readers_site_id_sites"),
        sa.PrimaryKeyConstraint("id", name="pk_readers"),
        sa.UniqueConstraint("site_id", "kind", "subject", name="uq_readers_site_id_kind_subject"),
    )


def _sign_on() -> None:
    op.create_table(
        "sign_ons",
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("jwks_url", sa.String(length=2000), nullable=False),
        sa.Column("algorithms", _JSON, nullable=False),
        sa.Column("is_single_use", sa.Boolean(), nullable=False),
        sa.Column("changed_at", _WHEN, nullable=False),
        sa.Column("changed_by", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_sign_ons_site_id_sites"),
        sa.PrimaryKeyConstraint("site_id", name="pk_sign_ons"),
    )
    op.create_table(
        "sign_on_secrets",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("kid", sa.String(length=8), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _WHEN, nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("used_at", _WHEN, nullable=True),
        sa.Column("revoked_at", _WHEN, nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_sign_on_secrets_site_id_sites"),
        sa.PrimaryKeyConstraint("id", name="pk_sign_on_secrets"),
        sa.UniqueConstraint("kid", name="uq_sign_on_secrets_kid"),
    )
    op.create_table(
        "spent_tokens",
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("jti", sa.String(length=64), nullable=False),
        sa.Column("until", _WHEN, nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_spent_tokens_site_id_sites"),
        sa.PrimaryKeyConstraint("site_id", "jti", name="pk_spent_tokens"),
    )


def _index() -> None:
    for table, columns in (
        ("readers", ["site_id", "folded_name"]),
        ("readers", ["site_id", "email_index"]),
        ("sign_on_secrets", ["site_id"]),
        ("spent_tokens", ["until"]),
        ("comments", ["reader_id", "at"]),
    ):
        where = _KNOWN if table == "comments" else None
        op.create_index(
            "_".join(("ix", table, *columns)),
            table,
            columns,
            postgresql_where=where,
            sqlite_where=where,
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    """Do nothing: the previous release works with this schema, because migrations only add."""
