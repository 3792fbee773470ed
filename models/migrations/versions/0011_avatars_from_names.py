"""Store what each avatar was made from; NULL for avatars from email addresses, which are drawn
again
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

revision = "0011_avatars"
down_revision = "0010_begun_screenings"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Each step can be repeated: an index that was not finished is built again."""
    columns = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("comments")}
    if "avatar_from" not in columns:
        op.add_column("comments", sa.Column("avatar_from", sa.String(length=20), nullable=True))
    with _outside_a_transaction():
        op.create_index(
            "ix_comments_old_avatar",
            "comments",
            ["thread_id"],
            sqlite_where=sa.text("avatar_from IS NULL"),
            postgresql_where=sa.text("avatar_from IS NULL"),
            postgresql_concurrently=True,
            if_not_exists=True,
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
        op.execute(
            "DROP INDEX CONCURRENTLY IF EXISTS ix_comments_old_avatar"
        )  # it may exist but be invalid
        yield


def downgrade() -> None:
    """Do nothing: the previous release works with this schema, because migrations only add."""
