"""The newest comments of a site as its models see them: they tell how many a
threshold would flag.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.classifier.file import model_path
from models.classifier.model import Floats, LinearModel, probability
from models.classifier.opinion import opinions
from models.classifier.place import Place, on_site
from models.classifier.site_card import Flags
from models.classifier.site_model import Seen
from models.judgement import promises
from models.judgement.policy import Policy
from models.judgement.promises import Scores
from models.judgement.scores import SPAM
from models.records import Comment, Site, SiteModelRecord
from models.settling.labels import contexts_of
from models.store.database import now

MOST = 1000
AT_ONCE = 500  # ids in one query
_STATUSES = ("approved", "flagged", "rejected")


class Recent(NamedTuple):
    """The newest comments, oldest first, and how many come per day. `texts` are their ids, bodies
    and languages.
    """

    seen: list[Seen]
    per_day: float
    texts: Sequence[Text] = ()


class Text(NamedTuple):
    """A comment's id, body and language."""

    id: str
    body: str
    language: str


class _Row(NamedTuple):
    id: str
    at: datetime
    body: str
    language: str | None


def recent_comments(session: Session, site_id: int, base: LinearModel) -> Recent:
    """Return the newest comments that were decided, as a site's model sees them."""
    rows = _newest(session, site_id)
    if not rows:
        return Recent([], 0.0)
    contexts: dict[str, dict[str, int]] = {}
    for ids in slices([row.id for row in rows]):
        contexts |= contexts_of(session, ids)
    texts = [Text(row.id, row.body, row.language or "und") for row in rows]
    read = [(each.body, each.language) for each in texts]
    thoughts = opinions(base, read, place_of(session, site_id))
    seen = [
        Seen(row.body, thought, contexts.get(row.id, {}))
        for row, thought in zip(rows, thoughts, strict=True)
    ]
    days = max(1.0, (now() - rows[0].at) / timedelta(days=1))
    return Recent(seen, round(len(rows) / days, 2), texts)


def _newest(session: Session, site_id: int) -> list[_Row]:
    """Return the newest comments. Each status has a query of its own, because status is the first
    column of the index.
    """
    rows: list[_Row] = []
    for status in _STATUSES:
        wanted = select(Comment.id, Comment.at, Comment.body, Comment.language)
        wanted = wanted.where(Comment.site_id == site_id, Comment.status == status)
        newest = session.execute(wanted.order_by(Comment.id.desc()).limit(MOST))
        rows += [_Row(*row) for row in newest]
    return sorted(rows)[-MOST:]


def slices(ids: Sequence[str]) -> list[list[str]]:
    """Divide ids into lists short enough for one query."""
    return [list(ids[start : start + AT_ONCE]) for start in range(0, len(ids), AT_ONCE)]


def place_of(session: Session, site_id: int) -> Place:
    """Return the place of a comment on an unknown page of this site."""
    return on_site(session.scalars(select(Site.origins).where(Site.id == site_id)).one())


def sorted_scores(probabilities: Floats) -> list[float]:
    """Return rounded probabilities below 1, so that there is a threshold above each of them."""
    return sorted(promises.rounded(float(each)) for each in probabilities)


def base_scores(score: str, texts: Sequence[Text], place: Place) -> dict[str, float | None]:
    """Return the probability by that score's base model for each comment, by id. None: it does not
    know the language.
    """
    base = LinearModel.load(model_path(score))
    log_odds = opinions(base, [(each.body, each.language) for each in texts], place)
    return {
        each.id: None if value is None else float(probability(np.array(value)))
        for each, value in zip(texts, log_odds, strict=True)
    }


def count_flags(
    session: Session, site_id: int, champion: str | None, *, before: Floats, scores: Scores
) -> Flags:
    """Count how many of the newest comments the score flags: `before` with the champion's
    probabilities and thresholds, and now with the new model's `scores`. The console shows both to
    moderators when the new model goes live.
    """
    policy = Policy.model_validate(
        session.scalars(select(Site.policy).where(Site.id == site_id)).one()
    )
    kept = session.scalar(select(SiteModelRecord.scores).where(SiteModelRecord.id == champion))
    was = _flag_above(policy, Scores.of(kept) if kept else None)
    becomes = _flag_above(policy, scores)
    return {
        "of": len(scores.recent),
        "before": sum(each >= was for each in sorted_scores(before)),
        "now": sum(each >= becomes for each in scores.recent),
    }


def _flag_above(policy: Policy, scores: Scores | None) -> float:
    fitted = promises.fit(policy, {SPAM: scores} if scores else None)
    return promises.keep(policy, fitted).spam.flag_above
