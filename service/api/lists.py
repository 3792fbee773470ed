"""API calls for the queue and the console's lists, with their filters, and for marking comments as
seen.
"""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from models.identifiers import is_id
from models.judgement.picks import SESSION
from models.records import Comment, Thread
from models.store.database import begin, reading
from service.http.api_keys import Caller
from service.http.api_types import ID_SCHEMA, Id
from service.http.calls import Noun
from service.http.problems import Problem, wrong_field
from service.http.requests import Cursor, Day, Limit100, Query
from service.moderation import teaching
from service.moderation.campaigns import Groups, grouped
from service.moderation.comment_records import CommentRecord, full_records
from service.moderation.deciding import MOST_AT_ONCE, Identifier, check_all_are_of
from service.moderation.queue import ORDERS, Place, View, coverage, listed_for, see, unsee
from service.moderation.queue import listed as queued

TABS = ("review", "unread", "pending", "approved", "rejected", "all")
MOST_LENGTH = 500

api = Noun("lists", "Queue", "Lists of comments: those that wait for a moderator, and all others.")


class QueueQuery(Query):
    """`status` "review" is every comment with an open review, whatever its status."""

    status: Literal["flagged", "pending", "approved", "rejected", "review"] = "flagged"
    group: Annotated[
        Literal["campaign"] | None,
        Field(
            description=(
                "`campaign` groups comments with nearly the same text and returns `groups` "
                "instead of `items`."
            ),
        ),
    ] = None
    teach: Annotated[
        Literal["1"] | None,
        Field(
            description=(
                "`1` lists the picks of the teaching queue instead, in the order of the session. "
                "To request more picks, send a `POST` to this path followed by `/teach`."
            ),
        ),
    ] = None
    cause: Annotated[
        Literal["flagged", "reported", "notice", "appealed", "edited", "sampled"] | None,
        Field(
            description=(
                "Only comments with an open review of this cause, whatever their status, such as "
                "comments that readers `reported`."
            )
        ),
    ] = None
    cursor: Cursor = None
    limit: Limit100 = 50


class Queue(TypedDict):
    """Comments, oldest first; picks of the teaching queue in the order of the session. `next` is
    the cursor of the next page, or null.
    """

    items: list[CommentRecord]
    next: Id | None


@api.call(
    "GET",
    "/v1/sites/<site>/queue",
    scope="moderate",
    summary="List the queue",
    says="Full records, oldest first. With `group=campaign`, groups of records.",
)
def list_queue(who: Caller, query: QueueQuery) -> Queue | Groups:
    """List the comments with one status, oldest first. The default is the flagged comments, which
    wait for a moderator.
    """
    with reading(of_one_moment=True) as session:
        if query.teach:
            return _picks(session, who, query)
        if query.group:
            return grouped(
                session, query.status, who.site.id, limit=query.limit, after=query.cursor
            )
        if query.cause:
            wanted = listed_for(
                query.cause, [who.site.id], limit=query.limit + 1, after=query.cursor
            )
        else:
            wanted = queued(query.status, [who.site.id], limit=query.limit + 1, after=query.cursor)
        comments = session.execute(wanted).scalars().all()
        items = full_records(session, comments[: query.limit])
    is_last = len(comments) <= query.limit
    return {"items": items, "next": None if is_last else comments[query.limit - 1].id}


def _picks(session: Session, who: Caller, query: QueueQuery) -> Queue:
    wanted = teaching.picks(who.site.id, limit=query.limit + 1, after=query.cursor)
    rows = session.execute(wanted).all()
    shown = rows[: query.limit]
    items = full_records(session, [comment for _, comment in shown])
    return {"items": items, "next": shown[-1][0] if len(rows) > query.limit else None}


class Asked(TypedDict):
    """How many picks wait for a label, and how many a session has. While fewer wait, a worker draws
    the others.
    """

    waiting: Annotated[int, Field(examples=[4])]
    session: Annotated[int, Field(examples=[20])]


@api.call(
    "POST",
    "/v1/sites/<site>/queue/teach",
    scope="moderate",
    status=202,
    summary="Ask for comments to label",
    says=(
        "How many picks wait for a label. If there are fewer than `session`, more appear in the "
        "teaching queue within seconds."
    ),
)
def ask_for_picks(who: Caller) -> Asked:
    """Have a worker pick comments whose labels teach the site's models most, from all comments of
    the last 30 days. One in five is picked at random. `GET` the queue with `teach=1` to list them,
    and label each with a decision: approve it, or reject it with the reason spam or abuse. Send
    "learn": true unless the key was created with `learn`: otherwise the decision teaches nothing. A
    pick that nobody labels is removed after a day.
    """
    return {"waiting": teaching.ask_for_picks(who.site.id), "session": SESSION}


def _cut(text: object) -> object:
    """Trim the words to search for. A text with a NUL is not searched for."""
    if not isinstance(text, str):
        return text
    return "" if "\0" in text else text.strip()[:MOST_LENGTH]


Words = Annotated[str, BeforeValidator(_cut)]


