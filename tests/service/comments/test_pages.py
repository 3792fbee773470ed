"""Published pages are read as they are stored; an older one gets the current head."""

from __future__ import annotations

import orjson
import pytest

from models.store import storage
from models.store.storage import Stored
from service.comments.pages import (
    Get,
    empty_page,
    page_of,
    published_page,
    read_page,
    read_replies,
    with_head,
)

SITE, THREAD, TOP = "demo", "/a", "0190a0b0-0000-7000-8000-000000000000"


def stored(page: int, *, revision: int, tag: str, title: str = "A") -> Stored:
    head = {"thread": THREAD, "title": title, "url": None, "state": "open"}
    head |= {"count": revision, "revision": revision}
    rest = {"page": page, "next": None, "comments": [f"of page {page}"]}
    return Stored(orjson.dumps({**head, **rest}), tag)


NEWEST = stored(3, revision=9, tag="new")
OLDER = stored(1, revision=2, tag="old")


def objects(*, without: str = "") -> Get:
    """A storage with a thread's newest page, its first page, and replies."""
    held = {
        storage.newest_name(SITE, THREAD): NEWEST,
        storage.page_name(SITE, THREAD, 1): OLDER,
        storage.replies_name(SITE, THREAD, TOP, 1): stored(1, revision=3, tag="more"),
    }
    held.pop(without, None)
    return held.get


def test_without_a_number_it_is_the_newest_page_byte_for_byte() -> None:
    assert read_page(SITE, THREAD, None, get=objects()) is NEWEST


def test_an_older_page_has_the_newest_head_and_its_own_comments() -> None:
    page = read_page(SITE, THREAD, 1, get=objects())
    assert page is not None
    content = orjson.loads(page.content)
    assert (content["revision"], content["count"]) == (9, 9)
    assert (content["page"], content["comments"]) == (1, ["of page 1"])


def test_a_page_with_a_new_head_has_a_tag_of_both() -> None:
    """The ETag changes when either changes."""
    tags = {
        with_head(newest, page).tag
        for newest in (NEWEST, NEWEST._replace(tag="newer"))
        for page in (OLDER, OLDER._replace(tag="older"))
    }
    assert len(tags) == 4


@pytest.mark.parametrize("title", ['","page":7,"x":"', ',"page":', "\\", "é"])
def test_no_title_can_pass_for_the_heads_end(title: str) -> None:
    newest = stored(3, revision=9, tag="new", title=title)
    content = orjson.loads(with_head(newest, OLDER).content)
    assert (content["title"], content["page"], content["revision"]) == (title, 1, 9)


def test_replies_get_the_newest_head_too() -> None:
    page = read_replies(SITE, THREAD, TOP, 1, get=objects())
    assert page is not None
    assert orjson.loads(page.content)["revision"] == 9


@pytest.mark.parametrize("page", [None, 1])
def test_a_thread_that_was_never_published_has_no_page(page: int | None) -> None:
    get = objects(without=storage.newest_name(SITE, THREAD))
    assert read_page(SITE, THREAD, page, get=get) is None
    assert read_replies(SITE, THREAD, TOP, 1, get=get) is None
    assert published_page(SITE, THREAD, page, get=get) == empty_page(THREAD)


def test_a_page_that_does_not_exist_is_none() -> None:
    assert read_page(SITE, THREAD, 7, get=objects()) is None
    assert read_replies(SITE, THREAD, TOP, 7, get=objects()) is None
    assert published_page(SITE, THREAD, 7, get=objects()) == empty_page(THREAD)


def test_an_empty_page_is_open_and_the_first() -> None:
    page = empty_page("/b")
    assert (page["thread"], page["state"], page["page"], page["comments"]) == ("/b", "open", 1, [])


def test_stored_bytes_are_read_without_validation() -> None:
    assert page_of(NEWEST)["revision"] == 9
    assert published_page(SITE, THREAD, get=objects()) == page_of(NEWEST)
