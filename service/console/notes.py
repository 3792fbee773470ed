"""What moderators tell and ask each other; readers and programs never see it."""

from __future__ import annotations

from flask import redirect, request
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from models.database import begin, now
from models.records import Membership, Note, Question, Site
from models.text import clean
from service.console import item as items
from service.console.blueprint import acting, console
from service.console.people import MODERATOR
from service.console.sessions import ROLES
from service.problems import Problem

MOST = 2000


@console.post("/comments/<comment_id>/notes")
def write(comment_id: str) -> BaseResponse:
    """A note on the comment, on its author, or on its thread."""
    who = acting()
    about, text = request.form.get("about", "comment"), _text("text")
    with begin() as session:
        comment, site = items.find(session, who, comment_id)
        items.check_may(who, site, "moderator")
        subjects = {"comment": comment.id, "author": comment.email_index, "thread": str(comment.thread_id)}
        if not subjects.get(about):
            raise Problem(422, "A note is about the comment, its author or its thread.")
        session.add(Note(site_id=comment.site_id, kind=about, subject=subjects[about], text=text, by=who.by))
    return redirect(f"/console/?item={comment_id}", 303)


@console.post("/comments/<comment_id>/questions")
def ask(comment_id: str) -> BaseResponse:
    """Ask a colleague, or everyone of a role: the comment stands under Questions until one of them has answered."""
    who = acting()
    whom, text = request.form.get("whom", ""), _text("text")
    with begin() as session:
        comment, site = items.find(session, who, comment_id)
        items.check_may(who, site, "moderator")
        if whom not in ROLES:
            colleague = select(Membership.moderator_id).where(Membership.site_id == comment.site_id)
            colleague = colleague.where(Membership.moderator_id == items.known(whom.removeprefix(MODERATOR)))
            if session.execute(colleague).scalar() is None:
                raise Problem(422, "Ask someone who may see this comment.")
        session.add(Question(site_id=comment.site_id, comment_id=comment.id, whom=whom, text=text, by=who.by))
    return redirect(f"/console/?item={comment_id}", 303)


@console.post("/questions/<question_id>/answer")
def answer(question_id: str) -> BaseResponse:
    who = acting()
    text = _text("text")
    with begin() as session:
        wanted = select(Question, Site.key).join(Site, Site.id == Question.site_id)
        wanted = wanted.where(Question.id == items.known(question_id)).with_for_update(of=Question)
        row = session.execute(wanted).one_or_none()
        if row is None or row[1] not in who.sites:
            raise Problem(404, "There is no such question.")
        items.check_may(who, row[1], "moderator")
        if row[0].answered_at:
            raise Problem(409, "Someone has answered this already.")
        row[0].answer, row[0].answered_by, row[0].answered_at = text, who.by, now()
        comment_id = row[0].comment_id
    return redirect(f"/console/?item={comment_id}", 303)


def _text(field: str) -> str:
    text = clean(request.form.get(field, "")).strip()
    if not text or len(text) > MOST:
        raise Problem(422, f"Write something, at most {MOST:,} characters.")
    return text
