"""The queue: the list, the open comment, and the forms that decide without JavaScript."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, NotRequired, TypedDict

import orjson
from flask import Response, abort, redirect, render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from models.identifiers import is_id
from models.judgement.policy import Verdict
from models.records import Comment, DecisionRecord, Question, Thread
from models.settling.actor import Actor
from models.settling.appeals import OWN_APPEAL
from models.settling.changes import Change
from models.settling.history import BY_A_HUMAN, conflicts, did
from models.settling.settling import settle
from models.settling.undoing import Refused, undo
from models.store.database import begin, reading
from models.text.cleaning import clean
from models.text.numbers import digits_to_int
from models.text.stamps import utc_stamp
from service.console import item as items
from service.console import words
from service.console.batches import made_just_now
from service.console.blocks import offered
from service.console.blueprint import acting, console, looking, way_back
from service.console.item import Item, may_decide
from service.console.news import told_to
from service.console.rows import Row, list_rows
from service.console.sessions import SignedIn
from service.console.shortcuts import ACTIONS, keys_of
from service.console.view import Asked
from service.http.problems import Problem
from service.moderation.deciding import MOST_NOTE, check_rule, publish_soon, sites_of
from service.moderation.notes import open_questions
from service.moderation.queue import MOST_COUNTED, READERS, View, coverage
from service.people.names import names_of

FOLDER = Path(__file__).parent / "static"
AGO_SLOT = b"const AGO = [];"
TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
STATIC = frozenset(path.name for path in FOLDER.iterdir() if path.suffix[1:] in TYPES)
TABS = {
    "review": "To review",
    "asked": "Questions",
    "unread": "Unread",
    "pending": "Being checked",
    "approved": "Approved",
    "rejected": "Rejected",
    "all": "Everything",
}
CHANGED = "This comment has changed since you saw it."
COUNTED = ("review", "asked", "unread", "pending")


@console.get("/static/<name>")
def static(name: str) -> BaseResponse:
    if name not in STATIC:
        abort(404)
    content, tag = _file(name)
    answer = Response(content, content_type=TYPES[name.rpartition(".")[2]])
    answer.set_etag(tag)
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer.make_conditional(request)


@cache
def _file(name: str) -> tuple[bytes, str]:
    content = (
        (FOLDER / name).read_bytes().replace(AGO_SLOT, b"const AGO = %s;" % orjson.dumps(words.AGO))
    )
    return content, sha256(content).hexdigest()[:16]


@console.app_template_filter("ago")
def _ago(moment: datetime | str) -> str:
    return words.ago(moment)


@console.app_template_filter("exactly")
def _exactly(moment: datetime | str) -> str:
    return words.exactly(moment)


@console.app_template_filter("iso")
def _iso(moment: datetime | str) -> str:
    return utc_stamp(words.moment_of(moment))


@console.get("/")
def comments() -> str:
    """Show a list and, beside it, the open comment: the requested one, or the first."""
    who = looking()
    with reading(of_one_moment=True) as session:
        asked = Asked(session, who)
        rows, following = list_rows(session, asked)
        shown = _open(session, who, asked, rows)
        done = _done(session, asked)
        offer = offered(session, who, shown["id"] if shown else "")
        return render_template(
            "console/queue.html",
            who=who,
            asked=asked,
            tabs=TABS,
            news=told_to(session, who, asked.all_sites),
            coverage=coverage(session, asked.sites) if asked.tab == "unread" else None,
            counts=counts(session, asked),
            from_readers=_from_readers(session, asked),
            most=MOST_COUNTED,
            rows=rows,
            following=following,
            item=shown,
            done=done,
            offer=offer,
            batch=made_just_now(session, who, list(asked.all_sites)),
            preferences=keys_of(session, who.moderator_id),
            filters=_filters(session, asked),
            words=words,
            actions=ACTIONS,
            may_decide=any(who.may(site, "moderator") for site in asked.sites.values()),
        )


@console.get("/items/<comment_id>")
def one(comment_id: str) -> BaseResponse | str:
    """Return a comment alone for the script. A person who types the address gets it beside its
    list.
    """
    who = looking()
    with reading(of_one_moment=True) as session:
        asked = Asked(session, who)
        comment, site = items.find(session, who, comment_id)
        if request.headers.get("X-Greenroom") != "item":
            return redirect(f"/console/?tab=all&q={comment.id}", 303)
        shown = items.item(session, who, comment, site)
        html = render_template("console/_item.html", item=shown, who=who, asked=asked, words=words)
    return Response(html, content_type="text/html; charset=utf-8")


@console.get("/c/<comment_id>")
def permalink(comment_id: str) -> BaseResponse:
    """Redirect a comment's short address, which people keep, send or type, to the comment beside
    its list.
    """
    who = looking()
    with reading() as session:
        comment, _ = items.find(session, who, comment_id)
    return redirect(f"/console/?tab=all&q={comment.id}", 303)


def counts(session: Session, asked: Asked) -> dict[str, int]:
    """Return how many comments wait in each list, over all the sites that the moderator may see."""
    whole = View(moderator_id=asked.view.moderator_id, roles=asked.view.roles)
    sites = list(asked.all_sites)
    return {tab: replace(whole, tab=tab).count(session, sites) for tab in COUNTED}


def _from_readers(session: Session, asked: Asked) -> int:
    """Return how many comments wait because of what readers said or sent."""
    view = View(reason=READERS, moderator_id=asked.view.moderator_id, roles=asked.view.roles)
    return view.count(session, list(asked.all_sites))


def _open(session: Session, who: SignedIn, asked: Asked, rows: Sequence[Row]) -> Item | None:
    """Return the comment that the address names, even if the list does not contain it; otherwise
    the first one.
    """
    comment_id = asked.item or (rows[0].id if rows else None)
    if comment_id is None:
        return None
    try:
        return items.item(session, who, *items.find(session, who, comment_id))
    except Problem:
        return None


class Done(NamedTuple):
    """A comment that was decided just now. `decision` can be undone; it is None for an undo."""

    id: str
    name: str
    status: str
    version: int
    decision: str | None


def _done(session: Session, asked: Asked) -> Done | None:
    """Return the decision that a browser without JavaScript just made, to show it with an undo."""
    decided = request.args.get("done", "")
    if not is_id(decided):
        return None
    wanted = select(Comment).where(Comment.id == decided, Comment.site_id.in_(asked.all_sites))
    comment = session.execute(wanted).scalar()
    log = select(DecisionRecord).where(DecisionRecord.comment_id == decided, BY_A_HUMAN)
    last = session.execute(log.order_by(DecisionRecord.id.desc()).limit(1)).scalar()
    if comment is None or last is None:
        return None
    decision = None if last.undoes else last.id
    return Done(comment.id, comment.name, comment.status, comment.version, decision)


class Filter(NamedTuple):
    """A filter in words. `without` is the address of the list without it."""

    name: str
    value: str
    without: str


def _filters(session: Session, asked: Asked) -> list[Filter]:
    """Return the filters of the list, except the search, which has its own field."""
    return [
        Filter(
            words.FILTERS[name],
            words.say(_filter_value(session, asked, name, value)),
            asked.href(**{name: None}),
        )
        for name, value in asked.given.items()
        if name != "q"
    ]


def _filter_value(session: Session, asked: Asked, name: str, value: str) -> str:
    """Return the filter's value for people: a page's title for its id, an author's name for a
    comment.
    """
    if name == "thread" and asked.view.thread_id is not None:
        thread = select(Thread.title, Thread.key).where(
            Thread.id == asked.view.thread_id, Thread.site_id.in_(asked.all_sites)
        )
        row = session.execute(thread).one_or_none()
        return (row.title or row.key) if row else "an unknown page"
    if name in {"author", "campaign"}:
        author = select(Comment.name).where(
            Comment.id == value, Comment.site_id.in_(asked.all_sites)
        )
        return (session.execute(author).scalar() if is_id(value) else None) or "an unknown author"
    return value


@console.post("/comments/<comment_id>/decisions")
def decide_by_form(comment_id: str) -> BaseResponse:
    """Decide without JavaScript. Redirect to the list, which confirms the decision and offers to
    undo it.
    """
    who = acting()
    verdict, version = request.form.get("verdict", ""), digits_to_int(request.form.get("version"))
    if verdict != "undo" and version is None:
        raise Problem(
            422, "Reload the list: the decision does not name the version of the comment."
        )
    if verdict not in {"approve", "flag", "reject", "undo"}:
        raise Problem(422, "A decision must be approve, flag, reject or undo.")
    reason = "spam" if request.form.get("spam") else request.form.get("reason") or None
    if reason and reason not in words.REASONS:
        raise Problem(422, "A reason must be spam, abuse, off_topic or other.")
    may_decide(who, [comment_id])
    with begin() as session:
        if verdict == "undo":
            decision = request.form.get("decision") or None
            try:
                settled = undo(session, comment_id, by=who.actor, decision=decision)
            except Refused as refused:
                raise Problem(409, words.named(session, str(refused))) from None
        else:
            is_sure = bool(request.form.get("sure"))
            if not is_sure and (questions := unanswered_of(session, verdict, [comment_id])):
                return _ask_if_sure(session, who, comment_id, questions[comment_id])
            given = _said_to_author()
            check_rule(session, list(sites_of(session, [comment_id]).values()), given.rule)
            change = Change(
                comment_id,
                Verdict(verdict),
                by=who.actor,
                reason=reason,
                version=version,
                rule=given.rule,
                answer=given.answer,
                whole=bool(request.form.get("whole")),
            )
            found = settle(session, [change])[0]
            if found is None:
                raise Problem(409, latest_decision(session, comment_id, who.actor))
            settled = found
    publish_soon(settled)
    return redirect(way_back(done=comment_id), 303)


class SaidToAuthor(NamedTuple):
    """The rule that a form names, and the moderator's words to the author."""

    rule: str | None
    answer: str


