"""One comment as a moderator needs it: what it says and where, what it answers, who wrote it, and
why it is here.
"""

from __future__ import annotations

import re
from collections import Counter
from html import unescape
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.identifiers import is_id
from models.records import Claim, Comment, Membership, Moderator, Site, Thread
from models.settling.actor import POLICY
from models.settling.history import Line, standing
from models.store.database import now
from models.text import markdown
from models.text.urls import named_host
from service.console import words
from service.console.sessions import SignedIn
from service.http.problems import Problem
from service.moderation.comment_records import full_records
from service.moderation.notes import about, questions_about
from service.people.names import names_of

MOST_OF_AN_AUTHOR, LATEST = 200, 5
SNIPPET, READ = (
    160,
    4000,
)  # letters shown, and of the page looked at for them: addresses of links are long
MOST_ALIKE = 1000
_TAG = re.compile(r"<[^>]*>?")  # what is begun at the cut, too; between blocks there is a line end


def find(session: Session, who: SignedIn, comment_id: str) -> tuple[Comment, str]:
    """The comment and its site's key. Raises the 404 that tells nothing of other sites."""
    wanted = (
        select(Comment, Site.key)
        .join(Site, Site.id == Comment.site_id)
        .where(Comment.id == comment_id)
    )
    row = session.execute(wanted).one_or_none() if is_id(comment_id) else None
    if row is None or row[1] not in who.sites:
        raise Problem(404, "There is no such comment.")
    return row[0], row[1]


def item(session: Session, who: SignedIn, comment: Comment, site: str) -> dict[str, Any]:
    record: dict[str, Any] = {**full_records(session, [comment])[0]}
    thread = session.get_one(Thread, comment.thread_id)
    notes = about(session, comment)
    questions = questions_about(session, comment)
    for decision in record["decisions"]:
        decision["note"] = words.named(session, decision["note"])
    names = names_of(
        session,
        {each["by"] for each in record["decisions"]}
        | {note.by for note in notes}
        | {
            by
            for question in questions
            for by in (question.by, question.whom, question.answered_by)
            if by
        },
    )
    record.update(
        site=site,
        site_id=comment.site_id,
        thread_id=thread.id,
        thread_state=thread.state,
        thread_moderation=thread.moderation,
        slow_seconds=thread.slow_seconds,
        answers=_answered(session, comment),
        author=_author(session, comment),
        may_decide=who.may(site, "moderator") and not comment.erased_at,
        may_undo=can_be_undone(record),
        names=names,
        notes=notes,
        questions=questions,
        held_by=holder(session, comment.id, who),
        seen_at=comment.seen_at,
        why=_why(record),
        hosts=hosts_in(record["html"]),
        colleagues=_colleagues(session, comment.site_id, who),
        waiting=_waiting(session, comment),
        alike=_alike(session, comment),
        says_enough=_says_enough(comment),
    )
    return record


def _says_enough(comment: Comment) -> bool:
    # its tables take 5 MB, and most requests need none
    from models.text.folding import says_enough  # noqa: PLC0415

    return says_enough(comment.body)


def can_be_undone(record: dict[str, Any]) -> bool:
    """Whether a decision by a human stands."""
    log = [Line(each["id"], each["by"], each["undoes"]) for each in record["decisions"]]
    return any(standing([log]))


def _why(record: dict[str, Any]) -> list[str]:
    """What the policy said when it held or let through the comment: the reasons of its latest
    decision.
    """
    by_policy = [each for each in record["decisions"] if each["by"] == str(POLICY)]
    return list(by_policy[-1]["reasons"]) if by_policy else []


def _answered(session: Session, comment: Comment) -> dict[str, Any] | None:
    parent = session.get(Comment, comment.parent_id) if comment.parent_id else None
    return (
        {"id": parent.id, "name": parent.name, "html": parent.html or "", "status": parent.status}
        if parent
        else None
    )


def _author(session: Session, comment: Comment) -> dict[str, Any]:
    """The record of the address, which anyone can type, so it is told as unproven."""
    if not comment.email_index:
        return {"counts": Counter(), "first": None, "last": [], "total": 0}
    theirs = (Comment.site_id == comment.site_id) & (Comment.email_index == comment.email_index)
    begun = [
        func.substr(column, 1, READ).label(column.key) for column in (Comment.html, Comment.body)
    ]
    wanted = select(Comment.id, Comment.at, Comment.status, Comment.name, *begun).where(theirs)
    rows = session.execute(wanted.order_by(Comment.at.desc()).limit(MOST_OF_AN_AUTHOR)).all()
    others = [row for row in rows if row.id != comment.id]
    return {
        "counts": Counter(row.status for row in others),
        "first": rows[-1].at if rows else None,
        "total": len(others),
        "is_more": len(rows) == MOST_OF_AN_AUTHOR,
        "last": [
            {"id": row.id, "at": row.at, "status": row.status, "text": snippet(row.html, row.body)}
            for row in others[:LATEST]
        ],
        "names": sorted({row.name for row in others} - {comment.name, ""})[:LATEST],
    }


def _colleagues(session: Session, site_id: int, who: SignedIn) -> dict[str, str]:
    """Email by id of those who may decide on this site, too."""
    wanted = select(Moderator.id, Moderator.email).join(
        Membership, Membership.moderator_id == Moderator.id
    )
    wanted = wanted.where(
        Membership.site_id == site_id, Membership.role != "viewer", Moderator.id != who.moderator_id
    )
    return dict(session.execute(wanted.order_by(Moderator.email).limit(100)).all())


def _waiting(session: Session, comment: Comment) -> int:
    """How many others under this address wait for a human, too."""
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
    """How many others that wait say nearly the same."""
    first = comment.campaign or comment.id
    same = select(Comment.id, Comment.status).where(Comment.campaign == first).limit(MOST_ALIKE)
    rows = [
        *session.execute(same),
        *session.execute(select(Comment.id, Comment.status).where(Comment.id == first)),
    ]
    return sum(row.status == "flagged" and row.id != comment.id for row in rows)


def holder(session: Session, comment_id: str, who: SignedIn) -> str | None:
    """Who else has it open just now."""
    claimed = select(Moderator.email).join(Claim, Claim.moderator_id == Moderator.id)
    claimed = claimed.where(
        Claim.comment_id == comment_id, Claim.until > now(), Moderator.id != who.moderator_id
    )
    return session.execute(claimed).scalar()


def snippet(html: str | None, body: str) -> str:
    """The beginning as readers will see it, on one line; as it was written where nothing is
    rendered.
    """
    text = unescape(_TAG.sub("", (html or "")[:READ]))
    line = " ".join(text.split()) or " ".join(body[:READ].split())
    return line if len(line) <= SNIPPET else line[: SNIPPET - 1].rsplit(" ", 1)[0] + "…"


def check_may(who: SignedIn, site: str, role: str) -> None:
    """Raises the 403 that says what one may do here."""
    if not who.may(site, role):
        raise Problem(
            403,
            (
                f"On {site} you are a {who.sites[site]}; this takes "
                f"{'an owner' if role == 'owner' else 'a moderator'}."
            ),
        )


def known(identifier: str) -> str:
    """An id as the database takes it. Raises 404 for what is none."""
    if not is_id(identifier):
        raise Problem(404, "There is no such thing.")
    return identifier


def hosts_in(html: str) -> list[str]:
    """Where its links lead."""
    found = {named_host(link) for link in markdown.links(html)}
    return sorted(found - {""})[:10]
