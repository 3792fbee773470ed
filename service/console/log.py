"""The log: who did what when, decisions and everything else; for reading, and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple

from flask import Response, render_template, request
from sqlalchemy import Select, literal_column, or_, select
from sqlalchemy.orm import Session

from models.database import now, reading
from models.identifiers import first_id, is_id
from models.records import Act, Comment, DecisionRecord, Membership, Moderator, PolicyVersion, Site, Thread
from service.console import words
from service.console.blueprint import console, looking
from service.console.people import names_of
from service.console.sessions import SignedIn
from service.console.view import day_of
from service.problems import Problem

PAGE_SIZE, MOST_EXPORTED = 100, 100_000
KINDS = {
    "decisions": "Decisions",
    "people": "People",
    "settings": "Settings",
    "threads": "Threads",
    "blocks": "Blocks",
}
BY_HUMANS = "decisions.\"by\" <> 'policy'"  # as the index says it


class Line(NamedTuple):
    """`comment` is set for a decision: where it can be looked at."""

    id: str
    at: datetime
    by: str
    site: str
    what: str
    comment: str | None = None
    note: str = ""


class Wanted(NamedTuple):
    """The filters of the address; `sites` are key by id."""

    sites: dict[int, str]
    kind: str
    who: str
    since: datetime | None
    until: datetime | None


@console.get("/log")
def log() -> str:
    who = looking()
    with reading() as session:
        wanted = _wanted(session, who)
        before = request.args.get("before", "")
        lines = _lines(session, who, wanted, before if is_id(before) else None, PAGE_SIZE + 1)
        names = names_of(session, {line.by for line in lines})
        members = select(Moderator.id, Moderator.email).join(Membership, Membership.moderator_id == Moderator.id)
        everyone = dict(session.execute(members.where(Membership.site_id.in_(wanted.sites)).distinct()).all())
    following = lines[PAGE_SIZE - 1].id if len(lines) > PAGE_SIZE else None
    return render_template(
        "console/log.html",
        who=who,
        lines=lines[:PAGE_SIZE],
        names=names,
        everyone=everyone,
        kinds=KINDS,
        given={name: value for name, value in request.args.items() if name != "before"},
        following=following,
        words=words,
    )


@console.get("/log.csv")
def export() -> Response:
    """The same lines, all of them, for a spreadsheet."""
    who = looking()
    with reading() as session:
        wanted = _wanted(session, who)
    headers = {"Content-Disposition": "attachment; filename=greenroom-log.csv"}
    return Response(_csv(who, wanted), headers=headers, content_type="text/csv; charset=utf-8")


def _csv(who: SignedIn, wanted: Wanted) -> Iterator[str]:
    before: str | None = None
    yield _row(["at", "who", "site", "what", "comment", "note"])
    for _ in range(MOST_EXPORTED // 1000):
        with reading() as session:
            lines = _lines(session, who, wanted, before, 1000)
            names = names_of(session, {line.by for line in lines})
        for line in lines:
            yield _row([line.at.isoformat(), names[line.by], line.site, line.what, line.comment or "", line.note])
        if len(lines) < 1000:
            return
        before = lines[-1].id


def _row(values: list[str]) -> str:
    """A cell that a spreadsheet would take for a formula is made text by a quotation mark."""
    out = io.StringIO()
    csv.writer(out).writerow([f"'{value}" if value[:1] in "=+-@\t\r" and value else value for value in values])
    return out.getvalue()


def _wanted(session: Session, who: SignedIn) -> Wanted:
    sites = dict(session.execute(select(Site.id, Site.key).where(Site.key.in_(who.sites))).all())
    site, kind, by = (request.args.get(name, "") for name in ("site", "kind", "who"))
    if (kind and kind not in KINDS) or (by and not is_id(by)):
        raise Problem(422, "The log has no such filter.")
    since, until = day_of(request.args.get("since")), day_of(request.args.get("until"))
    return Wanted(
        {id_: key for id_, key in sites.items() if site in {"", key}},
        kind,
        f"moderator:{by}" if by else "",
        datetime.combine(since, time(), now().tzinfo) if since else None,
        datetime.combine(until + timedelta(days=1), time(), now().tzinfo) if until else None,
    )


def _lines(session: Session, who: SignedIn, wanted: Wanted, before: str | None, limit: int) -> list[Line]:
    """Newest first, from both logs."""
    lines: list[Line] = []
    if wanted.kind in {"", "decisions"}:
        lines += _decisions(session, wanted, before, limit)
    if wanted.kind != "decisions":
        lines += _acts(session, who, wanted, before, limit)
    if wanted.kind in {"", "settings"}:
        lines += _policies(session, wanted, before, limit)
    return sorted(lines, key=lambda line: line.id, reverse=True)[:limit]


def _decisions(session: Session, wanted: Wanted, before: str | None, limit: int) -> list[Line]:
    columns: list[Any] = [DecisionRecord, Comment.name, Comment.site_id, Thread.title, Thread.key]
    found: Select[Any] = select(*columns)
    found = found.join(Comment, Comment.id == DecisionRecord.comment_id).join(Thread, Thread.id == Comment.thread_id)
    found = found.where(literal_column(BY_HUMANS), DecisionRecord.site_id.in_(wanted.sites))
    found = _within(found, DecisionRecord, wanted, before).order_by(DecisionRecord.id.desc()).limit(limit)
    return [
        Line(
            decision.id,
            decision.at,
            decision.by,
            wanted.sites[site_id],
            _said(decision, name, title or key),
            decision.comment_id,
            decision.note,
        )
        for decision, name, site_id, title, key in session.execute(found)
    ]


def _said(decision: DecisionRecord, name: str, page: str) -> str:
    did = "took back the decision on" if decision.undoes else words.DID[decision.verdict].removesuffix(" it")
    if decision.verdict == "flag" and not decision.undoes:
        did = "sent to review"
    reason = f" as {words.REASONS.get(decision.reason, decision.reason)}" if decision.reason else ""
    return f"{did} the comment by {name or 'someone erased'} on “{page}”{reason}"


def _acts(session: Session, who: SignedIn, wanted: Wanted, before: str | None, limit: int) -> list[Line]:
    mine = Act.site_id.is_(None) & (Act.by == who.by)
    found = select(Act).where(or_(Act.site_id.in_(wanted.sites), mine))
    found = found.where(Act.kind == wanted.kind) if wanted.kind else found
    found = _within(found, Act, wanted, before).order_by(Act.id.desc()).limit(limit)
    return [
        Line(act.id, act.at, act.by, wanted.sites.get(act.site_id or 0, ""), act.what) for act in session.scalars(found)
    ]


def _policies(session: Session, wanted: Wanted, before: str | None, limit: int) -> list[Line]:
    """Settings are kept by version; a version's place among the lines is its time."""
    found = select(PolicyVersion).where(PolicyVersion.site_id.in_(wanted.sites))
    found = found.where(PolicyVersion.by == wanted.who) if wanted.who else found
    lines = [
        Line(
            first_id(row.at),
            row.at,
            row.by,
            wanted.sites[row.site_id],
            f"saved the settings, version {row.version}",
        )
        for row in session.scalars(found.order_by(PolicyVersion.id.desc()).limit(1000))
        if (not wanted.since or row.at >= wanted.since) and (not wanted.until or row.at < wanted.until)
    ]
    return [line for line in lines if before is None or line.id < before][:limit]


def _within(found: Select[Any], record: Any, wanted: Wanted, before: str | None) -> Select[Any]:
    if wanted.who:
        found = found.where(record.by == wanted.who)
    if wanted.since:
        found = found.where(record.id >= first_id(wanted.since))
    if wanted.until:
        found = found.where(record.id < first_id(wanted.until))
    return found.where(record.id < before) if before else found
