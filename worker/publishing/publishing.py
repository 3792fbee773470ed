"""Write the changed pages of a thread to storage: one publisher per thread at a time, and never an
older page over a newer one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import structlog
from sqlalchemy import bindparam, case, select, update
from sqlalchemy.orm import Session

from models.failpoints import failpoint
from models.identifiers import new_id
from models.records import Thread
from models.store import storage
from models.store.database import Moment, begin, now, reading
from models.webhooks.owed import release_published
from worker.publishing.pages import Snapshot, changed_pages, revision_of_object
from worker.webhooks.sending import deliver_soon

MOST_TOLD = 100
LEASE_SECONDS = 20  # longer than the time-outs of the writes in it
log = structlog.get_logger()


def publish_threads(thread_ids: Sequence[int]) -> int:
    """Bring storage up to these threads' revisions. Return how many threads were claimed.

    A thread that another publisher holds is left to it: that publisher will see the newer revision
    and continue.
    """
    lease = new_id()
    claimed = _claim(thread_ids, lease)
    count = len(claimed)
    while claimed:
        shown = {thread_id: _show(thread_id, since) for thread_id, since in claimed.items()}
        claimed = _hand_in(lease, claimed, shown)
    return count


def _show(thread_id: int, since: int) -> int | None:
    """Write the changed pages. Return the revision that storage shows now, or None if storage
    refused them.
    """
    try:
        with reading(of_one_moment=True) as session:
            snapshot = changed_pages(session, thread_id, since)
        for item in snapshot.objects:
            failpoint("put")
            storage.put(*item)
        _tell(thread_id, snapshot)
    except Exception as error:
        # One thread must not delay the others. It stays due, and the sweep rings again.
        log.exception("publishing.failed", thread=thread_id, exc_info=error)
        return None
    return snapshot.revision


def _tell(thread_id: int, snapshot: Snapshot) -> None:
    """Log one line for each comment that readers now see or no longer see. A thread that is
    published again would need too many lines.
    """
    log.info("published", thread=thread_id, revision=snapshot.revision, count=len(snapshot.changed))
    for row in snapshot.changed if len(snapshot.changed) <= MOST_TOLD else ():
        ms = round((now() - row.settled_at).total_seconds() * 1000) if row.settled_at else None
        log.info("published", comment=row.id, site=snapshot.site, status=row.status, ms=ms)


def _claim(thread_ids: Sequence[int], lease: str) -> dict[int, int]:
    """Claim the threads that are due. Return the revision published last, by thread."""
    at = now()
    with begin(synced=False) as session:
        until = at + timedelta(seconds=LEASE_SECONDS)
        rows = session.execute(
            _CLAIM, {"ids": thread_ids, "at": at, "new_lease": lease, "until": until}
        )
        claimed = {row.id: row.published_revision for row in rows}
    failpoint("claimed")
    return claimed


def _hand_in(
    lease: str, since: Mapping[int, int], shown: Mapping[int, int | None]
) -> dict[int, int]:
    """Record what storage shows now. Return the threads that changed meanwhile, with the revision
    that storage shows: this publisher keeps their lease.
    """
    again: dict[int, int] = {}
    at = now()
    with begin() as session:
        for thread_id, revision in sorted(shown.items()):
            if revision is None:
                mine = update(Thread).where(Thread.id == thread_id, Thread.lease == lease)
                session.execute(mine.values(lease=None, lease_until=None))
                continue
            until = now() + timedelta(seconds=LEASE_SECONDS)
            done = {"thread": thread_id, "held": lease, "shown": revision, "until": until}
            current = session.execute(_HAND_IN, done).scalar()
            if current is None:
                _owe_again(session, thread_id, since[thread_id])
            elif current != revision:
                again[thread_id] = revision
        hearing = release_published(session, at, shown)
    failpoint("handed_in")
    deliver_soon(hearing)  # receivers learn of an event when the page shows it
    return again


def _owe_again(session: Session, thread_id: int, since: int) -> None:
    """Publish these threads once more: this process stalled past its lease and may have written
    older pages over newer ones.
    """
    oldest = case((Thread.published_revision < since, Thread.published_revision), else_=since)
    owed = (
        update(Thread)
        .where(Thread.id == thread_id)
        .values(published_revision=oldest, publish_due=now())
    )
    session.execute(owed)
    log.warning("publishing.lease_lost", thread=thread_id, revision=since)


def owe_object(thread_id: int, name: str) -> None:
    """Mark one object of a thread as due. This also republishes everything that changed since the
    last change to that object's comments.
    """
    with begin() as session:
        thread = session.execute(
            select(Thread).where(Thread.id == thread_id).with_for_update()
        ).scalar_one()
        changed = revision_of_object(session, thread_id, name)
        if changed is not None:
            thread.published_revision = max(0, min(thread.published_revision, changed - 1))
        thread.publish_due = now()


_FREE = Thread.lease_until.is_(None) | (Thread.lease_until < bindparam("at"))
_ASKED = Thread.id.in_(bindparam("ids", expanding=True))
_OWED = select(Thread.id).where(_ASKED, Thread.publish_due.is_not(None), _FREE).order_by(Thread.id)
_CLAIM = (
    update(Thread)  # locked in the order of their ids, as in every transaction
    .where(Thread.id.in_(select(_OWED.with_for_update(key_share=True).cte("owed").c.id)))
    .values(lease=bindparam("new_lease"), lease_until=bindparam("until"))
    .returning(Thread.id, Thread.published_revision)
    .execution_options(synchronize_session=False)
)
_IS_DONE = Thread.revision == bindparam("shown")
_HAND_IN = (
    update(Thread)
    .where(Thread.id == bindparam("thread"), Thread.lease == bindparam("held"))
    .values(
        published_revision=bindparam("shown"),
        publish_due=case((_IS_DONE, None), else_=Thread.publish_due),
        lease=case((_IS_DONE, None), else_=Thread.lease),
        lease_until=case((_IS_DONE, None), else_=bindparam("until", type_=Moment)),
    )
    .returning(Thread.revision)
    .execution_options(synchronize_session=False)
)
