"""A comment is accepted when its row is committed: one transaction, then the bell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models.database import Base, begin, insert_new, now
from models.identifiers import is_id, new_id
from models.records import Comment, Thread
from models.secrets import email_index, encrypt_email, keyed_hash
from service.problems import Problem
from service.sites import SiteInfo, origin_of
from service.submission import Submission, without_token
from service.together import Together
from service.tokens import read_form_token
from worker.bell import SCREEN, ring_soon

# Built once: putting a statement together costs more than running it.
_THREADS = Base.metadata.tables["threads"].c
_THREAD = select(_THREADS.id, _THREADS.state, _THREADS.url).where(
    _THREADS.site_id == bindparam("site"), _THREADS.key == bindparam("key")
)


class Accepted(NamedTuple):
    comment_id: str
    is_new: bool


class _Asked(NamedTuple):
    """What one request wants kept; `row` is all that could be made ready before."""

    site: SiteInfo
    said: Submission
    row: dict[str, Any]


class _Place(NamedTuple):
    """Where in a thread the comment goes."""

    thread_id: int
    top_id: str | None


def accept(site: SiteInfo, said: Submission, *, address: str, idempotency_key: str | None = None) -> Accepted:
    """Keep the comment and ring for its screening.

    The same Idempotency-Key, or the same author and text on the same thread, gets the first comment again. Raises
    `Problem`: 404 for a parent that is not published there, 409 for a closed thread, 422 for a wrong `url` or a key
    that came with another body before.
    """
    _check_url(site, said)
    row = _row(site, said, address=address, idempotency_key=idempotency_key)
    accepted = _together.do(_Asked(site, said, row))
    if accepted.is_new:
        ring_soon(SCREEN, accepted.comment_id)
    return accepted


def _keep_all(asked: Sequence[_Asked]) -> list[Accepted | BaseException]:
    """Keep what several requests brought, in one transaction. If the database refuses one, each is tried alone."""
    try:
        with begin() as session:
            return [_try(session, one) for one in asked]
    except DBAPIError as error:
        return [error] if len(asked) == 1 else [outcome for one in asked for outcome in _keep_all([one])]


def _try(session: Session, asked: _Asked) -> Accepted | BaseException:
    try:
        return _keep(session, *asked)
    except Problem as problem:  # this one's alone; nothing of it was written that others could mind
        return problem


def _keep(session: Session, site: SiteInfo, said: Submission, row: dict[str, Any]) -> Accepted:
    earlier = _earlier(session, row)
    if earlier:
        return Accepted(earlier, is_new=False)
    place = _find_place(session, site, said)
    row.update(thread_id=place.thread_id, top_id=place.top_id or row["id"])
    row["said_once"] = keyed_hash("said once", str(place.thread_id), row["email_index"], row["body"])
    if not session.connection().execute(insert_new(Comment), row).rowcount:
        # Someone was first between our look and our insert, or the author repeats himself.
        return Accepted(_first(session, row), is_new=False)
    return Accepted(row["id"], is_new=True)


_together = Together(_keep_all, most=50)


def _check_url(site: SiteInfo, said: Submission) -> None:
    if said.url and origin_of(said.url) not in site.origins:
        message = "This page does not belong to the site."
        raise Problem(422, "Some fields need another look.", errors=[{"field": "url", "message": message}])


def _row(site: SiteInfo, said: Submission, *, address: str, idempotency_key: str | None) -> dict[str, Any]:
    """Everything that can be made ready before the transaction begins."""
    at = now()
    index = email_index(said.email)
    form = read_form_token(site.key, said.token, honeypot=bool(said.homepage_url))
    return {
        "id": new_id(),
        "site_id": site.id,
        "parent_id": said.parent,
        "status": "pending",
        "version": 1,
        "name": said.name,
        "email": encrypt_email(said.email),
        "email_index": index,
        "website": said.website,
        "body": said.body,
        "avatar": keyed_hash("avatar", str(site.id), index)[:12],
        "at": at,
        "address": address,
        "form": {"token": form.token, "seconds": form.seconds, "honeypot": form.honeypot},
        "idempotency_key": keyed_hash("idempotency", idempotency_key) if idempotency_key else None,
        "request_hash": keyed_hash("request", orjson.dumps(without_token(said)).decode()) if idempotency_key else None,
        "screen_due": at,
    }


def _earlier(session: Session, row: dict[str, Any]) -> str | None:
    """The comment that this Idempotency-Key stands for already."""
    if row["idempotency_key"] is None:
        return None
    same_key = (Comment.site_id == row["site_id"]) & (Comment.idempotency_key == row["idempotency_key"])
    found = session.execute(select(Comment.id, Comment.request_hash).where(same_key)).one_or_none()
    if found and found.request_hash not in {None, row["request_hash"]}:
        raise Problem(422, "This Idempotency-Key was used with another body before. Send a new key.")
    return found.id if found else None


def _first(session: Session, row: dict[str, Any]) -> str:
    earlier = _earlier(session, row)
    if earlier:
        return earlier
    same = (Comment.thread_id == row["thread_id"]) & (Comment.said_once == row["said_once"])
    return session.execute(select(Comment.id).where(same)).scalar_one()


def _find_place(session: Session, site: SiteInfo, said: Submission) -> _Place:
    """The thread, made if this is its first comment, and the branch of the comment that is answered."""
    thread = _thread(session, site, said.thread)
    if thread is None:
        new = {"site_id": site.id, "key": said.thread, "url": said.url, "title": said.title}
        session.connection().execute(insert_new(Thread), new)
        thread = _thread(session, site, said.thread)
        assert thread is not None
    if thread.state == "closed":
        raise Problem(409, "This thread is closed: no more comments are taken here.")
    if thread.url is None and said.url:
        session.execute(update(Thread).where(Thread.id == thread.id, Thread.url.is_(None)).values(url=said.url))
    if said.parent is None:
        return _Place(thread.id, None)
    answered = (Comment.id == said.parent) & (Comment.thread_id == thread.id) & (Comment.status == "approved")
    top_id = session.execute(select(Comment.top_id).where(answered)).scalar() if is_id(said.parent) else None
    if top_id is None:
        raise Problem(404, "The comment you answer is not (or no longer) published in this thread.")
    return _Place(thread.id, top_id)


def _thread(session: Session, site: SiteInfo, key: str) -> Any:
    return session.connection().execute(_THREAD, {"site": site.id, "key": key}).one_or_none()
