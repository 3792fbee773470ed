"""The sites' own models that a worker keeps in memory: the last few, by id, so that a new model
scores from the next batch on.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

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

MOST = 128  # models, of 130 KB each
log = structlog.get_logger()


def learned(session: Session, model_id: str | None) -> SiteModel | None:
    """Return the model of that id, or None if it does not exist or does not fit this release. In
    that case, the site's model is trained again.
    """
    return _read(session, model_id) if model_id else None


@cached(LRUCache(MOST), key=lambda session, model_id: model_id, lock=threading.Lock())
def _read(session: Session, model_id: str) -> SiteModel | None:
    wanted = select(SiteModelRecord.weights).where(SiteModelRecord.id == model_id)
    weights = session.scalar(wanted)
    if weights is None:
        return None
    try:
        return SiteModel.unpacked(weights)
    except UnusableModel as error:
        log.warning("site_model.unusable", reason=str(error))
        return None


def learned_by_score(session: Session, model_ids: Mapping[str, str]) -> dict[str, SiteModel]:
    """Return the models of those ids by the names of their scores, without those that do not exist
    or do not fit this release.
    """
    found = {score: learned(session, model_id) for score, model_id in model_ids.items()}
    return {score: each for score, each in found.items() if each}


def with_promises(session: Session, policy: Policy, model_ids: Mapping[str, str]) -> Policy:
    """Return the policy with the thresholds that keep its promises, given the ids of the site's own
    models by score.
    """
    ids = {score: model_ids[score] for score in learned_by_score(session, model_ids)}
    return promises.keep(policy, _fitted(session, policy, ids))


@cached(
    LRUCache(MOST),
    key=lambda session, policy, ids: (*ids.items(), policy.spam, policy.abuse, policy.promises),
    lock=threading.Lock(),
)
def _fitted(session: Session, policy: Policy, ids: Mapping[str, str]) -> promises.Fitted | None:
    """Fit the thresholds. The scores that this takes are not kept: those of a large site need a
    megabyte.
    """
    if not policy.promises.are_made:
        return None
    wanted = select(SiteModelRecord.id, SiteModelRecord.scores)
    rows = session.execute(wanted.where(SiteModelRecord.id.in_(ids.values())))
    stored = {row.id: row.scores for row in rows}
    kept = {score: Scores.of(stored[id_]) for score, id_ in ids.items() if id_ in stored}
    return promises.fit(policy, kept)


caches.register(_read.cache_clear)
caches.register(_fitted.cache_clear)
