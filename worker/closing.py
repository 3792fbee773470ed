"""Close threads that have reached the age that their site sets."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update

from models.judgement.policy import Policy
from models.records import Act, Site, Thread
from models.settling.actor import POLICY
from models.settling.ages import too_old
from models.store.database import begin, reading

AT_ONCE = 200


def close_old_threads(at: datetime) -> int:
    """Close them and return how many. Their pages are then due to be published, as after any change
    of a thread.
    """
    with reading() as session:
        policies = session.execute(select(Site.id, Site.policy)).all()
    closed = 0
    for site_id, policy in policies:
        if days := Policy.model_validate(policy).threads.close_after_days:
            while some := _close(site_id, at, days):
                closed += some
    return closed


def _close(site_id: int, at: datetime, days: int) -> int:
    old = too_old(site_id, at - timedelta(days=days)).limit(AT_ONCE)
    old = old.with_for_update(
        key_share=True, skip_locked=True
    )  # another process holds the lock and is working on the thread
    closing = {"state": "closed", "revision": Thread.revision + 1, "publish_due": at}
    with begin() as session:
        ids = session.scalars(old).all()
        if ids:
            session.execute(update(Thread).where(Thread.id.in_(ids)).values(closing))
            noun = "thread" if len(ids) == 1 else "threads"
            what = f"closed {len(ids)} {noun} after {days} days"
            session.add(Act(site_id=site_id, by=str(POLICY), kind="threads", what=what))
    return len(ids)
