"""Sites, models and comments for the tests of learning, written directly into the database."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import select, update

from models.classifier.model import base_model
from models.classifier.site_model import COLUMNS, TEXT_COLUMNS, SiteModel
from models.identifiers import new_id
from models.judgement.scores import SPAM
from models.records import Comment, Screening, Site, SiteModelRecord, Thread
from models.settling.site_scores import locked_score, make_live
from models.store.database import begin, now, reading


def demo() -> Site:
    """Return the site in its current state."""
    with reading() as session:
        return session.execute(select(Site).where(Site.key == "demo")).scalar_one()


def change_demo(**columns: Any) -> None:
    with begin() as session:
        session.execute(update(Site).where(Site.key == "demo").values(**columns))


def let_score(model: str | None, *, score: str = SPAM) -> None:
    """Make the model live on the demo site."""
    with begin() as session:
        make_live(locked_score(session, demo().id, score), model)


def packed_model(
    version: str = "site-aaaaaaaaaaaa", *, base: str = "", weight: float = 1.0
) -> bytes:
    """A model that rejects what the base model rejects."""
    weights = np.zeros(COLUMNS, np.float32)
    weights[TEXT_COLUMNS] = weight  # the base model's opinion
    return SiteModel(weights, 0.0, ["en"], base or base_model().version, version).packed()


def add_model(weights: bytes, *, version: str = "site-aaaaaaaaaaaa", **columns: Any) -> str:
    """Store a model of the demo site, and return its id."""
    filled = {"sha256": "", "card": {"base": base_model().version}, "seen": [], "scores": {}}
    row = SiteModelRecord(
        id=new_id(), site_id=demo().id, version=version, weights=weights, **(filled | columns)
    )
    with begin() as session:
        session.add(row)
        return str(row.id)


def add_comment(
    body: str, *, status: str = "approved", at: datetime | None = None, **columns: Any
) -> str:
    """Store a comment of the demo site, and return its id."""
    comment = new_id()
    with begin() as session:
        site = session.execute(select(Site).where(Site.key == "demo")).scalar_one()
        thread = session.execute(select(Thread)).scalars().first()
        if thread is None:
            thread = Thread(site_id=site.id, key="/harbour")
            session.add(thread)
            session.flush()
        session.add(
            Comment(
                id=comment,
                site_id=site.id,
                thread_id=thread.id,
                top_id=comment,
                name="Ann",
                body=body,
                status=status,
                at=at or now(),
                **columns,
            )
        )
    return comment


def add_screening(comment: str, counts: dict[str, int]) -> None:
    """Store what the spam check counted for a comment."""
    evidence = [{"check": "links", "outcome": "clear"}, {"check": "spam", "counts": counts}]
    with begin() as session:
        session.add(Screening(comment_id=comment, number=1, evidence=evidence, policy_version=1))
