"""Draws the picks of the teaching queue from a site's comments of the last 30 days, live ones
included, and opens them as blind reviews.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import inf
from random import Random, SystemRandom
from typing import NamedTuple

import structlog
from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from models.classifier.file import model_path
from models.classifier.site_model import SiteModel
from models.identifiers import first_id, new_id
from models.judgement.candidate import Candidate
from models.judgement.picks import SESSION, Choice, Pick, doubt, draw
from models.judgement.policy import Policy
from models.judgement.scores import ABUSE, SCORES, SPAM
from models.records import Comment, DecisionRecord, Review, Site
from models.records.review import IS_OPEN_PICK, TEACHING, UNKNOWN
from models.settling.history import BY_A_HUMAN
from models.settling.labels import contexts_of
from models.settling.picks import count_waiting
from models.settling.site_scores import live_models
from models.store.database import begin, now, reading
from worker.checks.repeats import first_alike
from worker.checks.scores import Batch, judge
from worker.learning.models_in_memory import learned_by_score, with_promises
from worker.learning.recent import slices

SINCE = timedelta(days=30)
KEPT = timedelta(days=1)  # then a pick that nobody labelled is removed
MOST = 10_000  # of the newest comments of a status
JUDGED = 1_000  # comments that the live models score; the others keep their place by chance alone
LEASE = timedelta(seconds=60)
RUNG = timedelta(seconds=10)  # the sweep delays what it rings for by this much; a lease is longer
STATUSES = ("approved", "rejected")  # a flagged comment has a review already
AT_ONCE = 1_000
log = structlog.get_logger()


class _Row(NamedTuple):
    id: str
    thread_id: int
    language: str | None
    risk: float | None
    campaign: str | None


class _Site(NamedTuple):
    """A site with the thresholds and the models of its own that are in force."""

    id: int
    policy: Policy
    origins: tuple[str, ...]
    models: Mapping[str, SiteModel]


def draw_picks_of(site_ids: Sequence[int]) -> None:
    for site_id in site_ids:
        draw_picks(site_id)


def draw_picks(site_id: int) -> int:
    """If a moderator asked for picks, open as many as are missing. Return how many were opened."""
    lease = _claim(site_id, now())
    if lease is None:
        return 0
    with reading() as session:
        missing = SESSION - count_waiting(session, site_id)
        choices = _choices(session, site_id, SystemRandom()) if missing > 0 else []
    picks = draw(choices, missing, SystemRandom()) if choices else []
    with begin() as session:
        opened = _open(session, site_id, picks)
        _give_back(session, site_id, lease)
    log.info("teaching.drawn", site=site_id, count=opened)
    return opened


def remove_old_picks(at: datetime) -> None:
    """Remove the picks that nobody labelled in a day: while a pick is open, most lists leave out
    its comment.
    """
    with reading() as session:
        site_ids = session.scalars(select(Site.id)).all()
    old = delete(Review).where(IS_OPEN_PICK, Review.opened_at < at - KEPT)
    with begin(synced=False) as session:
        for site_id in site_ids:
            session.execute(old.where(Review.site_id == site_id))


def _claim(site_id: int, at: datetime) -> datetime | None:
    """Claim the drawing until the returned time, or return None if another process has it or
    nobody asked for picks.
    """
    lease = at + LEASE
    due = update(Site).where(Site.id == site_id, Site.teach_due <= at + RUNG)
    with begin() as session:
        claimed = session.execute(due.values(teach_due=lease).returning(Site.id)).one_or_none()
    return lease if claimed else None


def _give_back(session: Session, site_id: int, lease: datetime) -> None:
    ours = update(Site).where(Site.id == site_id, Site.teach_due == lease)
    session.execute(ours.values(teach_due=None))


def _choices(session: Session, site_id: int, chance: Random) -> list[Choice]:
    rows = [row for status in STATUSES for row in _newest(session, site_id, status)]
    site = _read_site(session, site_id)
    judged = _worth_judging(rows, site, chance)
    scored = _scored(session, site, judged)
    return [scored.get(row.id) or _unscored(row) for row in rows]


def _read_site(session: Session, site_id: int) -> _Site:
    row = session.execute(select(Site.policy, Site.origins).where(Site.id == site_id)).one()
    model_ids = live_models(session, [site_id]).get(site_id, {})
    policy = with_promises(session, Policy.model_validate(row.policy), model_ids)
    models = learned_by_score(session, model_ids)
    return _Site(site_id, policy, tuple(row.origins), models)


def _newest(session: Session, site_id: int, status: str) -> list[_Row]:
    """Read the newest comments that no human decided and that wait for nobody, in pages."""
    columns = (getattr(Comment, name) for name in _Row._fields)
    newest_first = (
        select(*columns)
        .where(
            Comment.site_id == site_id,
            Comment.status == status,
            Comment.id >= first_id(now() - SINCE),
            *_IS_FREE,
        )
        .order_by(Comment.id.desc())
        .limit(AT_ONCE)
    )
    rows: list[_Row] = []
    page = [_Row(*row) for row in session.execute(newest_first)]
    while page:
        rows += page
        if len(page) < AT_ONCE or len(rows) >= MOST:
            break
        older = newest_first.where(Comment.id < page[-1].id)
        page = [_Row(*row) for row in session.execute(older)]
    return rows


_IS_FREE = (
    Comment.erased_at.is_(None),
    ~exists().where(DecisionRecord.comment_id == Comment.id, BY_A_HUMAN),
    ~exists().where(Review.comment_id == Comment.id, Review.closed_at.is_(None)),
)


def _worth_judging(rows: Sequence[_Row], site: _Site, chance: Random) -> list[_Row]:
    """Return the rows that the live models score now: those that the models of their time were
    least certain about, and as many others, because a model may have changed its mind.
    """
    thresholds = _thresholds(site)

    def stored_doubt(row: _Row) -> float:
        return min(doubt({name: row.risk}, {name: limit}) for name, limit in thresholds.items())

    in_order = sorted(rows, key=stored_doubt)
    near, others = in_order[: JUDGED // 2], in_order[JUDGED // 2 :]
    return near + chance.sample(others, min(JUDGED - JUDGED // 2, len(others)))


def _thresholds(site: _Site) -> dict[str, float]:
    return {SPAM: site.policy.spam.flag_above, ABUSE: site.policy.abuse.flag_above}


def _scored(session: Session, site: _Site, rows: Sequence[_Row]) -> dict[str, Choice]:
    """Return the choices with their doubt by the live models."""
    bodies: dict[str, str] = {}
    for ids in slices([row.id for row in rows]):
        wanted = select(Comment.id, Comment.body).where(Comment.id.in_(ids))
        bodies.update(session.execute(wanted).all())
    rows = [row for row in rows if row.id in bodies]
    scores = _live_scores(session, site, rows, bodies)
    thresholds = _thresholds(site)
    firsts = first_alike([bodies[row.id] for row in rows])
    return {
        row.id: _unscored(row)._replace(
            doubt=doubt(scores[row.id], thresholds), group=_group(rows[first])
        )
        for row, first in zip(rows, firsts, strict=True)
    }


def _live_scores(
    session: Session, site: _Site, rows: Sequence[_Row], bodies: Mapping[str, str]
) -> dict[str, dict[str, float | None]]:
    """Return each comment's scores by the models in force, or None where a model has no opinion of
    its language.
    """
    contexts: dict[str, dict[str, int]] = {}
    for ids in slices([row.id for row in rows]):
        contexts |= contexts_of(session, ids)
    batch = Batch([_candidate(site, row, bodies[row.id]) for row in rows])
    batch.counts = [contexts.get(row.id, {}) for row in rows]
    scores: dict[str, dict[str, float | None]] = {row.id: {} for row in rows}
    for name in SCORES:
        if model_path(name).exists():  # otherwise the check of this score finds nothing, either
            for row, judged in zip(rows, judge(name, batch), strict=True):
                scores[row.id][name] = judged.score
    return scores


def _candidate(site: _Site, row: _Row, body: str) -> Candidate:
    return Candidate(
        row.id,
        site.id,
        row.thread_id,
        "",
        "",
        body,
        now(),
        language=row.language or "und",
        origins=site.origins,
        policy=site.policy,
        models=site.models,
    )


def _open(session: Session, site_id: int, picks: Sequence[Pick]) -> int:
    """Open the reviews, except for comments that somebody decided or reported meanwhile."""
    ids = sorted(pick.id for pick in picks)
    locked = select(Comment.id).where(Comment.id.in_(ids)).order_by(Comment.id)
    session.execute(locked.with_for_update(key_share=True))
    free = select(Comment.id, Comment.risk).where(Comment.id.in_(ids), *_IS_FREE)
    risks = dict(session.execute(free.where(Comment.status.in_(STATUSES))).all())
    opened = [pick for pick in picks if pick.id in risks]
    for pick in opened:
        risk = risks[pick.id]
        session.add(
            Review(
                id=new_id(),
                site_id=site_id,
                comment_id=pick.id,
                cause=TEACHING,
                blind=True,
                risk=UNKNOWN if risk is None else risk,
                propensity=pick.propensity,
            )
        )
    return len(opened)


def _unscored(row: _Row) -> Choice:
    return Choice(row.id, inf, row.language or "und", str(row.thread_id), _group(row))


def _group(row: _Row) -> str:
    return row.campaign or row.id
