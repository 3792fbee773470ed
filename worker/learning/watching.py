"""Watch a model that went live: if it holds many more comments than was announced, the previous one
comes back.
"""

from __future__ import annotations

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.records import Act, SiteModelRecord, SiteScore
from models.records.site_score import KEPT, WATCHING, WENT_BACK, Held
from models.settling.actor import POLICY
from models.settling.site_scores import locked_score, make_live
from models.store.database import begin, now, reading
from worker.learning.champions import find_champion
from worker.learning.learner import WATCHED
from worker.learning.material import Material
from worker.learning.recent import comments_since
from worker.learning.traffic import added, rule_of

MORE = 0.03  # of them may be held beyond what was announced
log = structlog.get_logger()


def judge_watched(material: Material) -> list[str] | None:
    """Judge each model that has scored enough comments. Return the scores whose model went back, or
    None if none was judged.
    """
    judged = False
    went_back = []
    for score, in_use in material.in_use.items():
        if in_use.watch != WATCHING or score not in material.bases:
            continue
        counts = _held_since(material, in_use)
        if counts["of"] < WATCHED:
            continue
        judged = True
        if _conclude(material, in_use, counts):
            went_back.append(score)
    return went_back if judged else None


def _held_since(material: Material, in_use: SiteScore) -> Held:
    """Count what the live model and the previous one hold of the first comments since it is
    live.
    """
    base, score = material.bases[in_use.score], in_use.score
    since = in_use.live_since or now()
    with reading() as session:
        comments = comments_since(session, in_use.site_id, since, WATCHED)
        models = [find_champion(session, id_, base) for id_ in (in_use.previous, in_use.model)]
    seen = comments.seen(base, material.place)
    before, after = (
        rule_of(
            material.policy,
            score,
            base,
            scores=material.scores_with(score, model.scores),
            languages=model.languages,
        ).holds(model.probabilities(seen, comments.languages), comments.languages)
        for model in models
    )
    return {"of": len(seen), "before": int(before.sum()), "now": int(after.sum())}


def _conclude(material: Material, watched: SiteScore, counts: Held) -> bool:
    """Store what was found. Return whether the previous model is live again."""
    announced = watched.announced or {"of": 0, "before": 0, "now": 0}
    is_worse = added(counts) > added(announced) + MORE
    with begin() as session:
        in_use = locked_score(session, watched.site_id, watched.score)
        if in_use.model != watched.model or in_use.watch != WATCHING:
            return False
        if is_worse:
            _go_back(session, in_use, counts)
        in_use.announced, in_use.watched = announced, counts
        in_use.watch = WENT_BACK if is_worse else KEPT
    log.info(
        "learned.watched",
        site=material.claimed.key,
        score=watched.score,
        status=in_use.watch,
        **counts,
    )
    return is_worse


def _go_back(session: Session, in_use: SiteScore, counts: Held) -> None:
    versions = dict(
        session.execute(
            select(SiteModelRecord.id, SiteModelRecord.version).where(
                SiteModelRecord.id.in_(filter(None, [in_use.model, in_use.previous]))
            )
        ).all()
    )
    to = in_use.previous if in_use.previous in versions else None
    names = [versions.get(id_ or "", "base") for id_ in (in_use.model, to)]
    what = (
        f"went back from the {in_use.score} model {names[0]} to {names[1]}, because it held "
        f"{counts['now']} of {counts['of']} new comments, and the previous one would have held "
        f"{counts['before']}"
    )
    make_live(in_use, to)
    session.add(Act(site_id=in_use.site_id, by=str(POLICY), kind="settings", what=what))
