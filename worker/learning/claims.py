"""Which process may train a site's model, and when: a claim on the site, stored in its row."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, case, select, update
from sqlalchemy.orm import Session

from models.failpoints import failpoint
from models.records import Site
from models.settings import settings
from models.settling.settling import LEARN_EVERY
from models.store.database import begin, now, reading

LEASE = timedelta(seconds=150)  # longer than the learner's limit for a training
RUNG = timedelta(seconds=10)  # the sweep delays what it rings for by this much; a lease is longer


class Claim(NamedTuple):
    """The right to train a site until `lease`. `fresh` is how many decisions were made since the
    last training.
    """

    site_id: int
    key: str
    lease: datetime
    fresh: int


def may_learn(at: datetime) -> ColumnElement[bool]:
    """Select the sites whose training is due, if their last one is long enough ago."""
    latest = at - timedelta(seconds=settings().learn_seconds)
    has_rested = Site.learned_at.is_(None) | (Site.learned_at <= latest)
    return (Site.learn_due <= at + RUNG) & has_rested


def is_due(site_id: int) -> bool:
    """Whether the site may be trained now."""
    with reading() as session:
        due = select(Site.id).where(Site.id == site_id, may_learn(now()))
        return session.execute(due).first() is not None


def claim(site_id: int, at: datetime) -> Claim | None:
    """Claim the site, or return None if another process has it or its training is not due."""
    lease = at + LEASE
    due = update(Site).where(Site.id == site_id, may_learn(at)).values(learn_due=lease)
    with begin() as session:
        row = session.execute(due.returning(Site.key, Site.fresh_decisions)).one_or_none()
    failpoint("learn_claimed")
    return Claim(site_id, row.key, lease, row.fresh_decisions) if row else None


def give_back(session: Session, claimed: Claim) -> None:
    """End the claim. The next training is due only if enough decisions were made meanwhile, or if
    something else made it due.
    """
    fresh = Site.fresh_decisions - claimed.fresh
    is_ours = Site.learn_due == claimed.lease
    due = case((is_ours & (fresh < LEARN_EVERY), None), (is_ours, now()), else_=Site.learn_due)
    ended = (
        update(Site)
        .where(Site.id == claimed.site_id)
        .values(fresh_decisions=fresh, learned_at=now(), learn_due=due)
    )
    session.execute(ended.execution_options(synchronize_session=False))
