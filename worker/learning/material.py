"""What a site's models are trained on and compared on, read once for all scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.classifier.file import model_path
from models.classifier.model import LinearModel, UnusableModel
from models.classifier.place import Place
from models.judgement.policy import Policy
from models.judgement.promises import Scores
from models.judgement.scores import SCORES
from models.records import Site, SiteScore
from models.settling.labels import Decided, labels
from worker.learning.champions import Champion, find_champion
from worker.learning.claims import Claim
from worker.learning.recent import Comments, Recent, place_of, recent_comments, unseen_comments

log = structlog.get_logger()


class Material(NamedTuple):
    """A claimed site, its policy, its decisions, its newest comments, and those of them that went
    live without a human.
    """

    claimed: Claim
    policy: Policy
    place: Place
    decided: list[Decided]
    recent: Recent
    unseen: Comments
    bases: Mapping[str, LinearModel]
    in_use: Mapping[str, SiteScore]
    champions: Mapping[str, Champion]

    def scores_with(self, score: str, scores: Scores | None) -> dict[str, Scores]:
        """Return the scores of all the site's own models, if this were the model of one score."""
        live = {name: each.scores for name, each in self.champions.items()} | {score: scores}
        return {name: each for name, each in live.items() if each}


def read_material(session: Session, claimed: Claim) -> Material:
    site_id = claimed.site_id
    policy = session.scalars(select(Site.policy).where(Site.id == site_id)).one()
    rows = session.scalars(select(SiteScore).where(SiteScore.site_id == site_id)).all()
    known = {row.score: row for row in rows}
    in_use = {
        score: known.get(score) or SiteScore(site_id=site_id, score=score, learns=True)
        for score in SCORES
    }
    bases = load_bases()
    return Material(
        claimed=claimed,
        policy=Policy.model_validate(policy),
        place=place_of(session, site_id),
        decided=labels(session, site_id),
        recent=recent_comments(session, site_id),
        unseen=unseen_comments(session, site_id),
        bases=bases,
        in_use=in_use,
        champions={
            score: find_champion(session, in_use[score].model, base)
            for score, base in bases.items()
        },
    )


def load_bases() -> dict[str, LinearModel]:
    """Return the base model of each score. A score without one learns nothing."""
    bases = {}
    for score in SCORES:
        try:
            bases[score] = LinearModel.load(model_path(score))
        except (OSError, UnusableModel) as error:
            log.warning("learning.no_base", reason=f"{score}: {error}")
    return bases
