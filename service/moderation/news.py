"""News for moderators, each in a sentence: a colleague changed the settings, a model went live."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from pydantic import BaseModel
from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from models.judgement.policy import Policy
from models.records import PolicyVersion, Site, SiteModelRecord
from models.store.database import now
from service.http.problems import Problem
from service.people.names import names_of
from service.sites.policy_words import NAMES, SAID

NEWS_FOR = timedelta(days=1)
MOST_NAMED = 3  # changes in one sentence

SiteRow = Row[int, str, int, str | None]


class News(NamedTuple):
    """`kind` is "settings" or "model". `version` is the one to go back from."""

    site: str
    kind: str
    at: datetime
    text: str
    version: str


class Flags(BaseModel):
    """How many of the last `of` comments a new model flags, and how many the one before it did."""

    of: int
    now: int
    before: int


class _Card(BaseModel):
    """What the news needs of a model's card."""

    flags: Flags | None = None


def news(
    session: Session, sites: Sequence[int], *, reader: str, since: datetime | None
) -> list[News]:
    """Newest first, from `since` on and at most a day old. A reader's own changes are no news."""
    after = max(filter(None, (since, now() - NEWS_FOR)))
    wanted = select(Site.id, Site.key, Site.policy_version, Site.model).where(Site.id.in_(sites))
    rows = session.execute(wanted).all()
    found = [*_settings(session, rows, after, reader), *_models(session, rows, after)]
    return sorted(found, key=lambda item: item.at, reverse=True)


def _settings(
    session: Session, rows: Sequence[SiteRow], after: datetime, reader: str
) -> list[News]:
    found = []
    for row in rows:
        latest = session.scalar(_version(row.id, row.policy_version))
        if latest is None or latest.at <= after or latest.by == reader:
            continue
        previous = before(session, row.id, latest.version)
        changes = told_changes(previous, Policy.model_validate(latest.policy))
        name = names_of(session, {latest.by})[latest.by]
        name = name if "@" in name else name.capitalize()
        sentence = f"{name} changed {changes}."
        found.append(News(row.key, "settings", latest.at, sentence, str(latest.version)))
    return found


def _models(session: Session, rows: Sequence[SiteRow], after: datetime) -> list[News]:
    live = {row.model: row.key for row in rows if row.model}
    models = select(
        SiteModelRecord.id, SiteModelRecord.version, SiteModelRecord.at, SiteModelRecord.card
    )
    models = models.where(SiteModelRecord.id.in_(live), SiteModelRecord.at > after)
    found = []
    for model in session.execute(models):
        difference = _difference(_Card.model_validate(model.card).flags)
        sentence = f"A new spam model went live{difference}."
        found.append(News(live[model.id], "model", model.at, sentence, model.version))
    return found


def _difference(flags: Flags | None) -> str:
    """How a new model changes the queue, if its card says so."""
    if flags is None or not flags.of:
        return ""
    compared = f"the last {flags.of:,} comments"
    more = flags.now - flags.before
    if not more:
        return f"; it would have flagged as many of {compared} as the one before"
    return f"; it would have flagged {abs(more)} {'more' if more > 0 else 'fewer'} of {compared}"


def _version(site_id: int, version: int) -> Select[PolicyVersion]:
    return select(PolicyVersion).where(
        PolicyVersion.site_id == site_id, PolicyVersion.version == version
    )


def before(session: Session, site_id: int, version: int) -> Policy:
    """The policy that this version replaced. The first version replaced the defaults."""
    row = session.scalar(_version(site_id, version - 1))
    return Policy.model_validate(row.policy) if row else Policy()


def policy_to_go_back_to(session: Session, site: Site, version: int | None) -> Policy:
    """The policy before the one in force. Raises 409 if a newer version than `version` is in force,
    or if nothing was ever changed.
    """
    if version is not None and version != site.policy_version:
        raise Problem(
            409,
            f"The policy has version {site.policy_version} by now. Look at what was changed since.",
        )
    if session.scalar(_version(site.id, site.policy_version)) is None:
        raise Problem(409, "These are the settings that the site began with.")
    return before(session, site.id, site.policy_version)


def told_changes(was: Policy, becomes: Policy) -> str:
    """The difference in the words of the settings page, such as "“New comments” from … to …"."""
    old, new = _leaves(was), _leaves(becomes)
    changes = [_change(name, old[name], new[name]) for name in new if old.get(name) != new[name]]
    if len(changes) > MOST_NAMED:
        changes = [*changes[: MOST_NAMED - 1], f"{len(changes) - MOST_NAMED + 1} more"]
    if len(changes) > 1:
        return f"{', '.join(changes[:-1])} and {changes[-1]}"
    return changes[0] if changes else "nothing, but saved the settings"


def _leaves(policy: Policy) -> dict[str, object]:
    """Every setting by its full name, like "links.max_links"."""
    leaves: dict[str, object] = {}
    for part, fields in policy:
        if isinstance(fields, BaseModel):
            leaves |= {f"{part}.{name}": value for name, value in fields}
        else:
            leaves[part] = fields
    return leaves


def _change(name: str, was: object, becomes: object) -> str:
    label = f"“{NAMES[name]}”"
    if isinstance(was, tuple) and isinstance(becomes, tuple):
        added, removed = len(set(becomes) - set(was)), len(set(was) - set(becomes))
        return f"{label} ({added} added, {removed} removed)"
    if isinstance(becomes, dict):
        return label
    return f"{label} from {_in_words(was)} to {_in_words(becomes)}"


def _in_words(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return SAID.get(str(value), str(value))
