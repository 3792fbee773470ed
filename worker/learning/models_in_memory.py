"""The sites' own models that a worker keeps in memory: the last few, by id, so that a new model
scores from the next batch on.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
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


def learned_by_score(session: Session, model_ids: Mapping[str, str]) -> dict[str, Learned]:
    """Return the models of those ids by the names of their scores, without those that do not exist
    or do not fit this release.
    """
    found = {score: learned(session, model_id) for score, model_id in model_ids.items()}
    return {score: each for score, each in found.items() if each}


def with_promises(session: Session, policy: Policy, model_ids: Mapping[str, str]) -> Policy:
    """Return the policy with the thresholds that keep its promises, given the ids of the site's own
    models by score.
    """
    models = learned_by_score(session, model_ids)
    ids = tuple((score, model_ids[score]) for score in models)
    return promises.keep(policy, _fitted(policy, models, ids))


@cached(
    LRUCache(MOST),
    key=lambda policy, models, ids: (ids, policy.spam, policy.abuse, policy.promises),
    lock=threading.Lock(),
)
def _fitted(
    policy: Policy, models: Mapping[str, Learned], ids: tuple[tuple[str, str], ...]
) -> promises.Fitted | None:
    return promises.fit(policy, {score: each.scores for score, each in models.items()})


caches.register(_read.cache_clear)
caches.register(_fitted.cache_clear)
