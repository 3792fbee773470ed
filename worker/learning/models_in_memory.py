"""The sites' own models that a worker keeps in memory: the last few, by id, so that a new model
scores from the next batch on.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

import structlog
from cachetools import LRUCache, cached
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import caches
from models.classifier.model import UnusableModel
from models.classifier.site_model import SiteModel
from models.judgement import promises
from models.judgement.policy import Policy
from models.judgement.promises import Scores
from models.records import SiteModelRecord

MOST = 64  # models, of 130 KB each
log = structlog.get_logger()


class Learned(NamedTuple):
    """A site's model, and the scores that promises are fitted to."""

    model: SiteModel
    scores: Scores


def learned(session: Session, model_id: str | None) -> Learned | None:
    """Return the model of that id, or None if it does not exist or does not fit this release. In
    that case, the site's model is trained again.
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
    """Return the policy with the thresholds that keep its promises."""
    model = learned(session, model_id)
    fitted = _fitted(policy, model.scores if model else None, model_id if model else None)
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
