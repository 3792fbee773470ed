"""The log: who did what, and when, as a page and as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from typing import NamedTuple

from flask import Response, render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.identifiers import is_id
from models.records import DecisionRecord, Membership, Moderator, Site
from models.settling.actor import Actor
from models.store.database import now, reading
from models.text.stamps import utc_stamp
from service.console import words
from service.console.blueprint import console, looking
from service.console.sessions import SignedIn
from service.console.view import day_of
from service.http import spreadsheets
from service.http.problems import Problem
from service.moderation.log import (
    Line,
    LogFilter,
    first_of_batch,
    lines,
    said_reason,
    said_together,
)
from service.people.names import names_of

PAGE_SIZE, MOST_EXPORTED = 100, 100_000
SHOWN_OF_A_BATCH = 20
KINDS = {
    "decisions": "Decisions",
    "people": "People",
    "settings": "Settings",
    "threads": "Threads",
    "blocks": "Blocks",
    "keys": "API keys",
    "notices": "Notices",
}


class Told(NamedTuple):
    """A line in its readable form. For a decision, `comment` is where to look at it. A line for the
    decisions of a whole `batch` opens to show the `latest` of them.
    """

    id: str
    at: datetime
    by: str
    site: str
    what: str
    comment: str | None = None
    note: str = ""
    batch: str = ""
    size: int = 1
    may_undo: bool = False
    latest: Sequence[Told] = ()


@console.get("/log")
def log() -> str:
    who = looking()
    with reading() as session:
        wanted, sites = _wanted(session, who)
        wanted = wanted._replace(together=not wanted.batch)
        before = request.args.get("before", "")
        found = lines(session, wanted, before if is_id(before) else None, PAGE_SIZE + 1)
        following = found[PAGE_SIZE - 1].id if len(found) > PAGE_SIZE else None
        names = names_of(session, {line.by for line in found})
        told = [_opening(session, who, wanted, line, sites) for line in found[:PAGE_SIZE]]
        members = select(Moderator.id, Moderator.email).join(
            Membership, Membership.moderator_id == Moderator.id
        )
        everyone = dict(
            session.execute(members.where(Membership.site_id.in_(wanted.site_ids)).distinct()).all()
        )
    return render_template(
        "console/log.html",
        who=who,
        lines=told,
        names=names,
        everyone=everyone,
        kinds=KINDS,
        given={name: value for name, value in request.args.items() if name != "before"},
        following=following,
        words=words,
    )


def _opening(
    session: Session, who: SignedIn, wanted: LogFilter, line: Line, sites: dict[int, str]
) -> Told:
    """Return the line and, if it stands for a whole batch, the latest of its decisions."""
    told = _told(line, sites)
    if line.together is None or line.decision is None:
        return told
    is_undo = line.decision.undoes is not None
    latest = first_of_batch(session, wanted, line, SHOWN_OF_A_BATCH)
    return told._replace(
        what=said_together(line.together, is_undo=is_undo),
        comment=None,
        batch=line.together.batch,
        size=line.together.size,
        may_undo=not is_undo and who.may(told.site, "moderator"),
        latest=[_told(each, sites) for each in latest],
    )


@console.get("/log.csv")
def export() -> Response:
    """Return all of the same lines for a spreadsheet."""
    who = looking()
    with reading() as session:
        wanted, sites = _wanted(session, who)
    headers = {"Content-Disposition": "attachment; filename=greenroom-log.csv"}
    return Response(_csv(wanted, sites), headers=headers, content_type="text/csv; charset=utf-8")


def _csv(wanted: LogFilter, sites: dict[int, str]) -> Iterator[str]:
    before: str | None = None
    yield spreadsheets.line(["at", "who", "site", "what", "comment", "note"])
    for _ in range(MOST_EXPORTED // 1000):
        with reading() as session:
            found = lines(session, wanted, before, 1000)
            names = names_of(session, {line.by for line in found})
        for line in (_told(line, sites) for line in found):
            at, comment = utc_stamp(line.at), line.comment or ""
            yield spreadsheets.line([at, names[line.by], line.site, line.what, comment, line.note])
        if len(found) < 1000:
            return
        before = found[-1].id


def _wanted(session: Session, who: SignedIn) -> tuple[LogFilter, dict[int, str]]:
    """Return the filters in the address, and the sites that the moderator may see."""
    sites = dict(session.execute(select(Site.id, Site.key).where(Site.key.in_(who.sites))).all())
    site, kind, by, batch = (
        request.args.get(name, "") for name in ("site", "kind", "who", "batch")
    )
    if (kind and kind not in KINDS) or not all(is_id(id_) for id_ in (by, batch) if id_):
        raise Problem(422, "There is no such filter.")
    since, until = day_of(request.args.get("since")), day_of(request.args.get("until"))
    wanted = LogFilter(
        [id_ for id_, key in sites.items() if site in {"", key}],
        kind,
        str(Actor.moderator(by)) if by else "",
        datetime.combine(since, time(), now().tzinfo) if since else None,
        datetime.combine(until + timedelta(days=1), time(), now().tzinfo) if until else None,
        own=who.by,
        batch=batch,
    )
    return wanted, sites


def _told(line: Line, sites: dict[int, str]) -> Told:
    decision = line.decision
    what = _said(decision, line.name, line.page) if decision else line.what
    comment, note = (decision.comment_id, decision.note) if decision else (None, "")
    return Told(line.id, line.at, line.by, sites.get(line.site_id or 0, ""), what, comment, note)


def _said(decision: DecisionRecord, name: str, page: str) -> str:
    comment = f"the comment by {name or 'an unknown author'} on “{page}”"
    reason = said_reason(decision.reason)
    if decision.undoes:
        return f"undid the decision on {comment}{reason}"
    if decision.verdict == "flag":
        return f"sent {comment} to review{reason}"
    return f"{words.DID[decision.verdict].removesuffix(' it')} {comment}{reason}"
