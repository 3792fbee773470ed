"""Write the card of a site's new model: its training data, its results, and why it went live."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.classifier.model import Floats
from models.classifier.site_card import (
    Figures,
    LabelCounts,
    Left,
    LeftOut,
    SiteCard,
    Traffic,
    TrainedOn,
)
from models.classifier.training.base_model import Flags
from models.records import Comment, SiteModelRecord
from models.settling.actor import Kind
from models.settling.labels import Decided
from models.store.database import now
from worker.checks.language import name_of
from worker.learning.outcomes import Fate, Training
from worker.learning.recent import slices
from worker.learning.traffic import POOLED, holds_too_much

MOST_NAMED = 100  # of the comments that left the training set


def make_card(session: Session, training: Training, weights: bytes) -> SiteCard:
    """Return the card of the model whose packed form is `weights`."""
    model, result = training.trained.model, training.result
    card: SiteCard = {
        "version": model.version,
        "score": training.score,
        "sha256": sha256(weights).hexdigest(),
        "bytes": len(weights),
        "made": now().isoformat(),
        "base": model.base,
        "parent": training.champion.version,
        "decisions": _decisions(training),
        "languages": sorted(model.languages),
        "compared": {
            "rows": result.rows,
            "challenger": result.challenger,
            "champion": result.champion,
            "how": result.how,
            "measure": "log loss",
        },
        "figures": _figures(training.bad, training.trained.held_out),
        "went live": training.fate is Fate.LIVE,
        "why": _why(training),
        "labels": _labels(training.decided),
    }
    if training.traffic is not None:
        card["traffic"] = training.traffic
    if left := _left(session, training):
        card["left"] = left
    return card


def _decisions(training: Training) -> TrainedOn:
    decided, rejected = training.decided, int(training.bad.sum())
    return {
        "rejected": rejected,
        "approved": len(decided) - rejected,
        "first": decided[0].at.isoformat(),
        "last": decided[-1].at.isoformat(),
    }


def _labels(decided: Sequence[Decided]) -> LabelCounts:
    by = Counter(each.by for each in decided)
    origins = Counter(each.origin for each in decided)
    return {
        "moderators": by[Kind.MODERATOR],
        "keys": by[Kind.KEY],
        "queue": origins["queue"],
        "blind_sample": origins["blind sample"],
        "teaching": origins["teaching"],
        "other": origins["other"],
        "random": sum(each.is_random for each in decided),
    }


def _figures(bad: Flags, held_out: Floats) -> Figures:
    """Return the shares of rejected and of approved comments that the score would hold back, each
    judged by a model that had not seen it.
    """
    held = held_out >= 0.5
    found, wrong = int((held & bad).sum()), int((held & ~bad).sum())
    return {
        "rejected found": round(found / max(1, int(bad.sum())), 4),
        "approved held": round(wrong / max(1, int((~bad).sum())), 4),
    }


def _why(training: Training) -> str:
    """Say in one sentence why the model went live, or why it did not."""
    result = training.result
    if not training.passes_traffic and training.traffic is not None:
        return _too_much(training.traffic)
    if training.must_replace:
        return "the previous model had learned from a comment that was erased"
    if not result.rows:
        return (
            "no randomly chosen comment has been decided yet, and it would hold hardly more "
            "published comments than the previous model"
        )
    if not result.challenger_wins:
        return f"worse than the previous model {result.how}"
    if result.challenger < result.champion:
        return f"better than the previous model {result.how}"
    if result.challenger > result.champion:
        return f"worse than the previous model {result.how}, but by too few comments to tell"
    return f"as good as the previous model {result.how}"


def _too_much(traffic: Traffic) -> str:
    """Say in which languages the model would hold too much of what went live."""
    said = []
    for share in filter(holds_too_much, traffic["languages"]):
        language = share["language"]
        where = "other languages" if language == POOLED else name_of(language)
        said.append(
            f"{share['now']} of {share['of']} comments in {where} (the live model: "
            f"{share['before']})"
        )
    return f"of the comments that went live it would hold {'; '.join(said)}"


def _left(session: Session, training: Training) -> Left | None:
    """Return the comments that the newest model had seen and this one has not: they were erased, or
    the decision was undone.
    """
    newest = select(SiteModelRecord.version, SiteModelRecord.seen).where(
        SiteModelRecord.site_id == training.claimed.site_id,
        SiteModelRecord.score == training.score,
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
