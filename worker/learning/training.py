"""Train a site's own models on its moderators' decisions, and make each live if it is better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

import numpy as np
import structlog
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.classifier.model import Floats, LinearModel, probability
from models.classifier.opinion import opinions
from models.classifier.place import Place
from models.classifier.site_card import Flags as FlagCounts
from models.classifier.site_card import Traffic
from models.classifier.site_model import Seen
from models.classifier.training.base_model import Untrainable
from models.classifier.training.site_model import Label, compare, train
from models.failpoints import failpoint
from models.identifiers import new_id
from models.judgement.promises import Scores, collected
from models.judgement.scores import SCORES
from models.records import SiteModelRecord, SiteScore
from models.settling.labels import Decided
from models.settling.settling import LEARN_EVERY
from models.settling.site_scores import locked_score, make_live
from models.store.database import begin, now, reading
from worker.learning.champions import probabilities
from worker.learning.claims import Claim, claim, give_back
from worker.learning.material import Material, read_material
from worker.learning.outcomes import BASE, Fate, Outcome, Training
from worker.learning.recent import Comments
from worker.learning.site_cards import erased_comments, make_card
from worker.learning.traffic import Rule, check_traffic, held, rule_of
from worker.learning.watching import judge_watched

KEPT = 20  # models of a site and score; older ones are deleted
log = structlog.get_logger()


def learn(site_id: int) -> str | None:
    """Judge the models that are watched, and train the site's models if that is due.

    Return the version of the first that is live from now on, or None if this changed nothing.
    """
    claimed = claim(site_id, now())
    if claimed is None:
        return None
    with reading() as session:
        material = read_material(session, claimed)
    went_back = judge_watched(material)
    if went_back is not None and claimed.fresh < LEARN_EVERY:
        outcomes = []  # only the watch was due
    else:
        if went_back:
            with reading() as session:
                material = read_material(session, claimed)
        outcomes = [_learned(material, score) for score in SCORES if score in material.bases]
    return _keep(claimed, [outcome for outcome in outcomes if outcome])


def _learned(material: Material, score: str) -> Outcome | None:
    """Train the site's model of this score, and say what becomes of it. Nothing is stored yet."""
    base, in_use, champion = (
        material.bases[score],
        material.in_use[score],
        material.champions[score],
    )
    with reading() as session:
        has_seen_erased = bool(erased_comments(session, list(champion.seen)))
    must_change = has_seen_erased or champion.is_unfit
    if not in_use.learns and not must_change:
        return None
    decided = [each for each in material.decided if score in each.lessons]
    if not in_use.learns:
        decided = [each for each in decided if each.comment in champion.seen]
    unseen = material.unseen.seen(base, material.place)
    examples = _examples(decided, score, opinions(base, _texts(decided), material.place))
    try:
        made = f"{score} {material.claimed.lease.isoformat()}"
        trained = train(examples, base.version, made, unseen)
    except Untrainable as error:
        fate = Fate.BASE if must_change else Fate.CANDIDATE
        return Outcome(score, in_use.model, fate, str(error))
    known = champion.probabilities(
        [example.seen for example in examples], [example.language for example in examples]
    )
    is_new = np.array([example.comment not in champion.seen for example in examples], bool)
    training = Training(
        score,
        material.claimed,
        champion,
        trained,
        decided,
        compare(examples, trained, known, is_new),
        has_seen_erased,
    )
    return _judged(material, training, unseen)


def _texts(decided: Sequence[Decided]) -> list[tuple[str, str]]:
    return [(each.body, each.language) for each in decided]


def _examples(
    decided: Sequence[Decided], score: str, thoughts: Sequence[float | None]
) -> list[Label]:
    return [
        Label(
            each.comment,
            each.lessons[score],
            each.language,
            Seen(each.body, thought, each.context),
            each.propensity,
        )
        for each, thought in zip(decided, thoughts, strict=True)
    ]


def _judged(material: Material, training: Training, unseen: Sequence[Seen]) -> Outcome:
    """Check the traffic, and write the model's record with its card."""
    score, model, champion = training.score, training.trained.model, training.champion
    base = material.bases[score]
    recent = material.recent.comments.seen(base, material.place)
    languages = material.recent.comments.languages
    newest = probabilities(model, recent, languages)
    scores = _scores(training, material, newest)
    was, becomes = (
        rule_of(
            material.policy,
            score,
            base,
            scores=material.scores_with(score, its_scores),
            languages=learned,
        )
        for its_scores, learned in (
            (champion.scores, champion.languages),
            (scores, model.languages),
        )
    )
    traffic = _traffic(material.unseen, unseen, training, was, becomes)
    training = training._replace(traffic=traffic)
    weights = model.packed()
    with reading() as session:
        card = make_card(session, training, weights)
    card["flags"] = _flags(
        material.recent.comments, champion.probabilities(recent, languages), newest, (was, becomes)
    )
    record = SiteModelRecord(
        id=new_id(),
        site_id=training.claimed.site_id,
        score=score,
        version=model.version,
        sha256=sha256(weights).hexdigest(),
        weights=weights,
        card=card,
        seen=[each.comment for each in training.decided],
        scores=scores._asdict(),
        parent=material.in_use[score].model,
    )
    return Outcome(
        score, record.parent, training.fate, card["why"], record, announced=held(traffic)
    )


