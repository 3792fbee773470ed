"""Sites' own models as a worker keeps them: by id, so that a new one counts from the next batch on,
and only a few.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

import structlog
from cachetools import LRUCache, cached
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import caches
from models.judgement import promises
from models.judgement.policy import Policy
from models.judgement.promises import Scores
from models.records import SiteModelRecord
from models.spam.model import UnusableModel
from models.spam.site import SiteModel

MOST = 64  # models of 130 KB
log = structlog.get_logger()


class Learned(NamedTuple):
    """A site's model, and what promises are fitted from."""

    model: SiteModel
    scores: Scores


def learned(session: Session, model_id: str | None) -> Learned | None:
    """The model of that id; None where there is none, or one that does not fit this release: it is
    learned anew.
    """
    return _read(session, model_id) if model_id else None


@cached(LRUCache(MOST), key=lambda session, model_id: model_id, lock=threading.Lock())
def _read(session: Session, model_id: str) -> Learned | None:
    wanted = select(SiteModelRecord.weights, SiteModelRecord.scores).where(
        SiteModelRecord.id == model_id
    )
    row = session.execute(wanted).one_or_none()
    if row is None:
        return None
    try:
        return Learned(SiteModel.unpacked(row.weights), Scores.of(row.scores))
    except UnusableModel as error:
        log.warning("site_model.unusable", reason=str(error))
        return None


def with_promises(session: Session, policy: Policy, model_id: str | None) -> Policy:
    """The policy with the thresholds that keep what it promises."""
    found = learned(session, model_id)
    fitted = _fitted(policy, found.scores if found else None, model_id if found else None)
    return promises.keep(policy, fitted)


@cached(
    LRUCache(MOST),
    key=lambda policy, scores, model_id: (model_id, policy.spam, policy.promises),
    lock=threading.Lock(),
)
def _fitted(policy: Policy, scores: Scores | None, model_id: str | None) -> promises.Fitted | None:
    return promises.fit(policy, scores)


caches.register(_read.cache_clear)
caches.register(_fitted.cache_clear)
