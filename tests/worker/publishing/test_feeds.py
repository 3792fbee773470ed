"""A thread's feed is Atom that any reader can parse, newest comment first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest

from models.settings import settings
from worker.publishing.feeds import ATOM, feed

OLD, NEW, NEWEST = (f"0190a0b0-000{n}-7000-8000-000000000000" for n in range(3))
SINCE = "2026-01-01T00:00:00Z"


@pytest.fixture(autouse=True)
def _address(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("GREENROOM_PUBLIC_URL", "https://talk.example")
    settings.cache_clear()
    yield
    settings.cache_clear()


def comment(id_: str | None, *replies: dict[str, Any], **more: Any) -> dict[str, Any]:
    made = {"id": id_, "name": "Ann", "html": "<p>Hm</p>", "at": "2026-02-01T00:00:00Z"}
    return {**made, "edited_at": None, "replies": list(replies), **more}


def parsed(*comments: dict[str, Any], title: str | None = None, thread: str = "/a") -> Any:
    return ElementTree.fromstring(feed("demo", thread, comments, title=title, since=SINCE))


def texts(root: Any, path: str) -> list[str | None]:
    return [leaf.text for leaf in root.findall(path)]


def test_replies_are_entries_and_the_newest_comes_first() -> None:
    root = parsed(comment(OLD, comment(NEWEST)), comment(NEW))
    assert texts(root, "{*}entry/{*}id") == [f"urn:uuid:{id_}" for id_ in (NEWEST, NEW, OLD)]


def test_a_removed_comment_is_no_entry_but_its_replies_are() -> None:
    root = parsed(comment(None, comment(NEW)))
    assert texts(root, "{*}entry/{*}id") == [f"urn:uuid:{NEW}"]


@pytest.mark.parametrize(
    ("title", "shown"), [("The harbour", "The harbour"), (None, "/a"), ("", "/a")]
)
def test_a_thread_without_a_title_is_named_by_its_key(title: str | None, shown: str) -> None:
    assert parsed(title=title).findtext("{*}title") == shown


def test_a_feed_without_entries_is_as_old_as_its_thread() -> None:
    root = parsed()
    assert root.findtext("{*}updated") == SINCE
    assert root.tag == f"{{{ATOM}}}feed"


def test_an_entry_was_updated_when_it_was_edited_last() -> None:
    root = parsed(comment(OLD), comment(NEW, edited_at="2026-03-01T00:00:00Z"))
    assert texts(root, "{*}entry/{*}updated") == ["2026-03-01T00:00:00Z", "2026-02-01T00:00:00Z"]


def test_the_feeds_own_address_is_its_id_and_quotes_the_key() -> None:
    root = parsed(thread="/a&b c")
    address = "https://talk.example/sites/demo/thread.atom?thread=%2Fa%26b+c"
    assert root.findtext("{*}id") == address
    link = root.find("{*}link")
    assert (link.get("rel"), link.get("href")) == ("self", address)


def test_an_entry_links_to_its_comment() -> None:
    [link] = parsed(comment(NEW)).findall("{*}entry/{*}link")
    assert link.get("href") == f"https://talk.example/sites/demo/c/{NEW}"


def test_html_is_escaped_once_and_said_to_be_html() -> None:
    [content] = parsed(comment(NEW, html="<p>1 &lt; 2</p>")).findall("{*}entry/{*}content")
    assert (content.get("type"), content.text) == ("html", "<p>1 &lt; 2</p>")


@pytest.mark.parametrize(
    ("name", "shown"),
    [("A & <B>", "A & <B>"), ("]]>", "]]>"), ("x\ufffey\uffffz", "xyz"), ("🙂", "🙂")],
)
def test_any_name_is_well_formed_xml(name: str, shown: str) -> None:
    root = parsed(comment(NEW, name=name))
    assert texts(root, "{*}entry/{*}author/{*}name") == [shown]
    assert texts(root, "{*}entry/{*}title") == [shown]
