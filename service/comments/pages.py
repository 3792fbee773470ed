"""Published threads as they lie in storage: no query, no rendering, flat in the size
of the thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from models.store import storage
from models.store.storage import Stored

_PAGE = b',"page":'  # inside a JSON string its quotes would be escaped, so this is the field


Get = Callable[[str], Stored | None]  # an object by its name


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


def empty_page(thread: str) -> dict[str, Any]:
    """A thread nobody has written in yet."""
    head = {
        "thread": thread,
        "title": None,
        "url": None,
        "state": "open",
        "count": 0,
        "revision": 0,
    }
    return {**head, "page": 1, "next": None, "comments": []}


def published_page(
    site: str, thread: str, page: int | None = None, *, get: Get = storage.get
) -> dict[str, Any]:
    """The stored page as a dict; an empty one for a thread or page that is not there."""
    stored = read_page(site, thread, page, get=get)
    answer: dict[str, Any] = orjson.loads(stored.content) if stored else empty_page(thread)
    return answer
