"""What changed the queue: settings that a colleague saved, a model that went live; each in a
sentence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.judgement.policy import Policy
from models.records import PolicyVersion, Site, SiteModelRecord
from models.store.database import now
from service.http.problems import Problem
from service.people.names import names_of
from service.sites.policy_words import NAMES, SAID

NEWS_FOR = timedelta(days=1)
MOST_TOLD = 3  # changes named in a sentence


class News(NamedTuple):
    """`kind` is "settings" or "model"; `version` what there is to go back from."""

    site: str
    kind: str
    at: datetime
    text: str
    version: str


def news(
    session: Session, sites: Sequence[int], *, reader: str, since: datetime | None
) -> list[News]:
    """Newest first. Nobody is told what they did themselves, nor what was so before the time they
    say.
    """
    after = max(filter(None, (since, now() - NEWS_FOR)))
    rows = session.execute(
        select(Site.id, Site.key, Site.policy_version, Site.model).where(Site.id.in_(sites))
    ).all()
    told = [*_settings(session, rows, after, reader), *_models(session, rows, after)]
    return sorted(told, key=lambda each: each.at, reverse=True)


def _settings(session: Session, rows: Sequence[Any], after: datetime, reader: str) -> list[News]:
    found = []
    for row in rows:
        latest = session.scalar(_version(row.id, row.policy_version))
        if latest is None or latest.at <= after or latest.by == reader:
            continue
        changes = told_changes(
            before(session, row.id, latest.version), Policy.model_validate(latest.policy)
        )
        name = names_of(session, {latest.by})[latest.by]
        name = name if "@" in name else name.capitalize()
        found.append(
            News(row.key, "settings", latest.at, f"{name} changed {changes}.", str(latest.version))
        )
    return found


def _models(session: Session, rows: Sequence[Any], after: datetime) -> list[News]:
    columns: list[Any] = [
        SiteModelRecord.site_id,
        SiteModelRecord.version,
        SiteModelRecord.at,
        SiteModelRecord.card,
    ]
    live = {row.id: row.key for row in rows if row.model}
    wanted = select(*columns).where(
        SiteModelRecord.id.in_([row.model for row in rows if row.model])
    )
    return [
        News(
            live[row.site_id],
            "model",
            row.at,
            f"A new spam model went live{_difference(row.card)}.",
            row.version,
        )
        for row in session.execute(wanted.where(SiteModelRecord.at > after))
    ]


def _difference(card: Mapping[str, Any]) -> str:
    """What it does to the queue, where the card has that."""
    flags = card.get("flags")
    if not flags or not flags["of"]:
        return ""
    of = f"the last {flags['of']:,} comments"
    more = flags["now"] - flags["before"]
    if not more:
        return f"; it would have flagged as many of {of} as the one before"
    return f"; it would have flagged {abs(more)} {'more' if more > 0 else 'fewer'} of {of}"


def _version(site_id: int, version: int) -> Any:
    return select(PolicyVersion).where(
        PolicyVersion.site_id == site_id, PolicyVersion.version == version
    )


def before(session: Session, site_id: int, version: int) -> Policy:
    """The policy that this version took the place of; before the first there were the defaults."""
    row = session.scalar(_version(site_id, version - 1))
    return Policy.model_validate(row.policy) if row else Policy()


def policy_to_go_back_to(session: Session, site: Site, version: int | None) -> Policy:
    """Raises 409 where another was saved since, or where nothing was ever changed."""
    if version is not None and version != site.policy_version:
        raise Problem(
            409,
            f"The policy has version {site.policy_version} by now. Look at what was changed since.",
        )
    if session.scalar(_version(site.id, site.policy_version)) is None:
        raise Problem(409, "These are the settings that the site began with.")
    return before(session, site.id, site.policy_version)


def told_changes(was: Policy, becomes: Policy) -> str:
    """ "“Links that are fine in one comment” from 2 to 3 and …", in the words of the settings'
    page.
    """
    old, new = _leaves(was), _leaves(becomes)
    changes = [_change(name, old[name], new[name]) for name in new if old.get(name) != new[name]]
    if len(changes) > MOST_TOLD:
        changes = [*changes[: MOST_TOLD - 1], f"{len(changes) - MOST_TOLD + 1} more"]
    if len(changes) > 1:
        return f"{', '.join(changes[:-1])} and {changes[-1]}"
    return changes[0] if changes else "nothing, but saved the settings"


def _leaves(policy: Policy) -> dict[str, Any]:
    leaves: dict[str, Any] = {}
    for part, fields in policy:
        if isinstance(fields, BaseModel):
            leaves |= {f"{part}.{name}": value for name, value in fields}
        else:
            leaves[part] = fields
    return leaves


def _change(name: str, was: Any, becomes: Any) -> str:
    said = f"“{NAMES[name]}”"
    if isinstance(becomes, tuple):
        gone, come = len(set(was) - set(becomes)), len(set(becomes) - set(was))
        return f"{said} ({come} added, {gone} removed)"
    if isinstance(becomes, dict):
        return said
    return f"{said} from {_said(was)} to {_said(becomes)}"


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return (
        "nothing"
        if value is None
        else f"{value:g}"
        if isinstance(value, float)
        else SAID.get(value, str(value))
    )