class ListQuery(Query):
    """Filters combine: a comment must match all of them."""

    q: Annotated[
        Words,
        Field(
            description=(
                "Words to find in the comment or its author's name, or a full email address."
            )
        ),
    ] = ""
    thread: Annotated[Words, Field(description="Only comments in the thread with this key.")] = ""
    author: Annotated[
        Words | None,
        ID_SCHEMA,
        Field(description="Only comments by the author of the comment with this id."),
    ] = None
    campaign: Annotated[
        Words | None,
        ID_SCHEMA,
        Field(description="Only one campaign: the id of its first comment."),
    ] = None
    check: Annotated[
        Words, Field(description="Only comments in which this check found something.")
    ] = ""
    reason: Annotated[
        Words,
        Field(
            description=(
                "Only this reason: spam, abuse, off_topic or other; in `review` also flagged, "
                "reported, notice, appealed, edited, sampled, or `readers` for any of reported, "
                "notice, appealed and edited."
            )
        ),
    ] = ""
    language: Annotated[Words, Field(description="Only comments in this language (ISO 639-1).")] = (
        ""
    )
    since: Annotated[Day, Field(description="Only comments from this day on.")] = None
    until: Annotated[Day, Field(description="Only comments up to and including this day.")] = None
    order: Annotated[
        Literal["oldest", "newest", "risk", "due"],
        Field(description="`risk` and `due` work only in `review`."),
    ] = "oldest"
    cursor: Annotated[str | None, Field(description="`next` from the previous page.")] = None
    limit: Limit100 = 50


class Covered(TypedDict):
    """How many of the newest published comments a human has seen."""

    seen: Annotated[int, Field(examples=[940])]
    of: Annotated[int, Field(examples=[1000])]


class CommentList(TypedDict):
    """A page of a list. Only `unread` has `coverage`."""

    items: list[CommentRecord]
    next: str | None
    coverage: NotRequired[Covered]


@api.call(
    "GET",
    "/v1/sites/<site>/lists/<tab>",
    scope="moderate",
    summary="List comments as the console does",
    says="Full records in the requested order.",
    answers={404: f"There is no such list. The lists are {', '.join(TABS)}."},
    path_values={"tab": TABS},
)
def list_comments(who: Caller, tab: str, query: ListQuery) -> CommentList:
    """List the comments of one of the console's tabs, with its filters, orders and search."""
    if tab not in TABS:
        raise Problem(404, f"The lists are {', '.join(TABS)}.")
    after = Place.read(query.cursor or "")
    if query.cursor is not None and after is None:
        raise wrong_field("cursor", "This cursor is not valid. Use `next` from the previous page.")
    with reading(of_one_moment=True) as session:
        view = _view(session, who, tab, query)
        places = view.places(session, [who.site.id], limit=query.limit + 1, after=after)
        ids = [place.id for place in places[: query.limit]]
        rows = {row.id: row for row in session.scalars(select(Comment).where(Comment.id.in_(ids)))}
        answer: CommentList = {
            "items": full_records(session, [rows[id_] for id_ in ids]),
            "next": str(places[query.limit - 1]) if len(places) > query.limit else None,
        }
        if tab == "unread":
            answer["coverage"] = _covered(session, who)
    return answer


class Those(BaseModel):
    """The comments that a human has seen or, with `seen` false, has not."""

    model_config = ConfigDict(strict=True, extra="forbid")

    items: Annotated[list[Identifier], Field(min_length=1, max_length=MOST_AT_ONCE)]
    seen: bool = True


class SeenNow(TypedDict):
    """The requested comments that are now marked as seen."""

    seen: list[Id]
    coverage: Covered


@api.call(
    "POST",
    "/v1/sites/<site>/seen",
    scope="moderate",
    summary="Mark comments as seen",
    says="The comments that are now marked as seen, and the coverage.",
    answers={404: "One of the ids is not a comment on this site. Nothing was marked."},
)
def mark_seen(who: Caller, body: Those) -> SeenNow:
    """Remove comments from the unread list because a human has read them. With `seen` false, put
    them back. This does not change any decision. A comment that a human has decided always counts
    as seen.
    """
    with begin() as session:
        check_all_are_of(session, who.site.id, body.items)
        (see if body.seen else unsee)(session, body.items)
        covered = _covered(session, who)
    return {"seen": body.items if body.seen else [], "coverage": covered}


def _covered(session: Session, who: Caller) -> Covered:
    found = coverage(session, [who.site.id])
    return {"seen": found.seen, "of": found.of}


def _view(session: Session, who: Caller, tab: str, query: ListQuery) -> View:
    if query.order not in (ORDERS if tab == "review" else ORDERS[:2]):
        raise wrong_field("order", "Only the `review` list can be sorted by `risk` or `due`.")
    if query.campaign and not is_id(query.campaign):
        raise wrong_field("campaign", "This must be the id of the campaign's first comment.")
    return View(
        tab=tab,
        order=query.order,
        thread_id=_thread(session, who, query.thread) if query.thread else None,
        check=query.check,
        reason=query.reason,
        language=query.language,
        author=_author(session, who, query.author) if query.author else "",
        campaign=query.campaign or "",
        since=query.since,
        until=query.until,
        words=query.q,
        by_email_on={who.site.id},
    )


def _thread(session: Session, who: Caller, key: str) -> int:
    """Return the thread's number. An unknown thread has no comments."""
    wanted = select(Thread.id).where(Thread.site_id == who.site.id, Thread.key == key)
    return session.scalar(wanted) or 0


def _author(session: Session, who: Caller, comment: str) -> str:
    wanted = select(Comment.email_index).where(
        Comment.id == comment, Comment.site_id == who.site.id
    )
    index = session.scalar(wanted) if is_id(comment) else None
    if index is None:
        raise wrong_field("author", "This must be the id of a comment by the author.")
    return index or "nobody"
