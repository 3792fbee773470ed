"""Delete old rows in lots, so that nothing waits for a long transaction."""

from __future__ import annotations

from sqlalchemy import ColumnElement, delete, select

from models.records import Attempt, Delivery, Endpoint, Mail, MailAttempt, Proof
from models.store.database import begin, reading

AT_ONCE = 500  # rows in one transaction
MOST_LOTS = 200  # in one run; the next one deletes the rest

Record = type[Attempt | Delivery | Endpoint | Mail | MailAttempt | Proof]


def delete_in_lots(record: Record, which: ColumnElement[bool]) -> None:
    """Delete the rows for which this is true. Without any, nothing is locked."""
    with reading() as session:
        if session.execute(select(record.id).where(which).limit(1)).first() is None:
            return
    some = select(record.id).where(which).limit(AT_ONCE).scalar_subquery()
    for _ in range(MOST_LOTS):
        with begin() as session:
            removed = session.execute(
                delete(record).where(record.id.in_(some)).returning(record.id)
            ).all()
        if len(removed) < AT_ONCE:
            return