def _said_to_author() -> SaidToAuthor:
    answer = clean(request.form.get("answer", "")[:MOST_NOTE], MOST_NOTE)
    return SaidToAuthor(request.form.get("rule") or None, answer)


def unanswered_of(session: Session, verdict: str, ids: Sequence[str]) -> dict[str, list[Question]]:
    """Return the open questions that an approval would ignore, by comment."""
    return open_questions(session, ids) if verdict == "approve" else {}


def _ask_if_sure(
    session: Session, who: SignedIn, comment_id: str, questions: Sequence[Question]
) -> BaseResponse:
    page = render_template(
        "console/unanswered.html",
        who=who,
        comment_id=comment_id,
        questions=questions,
        names=names_of(session, {question.by for question in questions}),
        fields={name: request.form[name] for name in ("version", "back") if name in request.form},
        back=way_back(item=comment_id),
    )
    return Response(page, 409, content_type="text/html; charset=utf-8")


def questioned(session: Session, unanswered: Mapping[str, Sequence[Question]]) -> list[Refusal]:
    """Return a refusal for each of these comments, which names the person who asked."""
    asked = [questions[0].by for questions in unanswered.values()]
    names = names_of(session, asked)
    versions = dict(
        session.execute(select(Comment.id, Comment.version).where(Comment.id.in_(unanswered))).all()
    )
    return [
        {
            "id": id_,
            "detail": f"{names[by]} asked a question that no one has answered yet.",
            "version": versions.get(id_),
            "has_question": True,
        }
        for id_, by in zip(unanswered, asked, strict=True)
    ]


def latest_decision(session: Session, comment_id: str, by: Actor | None = None) -> str:
    """Say who decided the comment last, and what, for a moderator who sees an older version."""
    return refusals(session, [comment_id], by)[0]["detail"]


class Refusal(TypedDict):
    """Why a decision was refused, and the version that the comment has now."""

    id: str
    detail: str
    version: int | None
    has_question: NotRequired[bool]


def refusals(session: Session, ids: Sequence[str], by: Actor | None = None) -> list[Refusal]:
    """Return the same for many comments."""
    found = conflicts(session, ids, by=by)
    names = names_of(session, {each.decision.by for each in found if each.decision})
    return [
        {
            "id": conflict.comment_id,
            "detail": OWN_APPEAL
            if conflict.is_own_appeal
            else _who_decided(conflict.decision, names),
            "version": conflict.version,
        }
        for conflict in found
    ]


def _who_decided(last: DecisionRecord | None, names: dict[str, str]) -> str:
    if last is None:
        return CHANGED
    name = names[last.by] if "@" in names[last.by] else names[last.by].capitalize()
    return f"{name} {did(last)} {words.ago(last.at)}."
