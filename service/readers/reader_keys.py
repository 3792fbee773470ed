"""Readers' keys: finding the reader of one, listing them, and revoking them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from models.records import Proof, Reader, ReaderKey
from models.store.database import begin, now, reading

USED_EVERY = timedelta(hours=1)


def hashed_key(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def reader_of_key(site_id: int, key: str) -> Reader | None:
    """Return the reader whose key this is. Its last use is written down once an hour."""
    its = ReaderKey.hash == hashed_key(key[:200])
    wanted = select(Reader, ReaderKey.used_at).join(ReaderKey, ReaderKey.reader_id == Reader.id)
    with reading() as session:
        found = session.execute(
            wanted.where(its, Reader.site_id == site_id, Reader.erased_at.is_(None))
        ).one_or_none()
    if found is None:
        return None
    reader, used_at = found
    at = now()
    if at - used_at > USED_EVERY:
        with begin(synced=False) as session:
            session.execute(update(ReaderKey).where(its).values(used_at=at))
            session.execute(update(Reader).where(Reader.id == reader.id).values(seen_at=at))
    return reader


def keys_of(session: Session, reader_id: str) -> Sequence[ReaderKey]:
    wanted = select(ReaderKey).where(ReaderKey.reader_id == reader_id)
    return session.scalars(wanted.order_by(ReaderKey.created_at)).all()


def revoke_key(session: Session, reader_id: str, key_id: str) -> None:
    """End a key. Its proof ends, too, so that the browser cannot fetch the key again."""
    its = (ReaderKey.id == key_id) & (ReaderKey.reader_id == reader_id)
    ended = session.execute(delete(ReaderKey).where(its).returning(ReaderKey.id)).first()
    if ended is not None:
        session.execute(delete(Proof).where(Proof.id == key_id))
