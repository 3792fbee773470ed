"""Train a site's own model on its moderators' decisions, and make it live if it is better."""

from __future__ import annotations

from hashlib import sha256

import numpy as np
import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from models.classifier import file
from models.classifier.model import LinearModel
from models.classifier.opinion import opinions
from models.classifier.place import Place
from models.classifier.site_model import Seen
from models.classifier.training.base_model import Untrainable
from models.classifier.training.site_model import Comparison, Label, SiteTrained, compare, train
from models.failpoints import failpoint
from models.identifiers import new_id
from models.judgement.promises import collected
from models.judgement.scores import ABUSE
from models.records import Site, SiteModelRecord
from models.settling.labels import Decided, labels
from models.store.database import begin, now, reading
from worker.learning.champions import Champion, find_champion
from worker.learning.claims import Claim, claim, give_back
from worker.learning.recent import (
    Text,
    base_scores,
    count_flags,
    place_of,
    recent_comments,
)
from worker.learning.site_cards import Training, erased_comments, make_card

KEPT = 20  # models of a site; older ones are deleted
log = structlog.get_logger()


def learn(site_id: int) -> str | None:
    """Train the site's model if that is due.

    Return the version that is live from now on, or None if this changed nothing.
    """
    claimed = claim(site_id, now())
    if claimed is None:
        return None
    base = LinearModel.load(file.model_path())
    with reading() as session:
        decided = labels(session, site_id)
        champion = find_champion(session, claimed.champion, base)
        has_seen_erased = bool(erased_comments(session, list(champion.seen)))
        place = place_of(session, site_id)
    examples = _examples(decided, base, place)
    try:
        trained = train(examples, base.version, claimed.lease.isoformat())
    except Untrainable as error:
        back_to_base = has_seen_erased or champion.is_unfit
        return _give_up(claimed, str(error), back_to_base=back_to_base)
    result = _compare(examples, trained, champion)
    training = Training(claimed, champion, trained, decided, result, has_seen_erased)
    return _keep(training, _record(training, base))


def _examples(decided: list[Decided], base: LinearModel, place: Place) -> list[Label]:
    thoughts = opinions(base, [(each.body, each.language) for each in decided], place)
    examples = []
    for each, thought in zip(decided, thoughts, strict=True):
        seen = Seen(each.body, thought, each.context)
        examples.append(Label(each.comment, each.spam, each.language, seen))
    return examples


def _compare(examples: list[Label], trained: SiteTrained, champion: Champion) -> Comparison:
    probabilities = champion.probabilities([example.seen for example in examples])
    unseen = np.array([example.comment not in champion.seen for example in examples], bool)
    return compare(examples, trained, probabilities, unseen)


def _record(training: Training, base: LinearModel) -> SiteModelRecord:
    claimed, model, spam = training.claimed, training.trained.model, training.spam
    weights = model.packed()
    held_out, decided = training.trained.held_out, training.decided
    with reading() as session:
        recent = recent_comments(session, claimed.site_id, base)
        of_recent = model.probabilities(recent.seen).tolist()
        labels = [Text(each.comment, each.body, each.language) for each in decided]
        place = place_of(session, claimed.site_id)
        scores = collected(
            good={
                each.comment: score
                for each, score in zip(decided, held_out.tolist(), strict=True)
                if not each.spam
            },
            bad=held_out[spam].tolist(),
            recent={each.id: score for each, score in zip(recent.texts, of_recent, strict=True)},
            comments_a_day=recent.per_day,
            others={ABUSE: base_scores(ABUSE, [*labels, *recent.texts], place)}
            if file.model_path(ABUSE).exists()
            else {},
        )
        before = training.champion.probabilities(recent.seen)
        card = make_card(session, training, weights)
        card["flags"] = count_flags(
            session, claimed.site_id, claimed.champion, before=before, scores=scores
        )
    return SiteModelRecord(
        id=new_id(),
        site_id=claimed.site_id,
        version=model.version,
        sha256=sha256(weights).hexdigest(),
        weights=weights,
        card=card,
        seen=[each.comment for each in training.decided],
        scores=scores._asdict(),
        parent=claimed.champion,
    )


def _keep(training: Training, record: SiteModelRecord) -> str | None:
    """Store the model. It goes live if it is good enough and nobody chose another one meanwhile."""
    claimed = training.claimed
    with begin() as session:
        site = session.execute(
            select(Site).where(Site.id == claimed.site_id).with_for_update()
        ).scalar_one()
        is_unchanged = site.model == claimed.champion
        session.add(record)
        session.flush()
        if is_unchanged and training.goes_live:
            site.model = record.id
        elif is_unchanged and training.champion.is_unfit:
            site.model = None
        session.flush()
        give_back(session, claimed)
        _delete_old(session, claimed.site_id)
    failpoint("learned")
    log.info(
        "learned",
        site=claimed.key,
        version=record.version,
        count=len(record.seen),
        reason=record.card["why"],
    )
    return record.version if is_unchanged and training.goes_live else None


def _give_up(claimed: Claim, why: str, *, back_to_base: bool) -> str | None:
    with begin() as session:
        if back_to_base:
            session.execute(update(Site).where(Site.id == claimed.site_id).values(model=None))
        give_back(session, claimed)
        _delete_old(session, claimed.site_id)
    failpoint("learned")
    log.info("learned.nothing", site=claimed.key, reason=why)
    return "base" if back_to_base else None


def _delete_old(session: Session, site_id: int) -> None:
    """Delete old models, and those that learned from a comment that was erased since.

    The live model stays. If it has seen such a comment, another is about to replace it.
    """
    live = session.execute(select(Site.model).where(Site.id == site_id)).scalar()
    wanted = select(SiteModelRecord.id, SiteModelRecord.seen).where(
        SiteModelRecord.site_id == site_id
    )
    rows = session.execute(wanted.order_by(SiteModelRecord.id.desc())).all()
    erased = erased_comments(session, list({comment for row in rows for comment in row.seen}))
    gone = []
    for number, row in enumerate(rows):
        is_old = number >= KEPT or not erased.isdisjoint(row.seen)
        if is_old and row.id != live:
            gone.append(row.id)
    session.execute(delete(SiteModelRecord).where(SiteModelRecord.id.in_(gone)))
