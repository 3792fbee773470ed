"""The log: who did what when, decisions by people and everything else. Read and write it here."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, SQLColumnExpression, or_, select
from sqlalchemy.orm import Session

from models.identifiers import first_id
from models.records import Act, Comment, DecisionRecord, PolicyVersion, Thread
from models.settling.history import BY_A_HUMAN

KINDS = ("decisions", "people", "settings", "threads", "blocks", "keys")
MOST_VERSIONS = 1000


def note_act(
    session: Session, by: str, kind: str, what: str, *, site_id: int | None = None
) -> None:
    """Log an act that is not a decision, in the transaction that does it.

    `by` is as in the decision log. `kind` is one of `KINDS`. `what` is a sentence without its
    subject: "closed the thread “/harbour”". Without a site, only whoever did it reads the line.
    """
    session.add(Act(site_id=site_id, by=by, kind=kind, what=what))


class Line(NamedTuple):
    """One line of the log. A decision comes with the author's name and the title of its page; every
    other line has `what`.
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


class LogFilter(NamedTuple):
    """Which lines to read. `who` is as the log names them. `since` is included, `until` is not.

    Acts on an account belong to no site. `own` also reads those of this one.
    """

    site_ids: list[int]
    kind: str = ""
    who: str = ""
    since: datetime | None = None
    until: datetime | None = None
    own: str = ""


def lines(session: Session, wanted: LogFilter, before: str | None, limit: int) -> list[Line]:
    """The newest lines before that id, from both logs and the versions of the settings."""
    found: list[Line] = []
    if wanted.kind in {"", "decisions"}:
        found += _decisions(session, wanted, before, limit)
    if wanted.kind != "decisions":
        found += _acts(session, wanted, before, limit)
    if wanted.kind in {"", "settings"}:
        found += _policies(session, wanted, before, limit)
    return sorted(found, key=lambda line: line.id, reverse=True)[:limit]


def _decisions(session: Session, wanted: LogFilter, before: str | None, limit: int) -> list[Line]:
    rows = select(DecisionRecord, Comment.name, Comment.site_id, Thread.title, Thread.key)
    rows = rows.join(Comment, Comment.id == DecisionRecord.comment_id)
    rows = rows.join(Thread, Thread.id == Comment.thread_id)
    rows = rows.where(BY_A_HUMAN, DecisionRecord.site_id.in_(wanted.site_ids))
    rows = rows.where(*_conditions(wanted, before, DecisionRecord.id, DecisionRecord.by))
    rows = rows.order_by(DecisionRecord.id.desc()).limit(limit)
    return [
        Line(
            decision.id,
            decision.at,
            decision.by,
            "decisions",
            site_id,
            decision=decision,
            name=name,
            page=title or key,
        )
        for decision, name, site_id, title, key in session.execute(rows)
    ]


def _acts(session: Session, wanted: LogFilter, before: str | None, limit: int) -> list[Line]:
    own = Act.site_id.is_(None) & (Act.by == wanted.own)
    acts = select(Act).where(or_(Act.site_id.in_(wanted.site_ids), own))
    if wanted.kind:
        acts = acts.where(Act.kind == wanted.kind)
    acts = acts.where(*_conditions(wanted, before, Act.id, Act.by))
    return [
        Line(act.id, act.at, act.by, act.kind, act.site_id, act.what)
        for act in session.scalars(acts.order_by(Act.id.desc()).limit(limit))
    ]


def _policies(session: Session, wanted: LogFilter, before: str | None, limit: int) -> list[Line]:
    """The versions of the settings. Their ids are numbers, so a line's id is made of its time."""
    versions = select(PolicyVersion).where(PolicyVersion.site_id.in_(wanted.site_ids))
    if wanted.who:
        versions = versions.where(PolicyVersion.by == wanted.who)
    if wanted.since:
        versions = versions.where(PolicyVersion.at >= wanted.since)
    if wanted.until:
        versions = versions.where(PolicyVersion.at < wanted.until)
    versions = versions.order_by(PolicyVersion.id.desc()).limit(MOST_VERSIONS)
    saved = [
        Line(
            first_id(row.at),
            row.at,
            row.by,
            "settings",
            row.site_id,
            f"saved the settings, version {row.version}",
        )
        for row in session.scalars(versions)
    ]
    return [line for line in saved if before is None or line.id < before][:limit]


def _conditions(
    wanted: LogFilter,
    before: str | None,
    id_: SQLColumnExpression[str],
    by: SQLColumnExpression[str],
) -> list[ColumnElement[bool]]:
    """The filter for a log whose ids are in the order of time."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.who:
        conditions.append(by == wanted.who)
    if wanted.since:
        conditions.append(id_ >= first_id(wanted.since))
    if wanted.until:
        conditions.append(id_ < first_id(wanted.until))
    if before:
        conditions.append(id_ < before)
    return conditions