def _traffic(
    comments: Comments, seen: Sequence[Seen], training: Training, was: Rule, becomes: Rule
) -> Traffic:
    languages = comments.languages
    before = training.champion.probabilities(seen, languages)
    after = probabilities(training.trained.model, seen, languages)
    return check_traffic(
        comments.ids,
        languages,
        was.holds(before, languages),
        becomes.holds(after, languages),
    )


def _scores(training: Training, material: Material, newest: Floats) -> Scores:
    """Return what promises are fitted to."""
    bad, held_out = training.bad, training.trained.held_out
    ids = [each.comment for each in training.decided]
    recent = material.recent.comments
    texts = dict(zip(ids, _texts(training.decided), strict=True))
    texts |= dict(zip(recent.ids, recent.texts, strict=True))
    return collected(
        good={
            id_: score
            for id_, score, is_bad in zip(ids, held_out.tolist(), bad.tolist(), strict=True)
            if not is_bad
        },
        bad=held_out[bad].tolist(),
        recent=dict(zip(recent.ids, newest.tolist(), strict=True)),
        comments_a_day=material.recent.per_day,
        others={
            other: _by_base(base, texts, material.place)
            for other, base in material.bases.items()
            if other != training.score
        },
    )


def _by_base(
    base: LinearModel, texts: Mapping[str, tuple[str, str]], place: Place
) -> dict[str, float | None]:
    """Return the probability by that base model for each comment, by id. None: it does not know the
    language.
    """
    thoughts = opinions(base, list(texts.values()), place)
    return {
        id_: None if thought is None else float(probability(np.array(thought)))
        for id_, thought in zip(texts, thoughts, strict=True)
    }


def _flags(
    comments: Comments, before: Floats, after: Floats, rules: tuple[Rule, Rule]
) -> FlagCounts:
    """Count how many of the newest comments the live model and the new one hold. The console shows
    both to moderators when the new model goes live.
    """
    was, becomes = rules
    languages = comments.languages
    return {
        "of": len(languages),
        "before": int(was.holds(before, languages).sum()),
        "now": int(becomes.holds(after, languages).sum()),
    }


def _keep(claimed: Claim, outcomes: Sequence[Outcome]) -> str | None:
    """Store the models. Each goes live if it is good enough and nobody chose another one meanwhile.
    Return the version of the first that did.
    """
    versions: list[str] = []
    with begin() as session:
        for outcome in outcomes:
            versions += filter(None, [_keep_one(session, claimed, outcome)])
        give_back(session, claimed)
        session.flush()
        for score in SCORES:
            _delete_old(session, claimed.site_id, score)
    failpoint("learned")
    for outcome in outcomes:
        _tell(claimed, outcome)
    return versions[0] if versions else None


def _keep_one(session: Session, claimed: Claim, outcome: Outcome) -> str | None:
    in_use = locked_score(session, claimed.site_id, outcome.score)
    is_unchanged = in_use.model == outcome.champion
    if outcome.record:
        session.add(outcome.record)
        session.flush()
    if not is_unchanged or outcome.fate is Fate.CANDIDATE:
        return None
    if outcome.fate is Fate.BASE or outcome.record is None:
        make_live(in_use, None)
        return BASE
    make_live(in_use, outcome.record.id, outcome.announced)
    return outcome.record.version


def _tell(claimed: Claim, outcome: Outcome) -> None:
    if outcome.record is None:
        log.info("learned.nothing", site=claimed.key, score=outcome.score, reason=outcome.why)
        return
    log.info(
        "learned",
        site=claimed.key,
        score=outcome.score,
        version=outcome.record.version,
        count=len(outcome.record.seen),
        reason=outcome.why,
    )


def _delete_old(session: Session, site_id: int, score: str) -> None:
    """Delete old models, and those that learned from a comment that was erased since.

    The live model stays, and the one before it while the live one is watched. If the live one has
    seen such a comment, another is about to replace it.
    """
    in_use = session.get(SiteScore, (site_id, score))
    stay = {in_use.model, in_use.previous if in_use.watch else None} if in_use else set()
    wanted = select(SiteModelRecord.id, SiteModelRecord.seen).where(
        SiteModelRecord.site_id == site_id, SiteModelRecord.score == score
    )
    rows = session.execute(wanted.order_by(SiteModelRecord.id.desc())).all()
    erased = erased_comments(session, list({comment for row in rows for comment in row.seen}))
    gone = []
    for number, row in enumerate(rows):
        has_seen_erased = not erased.isdisjoint(row.seen)
        is_old = number >= KEPT and row.id not in stay
        if (has_seen_erased and row.id != (in_use and in_use.model)) or is_old:
            gone.append(row.id)
    session.execute(delete(SiteModelRecord).where(SiteModelRecord.id.in_(gone)))
