"""The console's pages: sign in, the list of comments that need a human, and deciding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from flask import Blueprint, redirect, render_template, request, send_from_directory
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from models.changes import Change
from models.database import begin, reading
from models.identifiers import is_id
from models.moderation import Refused, settle, undo
from models.policy import Verdict
from models.records import Comment, Review, Site
from service import accounts
from service.addresses import reader
from service.api.moderation import publish_soon
from service.console import sessions
from service.console.sessions import Guesses, SignedIn
from service.problems import Problem
from service.queue import listed, newest
from service.records import full_records

PAGE_SIZE = 30
MOST_BYTES = 16 * 1024
TABS = {"review": "To review", "pending": "Pending", "approved": "Approved", "rejected": "Rejected"}
POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

console = Blueprint("console", __name__, url_prefix="/console", template_folder="templates")
guesses = Guesses()


@console.before_request
def _limit() -> None:
    request.max_content_length = MOST_BYTES


@console.after_request
def _secure(answer: BaseResponse) -> BaseResponse:
    answer.headers["Content-Security-Policy"] = POLICY
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer


@console.get("/console.css")
def style() -> BaseResponse:
    return send_from_directory(f"{console.root_path}/static", "console.css")


@console.get("/sign-in")
def sign_in_page() -> str:
    return render_template("console/sign_in.html", email="", error="")


@console.post("/sign-in")
def sign_in() -> BaseResponse | tuple[str, int]:
    email, address = request.form.get("email", "").strip().lower().replace("\0", ""), reader()
    if wait := guesses.admit(email, address):
        error = f"Too many wrong passwords. Try again in {wait} seconds."
        return render_template("console/sign_in.html", email=email, error=error), 429
    moderator = accounts.check_password(email, request.form.get("password", ""))
    if moderator is not None:
        guesses.forget(email, address)
    if moderator is None:
        return render_template("console/sign_in.html", email=email, error="Wrong email or password."), 403
    answer = redirect("/console/", 303)
    sessions.start(moderator, answer)
    return answer


@console.post("/sign-out")
def sign_out() -> BaseResponse:
    sessions.check_csrf(sessions.signed_in() or _not_signed_in())
    answer = redirect("/console/sign-in", 303)
    sessions.end(answer)
    return answer


@console.get("/password")
def password_page() -> BaseResponse | str:
    who = sessions.signed_in()
    if who is None:
        return redirect("/console/sign-in", 303)
    return render_template("console/password.html", who=who, error="")


@console.post("/password")
def change_password() -> BaseResponse | tuple[str, int]:
    """A password of one's own; the one-time password of the first start ends here."""
    who = sessions.signed_in() or _not_signed_in()
    sessions.check_csrf(who)
    try:
        accounts.change_password(who.moderator_id, request.form.get("password", ""))
    except ValueError as error:
        return render_template("console/password.html", who=who, error=str(error)), 422
    sessions.end_others(who)
    return redirect("/console/", 303)


@console.get("/")
def comments() -> BaseResponse | str:
    """Comments of one tab, oldest first where they wait, newest first where they are done."""
    who = sessions.signed_in()
    if who is None:
        return redirect("/console/sign-in", 303)
    if who.must_change_password:
        return redirect("/console/password", 303)
    tab = request.args.get("tab", "review")
    if tab not in TABS:
        raise Problem(404, "There is no such list.")
    with reading() as session:
        sites = dict(session.execute(select(Site.id, Site.key).where(Site.key.in_(who.sites))).all())
        found = session.execute(_wanted(tab, list(sites))).scalars().all()
        items = full_records(session, found[:PAGE_SIZE])
        done = full_records(session, _done(session, list(sites)))
        open_reviews = select(func.count(Review.comment_id.distinct()))
        open_reviews = open_reviews.where(Review.closed_at.is_(None), Review.site_id.in_(sites))
        waiting = session.execute(open_reviews).scalar_one()
    for item, comment in zip(items, found, strict=False):
        item["site"] = sites[comment.site_id]
        item["may_decide"] = who.may(item["site"], "moderator")
        item["may_undo"] = _can_be_undone(item)
    following = found[PAGE_SIZE - 1].id if len(found) > PAGE_SIZE else None
    return render_template(
        "console/comments.html", who=who, tab=tab, tabs=TABS, items=items, done=done, waiting=waiting, next=following
    )


def _done(session: Session, sites: list[int]) -> Sequence[Comment]:
    """The comment that was decided just now, to say so with its undo beside it."""
    decided = request.args.get("done", "")
    if not is_id(decided):
        return []
    return session.execute(select(Comment).where(Comment.id == decided, Comment.site_id.in_(sites))).scalars().all()


def _can_be_undone(item: dict[str, Any]) -> bool:
    undone = {decision["undoes"] for decision in item["decisions"]}
    humans = [decision for decision in item["decisions"] if decision["by"] != "policy" and not decision["undoes"]]
    return any(decision["id"] not in undone for decision in humans)


def _wanted(tab: str, sites: list[int]) -> Any:
    """One more than a page shows, to know whether there is a next one."""
    given = request.args.get("cursor", "")
    cursor = given if is_id(given) else None
    if tab in {"review", "pending"}:
        return listed(tab, sites, limit=PAGE_SIZE + 1, after=cursor)
    return newest(tab, sites, limit=PAGE_SIZE + 1, before=cursor)


@console.post("/comments/<comment_id>/decisions")
def decide(comment_id: str) -> BaseResponse:
    who = _who()
    sessions.check_csrf(who)
    verdict, version = request.form.get("verdict", ""), request.form.get("version", "")
    if verdict != "undo" and not (version.isascii() and version.isdecimal() and len(version) < 10):
        raise Problem(422, "Load the list again: a decision says which version of the comment it is for.")
    if verdict not in {"approve", "flag", "reject", "undo"}:
        raise Problem(422, "A decision is approve, flag, reject or undo.")
    _check_may_decide(who, comment_id)
    by = f"moderator:{who.moderator_id}"
    with begin() as session:
        if verdict == "undo":
            try:
                settled = undo(session, comment_id, by=by)
            except Refused as refused:
                raise Problem(409, str(refused)) from None
        else:
            reason = "spam" if request.form.get("spam") else None
            change = Change(
                comment_id,
                Verdict(verdict),
                reasons=(reason,) if reason else (),
                by=by,
                version=int(version),
                reason=reason,
            )
            found = settle(session, [change])[0]
            if found is None:
                raise Problem(409, "Someone was first: this comment has changed since you saw it. Load the list again.")
            settled = found
    publish_soon(settled)
    tab = request.form.get("tab", "review")
    return redirect(f"/console/?tab={tab if tab in TABS else 'review'}&done={comment_id}", 303)


def _check_may_decide(who: SignedIn, comment_id: str) -> None:
    wanted = select(Site.key).join(Comment, Comment.site_id == Site.id)
    with reading() as session:
        site = session.execute(wanted.where(Comment.id == comment_id)).scalar() if is_id(comment_id) else None
    if site is None or site not in who.sites:
        raise Problem(404, "There is no such comment.")
    if not who.may(site, "moderator"):
        raise Problem(403, "You may look at this site's comments, but not decide.")


def _who() -> SignedIn:
    who = sessions.signed_in() or _not_signed_in()
    if who.must_change_password:
        raise Problem(403, "Choose a password of your own first, at /console/password.")
    return who


def _not_signed_in() -> NoReturn:
    raise Problem(401, "You are not signed in (any more). Sign in at /console/sign-in.")
