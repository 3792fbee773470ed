"""News for moderators, one sentence each: a colleague changed the settings or decided many comments
at once, or a model went live.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from pydantic import BaseModel
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from models.judgement.policy import Policy
from models.judgement.scores import SPAM
from models.records import PolicyVersion, Site, SiteModelRecord, SiteScore
from models.records.site_score import WENT_BACK, Held
from models.store.database import now
from service.http.problems import Problem
from service.moderation.log import changes_in, large_batches, policy_of, said_together
from service.people.names import names_of
from service.sites.policy_changes import MOST_NAMED, in_one_sentence

NEWS_FOR = timedelta(days=1)
MANY = 20  # a batch with at least this many decisions is news
MOST_OF_A_KIND = 50

SiteRow = Row[int, str, int]


class News(NamedTuple):
    """`kind` is "settings", "model" or "batch". `version` is the one to go back from, if that is
    possible; for a batch it is the id.
    """

    site: str
    kind: str
    at: datetime
    text: str
    version: str
    can_go_back: bool = False


class Flags(BaseModel):
    """How many of the last `of` comments a new model flags, and how many the one before it did."""

    of: int
    now: int
    before: int


class _Card(BaseModel):
    """The parts of a model's card that the news need."""

    flags: Flags | None = None


def news(
    session: Session, sites: Sequence[int], *, reader: str, since: datetime | None
) -> list[News]:
    """Return the news, newest first, from `since` on and at most a day old. A person's own changes
    are left out.
    """
    after = max(filter(None, (since, now() - NEWS_FOR)))
    wanted = select(Site.id, Site.key, Site.policy_version).where(Site.id.in_(sites))
    rows = session.execute(wanted).all()
    found = [
        *_settings(session, rows, after, reader),
        *_models(session, rows, after),
        *_batches(session, rows, after, reader),
    ]
    return sorted(found, key=lambda item: item.at, reverse=True)


def _settings(
    session: Session, rows: Sequence[SiteRow], after: datetime, reader: str
) -> list[News]:
    """Return every version since then. Only the current one can be undone."""
    sites = {row.id: row for row in rows}
    saved = select(
        PolicyVersion.site_id, PolicyVersion.version, PolicyVersion.at, PolicyVersion.by
    ).where(PolicyVersion.site_id.in_(sites), PolicyVersion.at > after, PolicyVersion.by != reader)
    saved = saved.order_by(PolicyVersion.id.desc()).limit(MOST_OF_A_KIND)
    versions = session.execute(saved).all()
    names = _subjects(session, {by for *_, by in versions})
    found = []
    for site_id, version, at, by in versions:
        site = sites[site_id]
        changes = in_one_sentence(changes_in(session, site_id, version), MOST_NAMED)
        sentence = f"{names[by]} changed {changes}."
        in_force = version == site.policy_version
        found.append(News(site.key, "settings", at, sentence, str(version), can_go_back=in_force))
    return found


def _batches(session: Session, rows: Sequence[SiteRow], after: datetime, reader: str) -> list[News]:
    """Return batches of many decisions by a colleague."""
    keys = {row.id: row.key for row in rows}
    groups = large_batches(session, list(keys), since=after, at_least=MANY)
    groups = [group for group in groups if group.of.by != reader]
    names = _subjects(session, {group.of.by for group in groups})
    found = []
    for of, at, together in groups:
        sentence = f"{names[of.by]} {said_together(together, is_undo=of.is_undo)}."
        found.append(News(keys[of.site_id or 0], "batch", at, sentence, of.batch))
    return found


def _subjects(session: Session, bys: Collection[str]) -> dict[str, str]:
    """Return their names, as a sentence begins with them."""
    names = names_of(session, bys)
    return {by: name if "@" in name else name.capitalize() for by, name in names.items()}


def _models(session: Session, rows: Sequence[SiteRow], after: datetime) -> list[News]:
    """Return each model that went live, and each that went back because it held too much."""
    keys = {row.id: row.key for row in rows}
    wanted = select(SiteScore, SiteModelRecord.version, SiteModelRecord.at, SiteModelRecord.card)
    wanted = wanted.outerjoin(SiteModelRecord, SiteModelRecord.id == SiteScore.model)
    found = []
    for in_use, version, at, card in session.execute(wanted.where(SiteScore.site_id.in_(keys))):
        site, since, score = keys[in_use.site_id], in_use.live_since, in_use.score
        if in_use.watch == WENT_BACK and since and since > after:
            sentence = f"The new {score} model went back{_too_much(in_use.watched)}."
            found.append(News(site, "model", since, sentence, version or "base"))
        elif version and at > after:
            difference = _difference(_Card.model_validate(card).flags)
            sentence = f"A new {score} model went live{difference}."
            # The console's form goes back from a spam model only.
            found.append(News(site, "model", at, sentence, version, can_go_back=score == SPAM))
    return found


def _too_much(watched: Held | None) -> str:
    if watched is None:
        return ""
    return (
        f": it held {watched['now']:,} of {watched['of']:,} new comments, and the previous model "
        f"would have held {watched['before']:,}"
    )


def _difference(flags: Flags | None) -> str:
    """Say how a new model changes the queue, if its card has the numbers."""
    if flags is None or not flags.of:
        return ""
    compared = f"the last {flags.of:,} comments"
    more = flags.now - flags.before
    if not more:
        return f"; it would have held as many of {compared} as the previous model"
    return f"; it would have held {abs(more)} {'more' if more > 0 else 'fewer'} of {compared}"


def policy_to_go_back_to(session: Session, site: Site, version: int | None) -> Policy:
    """Return the policy before the current one. Raises a 409 if a newer version than `version` is
    current, or if nothing was ever changed.
    """
    if version is not None and version != site.policy_version:
        raise Problem(
            409,
            f"The settings have changed again: they are now version {site.policy_version}. Check "
            "the latest changes first.",
        )
    if site.policy_version < 2:
        raise Problem(409, "There is no earlier version of the settings.")
    return policy_of(session, site.id, site.policy_version - 1)
