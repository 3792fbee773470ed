"""Explain a comment's scores, each with the model that gave it if that still exists, otherwise with
the current one.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.classifier.explained import ScoreExplained
from models.judgement.evidence import StoredEvidence
from models.judgement.scores import SCORES, SPAM
from models.records import Comment, Screening, Site, SiteModelRecord
from models.settling.site_scores import live_model
from service.http.api_types import OneOf
from service.http.problems import Problem
from service.moderation.comment_records import is_hidden

if TYPE_CHECKING:  # numpy is loaded when somebody asks, not with the web process
    from models.classifier.explanation import Explanation
    from models.classifier.model import LinearModel
    from models.classifier.site_model import SiteModel


MOST_AT_ONCE = 2
_at_work = threading.BoundedSemaphore(MOST_AT_ONCE)


class Explained(ScoreExplained):
    """The parts of one score, which `score` names. `version` is the model that the explanation
    uses, and `judged_by` the model that gave the score. They differ if the latter no longer
    exists.
    """

    judged_by: Annotated[str, Field(examples=["base-1"])]
    score: Annotated[str, OneOf(SCORES)]


class Judged(NamedTuple):
    """The parts of a score. `own` are the site's models that may explain it, the one that judged it
    first.
    """

    score: str
    body: str
    origins: Sequence[str]
    language: str
    version: str
    counts: Mapping[str, int]
    own: Sequence[SiteModel]


def judged(session: Session, comment: Comment, score: str = SPAM) -> Judged:
    """Return the parts of one of a comment's scores. Raises a 404 for an erased comment, and a 409
    for one without that score, or whose scores must not be shown yet.
    """
    if comment.erased_at:
        raise Problem(404, "This comment was erased together with its score.")
    if is_hidden(session, [comment.id]):
        raise Problem(
            409,
            ("This comment is a blind sample. You will see what Greenroom found after you decide."),
        )
    evidence = _evidence(session, comment)
    found = evidence.get(score)
    if found is None and evidence.get(SPAM):
        raise Problem(409, f"This comment was checked before Greenroom had the {score} score.")
    if found is None:
        raise Problem(
            409, f"There is no {score} score to explain yet: this comment is still being checked."
        )
    if found["score"] is None:
        raise Problem(409, f"There is no {score} score to explain: {found['detail']}.")
    own = _site_models(session, comment.site_id, score, found["version"])
    origins = session.scalars(select(Site.origins).where(Site.id == comment.site_id)).one()
    counts = evidence[SPAM].get("counts", {}) if SPAM in evidence else {}
    return Judged(
        score,
        comment.body,
        origins,
        comment.language or "und",
        found["version"],
        {name: int(count) for name, count in counts.items()},
        own,
    )


def explained(comment: Judged) -> Explanation:
    """Explain a score. This takes milliseconds, plus a second once per process to load the base
    model. It needs no database.

    Only a few run at once: while the model is being loaded, a fast moderator asks for one
    explanation after the other, and would soon hold every thread that readers wait for. Raises a
    503 that says to try again.
    """
    if not _at_work.acquire(blocking=False):
        raise Problem(
            503,
            "Greenroom is explaining other scores right now. Try again in a moment.",
            headers={"Retry-After": "1"},
        )
    try:
        return _explained(comment)
    finally:
        _at_work.release()


def _explained(comment: Judged) -> Explanation:
    from models.classifier.explanation import (  # noqa: PLC0415
        explain,
        explain_counts,
        explain_for_site,
    )
    from models.classifier.opinion import can_judge  # noqa: PLC0415
    from models.classifier.place import on_site  # noqa: PLC0415
    from models.classifier.site_model import Seen  # noqa: PLC0415

    base = _base(comment.score)
    by_base = explain(base, comment.body, on_site(comment.origins), comment.language)
    own = next((model for model in comment.own if model.base == base.version), None)
    is_known = can_judge(base, comment.language)
    if own and comment.version != base.version:
        return explain_for_site(
            own, Seen(comment.body, by_base.log_odds if is_known else None, comment.counts)
        )
    if not is_known and base.counts_alone is not None and comment.version == base.version:
        return explain_counts(base, comment.body, on_site(comment.origins))
    if not is_known:
        raise Problem(
            409,
            "The model that scored this comment no longer exists, and the current one does not "
            "know its language.",
        )
    return by_base


def as_json(comment: Judged) -> Explained:
    """Return the explanation as JSON. `version` is the model that explains, `judged_by` the one
    that gave the score, which may no longer exist.
    """
    return {
        **explained(comment).as_json(),
        "judged_by": comment.version,
        "score": comment.score,
    }


def _evidence(session: Session, comment: Comment) -> dict[str, StoredEvidence]:
    """Return the evidence of the latest screening, by check."""
    wanted = select(Screening.evidence).where(Screening.comment_id == comment.id)
    evidence = session.scalar(wanted.order_by(Screening.number.desc()).limit(1)) or []
    return {found["check"]: found for found in evidence}


def _site_models(session: Session, site_id: int, score: str, version: str) -> list[SiteModel]:
    """Return the model of that version, then the live one of that score, as far as they exist and
    fit this release.
    """
    named = SiteModelRecord.site_id == site_id, SiteModelRecord.version == version
    ids = [
        session.scalar(select(SiteModelRecord.id).where(*named)),
        live_model(session, site_id, score),
    ]
    if not any(ids):
        return []
    from worker.learning.models_in_memory import learned  # noqa: PLC0415 — numpy, see above

    found = [learned(session, model_id) for model_id in ids]
    return [each for each in found if each]


def _base(score: str) -> LinearModel:
    from models.classifier.model import UnusableModel, base_model  # noqa: PLC0415

    try:
        return base_model(score)
    except (OSError, UnusableModel) as error:
        raise Problem(
            503,
            (
                f"The {score} model can't be loaded right now, so its scores can't be explained. "
                "Try again later."
            ),
        ) from error
