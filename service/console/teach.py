"""Teach: short sessions in which a moderator labels the comments that teach the site's models most,
one at a time, without seeing what Greenroom found.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from flask import redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from models.identifiers import is_id, new_id
from models.judgement.picks import SESSION
from models.records import Comment, Passed, Site, Thread
from models.settling.changes import Change
from models.settling.settling import settle
from models.settling.undoing import Refused, undo
from models.store.database import begin, insert_new, now, reading
from models.text import markdown
from models.text.numbers import digits_to_int
from service.console import words
from service.console.blueprint import acting, console, looking
from service.console.item import Answered, check_may, may_decide
from service.console.sessions import SignedIn
from service.console.shortcuts import keys_of
from service.http.problems import Problem
from service.moderation import teaching
from service.moderation.deciding import publish_soon
from service.moderation.teaching import DECISIONS, Label, Labelled
from service.sites.taught import taught

ACTIONS = {
    "approve": "Good",
    "spam": "Spam",
    "abuse": "Abuse",
    "leave": "Skip",
    "undo": "Undo the last label",
    "help": "Show this help",
}
SAID = {"approve": "good", "spam": "spam", "abuse": "abuse"}


class Shown(NamedTuple):
    """A pick as the page shows it: nothing that Greenroom found or decided."""

    id: str
    version: int
    name: str
    html: str
    language: str
    at: datetime
    thread_id: int
    page: str
    url: str | None
    answers: Answered | None


@console.get("/teach")
def teach() -> str:
    """Show the next pick of a session, or its end. Without a session, offer to start one."""
    who = looking()
    site = request.args.get("site", "") or _first_site(who)
    if site and site not in who.sites:
        raise Problem(404, "There is no such site.")
    begun = request.args.get("session", "")
    begun = begun if is_id(begun) else ""
    with reading(of_one_moment=True) as session:
        site_id, is_due = _site(session, site)
        may_teach = bool(site) and who.may(site, "moderator")
        done = _done(session, who, site_id, begun) if begun and may_teach else []
        shown = _next(session, who, site_id) if begun and may_teach else None
        is_over = len(done) >= SESSION
        return render_template(
            "console/teach.html",
            who=who,
            site=site,
            sites=[each for each in who.sites if who.may(each, "moderator")],
            may_teach=may_teach,
            begun=begun,
            done=len(done),
            last=done[0] if done else None,
            said=_said(done[0]) if done else "",
            item=None if is_over else shown,
            is_over=is_over,
            is_drawing=is_due,
            whole=SESSION,
            taught=taught(session, site_id) if may_teach and (is_over or not shown) else [],
            message=MESSAGES.get(request.args.get("told", ""), ""),
            preferences=keys_of(session, who.moderator_id),
            actions=ACTIONS,
            words=words,
        )


MESSAGES = {
    "taken": "That comment has been decided or has changed meanwhile, so your label was not saved.",
    "undone": "The label was undone.",
}


def _first_site(who: SignedIn) -> str:
    """Return the first site where they may label; otherwise the first that they may see."""
    sites = list(who.sites)
    return next((site for site in sites if who.may(site, "moderator")), sites[0] if sites else "")


def _site(session: Session, key: str) -> tuple[int, bool]:
    """Return the site's id, and whether picks are being drawn for it."""
    row = session.execute(select(Site.id, Site.teach_due).where(Site.key == key)).one_or_none()
    return (row.id, row.teach_due is not None) if row else (0, False)


def _done(session: Session, who: SignedIn, site_id: int, begun: str) -> list[Labelled]:
    return teaching.labelled(session, site_id, by=who.by, since=begun)


def _said(label: Labelled) -> str:
    """Return the label in one word."""
    return SAID.get(label.reason or label.verdict, "rejected")


def _next(session: Session, who: SignedIn, site_id: int) -> Shown | None:
    wanted = teaching.picks(site_id, limit=1, moderator_id=who.moderator_id)
    row = session.execute(wanted).one_or_none()
    if row is None:
        return None
    comment = row[1]
    thread = session.get_one(Thread, comment.thread_id)
    parent = session.get(Comment, comment.parent_id) if comment.parent_id else None
    return Shown(
        comment.id,
        comment.version,
        comment.name,
        markdown.render(comment.body) if comment.html is None else comment.html,
        comment.language or "und",
        comment.at,
        thread.id,
        thread.title or thread.key,
        thread.url,
        Answered(parent.id, parent.name, parent.html or "", parent.status) if parent else None,
    )


@console.post("/teach/<site>/sessions")
def start_teaching(site: str) -> BaseResponse:
    """Have picks drawn if too few wait, and begin a session. Its id says when it began."""
    who = acting()
    _check_site(who, site)
    with reading() as session:
        site_id, _ = _site(session, site)
    teaching.ask_for_picks(site_id)
    return redirect(url_for("console.teach", site=site, session=new_id()), 303)


def _check_site(who: SignedIn, site: str) -> None:
    if site not in who.sites:
        raise Problem(404, "There is no such site.")
    check_may(who, site, "moderator")


@console.post("/teach/<site>/comments/<comment_id>")
def label(site: str, comment_id: str) -> BaseResponse:
    """Label the pick that the page shows, skip it, or undo the label before. A good comment that
    is live stays live.
    """
    who = acting()
    _check_site(who, site)
    may_decide(who, [comment_id])
    chosen, begun = request.form.get("label", ""), request.form.get("session", "")
    told = None
    if chosen == "skip":
        _skip(who, comment_id)
    elif chosen == "undo":
        told = _undo(who, comment_id)
    elif chosen in DECISIONS:
        told = _decide(who, comment_id, chosen)
    else:
        raise Problem(422, "A label must be good, spam or abuse.")
    begun = begun if is_id(begun) else ""
    return redirect(url_for("console.teach", site=site, session=begun, told=told), 303)


def _skip(who: SignedIn, comment_id: str) -> None:
    """Leave the pick to others."""
    passed = {"moderator_id": who.moderator_id, "comment_id": comment_id, "at": now()}
    with begin() as session:
        session.connection().execute(insert_new(Passed), [passed])


def _undo(who: SignedIn, comment_id: str) -> str:
    decision = request.form.get("decision") or None
    with begin() as session:
        try:
            settled = undo(session, comment_id, by=who.actor, decision=decision)
        except Refused as refused:
            raise Problem(409, words.named(session, str(refused))) from None
    publish_soon(settled)
    return "undone"


def _decide(who: SignedIn, comment_id: str, chosen: Label) -> str | None:
    """Decide the comment in the version that was on the screen, unless a colleague was first."""
    version = digits_to_int(request.form.get("version"))
    if version is None:
        raise Problem(422, "Reload the page: the label does not name the version of the comment.")
    verdict, reason = DECISIONS[chosen]
    change = Change(comment_id, verdict, by=who.actor, reason=reason, version=version)
    with begin() as session:
        if not teaching.is_waiting(session, comment_id):
            return "taken"
        settled = settle(session, [change])[0]
    if settled is None:
        return "taken"
    publish_soon(settled)
    return None
