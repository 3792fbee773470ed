"""`python -m worker.learning.learning SITE`: train a site's own model on its moderators' decisions, and let
it prove itself.

A process of its own, which ends when it is done: scikit-learn takes memory that no worker should
keep.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np
import structlog
from sqlalchemy import case, delete, select, update
from sqlalchemy.orm import Session

from models.failpoints import failpoint
from models.identifiers import new_id
from models.judgement import promises
from models.judgement.policy import Policy
from models.judgement.promises import DIGITS, STEP, Scores
from models.logs import configure_logs
from models.records import Comment, Site, SiteModelRecord
from models.settling.labels import Decided, contexts_of, labels
from models.settling.settling import LEARN_EVERY
from models.spam.model import SpamModel, UnusableModel, probability
from models.spam.opinion import opinions
from models.spam.place import Place, on_site
from models.spam.site import Floats, Seen, SiteModel
from models.spam.training.base_model import Flags, Untrainable
from models.spam.training.site_model import Comparison, Label, SiteTrained, compare, train
from models.store.database import begin, now, reading
from worker.learning.learner import may_learn
from worker.lifeline import watch_parent

LEASE = timedelta(seconds=150)  # longer than whoever started us waits
RECENT = 1000  # comments that tell how many of a day's would be held
KEPT = 20  # models of a site; older ones are gone for good
MOST_NAMED = 100  # in a card, of the comments that left the training set
log = structlog.get_logger()


class Claim(NamedTuple):
    """The right to train a site until `lease`. `champion` is the model that is live, None for the
    base model alone.
    """

    site_id: int
    key: str
    lease: datetime
    fresh: int
    champion: str | None


class Champion(NamedTuple):
    """What is live: the site's own model, or the base model alone (`model` and `seen` are empty
    then).
    """

    model: SiteModel | None
    version: str
    seen: frozenset[str]
    is_unfit: bool = False


def learn(site_id: int) -> str | None:
    """Train if it is due. The version that is live afterwards, if this changed it; None if all
    stays as it was.
    """
    claimed = _claim(site_id, now())
    if claimed is None:
        return None
    from models.spam.file import model_path  # noqa: PLC0415 — tests name another

    base = SpamModel.load(model_path())
    with reading() as session:
        decided = labels(session, site_id)
        champion = _champion(session, claimed, base)
        forgotten = _erased(session, champion.seen)
        site = _page_of(session, site_id)
    opinion = opinions(base, [(each.body, each.language) for each in decided], site)
    examples = [_label(each, thought) for each, thought in zip(decided, opinion, strict=True)]
    try:
        trained = train(examples, base.version, claimed.lease.isoformat())
    except Untrainable as error:
        return _give_up(claimed, str(error), back_to_base=bool(forgotten) or champion.is_unfit)
    result = compare(
        examples, trained, _judged_by(champion, examples), _unseen_by(champion, examples)
    )
    done = Training(claimed, champion, trained, decided, result, bool(forgotten))
    return _keep(done, _record(done, base))


def _claim(site_id: int, at: datetime) -> Claim | None:
    """Whoever comes second, or too soon after the last training, gets None."""
    due = update(Site).where(Site.id == site_id, may_learn(at)).values(learn_due=at + LEASE)
    with begin() as session:
        row = session.execute(
            due.returning(Site.key, Site.fresh_decisions, Site.model)
        ).one_or_none()
    failpoint("learn_claimed")
    return Claim(site_id, row.key, at + LEASE, row.fresh_decisions, row.model) if row else None


def _champion(session: Session, claimed: Claim, base: SpamModel) -> Champion:
    """A model for another base, or of another release, can't compete; but what it had seen it had
    seen.
    """
    record = session.get(SiteModelRecord, claimed.champion) if claimed.champion else None
    if record is None:
        return Champion(None, base.version, frozenset())
    try:
        model = SiteModel.unpacked(record.weights)
    except UnusableModel:
        return Champion(None, record.version, frozenset(record.seen), is_unfit=True)
    fits = model.base == base.version
    return Champion(
        model if fits else None, record.version, frozenset(record.seen), is_unfit=not fits
    )


def _erased(session: Session, ids: frozenset[str]) -> set[str]:
    found: set[str] = set()
    for some in _slices(sorted(ids)):
        erased = select(Comment.id).where(Comment.id.in_(some), Comment.erased_at.is_not(None))
        found.update(session.execute(erased).scalars())
    return found


def _slices(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start : start + 500] for start in range(0, len(ids), 500)]


def _label(decided: Decided, opinion: float | None) -> Label:
    return Label(
        decided.comment,
        decided.spam,
        decided.language,
        Seen(decided.body, opinion, decided.context),
    )


def _judged_by(champion: Champion, examples: Sequence[Label]) -> Floats:
    return _judged(champion, [example.seen for example in examples])


def _judged(champion: Champion, seen: Sequence[Seen]) -> Floats:
    if champion.model:
        return champion.model.probabilities(seen)
    return probability(np.array([0.0 if each.base is None else each.base for each in seen]))


def _unseen_by(champion: Champion, examples: Sequence[Label]) -> Flags:
    return np.array([example.comment not in champion.seen for example in examples], bool)


class Training(NamedTuple):
    """All there is to tell about one training."""

    claimed: Claim
    champion: Champion
    trained: SiteTrained
    decided: Sequence[Decided]
    result: Comparison
    forgotten: bool

    @property
    def goes_live(self) -> bool:
        return self.forgotten or self.result.challenger_wins


def _record(done: Training, base: SpamModel) -> SiteModelRecord:
    trained, decided = done.trained, done.decided
    spam = np.array([each.spam for each in decided], bool)
    with reading() as session:
        left = _left(session, done.claimed.site_id, {each.comment for each in decided})
        seen, a_day = _newest(session, done.claimed.site_id, base)
        scores = Scores(
            _sorted(trained.held_out[~spam]),
            _sorted(trained.held_out[spam]),
            *_scored(trained.model, seen, a_day),
        )
        flags = _would_flag(session, done, seen, scores)
    weights = trained.model.packed()
    return SiteModelRecord(
        id=new_id(),
        site_id=done.claimed.site_id,
        version=trained.model.version,
        sha256=sha256(weights).hexdigest(),
        weights=weights,
        card=_card(done, weights, spam, left) | {"flags": flags},
        seen=[each.comment for each in decided],
        scores=scores._asdict(),
        parent=done.claimed.champion,
    )


def _card(done: Training, weights: bytes, spam: Flags, left: dict[str, Any]) -> dict[str, Any]:
    trained, decided = done.trained, done.decided
    return {
        "version": trained.model.version,
        "sha256": sha256(weights).hexdigest(),
        "bytes": len(weights),
        "made": now().isoformat(),
        "base": trained.model.base,
        "parent": done.champion.version,
        "decisions": {
            "rejected": int(spam.sum()),
            "approved": int((~spam).sum()),
            "first": decided[0].at.isoformat(),
            "last": decided[-1].at.isoformat(),
        },
        "languages": sorted(trained.model.languages),
        "compared": {**done.result._asdict(), "measure": "log loss"},
        "figures": _figures(spam, trained.held_out),
        "went live": done.goes_live,
        "why": _why(done.result, forced=done.forgotten),
        **left,
    }


def _why(result: Comparison, *, forced: bool) -> str:
    if forced:
        return "the one before had seen a comment that was erased"
    if result.rows and result.challenger_wins and result.challenger < result.champion:
        return f"better than the one before {result.how}"
    return (
        f"as good as the one before {result.how}"
        if result.challenger_wins
        else f"lost {result.how}"
    )


def _figures(spam: Flags, held_out: Floats) -> dict[str, float]:
    """On the labels, each judged by a model that had not seen it."""
    called = held_out >= 0.5
    found, wrong = int((called & spam).sum()), int((called & ~spam).sum())
    return {
        "rejected found": round(found / max(1, int(spam.sum())), 4),
        "approved held": round(wrong / max(1, int((~spam).sum())), 4),
    }


def _left(session: Session, site_id: int, now_seen: set[str]) -> dict[str, Any]:
    """Which comments the newest model had seen, and this one has not: erased, or no longer decided
    so.
    """
    newest = select(SiteModelRecord.version, SiteModelRecord.seen).where(
        SiteModelRecord.site_id == site_id
    )
    row = session.execute(newest.order_by(SiteModelRecord.id.desc()).limit(1)).one_or_none()
    gone = [comment for comment in row.seen if comment not in now_seen] if row else []
    if row is None or not gone:
        return {}
    erased = _erased(session, frozenset(gone))
    named = [
        {"comment": comment, "why": "erased" if comment in erased else "undone"}
        for comment in gone[:MOST_NAMED]
    ]
    return {"left": {"last seen by": row.version, "count": len(gone), "comments": named}}


def _newest(session: Session, site_id: int, base: SpamModel) -> tuple[list[Seen], float]:
    """The newest comments as models see them, and how many come in a day."""
    rows: list[Any] = []
    for status in ("approved", "flagged", "rejected"):
        of_it = select(Comment.id, Comment.at, Comment.body, Comment.language)
        of_it = of_it.where(Comment.site_id == site_id, Comment.status == status)
        rows += session.execute(of_it.order_by(Comment.id.desc()).limit(RECENT)).all()
    rows = sorted(rows, key=lambda row: str(row.id))[-RECENT:]
    if not rows:
        return [], 0.0
    contexts = {
        key: found
        for some in _slices([row.id for row in rows])
        for key, found in contexts_of(session, some).items()
    }
    thought = opinions(
        base, [(row.body, row.language or "und") for row in rows], _page_of(session, site_id)
    )
    days = max(1.0, (now() - rows[0].at) / timedelta(days=1))
    seen = [
        Seen(row.body, opinion, contexts.get(row.id, {}))
        for row, opinion in zip(rows, thought, strict=True)
    ]
    return seen, round(len(rows) / days, 2)


def _scored(model: SiteModel, seen: Sequence[Seen], a_day: float) -> tuple[list[float], float]:
    return (_sorted(model.probabilities(seen)) if seen else []), a_day


def _would_flag(
    session: Session, done: Training, seen: Sequence[Seen], scores: Scores
) -> dict[str, int]:
    """How many of the newest comments the score alone holds, by the model before and by this one:
    what moderators are told when it goes live.
    """
    claimed = done.claimed
    policy = Policy.model_validate(
        session.scalars(select(Site.policy).where(Site.id == claimed.site_id)).one()
    )
    kept = session.scalar(
        select(SiteModelRecord.scores).where(SiteModelRecord.id == claimed.champion)
    )
    was = promises.keep(
        policy, promises.fit(policy, Scores.of(kept) if kept else None)
    ).spam.flag_above
    becomes = promises.keep(policy, promises.fit(policy, scores)).spam.flag_above
    before = _sorted(_judged(done.champion, seen)) if seen else []
    return {
        "of": len(seen),
        "before": sum(each >= was for each in before),
        "now": sum(each >= becomes for each in scores.recent),
    }


def _page_of(session: Session, site_id: int) -> Place:
    return on_site(session.scalars(select(Site.origins).where(Site.id == site_id)).one())


def _sorted(probabilities: Floats) -> list[float]:
    """None is certain: a threshold just above each of them is still a probability."""
    return sorted(round(min(float(each), 1 - STEP), DIGITS) for each in probabilities)


def _keep(done: Training, record: SiteModelRecord) -> str | None:
    """Store the model, and let it score from now on if it earned that and nobody chose another
    meanwhile.
    """
    claimed = done.claimed
    with begin() as session:
        site = session.execute(
            select(Site).where(Site.id == claimed.site_id).with_for_update()
        ).scalar_one()
        is_free = site.model == claimed.champion
        session.add(record)
        session.flush()
        if is_free and done.goes_live:
            site.model = record.id
        elif is_free and done.champion.is_unfit:
            site.model = None
        session.flush()
        _rest(session, claimed)
        _drop(session, claimed.site_id)
    failpoint("learned")
    log.info(
        "learned",
        site=claimed.key,
        version=record.version,
        count=len(record.seen),
        reason=record.card["why"],
    )
    return record.version if is_free and done.goes_live else None


def _give_up(claimed: Claim, why: str, *, back_to_base: bool) -> str | None:
    with begin() as session:
        if back_to_base:
            session.execute(update(Site).where(Site.id == claimed.site_id).values(model=None))
        _rest(session, claimed)
        _drop(session, claimed.site_id)
    failpoint("learned")
    log.info("learned.nothing", site=claimed.key, reason=why)
    return "base" if back_to_base else None


def _rest(session: Session, claimed: Claim) -> None:
    """Nothing is due any more, unless it became due while we learned."""
    left = Site.fresh_decisions - claimed.fresh
    is_ours = Site.learn_due == claimed.lease
    due = case((is_ours & (left < LEARN_EVERY), None), (is_ours, now()), else_=Site.learn_due)
    done = (
        update(Site)
        .where(Site.id == claimed.site_id)
        .values(fresh_decisions=left, learned_at=now(), learn_due=due)
    )
    session.execute(done.execution_options(synchronize_session=False))


def _drop(session: Session, site_id: int) -> None:
    """Models that are too old, or have seen what was erased since: nobody shall go back to those.
    The live one stays; one that has seen such a comment is about to be followed by another.
    """
    live = session.execute(select(Site.model).where(Site.id == site_id)).scalar()
    wanted = select(SiteModelRecord.id, SiteModelRecord.seen).where(
        SiteModelRecord.site_id == site_id
    )
    rows = session.execute(wanted.order_by(SiteModelRecord.id.desc())).all()
    erased = _erased(session, frozenset(comment for row in rows for comment in row.seen))
    gone = [
        row.id
        for at, row in enumerate(rows)
        if row.id != live and (at >= KEPT or erased.intersection(row.seen))
    ]
    session.execute(delete(SiteModelRecord).where(SiteModelRecord.id.in_(gone)))


def main() -> None:
    configure_logs()
    watch_parent()
    os.nice(10)  # readers and moderators come first
    learn(int(sys.argv[1]))


if __name__ == "__main__":
    main()
