"""Which of a site's models are live, and how a change of model is recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.records import Site, SiteScore
from models.records.site_score import WATCHING, Held
from models.store.database import now


def live_models(session: Session, site_ids: Iterable[int]) -> Mapping[int, Mapping[str, str]]:
    """Return the id of each site's own live model by score. A score without one uses the base
    model.
    """
    wanted = select(SiteScore.site_id, SiteScore.score, SiteScore.model).where(
        SiteScore.site_id.in_(set(site_ids))
    )
    found: dict[int, dict[str, str]] = {}
    for site_id, score, model in session.execute(wanted):
        if model is not None:
            found.setdefault(site_id, {})[score] = model
    return found


def live_model(session: Session, site_id: int, score: str) -> str | None:
    """Return the id of the site's own live model, or None if the base model scores its comments."""
    return live_models(session, [site_id]).get(site_id, {}).get(score)


def locked_score(session: Session, site_id: int, score: str) -> SiteScore:
    """Lock the site's row, and return how it scores. A new row is added if it has none yet."""
    locked = select(Site.id).where(Site.id == site_id)
    session.execute(locked.with_for_update(key_share=True))
    found = session.get(SiteScore, (site_id, score), populate_existing=True)
    if found is None:
        found = SiteScore(site_id=site_id, score=score, learns=True)
        session.add(found)
        session.flush()
    return found


def make_live(of: SiteScore, model: str | None, announced: Held | None = None) -> None:
    """Let this model score from now on. It is watched if the difference it makes was announced."""
    if of.model == model:
        return
    of.previous, of.model, of.live_since = of.model, model, now()
    of.announced, of.watched = announced, None
    of.watch = WATCHING if announced else None
