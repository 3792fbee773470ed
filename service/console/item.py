"""One comment with everything that a moderator needs: its text and page, its parent, its author,
and why it waits.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import unescape
from types import MappingProxyType
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.identifiers import is_id
from models.judgement.rules import Rule
from models.records import (
    Appeal,
    Claim,
    Comment,
    Membership,
    Moderator,
    Note,
    Question,
    Site,
    Statement,
    Thread,
)
from models.settling.actor import POLICY
from models.settling.appealing import reasons_for
from models.settling.appeals import own_appeals
from models.settling.history import Line, standing
from models.settling.site_rules import site_rules
from models.store.database import now, reading
from models.text import markdown
from models.text.urls import named_host
from service.console import words
from service.console.sessions import SignedIn
from service.http.problems import Problem
from service.moderation.comment_records import CommentRecord, full_records
from service.moderation.notes import about, open_questions, questions_about
from service.moderation.objections import ShownReport, shown_reports
from service.people.names import names_of

MOST_OF_AN_AUTHOR, LATEST = 200, 5
SNIPPET = 160  # letters shown
READ = 4000  # letters of the page that are searched for them: the addresses of links are long
MOST_ALIKE = 1000
_TAG = re.compile(r"<[^>]*>?")  # a tag begun at the cut, too; blocks have line ends between


class Answered(NamedTuple):
    """The comment that this one answers."""

    id: str
    name: str
    html: str
    status: str


class Earlier(NamedTuple):
    """Another comment of the same author, in a few words."""

    id: str
    at: datetime
    status: str
    text: str
    has_question: bool


class Author(NamedTuple):
    """What the site knows about an author, who is identified by an unverified email address.

    `counts` counts the last `MOST_OF_AN_AUTHOR` comments by status; `is_more` says whether there
    may be more.
    """

    counts: Mapping[str, int] = MappingProxyType({})
    first: datetime | None = None
    total: int = 0
    is_more: bool = False
    last: Sequence[Earlier] = ()
    names: Sequence[str] = ()


class Item(CommentRecord):
    """A comment's record and its surroundings on the page."""

    site: str
    site_id: int
    thread_id: int
    thread_state: str
    thread_moderation: str | None
    slow_seconds: int | None
    answers: Answered | None
    author: Author
    may_decide: bool
    may_undo: bool
    names: dict[str, str]
    notes: Sequence[Note]
    questions: Sequence[Question]
    held_by: str | None
    seen_at: datetime | None
    why: list[str]
    hosts: list[str]
    colleagues: dict[str, str]
    waiting: int
    alike: int
    says_enough: bool
    rules: Sequence[Rule]
    statement: Statement | None
    appeal: Appeal | None
    is_own_appeal: bool
    shown_reports: Sequence[ShownReport]


def find(session: Session, who: SignedIn, comment_id: str) -> tuple[Comment, str]:
    """Return the comment and its site's key. Raises a 404, also for a comment of another site."""
    wanted = (
        select(Comment, Site.key)
        .join(Site, Site.id == Comment.site_id)
        .where(Comment.id == comment_id)
    )
    row = session.execute(wanted).one_or_none() if is_id(comment_id) else None
    if row is None or row[1] not in who.sites:
        raise Problem(404, "There is no such comment.")
    return row[0], row[1]


def item(session: Session, who: SignedIn, comment: Comment, site: str) -> Item:
    """Return the comment with everything that its page shows."""
    record = full_records(session, [comment])[0]
    for decision in record["decisions"]:
        decision["note"] = words.named(session, decision["note"])
    if not who.may(site, "moderator"):
        record["email"] = None
        for notice in record["notices"]:
            notice["name"] = notice["email"] = None
    thread = session.get_one(Thread, comment.thread_id)
    decided = [comment.id] if record["decisions"] else []
    statement, appeal = reasons_for(session, decided).get(comment.id, (None, None))
    is_open = appeal is not None and appeal.status == "open"
    notes = about(session, comment)
    questions = questions_about(session, comment)
    return {
        **record,
        "site": site,
        "site_id": comment.site_id,
        "thread_id": thread.id,
        "thread_state": thread.state,
        "thread_moderation": thread.moderation,
        "slow_seconds": thread.slow_seconds,
        "answers": _answered(session, comment),
        "author": _author(session, comment),
        "may_decide": who.may(site, "moderator") and not comment.erased_at,
        "may_undo": can_be_undone(record),
        "names": names_of(session, _people(record, notes, questions)),
        "notes": notes,
        "questions": questions,
        "held_by": holder(session, comment.id, who),
        "seen_at": comment.seen_at,
        "why": _why(record),
        "hosts": hosts_in(record["html"]),
        "colleagues": _colleagues(session, comment.site_id, who),
        "waiting": _waiting(session, comment),
        "alike": _alike(session, comment),
        "says_enough": _says_enough(comment),
        "rules": site_rules(session, comment.site_id),
        "statement": statement,
        "appeal": appeal,
        "is_own_appeal": is_open and bool(own_appeals(session, [comment.id], who.actor)),
        "shown_reports": shown_reports(session, comment.id),
    }


def _people(
    record: CommentRecord, notes: Sequence[Note], questions: Sequence[Question]
) -> set[str]:
    """Return everyone whose name the page shows, in the log's form."""
    people = {decision["by"] for decision in record["decisions"]}
    people |= {note.by for note in notes} | {edit["by"] for edit in record["edits"]}
    for question in questions:
        people |= {question.by, question.whom}
        if question.answered_by:
            people.add(question.answered_by)
    return people


def _says_enough(comment: Comment) -> bool:
    # its tables take 5 MB, and most requests need none
    from models.text.folding import says_enough  # noqa: PLC0415

    return says_enough(comment.body)


