"""Block and trust: an author, a host or a word, until a day; listed, and ended again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import redirect, render_template, request
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from models.changes import Change
from models.database import begin, now, reading
from models.folding import fold
from models.identifiers import new_id
from models.moderation import settle
from models.policy import Verdict
from models.records import Block, Comment, Review, Site
from models.text import clean_line
from service.api.moderation import publish_soon
from service.console import item as items
from service.console import words
from service.console.acts import note_act
from service.console.blueprint import acting, console, looking
from service.console.people import names_of
from service.console.sessions import SignedIn
from service.problems import Problem

DAYS = {"1": 1, "7": 7, "30": 30, "90": 90, "": None}
KINDS = {"author": "Author", "host": "Host", "word": "Word"}
MOST_OTHERS = 200


@console.get("/blocks")
def blocks() -> str:
    who = looking()
    with reading() as session:
        wanted = select(Block, Site.key).join(Site, Site.id == Block.site_id)
        standing = wanted.where(Site.key.in_(who.sites), Block.ended_at.is_(None), _lasts(now()))
        rows = session.execute(standing.order_by(Block.id.desc()).limit(1000)).all()
        names = names_of(session, {block.by for block, _ in rows})
    return render_template("console/blocks.html", who=who, rows=rows, names=names, kinds=KINDS, words=words)


def _lasts(at: datetime) -> Any:
    return or_(Block.until.is_(None), Block.until > at)


@console.post("/comments/<comment_id>/block")
def block(comment_id: str) -> BaseResponse:
    """Block or trust what this comment shows: its author, a host it links to, or a word.

    If asked, every other comment of the author that waits is rejected, as one batch.
    """
    who = acting()
    kind, stance = request.form.get("kind", ""), request.form.get("stance", "block")
    days = request.form.get("days", "30")
    if kind not in KINDS or stance not in {"block", "trust"} or days not in DAYS:
        raise Problem(422, "Say what to block, and for how long.")
    with begin() as session:
        comment, site = items.find(session, who, comment_id)
        items.check_may(who, site, "moderator")
        value, label = _subject(comment, kind, request.form.get("value", ""))
        until = now() + timedelta(days=length) if (length := DAYS[days]) else None
        made = Block(
            site_id=comment.site_id,
            kind=kind,
            stance=stance,
            value=value,
            label=label,
            comment_id=comment.id,
            by=who.by,
            until=until,
        )
        session.add(made)
        lasting = f"until {until:%d %B %Y}" if until else "for good"
        verb = "blocked" if stance == "block" else "trusted"
        what = "an author" if kind == "author" else f"the {kind} “{label}”"  # no name: the log is for ever
        note_act(session, who, "blocks", f"{verb} {what} {lasting}", site_id=comment.site_id)
        settled = _reject_others(session, who, comment) if _with_others(kind, stance) else []
    for each in settled:
        publish_soon(each)
    return redirect(f"/console/?item={comment_id}", 303)


def _with_others(kind: str, stance: str) -> bool:
    return kind == "author" and stance == "block" and bool(request.form.get("others"))


def _reject_others(session: Session, who: SignedIn, comment: Comment) -> list[Any]:
    """All that waits under the same address, as one batch: one undo takes all of it back."""
    theirs = select(Comment).join(Review, Review.comment_id == Comment.id).where(Review.closed_at.is_(None))
    theirs = theirs.where(Comment.site_id == comment.site_id, Comment.email_index == comment.email_index)
    rows = session.scalars(theirs.distinct().order_by(Comment.id).limit(MOST_OTHERS)).all()
    batch = new_id()
    changes = [
        Change(row.id, Verdict.REJECT, ("spam",), who.by, version=row.version, reason="spam", batch=batch)
        for row in rows
    ]
    return [each for each in settle(session, changes) if each]


def _subject(comment: Comment, kind: str, given: str) -> tuple[str, str]:
    """What is compared, and what people read."""
    if kind == "author":
        if not comment.email_index:
            raise Problem(422, "Nothing is known of this author any more.")
        return comment.email_index, comment.name
    label = clean_line(given).strip().lower()[:200]
    if kind == "host":
        label = label.removeprefix("https://").removeprefix("http://").partition("/")[0].removeprefix("www.")
    value = label if kind == "host" else fold(label)
    if not value or (kind == "host" and "." not in value):
        raise Problem(422, "Which host, like watches.example?" if kind == "host" else "Which word?")
    return value, label


@console.post("/blocks/<block_id>/end")
def end_block(block_id: str) -> BaseResponse:
    who = acting()
    with begin() as session:
        wanted = select(Block, Site.key).join(Site, Site.id == Block.site_id)
        row = session.execute(wanted.where(Block.id == items.known(block_id))).one_or_none()
        if row is None or row[1] not in who.sites:
            raise Problem(404, "There is no such block.")
        items.check_may(who, row[1], "moderator")
        ended = (Block.id == block_id) & Block.ended_at.is_(None)
        session.execute(update(Block).where(ended).values(ended_at=now(), ended_by=who.by))
        verb = "unblocked" if row[0].stance == "block" else "stopped trusting"
        what = "an author" if row[0].kind == "author" else f"the {row[0].kind} “{row[0].label}”"
        note_act(session, who, "blocks", f"{verb} {what}", site_id=row[0].site_id)
    return redirect("/console/blocks", 303)
