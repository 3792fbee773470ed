"""Webhooks: deliveries of an endpoint by their state"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import op

revision = "0006_dead_letters"
down_revision = "0005_due"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with _outside_a_transaction():
        op.create_index(
            "ix_deliveries_endpoint_id_state_id",
            "deliveries",
            ["endpoint_id", "state", "id"],
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