def can_be_undone(record: CommentRecord) -> bool:
    """Whether there is a standing decision by a human."""
    log = [Line(each["id"], each["by"], each["undoes"]) for each in record["decisions"]]
    return any(standing([log]))


def _why(record: CommentRecord) -> list[str]:
    """Return the reasons of the policy's latest decision."""
    by_policy = [each for each in record["decisions"] if each["by"] == str(POLICY)]
    return list(by_policy[-1]["reasons"]) if by_policy else []


def _answered(session: Session, comment: Comment) -> Answered | None:
    parent = session.get(Comment, comment.parent_id) if comment.parent_id else None
    if parent is None:
        return None
    return Answered(parent.id, parent.name, parent.html or "", parent.status)


def _author(session: Session, comment: Comment) -> Author:
    if not comment.email_index:
        return Author()
    html, body = (func.substr(column, 1, READ) for column in (Comment.html, Comment.body))
    wanted = select(
        Comment.id,
        Comment.at,
        Comment.status,
        Comment.name,
        html.label("html"),
        body.label("body"),
    ).where(Comment.site_id == comment.site_id, Comment.email_index == comment.email_index)
    rows = session.execute(wanted.order_by(Comment.at.desc()).limit(MOST_OF_AN_AUTHOR)).all()
    others = [row for row in rows if row.id != comment.id]
    questions = open_questions(session, [row.id for row in others[:LATEST]])
    return Author(
        counts=Counter(row.status for row in others),
        first=rows[-1].at if rows else None,
        total=len(others),
        is_more=len(rows) == MOST_OF_AN_AUTHOR,
        last=[
            Earlier(row.id, row.at, row.status, snippet(row.html, row.body), row.id in questions)
            for row in others[:LATEST]
        ],
        names=sorted({row.name for row in others} - {comment.name, ""})[:LATEST],
    )


def _colleagues(session: Session, site_id: int, who: SignedIn) -> dict[str, str]:
    """Return the email, by id, of everyone else who may decide on this site."""
    wanted = select(Moderator.id, Moderator.email).join(
        Membership, Membership.moderator_id == Moderator.id
    )
    wanted = wanted.where(
        Membership.site_id == site_id, Membership.role != "viewer", Moderator.id != who.moderator_id
    )
    return dict(session.execute(wanted.order_by(Moderator.email).limit(100)).all())


def _waiting(session: Session, comment: Comment) -> int:
    """Return how many other comments under this address wait for a decision."""
    if not comment.email_index:
        return 0
    theirs = select(Comment.id).where(
        Comment.site_id == comment.site_id, Comment.email_index == comment.email_index
    )
    flagged = theirs.where(Comment.status == "flagged", Comment.id != comment.id).limit(
        MOST_OF_AN_AUTHOR
    )
    return len(session.execute(flagged).all())


def _alike(session: Session, comment: Comment) -> int:
    """Return how many other waiting comments say nearly the same."""
    first = comment.campaign or comment.id
    same = select(Comment.id, Comment.status).where(Comment.campaign == first).limit(MOST_ALIKE)
    rows = [
        *session.execute(same),
        *session.execute(select(Comment.id, Comment.status).where(Comment.id == first)),
    ]
    return sum(row.status == "flagged" and row.id != comment.id for row in rows)


def holder(session: Session, comment_id: str, who: SignedIn) -> str | None:
    """Return the email of a colleague who has the comment open now."""
    claimed = select(Moderator.email).join(Claim, Claim.moderator_id == Moderator.id)
    claimed = claimed.where(
        Claim.comment_id == comment_id, Claim.until > now(), Moderator.id != who.moderator_id
    )
    return session.execute(claimed).scalar()


def snippet(html: str | None, body: str) -> str:
    """Return the beginning as readers will see it, on one line; unrendered text as it was typed."""
    text = unescape(_TAG.sub("", (html or "")[:READ]))
    line = " ".join(text.split()) or " ".join(body[:READ].split())
    return line if len(line) <= SNIPPET else line[: SNIPPET - 1].rsplit(" ", 1)[0] + "…"


def check_may(who: SignedIn, site: str, role: str) -> None:
    """Raise a 403 that names the required role."""
    if not who.may(site, role):
        raise Problem(
            403,
            f"You are a {who.sites[site]} of {site}. "
            f"Only {'owners' if role == 'owner' else 'moderators and owners'} can do this.",
        )


def may_decide(who: SignedIn, ids: Sequence[str]) -> None:
    """Raise a 404 if one of the comments is not theirs, and a 403 if they may only look."""
    if not all(is_id(id_) for id_ in ids):
        raise Problem(404, "There is no such comment.")
    wanted = (
        select(Comment.id, Site.key)
        .join(Site, Site.id == Comment.site_id)
        .where(Comment.id.in_(ids))
    )
    with reading() as session:
        sites = dict(session.execute(wanted).all())
    if any(sites.get(id_) not in who.sites for id_ in ids):
        raise Problem(404, "There is no such comment.")
    if not all(who.may(sites[id_], "moderator") for id_ in ids):
        raise Problem(
            403,
            "You can view this site's comments, but you can't moderate them. Ask an owner for the "
            "moderator role.",
        )


def known(identifier: str) -> str:
    """Return the identifier if it is one. Raises a 404 otherwise."""
    if not is_id(identifier):
        raise Problem(404, "There is no page at this address. The link may be incomplete.")
    return identifier


def hosts_in(html: str) -> list[str]:
    """Return the hosts that its links lead to."""
    found = {named_host(link) for link in markdown.links(html)}
    return sorted(found - {""})[:10]
