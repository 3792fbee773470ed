"""Write the card of a site's new model: its training data, its results, and why it went live."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.classifier.model import Floats
from models.classifier.site_card import Figures, Left, LeftOut, SiteCard, TrainedOn
from models.classifier.training.base_model import Flags
from models.classifier.training.site_model import Comparison, SiteTrained
from models.records import Comment, SiteModelRecord
from models.settling.labels import Decided
from models.store.database import now
from worker.learning.champions import Champion
from worker.learning.claims import Claim
from worker.learning.recent import slices

MOST_NAMED = 100  # of the comments that left the training set


class Training(NamedTuple):
    """One training: the model, what it learned from, and how it compares with the champion.

    `must_replace` says that the champion has seen a comment that was erased since.
    """

    claimed: Claim
    champion: Champion
    trained: SiteTrained
    decided: Sequence[Decided]
    result: Comparison
    must_replace: bool

    @property
    def goes_live(self) -> bool:
        return self.must_replace or self.result.challenger_wins

    @property
    def spam(self) -> Flags:
        """Which of the decided comments were rejected."""
        return np.array([each.spam for each in self.decided], bool)


def make_card(session: Session, training: Training, weights: bytes) -> SiteCard:
    """Return the card of the model whose packed form is `weights`."""
    model, result = training.trained.model, training.result
    card: SiteCard = {
        "version": model.version,
        "sha256": sha256(weights).hexdigest(),
        "bytes": len(weights),
        "made": now().isoformat(),
        "base": model.base,
        "parent": training.champion.version,
        "decisions": _decisions(training.decided),
        "languages": sorted(model.languages),
        "compared": {
            "rows": result.rows,
            "challenger": result.challenger,
            "champion": result.champion,
            "how": result.how,
            "measure": "log loss",
        },
        "figures": _figures(training.spam, training.trained.held_out),
        "went live": training.goes_live,
        "why": _why(result, must_replace=training.must_replace),
    }
    if left := _left(session, training):
        card["left"] = left
    return card


def _decisions(decided: Sequence[Decided]) -> TrainedOn:
    rejected = sum(each.spam for each in decided)
    return {
        "rejected": rejected,
        "approved": len(decided) - rejected,
        "first": decided[0].at.isoformat(),
        "last": decided[-1].at.isoformat(),
    }


def _figures(spam: Flags, held_out: Floats) -> Figures:
    """Return the shares of rejected and of approved comments that the score would hold back, each
    judged by a model that had not seen it.
    """
    held = held_out >= 0.5
    found, wrong = int((held & spam).sum()), int((held & ~spam).sum())
    return {
        "rejected found": round(found / max(1, int(spam.sum())), 4),
        "approved held": round(wrong / max(1, int((~spam).sum())), 4),
    }


def _why(result: Comparison, *, must_replace: bool) -> str:
    if must_replace:
        return "the previous model had learned from a comment that was erased"
    if not result.challenger_wins:
        return f"worse than the previous model {result.how}"
    if result.rows and result.challenger < result.champion:
        return f"better than the previous model {result.how}"
    return f"as good as the previous model {result.how}"


def _left(session: Session, training: Training) -> Left | None:
    """Return the comments that the newest model had seen and this one has not: they were erased, or
    the decision was undone.
    """
    newest = select(SiteModelRecord.version, SiteModelRecord.seen).where(
        SiteModelRecord.site_id == training.claimed.site_id
    )
    row = session.execute(newest.order_by(SiteModelRecord.id.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    seen_now = {each.comment for each in training.decided}
    gone = [comment for comment in row.seen if comment not in seen_now]
    if not gone:
        return None
    erased = erased_comments(session, gone)
    named = [
        LeftOut(comment=comment, why="erased" if comment in erased else "undone")
        for comment in gone[:MOST_NAMED]
    ]
    return {"last seen by": row.version, "count": len(gone), "comments": named}


def erased_comments(session: Session, ids: Sequence[str]) -> set[str]:
    """Return those of the comments that are erased."""
    found: set[str] = set()
    for some in slices(sorted(ids)):
        erased = select(Comment.id).where(Comment.id.in_(some), Comment.erased_at.is_not(None))
        found.update(session.execute(erased).scalars())
    return found
