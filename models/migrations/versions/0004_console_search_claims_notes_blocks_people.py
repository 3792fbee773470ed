"""The console: search, claims, notes, blocks, people by link"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004_console"
down_revision = "0003_webhooks"
branch_labels = None
depends_on = None

# People can search for a comment after its screening. SQLite stores the words in a separate table
# that triggers fill; `searched` numbers the comments for it, because their own row numbers may
# change. PostgreSQL needs only an index.
SEARCH = {
    "postgresql": [],
    "sqlite": [
        "CREATE TABLE searched (n INTEGER PRIMARY KEY, comment_id CHAR(32) NOT NULL UNIQUE)",
        (
            "CREATE VIRTUAL TABLE searched_words "
            "USING fts5(site, name, body, content='', tokenize='unicode61 remove_diacritics 2')"
        ),
        "INSERT INTO searched (comment_id) SELECT id FROM comments WHERE html IS NOT NULL ORDER BY id",
        (
            "INSERT INTO searched_words (rowid, site, name, body) "
            "SELECT n, 's' || site_id, name, body FROM searched JOIN comments ON id = comment_id"
        ),
        """CREATE TRIGGER searched_insert AFTER INSERT ON comments WHEN new.html IS NOT NULL BEGIN
            INSERT INTO searched (comment_id) VALUES (new.id);
            INSERT INTO searched_words (rowid, site, name, body)
                SELECT n, 's' || new.site_id, new.name, new.body FROM searched WHERE comment_id = new.id;
        END""",
        """CREATE TRIGGER searched_update AFTER UPDATE OF html, name, body ON comments
        WHEN old.html IS NOT new.html OR old.name <> new.name OR old.body <> new.body BEGIN
            INSERT INTO searched_words (searched_words, rowid, site, name, body)
                SELECT 'delete', n, 's' || old.site_id, old.name, old.body FROM searched WHERE comment_id = old.id;
            DELETE FROM searched WHERE comment_id = old.id;
            INSERT INTO searched (comment_id) SELECT new.id WHERE new.html IS NOT NULL;
            INSERT INTO searched_words (rowid, site, name, body)
                SELECT n, 's' || new.site_id, new.name, new.body FROM searched WHERE comment_id = new.id;
        END""",
    ],
}


def upgrade() -> None:
    op.create_table(
        "acts",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_acts_site_id_sites")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acts")),
        sa.Index("ix_acts_site_id_id", "site_id", "id"),
    )
    op.create_table(
        "blocks",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("stance", sa.String(length=20), nullable=False),
        sa.Column("value", sa.String(length=300), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("comment_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_blocks_site_id_sites")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blocks")),
        sa.Index(
            "ix_blocks_site_id_kind_value",
            "site_id",
            "kind",
            "value",
            postgresql_where=sa.text("ended_at IS NULL"),
            sqlite_where=sa.text("ended_at IS NULL"),
        ),
    )
    op.create_table(
        "notes",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_notes_site_id_sites")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes")),
        sa.Index("ix_notes_site_id_kind_subject", "site_id", "kind", "subject"),
    )
    op.create_table(
        "questions",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("comment_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("whom", sa.String(length=80), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_by", sa.String(length=80), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_questions_site_id_sites")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_questions")),
        sa.Index("ix_questions_comment_id", "comment_id"),
        sa.Index("ix_questions_site_id_answered_at", "site_id", "answered_at"),
    )
    op.create_table(
        "tickets",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("role", sa.String(length=20), nullable=True),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_tickets_site_id_sites")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_tickets")),
    )
    op.create_table(
        "claims",
        sa.Column("comment_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("moderator_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comments.id"], name=op.f("fk_claims_comment_id_comments")
        ),
        sa.ForeignKeyConstraint(
            ["moderator_id"], ["moderators.id"], name=op.f("fk_claims_moderator_id_moderators")
        ),
        sa.PrimaryKeyConstraint("comment_id", name=op.f("pk_claims")),
        sa.Index("ix_claims_until", "until"),
    )
    op.create_table(
        "passed",
        sa.Column("moderator_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("comment_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comments.id"], name=op.f("fk_passed_comment_id_comments")
        ),
        sa.ForeignKeyConstraint(
            ["moderator_id"], ["moderators.id"], name=op.f("fk_passed_moderator_id_moderators")
        ),
        sa.PrimaryKeyConstraint("moderator_id", "comment_id", name=op.f("pk_passed")),
    )
    op.add_column("comments", sa.Column("risk", sa.Double(), nullable=True))
    op.add_column("comments", sa.Column("found", sa.String(length=120), nullable=True))
    op.add_column("comments", sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("decisions", sa.Column("batch", sa.Uuid(as_uuid=False), nullable=True))
    op.add_column("moderators", sa.Column("second_factor", sa.LargeBinary(), nullable=True))
    op.add_column("moderators", sa.Column("second_factor_used", sa.Integer(), nullable=True))
    op.add_column(
        "moderators",
        sa.Column(
            "recovery_codes",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            nullable=True,
        ),
    )
    op.add_column(
        "moderators",
        sa.Column(
            "preferences", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True
        ),
    )
    op.add_column(
        "reviews", sa.Column("risk", sa.Double(), nullable=False, server_default=sa.text("0.5"))
    )
    op.add_column("threads", sa.Column("moderation", sa.String(length=20), nullable=True))
    op.add_column("threads", sa.Column("slow_seconds", sa.Integer(), nullable=True))
    with _outside_a_transaction():
        op.create_index(
            "ix_comments_campaign",
            "comments",
            ["campaign"],
            postgresql_where=sa.text("campaign IS NOT NULL"),
            sqlite_where=sa.text("campaign IS NOT NULL"),
            postgresql_concurrently=True,
        )
        op.create_index(
            "ix_comments_unread",
            "comments",
            ["site_id", "id"],
            postgresql_where=sa.text("status = 'approved' AND seen_at IS NULL"),
            sqlite_where=sa.text("status = 'approved' AND seen_at IS NULL"),
            postgresql_concurrently=True,
        )
        op.create_index(
            "ix_decisions_by_id",
            "decisions",
            ["by", "id"],
            postgresql_where=sa.text("\"by\" <> 'policy'"),
            sqlite_where=sa.text("\"by\" <> 'policy'"),
            postgresql_concurrently=True,
        )
        op.create_index(
            "ix_reviews_risk",
            "reviews",
            ["site_id", "risk", "comment_id"],
            postgresql_where=sa.text("closed_at IS NULL"),
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_concurrently=True,
        )
        if op.get_bind().dialect.name == "postgresql":
            op.create_index(
                "ix_comments_words",
                "comments",
                [sa.text("to_tsvector('simple', name || ' ' || body)")],
                postgresql_using="gin",
                postgresql_where=sa.text("html IS NOT NULL"),
                postgresql_concurrently=True,
            )
        for statement in SEARCH[op.get_bind().dialect.name]:
            op.execute(statement)


@contextmanager
def _outside_a_transaction() -> Iterator[None]:
    """Leave the transaction on PostgreSQL, which builds an index without blocking writers only
    outside one. SQLite has one writer anyway.
    """
    if op.get_bind().dialect.name == "sqlite":
        yield
        return
    with op.get_context().autocommit_block():
        yield


def downgrade() -> None:
    """Do nothing: the previous release works with this schema, because migrations only add."""
