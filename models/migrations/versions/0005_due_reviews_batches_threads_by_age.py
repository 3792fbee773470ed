"""Reviews in the order they are due, batches found by their name, threads that close by age"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

revision = "0005_due"
down_revision = "0004_console"
branch_labels = None
depends_on = None

# Give reviews that already wait the same due time as new ones.
DUE = {
    "sqlite": (
        "UPDATE reviews SET due_at = strftime('%Y-%m-%d %H:%M:%f000', opened_at, '+1 day') "
        "WHERE closed_at IS NULL AND due_at IS NULL"
    ),
    "postgresql": (
        "UPDATE reviews SET due_at = opened_at + interval '1 day' WHERE closed_at IS NULL AND due_at IS NULL"
    ),
}


def upgrade() -> None:
    op.add_column("threads", sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(DUE[op.get_bind().dialect.name])
    with _outside_a_transaction():
        op.create_index(
            "ix_reviews_due",
            "reviews",
            ["site_id", "due_at", "comment_id"],
            postgresql_where=sa.text("closed_at IS NULL"),
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_concurrently=True,
        )
        op.create_index(
            "ix_decisions_batch",
            "decisions",
            ["batch"],
            postgresql_where=sa.text("batch IS NOT NULL"),
            sqlite_where=sa.text("batch IS NOT NULL"),
            postgresql_concurrently=True,
        )
        op.create_index(
            "ix_threads_open",
            "threads",
            ["site_id", "created_at"],
            postgresql_where=sa.text("state = 'open'"),
            sqlite_where=sa.text("state = 'open'"),
            postgresql_concurrently=True,
        )


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
