"""A whole thread with the decisions on every comment; and slowing it down, closing it, reading it
first.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import redirect, render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from models.identifiers import is_id
from models.records import Comment, Site, Thread
from models.store.database import begin, reading
from service.console import words
from service.console.blueprint import acting, console, looking, way_back
from service.console.item import check_may
from service.console.sessions import SignedIn
from service.http.problems import Problem
from service.moderation.comment_records import full_records
from service.moderation.notes import open_questions
from service.moderation.queue import Place
from service.moderation.threads import (
    ThreadChanges,
    alter_thread,
    checked_address,
    checked_title,
)
from service.people.names import names_of
from service.sites.lookup import find_site
from worker.bell import PUBLISH, ring_soon

PAGE_SIZE, MOST_REPLIES = 100, 1000
SLOW = {"": None, "60": 60, "300": 300, "3600": 3600}
WAYS: dict[str, ThreadChanges] = {
    "open": {"state": "open"},
    "closed": {"state": "closed"},
    "before": {"moderation": "before"},
    "after": {"moderation": "after"},
}


def _names(form: Mapping[str, str], site: str) -> ThreadChanges:
    info = find_site(site)
    assert info is not None
    address = checked_address(form.get("url", ""), info.origins)
    return {"title": checked_title(form.get("title", "")), "url": address}


def _find(session: Session, who: SignedIn, thread_id: int) -> tuple[Thread, str]:
    wanted = (
        select(Thread, Site.key).join(Site, Site.id == Thread.site_id).where(Thread.id == thread_id)
    )
    row = session.execute(wanted).one_or_none() if thread_id < 2**31 else None
    if row is None or row[1] not in who.sites:
        raise Problem(404, "There is no such thread.")
    return row[0], row[1]


@console.get("/threads/<int:thread_id>")
def thread(thread_id: int) -> str:
    """Show every comment, whatever its status, branch by branch, oldest first."""
    who = looking()
    after = Place.read(request.args.get("after", ""))
    with reading(of_one_moment=True) as session:
        found, site = _find(session, who, thread_id)
        comments, following = _branches(session, thread_id, after)
        records = full_records(session, comments)
        deciders = {decision["by"] for record in records for decision in record["decisions"]}
        names = names_of(session, deciders)
        questions = open_questions(session, [record["id"] for record in records])
    return render_template(
        "console/thread.html",
        who=who,
        thread=found,
        site=site,
        records=records,
        questions=questions,
        names=names,
        following=following,
        words=words,
        may_decide=who.may(site, "moderator"),
    )


def _branches(
    session: Session, thread_id: int, after: Place | None
) -> tuple[list[Comment], str | None]:
    """Return top-level comments with their replies, branch by branch, and where the next page
    begins.
    """
    wanted = select(Comment).where(Comment.thread_id == thread_id, Comment.parent_id.is_(None))
    if after:
        wanted = wanted.where(Comment.id > after.id)
    tops = session.scalars(wanted.order_by(Comment.id).limit(PAGE_SIZE + 1)).all()
    following = tops[PAGE_SIZE - 1].id if len(tops) > PAGE_SIZE else None
    tops = tops[:PAGE_SIZE]
    ids = [top.id for top in tops]
    below = select(Comment).where(Comment.top_id.in_(ids), Comment.parent_id.is_not(None))
    replies = session.scalars(below.order_by(Comment.id).limit(MOST_REPLIES)).all()
    branches = sorted([*tops, *replies], key=lambda comment: (comment.top_id, comment.id))
    return branches, following


@console.post("/threads/<int:thread_id>")
def change(thread_id: int) -> BaseResponse:
    """Close, open or slow the thread down, or have every comment read first."""
    who = acting()
    way, slow = request.form.get("way", ""), request.form.get("slow")
    if (way and way not in WAYS) or (slow is not None and slow not in SLOW):
        raise Problem(422, "There is no such setting for a thread.")
    changes: ThreadChanges = {**WAYS[way]} if way else {}
    if slow is not None:
        changes["slow_seconds"] = SLOW[slow]
    with begin() as session:
        found, _ = _locked(session, who, thread_id)
        alter_thread(session, found, changes, by=who.by)
    return _published(thread_id)


@console.post("/threads/<int:thread_id>/page")
def name(thread_id: int) -> BaseResponse:
    """Correct the title and the address that came with a comment."""
    who = acting()
    with begin() as session:
        found, site = _locked(session, who, thread_id)
        alter_thread(session, found, _names(request.form, site), by=who.by)
    return _published(thread_id)


def _locked(session: Session, who: SignedIn, thread_id: int) -> tuple[Thread, str]:
    """Return the thread, locked, for a moderator of its site."""
    _, site = _find(session, who, thread_id)
    check_may(who, site, "moderator")
    wanted = select(Thread).where(Thread.id == thread_id).with_for_update(key_share=True)
    return session.scalars(wanted.execution_options(populate_existing=True)).one(), site


def _published(thread_id: int) -> BaseResponse:
    ring_soon(PUBLISH, thread_id)
    if is_id(item := request.form.get("item", "")):
        return redirect(way_back(item=item), 303)
    return redirect(f"/console/threads/{thread_id}", 303)
