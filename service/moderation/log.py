"""Who did what when: decisions by humans and everything else, newest first; for the console, and by
key.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, literal_column, or_, select
from sqlalchemy.orm import Session

from models.identifiers import first_id
from models.records import Act, Comment, DecisionRecord, PolicyVersion, Thread

KINDS = ("decisions", "people", "settings", "threads", "blocks")
BY_HUMANS = "decisions.\"by\" <> 'policy'"  # as the index says it


class Line(NamedTuple):
    """A decision has itself, the name at its comment and the title of its page; everything else
    says `what`.
    """

    id: str
    at: datetime
    by: str
    kind: str
    site_id: int | None
    what: str = ""
    decision: DecisionRecord | None = None
    name: str = ""
    page: str = ""


class Wanted(NamedTuple):
    """`who` is as the logs name them. Without a site, what was done to an account is told only to
    `own`.
    """

    site_ids: list[int]
    kind: str = ""
    who: str = ""
    since: datetime | None = None
    until: datetime | None = None
    own: str = ""


def lines(session: Session, wanted: Wanted, before: str | None, limit: int) -> list[Line]:
    """From both logs and the versions of the settings."""
    found: list[Line] = []
    if wanted.kind in {"", "decisions"}:
        found += _decisions(session, wanted, before, limit)
    if wanted.kind != "decisions":
        found += _acts(session, wanted, before, limit)
    if wanted.kind in {"", "settings"}:
        found += _policies(session, wanted, before, limit)
    return sorted(found, key=lambda line: line.id, reverse=True)[:limit]


def _decisions(session: Session, wanted: Wanted, before: str | None, limit: int) -> list[Line]:
    columns: list[Any] = [DecisionRecord, Comment.name, Comment.site_id, Thread.title, Thread.key]
    found: Select[Any] = select(*columns)
    found = found.join(Comment, Comment.id == DecisionRecord.comment_id).join(
        Thread, Thread.id == Comment.thread_id
    )
    found = found.where(literal_column(BY_HUMANS), DecisionRecord.site_id.in_(wanted.site_ids))
    found = (
        _within(found, DecisionRecord, wanted, before)
        .order_by(DecisionRecord.id.desc())
        .limit(limit)
    )
    return [
        Line(
            entry.id,
            entry.at,
            entry.by,
            "decisions",
            site,
            decision=entry,
            name=name,
            page=title or key,
        )
        for entry, name, site, title, key in session.execute(found)
    ]


def _acts(session: Session, wanted: Wanted, before: str | None, limit: int) -> list[Line]:
    own = Act.site_id.is_(None) & (Act.by == wanted.own)
    found = select(Act).where(or_(Act.site_id.in_(wanted.site_ids), own))
    found = found.where(Act.kind == wanted.kind) if wanted.kind else found
    found = _within(found, Act, wanted, before).order_by(Act.id.desc()).limit(limit)
    return [
        Line(act.id, act.at, act.by, act.kind, act.site_id, act.what)
        for act in session.scalars(found)
    ]


def _policies(session: Session, wanted: Wanted, before: str | None, limit: int) -> list[Line]:
    """Settings are kept by version; a version's place among the lines is its time."""
    found = select(PolicyVersion).where(PolicyVersion.site_id.in_(wanted.site_ids))
    found = found.where(PolicyVersion.by == wanted.who) if wanted.who else found
    saved = [
        Line(
            first_id(row.at),
            row.at,
            row.by,
            "settings",
            row.site_id,
            f"saved the settings, version {row.version}",
        )
        for row in session.scalars(found.order_by(PolicyVersion.id.desc()).limit(1000))
        if (not wanted.since or row.at >= wanted.since)
        and (not wanted.until or row.at < wanted.until)
    ]
    return [line for line in saved if before is None or line.id < before][:limit]


def _within(found: Select[Any], record: Any, wanted: Wanted, before: str | None) -> Select[Any]:
    if wanted.who:
        found = found.where(record.by == wanted.who)
    if wanted.since:
        found = found.where(record.id >= first_id(wanted.since))
    if wanted.until:
        found = found.where(record.id < first_id(wanted.until))
    return found.where(record.id < before) if before else found
