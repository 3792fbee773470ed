"""Accept a comment: commit its row in one transaction, then ring for a worker."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from time import perf_counter
from typing import Any, NamedTuple

import orjson
import structlog
from sqlalchemy import bindparam, select
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from models.avatars import FROM_NAME, avatar_of
from models.failpoints import failpoint
from models.identifiers import is_id, new_id
from models.judgement.policy import MayPost
from models.records import Comment, Thread
from models.store.database import Base, OutcomeUnknown, begin, insert_new, now, reading
from models.store.secrets import email_index, encrypt_email, keyed_hash
from models.text.urls import origin_of
from service.comments.submission import Submission, without_token
from service.comments.together import Together
from service.http.form_tokens import read_form_token
from service.http.problems import Problem, wrong_fields
from service.readers.identity import Identity, Kind, not_accepted
from service.sites.lookup import SiteInfo
from worker.bell import SCREEN, ring_soon

# Built once: putting a statement together costs more than running it.
_THREADS = Base.metadata.tables["threads"].c
_THREAD = select(_THREADS.id, _THREADS.state, _THREADS.identity).where(
    _THREADS.site_id == bindparam("site"), _THREADS.key == bindparam("key")
)


PERHAPS = (
    "The database stopped responding while it saved your comment, so it may or may not have "
    "been accepted. You can safely send the same comment again: Greenroom never stores it "
    "twice."
)

_MAY_POST: dict[MayPost, tuple[Kind | None, ...]] = {
    "anyone": (None, "proven", "signed_on"),
    "proven": ("proven", "signed_on"),
    "signed_in": ("signed_on",),
}
_NEEDS: dict[MayPost, str] = {
    "proven": "To comment here, confirm your email address or sign in first.",
    "signed_in": "To comment here, sign in first.",
}

log = structlog.get_logger()


class Accepted(NamedTuple):
    comment_id: str
    is_new: bool


class _Asked(NamedTuple):
    """A request's comment to store; `row` is everything that could be prepared before the
    transaction.
    """

    site: SiteInfo
    said: Submission
    row: dict[str, Any]
    kind: Kind | None


class _Place(NamedTuple):
    """The place of the comment in its thread."""

    thread_id: int
    top_id: str | None


def accept(
    site: SiteInfo,
    said: Submission,
    *,
    address: str,
    idempotency_key: str | None = None,
    identity: Identity | None = None,
) -> Accepted:
    """Store the comment and ring for its screening.

    The same Idempotency-Key, or the same author and text on the same thread, gets the first comment
    again. Raises `Problem`: 401 if the site or the thread needs an identity, 404 for a parent that
    is not published there, 409 for a closed thread, 422 for a wrong `url` or a key that was used
    with another body before.
    """
    began = perf_counter()
    _check_url(site, said)
    row = _row(site, said, identity, address=address, idempotency_key=idempotency_key)
    accepted = _together.do(_Asked(site, said, row, identity.kind if identity else None))
    if accepted.is_new:
        ring_soon(SCREEN, accepted.comment_id)
        ms = round((perf_counter() - began) * 1000)
        log.info("accepted", comment=accepted.comment_id, site=site.key, status="pending", ms=ms)
    return accepted


def _keep_all(asked: Sequence[_Asked]) -> list[Accepted | BaseException]:
    """Store the comments of several requests in one transaction. If the database refuses a row, try
    each alone.
    """
    threads: _Threads = {}
    try:
        with begin() as session:
            kept = {nth: _try(session, threads, asked[nth]) for nth in _by_thread(asked)}
    except (
        DataError,
        IntegrityError,
    ) as error:  # an OperationalError concerns no single row: the database is down or busy
        return (
            [error]
            if len(asked) == 1
            else [outcome for one in asked for outcome in _keep_all([one])]
        )
    except OutcomeUnknown as error:
        if not _are_kept(kept.values()):
            raise Problem(503, PERHAPS, headers={"Retry-After": "5"}) from error
    failpoint("accepted")
    return [kept[nth] for nth in range(len(asked))]


def _are_kept(outcomes: Iterable[Accepted | BaseException]) -> bool:
    """Look again, in the remaining time, for the rows just committed. Return False also if that is
    impossible.
    """
    ids = {outcome.comment_id for outcome in outcomes if isinstance(outcome, Accepted)}
    try:
        with reading() as session:
            return set(session.scalars(select(Comment.id).where(Comment.id.in_(ids)))) == ids
    except (DBAPIError, PoolTimeout):
        return False


def _by_thread(asked: Sequence[_Asked]) -> list[int]:
    """Sort the comments in an order that all processes share, so that no two wait for each other's
    new threads.
    """
    return sorted(range(len(asked)), key=lambda nth: (asked[nth].site.id, asked[nth].said.thread))


def _try(session: Session, threads: _Threads, asked: _Asked) -> Accepted | BaseException:
    try:
        return _keep(session, threads, asked)
    except (
        Problem
    ) as problem:  # raised before anything was written, so the others' transaction continues
        return problem


def _keep(session: Session, threads: _Threads, asked: _Asked) -> Accepted:
    said, row = asked.said, asked.row
    earlier = _earlier(session, row)
    if earlier:
        return Accepted(earlier, is_new=False)
    place = _find_place(session, threads, asked)
    row.update(thread_id=place.thread_id, top_id=place.top_id or row["id"])
    row["avatar"] = avatar_of(said.name, place.thread_id)
    # With the reader's IP address and identity, so that someone who guesses another person's email
    # address does not get that person's receipt.
    said_once = [str(place.thread_id), row["email_index"], row["address"], row["body"]]
    if row["reader_id"]:
        said_once.append(row["reader_id"])
    row["said_once"] = keyed_hash("said once", *said_once)
    if session.connection().execute(insert_new(Comment, "id"), row).one_or_none() is None:
        # Another request was first between our look and our insert, or the author sent it twice.
        return Accepted(_first(session, row), is_new=False)
    return Accepted(row["id"], is_new=True)


_together = Together(_keep_all, most=50)
_Threads = dict[
    tuple[int, str], Any
]  # by site and key, in the state before the first comment of a transaction


def _check_url(site: SiteInfo, said: Submission) -> None:
    if said.url and origin_of(said.url) not in site.origins:
        raise wrong_fields({"url": "This URL is not on one of the site's origins."})


def _row(
    site: SiteInfo,
    said: Submission,
    identity: Identity | None,
    *,
    address: str,
    idempotency_key: str | None,
) -> dict[str, Any]:
    """Return everything that can be prepared before the transaction begins."""
    at = now()
    form = read_form_token(site.key, said.token, honeypot=bool(said.homepage_url))
    return {
        "id": new_id(),
        "site_id": site.id,
        "parent_id": said.parent,
        "status": "pending",
        "version": 1,
        "name": said.name,
        "email": encrypt_email(said.email) if said.email else None,
        "email_index": _author_index(said, identity),
        "reader_id": identity.reader_id if identity else None,
        "badges": (list(identity.badges) or None) if identity else None,
        "website": said.website,
        "body": said.body,
        "avatar_from": FROM_NAME,
        "at": at,
        "address": address,
        "form": {"token": form.token, "seconds": form.seconds, "honeypot": form.honeypot},
        "page": {"url": said.url, "title": said.title},
        "idempotency_key": keyed_hash("idempotency", idempotency_key) if idempotency_key else None,
        "request_hash": keyed_hash("request", orjson.dumps(without_token(said)).decode())
        if idempotency_key
        else None,
        "screen_due": at,
    }


def _author_index(said: Submission, identity: Identity | None) -> str:
    """Return the index under which the author's other comments are found. For a reader without an
    email address, it is made from the reader's id.
    """
    if said.email or identity is None:
        return email_index(said.email)
    return keyed_hash("author without an address", identity.reader_id)


def _earlier(session: Session, row: dict[str, Any]) -> str | None:
    """Return the comment that was accepted earlier with this Idempotency-Key."""
    if row["idempotency_key"] is None:
        return None
    same_key = (Comment.site_id == row["site_id"]) & (
        Comment.idempotency_key == row["idempotency_key"]
    )
    found = session.execute(select(Comment.id, Comment.request_hash).where(same_key)).one_or_none()
    if found and found.request_hash not in {None, row["request_hash"]}:
        raise Problem(
            422, "This Idempotency-Key was already used with a different body. Send a new key."
        )
    return found.id if found else None


def _first(session: Session, row: dict[str, Any]) -> str:
    earlier = _earlier(session, row)
    if earlier:
        return earlier
    same = (Comment.thread_id == row["thread_id"]) & (Comment.said_once == row["said_once"])
    return session.execute(select(Comment.id).where(same)).scalar_one()


def _find_place(session: Session, threads: _Threads, asked: _Asked) -> _Place:
    """Return the thread, created if this is its first comment, and the branch of the parent
    comment.

    Every refusal comes before the first write, because others' comments are in the same
    transaction.
    """
    site, said = asked.site, asked.said
    thread = threads.get((site.id, said.thread)) or _thread(session, site, said.thread)
    _check_identity((thread and thread.identity) or site.identity, asked.kind)
    if thread and thread.state == "closed":
        raise Problem(409, "This thread is closed. It accepts no new comments.")
    top_id = _answered(session, thread.id if thread else None, said.parent) if said.parent else None
    if thread is None:
        session.connection().execute(insert_new(Thread), {"site_id": site.id, "key": said.thread})
        thread = _thread(session, site, said.thread)
        assert thread is not None
    threads[site.id, said.thread] = thread
    return _Place(thread.id, top_id)


def _check_identity(may_post: MayPost, kind: Kind | None) -> None:
    if kind not in _MAY_POST[may_post]:
        raise not_accepted(_NEEDS[may_post], needs=may_post)


def _answered(session: Session, thread_id: int | None, parent: str) -> str:
    """Return the top-level comment of the branch. The parent must be published in this thread."""
    answered = (
        (Comment.id == parent) & (Comment.thread_id == thread_id) & (Comment.status == "approved")
    )
    top_id = (
        session.execute(select(Comment.top_id).where(answered)).scalar()
        if thread_id and is_id(parent)
        else None
    )
    if top_id is None:
        raise Problem(404, "The comment you are replying to is not published in this thread.")
    return top_id


def _thread(session: Session, site: SiteInfo, key: str) -> Any:
    return session.connection().execute(_THREAD, {"site": site.id, "key": key}).one_or_none()
