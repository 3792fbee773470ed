"""A whole thread with what was decided on every comment; and slowing it down, closing it, reading
it first.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import redirect, render_template, request
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from models.records import Comment, Site, Thread
from models.store.database import begin, now, reading
from service.console import words
from service.console.blueprint import acting, console, looking
from service.console.item import check_may
from service.console.sessions import SignedIn
from service.http.problems import Problem
from service.moderation.acts import note_act
from service.moderation.comment_records import full_records
from service.moderation.queue import Place
from service.moderation.thread_naming import NewName, checked_address, checked_title, name_thread
from service.people.names import names_of
from service.sites.lookup import find_site
from worker.bell import PUBLISH, ring_soon

PAGE_SIZE = 100
SLOW = {"": None, "60": 60, "300": 300, "3600": 3600}
WAYS = {
    "open": "opened the thread",
    "closed": "closed the thread",
    "before": "made every comment be read first in the thread",
    "after": "let comments go live by themselves in the thread",
}


def _named(form: Mapping[str, str], site: str) -> NewName:
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
    """All of it, whatever became of each: branch by branch, in the order it was written."""
    who = looking()
    after = Place.read(request.args.get("after", ""))
    with reading(of_one_moment=True) as session:
        found, site = _find(session, who, thread_id)
        tops = select(Comment).where(Comment.thread_id == thread_id, Comment.parent_id.is_(None))
        tops = tops.where(Comment.id > after.id) if after else tops
        top_rows = session.scalars(tops.order_by(Comment.id).limit(PAGE_SIZE + 1)).all()
        following = top_rows[PAGE_SIZE - 1].id if len(top_rows) > PAGE_SIZE else None
        ids = [comment.id for comment in top_rows[:PAGE_SIZE]]
        replies = select(Comment).where(Comment.top_id.in_(ids), Comment.parent_id.is_not(None))
        reply_rows = session.scalars(replies.order_by(Comment.id).limit(10 * PAGE_SIZE)).all()
        order = {top: place for place, top in enumerate(ids)}
        rows = sorted(
            [*top_rows[:PAGE_SIZE], *reply_rows], key=lambda row: (order[row.top_id], row.id)
        )
        records = full_records(session, rows)
        names = names_of(
            session, {decision["by"] for record in records for decision in record["decisions"]}
        )
    return render_template(
        "console/thread.html",
        who=who,
        thread=found,
        site=site,
        records=records,
        names=names,
        following=following,
        words=words,
        may_decide=who.may(site, "moderator"),
    )


@console.post("/threads/<int:thread_id>")
def change(thread_id: int) -> BaseResponse:
    who = acting()
    way, slow = request.form.get("way", ""), request.form.get("slow")
    if (way and way not in WAYS) or (slow is not None and slow not in SLOW):
        raise Problem(
            422, "A thread is open or closed, read before or after, and slowed down or not."
        )
    with begin() as session:
        found, site = _find(session, who, thread_id)
        check_may(who, site, "moderator")
        changes: dict[str, object] = {}
        if way in {"open", "closed"}:
            changes = {"state": way, "revision": Thread.revision + 1, "publish_due": now()}
        if way == "open":
            changes["opened_at"] = now()
        if way in {"before", "after"}:
            changes = {"moderation": "before" if way == "before" else None}
        if slow is not None:
            changes["slow_seconds"] = SLOW[slow]
        if changes:
            session.execute(update(Thread).where(Thread.id == thread_id).values(changes))
            did = WAYS.get(way) or (
                "slowed down the thread" if slow else "stopped slowing down the thread"
            )
            note_act(
                session,
                who.by,
                "threads",
                f"{did} “{found.title or found.key}”",
                site_id=found.site_id,
            )
    if way in {"open", "closed"}:
        ring_soon(PUBLISH, thread_id)
    return redirect(f"/console/threads/{thread_id}", 303)


@console.post("/threads/<int:thread_id>/page")
def name(thread_id: int) -> BaseResponse:
    """Correct the title and the address, which came with a comment."""
    who = acting()
    with begin() as session:
        _, site = _find(session, who, thread_id)
        check_may(who, site, "moderator")
        row = session.scalars(
            select(Thread).where(Thread.id == thread_id).with_for_update(key_share=True)
        ).one()
        name_thread(session, row, _named(request.form, site), by=who.by)
    ring_soon(PUBLISH, thread_id)
    return redirect(f"/console/threads/{thread_id}", 303)
