"""Published threads as they are in storage: no query and no rendering, however long the thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal, NotRequired

import orjson
from pydantic import Field
from typing_extensions import TypedDict

from models.store import storage
from models.store.storage import Stored
from service.http.api_types import Id, Time, Url

_PAGE = b',"page":'  # inside a JSON string its quotes would be escaped, so this is the field


Get = Callable[[str], Stored | None]  # an object by its name


class PublishedComment(TypedDict):
    """A comment as readers see it. One that is `removed` keeps its place while it has replies."""

    id: Id | None
    parent: Id | None
    name: Annotated[str, Field(examples=["Ann"])]
    website: Url | None
    html: Annotated[str, Field(examples=["<p>The ferry was late <em>again</em>.</p>"])]
    at: Time
    edited_at: Time | None
    avatar: str
    replies: list[PublishedComment]
    more: Annotated[str | None, Field(description="Where more replies are.")]
    removed: NotRequired[bool]


class ThreadPage(TypedDict):
    """A page of a thread, newest comment first. `next` leads to older comments."""

    thread: Annotated[str, Field(examples=["/2026/harbour"])]
    title: Annotated[str | None, Field(examples=["The harbour"])]
    url: Url | None
    state: Literal["open", "closed"]
    count: Annotated[int, Field(examples=[12])]
    revision: Annotated[int, Field(examples=[14])]
    page: Annotated[int, Field(examples=[1])]
    next: str | None
    comments: list[PublishedComment]


def read_page(site: str, thread: str, page: int | None, *, get: Get = storage.get) -> Stored | None:
    """A page's bytes. An older page is put behind the newest one's head, so state, count and
    revision are today's.
    """
    newest = get(storage.newest_name(site, thread))
    if newest is None or page is None:
        return newest
    older = get(storage.page_name(site, thread, page))
    return with_head(newest, older) if older else None


def read_replies(
    site: str, thread: str, top: str, page: int, *, get: Get = storage.get
) -> Stored | None:
    """Replies that found no room under their top comment."""
    newest = get(storage.newest_name(site, thread))
    more = get(storage.replies_name(site, thread, top, page))
    return with_head(newest, more) if newest and more else None


def with_head(newest: Stored, page: Stored) -> Stored:
    head, _, _ = newest.content.partition(_PAGE)
    _, mark, rest = page.content.partition(_PAGE)
    return Stored(head + mark + rest, f"{newest.tag}-{page.tag}")


def empty_page(thread: str) -> ThreadPage:
    """The page of a thread without comments."""
    return {
        "thread": thread,
        "title": None,
        "url": None,
        "state": "open",
        "count": 0,
        "revision": 0,
        "page": 1,
        "next": None,
        "comments": [],
    }


def published_page(
    site: str, thread: str, page: int | None = None, *, get: Get = storage.get
) -> ThreadPage:
    """The stored page; an empty one for a thread or a page that does not exist."""
    stored = read_page(site, thread, page, get=get)
    return page_of(stored) if stored else empty_page(thread)


def page_of(stored: Stored) -> ThreadPage:
    """What the stored bytes hold. The worker wrote them, so they are not checked."""
    page: ThreadPage = orjson.loads(stored.content)
    return page
