"""Read published threads from storage: no query and no rendering, however long the thread."""

from __future__ import annotations

from collections.abc import Callable

import orjson

from models.store import storage
from models.store.published import ThreadPage
from models.store.storage import Stored

_PAGE = b',"page":'  # inside a JSON string its quotes would be escaped, so this is the field

Get = Callable[[str], Stored | None]  # reads an object by its name


def read_page(site: str, thread: str, page: int | None, *, get: Get = storage.get) -> Stored | None:
    """Return a page's bytes. An older page gets the newest one's head, so that its state, count and
    revision are current.
    """
    newest = get(storage.newest_name(site, thread))
    if newest is None or page is None:
        return newest
    older = get(storage.page_name(site, thread, page))
    return with_head(newest, older) if older else None


def read_replies(
    site: str, thread: str, top: str, page: int, *, get: Get = storage.get
) -> Stored | None:
    """Return the replies that do not fit under their top-level comment."""
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
    """Return the stored page, or an empty one for a thread or a page that does not exist."""
    stored = read_page(site, thread, page, get=get)
    return page_of(stored) if stored else empty_page(thread)


def page_of(stored: Stored) -> ThreadPage:
    """Parse the stored bytes. The worker wrote them, so they are not validated."""
    page: ThreadPage = orjson.loads(stored.content)
    return page
