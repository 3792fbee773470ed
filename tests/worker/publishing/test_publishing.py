"""Published pages keep their members, replies continue elsewhere, and an older page never replaces
a newer one.
"""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from itertools import count
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import orjson
import pytest
from sqlalchemy import select, update

from models.records import Thread
from models.settings import settings
from models.store import storage
from models.store.database import begin, now, reading
from tests.caller import Caller, Client, posted, publish_all
from worker.publishing import pages, publishing
from worker.publishing.publishing import publish_threads

COUNTER = count()
PLAIN = "/sites/demo/thread?thread=/harbour"


def approved(client: Client, moderator: Caller, number: int, **fields: Any) -> list[str]:
    body = fields.pop("body", "A comment")
    comments = [posted(client, body=f"{body} {next(COUNTER)}", **fields) for _ in range(number)]
    for comment in comments:
        moderator.decide(comment, "approve")
    publish_all()
    return comments


def ids(page: Any) -> list[str]:
    return [comment["id"] for comment in page["comments"]]


def test_a_page_holds_25_top_comments_and_keeps_them(client: Client, moderator: Caller) -> None:
    comments = approved(client, moderator, 60)
    newest = moderator.page()
    assert newest["page"] == 3
    assert newest["count"] == 60
    assert ids(newest) == comments[50:][::-1]
    second = client.get(newest["next"]).json
    assert ids(second) == comments[25:50][::-1]
    first = client.get(second["next"]).json
    assert ids(first) == comments[:25][::-1]
    assert first["next"] is None
    moderator.decide(comments[30], "reject")
    publish_all()
    assert ids(moderator.page(page=2)) == [
        id_ for id_ in comments[25:50][::-1] if id_ != comments[30]
    ]
    assert ids(moderator.page(page=1)) == comments[:25][::-1]
    assert moderator.page(page=1)["count"] == 59  # an older page has the current head of the thread
    moderator.decide(comments[30], "approve")
    publish_all()
    assert ids(moderator.page(page=2)) == comments[25:50][::-1]


def test_one_approval_writes_few_objects_however_long_the_thread(
    client: Client, moderator: Caller, data: Path
) -> None:
    approved(client, moderator, 80)
    before = {file: file.stat().st_mtime_ns for file in (data / "published").rglob("*.json")}
    approved(client, moderator, 1, name="Late")
    changed = [file.name for file in before if file.stat().st_mtime_ns != before[file]]
    assert sorted(changed) == ["4.json", "newest.json"]


def test_more_than_50_replies_continue_elsewhere(client: Client, moderator: Caller) -> None:
    top = approved(client, moderator, 1)[0]
    replies = approved(client, moderator, 120, parent=top)
    shown = moderator.page()["comments"][0]
    assert [reply["id"] for reply in shown["replies"]] == replies[:50]
    more = client.get(shown["more"]).json
    assert ids(more) == replies[50:100]
    rest = client.get(more["next"]).json
    assert ids(rest) == replies[100:]
    assert rest["next"] is None


def test_replies_are_under_their_parent_oldest_first(client: Client, moderator: Caller) -> None:
    top = approved(client, moderator, 1)[0]
    first, second = approved(client, moderator, 2, parent=top)
    below = approved(client, moderator, 1, parent=first)[0]
    shown = moderator.page()["comments"][0]
    assert [reply["id"] for reply in shown["replies"]] == [first, second]
    assert [reply["id"] for reply in shown["replies"][0]["replies"]] == [below]
    moderator.decide(first, "reject")
    publish_all()
    shown = moderator.page()["comments"][0]
    assert shown["replies"][0]["id"] is None
    assert [reply["id"] for reply in shown["replies"][0]["replies"]] == [below]
    moderator.decide(below, "reject")
    publish_all()
    assert [reply["id"] for reply in moderator.page()["comments"][0]["replies"]] == [second]


def test_a_newest_page_that_was_emptied_is_not_what_readers_see(
    client: Client, moderator: Caller
) -> None:
    comments = approved(client, moderator, 26)
    moderator.decide(comments[25], "reject")
    publish_all()
    assert ids(moderator.page()) == comments[:25][::-1]


def test_a_thread_is_read_with_an_etag_and_answers_304(client: Client, moderator: Caller) -> None:
    approved(client, moderator, 1)
    address = "/v1/sites/demo/comments?thread=/harbour"
    tag = client.get(address).headers["ETag"]
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 304
    approved(client, moderator, 1, name="Bob")
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 200


def test_no_email_or_address_is_published(client: Client, moderator: Caller, data: Path) -> None:
    approved(client, moderator, 2, email="secret.reader@example.org")
    for file in (data / "published").rglob("*"):
        if file.is_file():
            assert b"secret.reader" not in file.read_bytes()
            assert (
                b"127.0.0.1:" not in file.read_bytes() or file.suffix == ".atom"
            )  # the feed names its own address


def test_a_strangers_html_is_not_published(client: Client, moderator: Caller) -> None:
    body = (
        '<img src=x onerror=alert(1)> [a](javascript:alert(1)) **bold** [b](https://b.example "t")'
    )
    approved(client, moderator, 1, name="<script>alert(1)</script>", body=body)
    shown = moderator.page()["comments"][0]
    assert shown["name"] == "<script>alert(1)</script>"  # text that the embed shows as text
    assert "<img" not in shown["html"]
    assert 'href="javascript' not in shown["html"]
    assert "<strong>bold</strong>" in shown["html"]
    assert 'rel="ugc nofollow noopener"' in shown["html"]


def test_the_second_publisher_of_a_thread_does_nothing(client: Client, moderator: Caller) -> None:
    moderator.decide(posted(client), "approve")
    with begin() as session:
        held = {
            "lease": "01a202e5-df04-77cb-9077-336cd4ad4d3a",
            "lease_until": now() + timedelta(seconds=30),
        }
        session.execute(update(Thread).values(**held))
        thread = session.execute(select(Thread.id)).scalar_one()
    assert publish_threads([thread]) == 0
    with begin() as session:
        session.execute(update(Thread).values(lease_until=now() - timedelta(seconds=1)))
    assert publish_threads([thread]) == 1
    assert moderator.page()["count"] == 1


def test_a_decision_made_while_publishing_is_published_by_the_same_publisher(
    client: Client, moderator: Caller, monkeypatch: Any
) -> None:
    first, second = posted(client), posted(client, body="Another")
    moderator.decide(first, "approve")
    put, pending = storage.put, [second]

    def decide_meanwhile(*item: Any) -> None:
        if pending:
            moderator.decide(pending.pop(), "approve")
        put(*item)

    monkeypatch.setattr(publishing.storage, "put", decide_meanwhile)
    publish_all()
    assert set(ids(moderator.page())) == {first, second}
    with reading() as session:
        assert session.execute(select(Thread.publish_due)).scalar() is None


def test_a_page_and_its_count_are_of_one_moment(
    client: Client, moderator: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (posted(client, body=f"Comment {number}") for number in range(2))
    moderator.decide(first, "approve")
    written: list[Any] = []
    touched, put = pages._Writer._touched, storage.put

    def meanwhile(*asked: Any) -> Any:
        """The thread has been read, but its comments have not."""
        monkeypatch.setattr(pages._Writer, "_touched", touched)
        moderator.decide(second, "approve")
        return touched(*asked)

    def watched(name: str, content: bytes, *rest: Any) -> None:
        written.extend([orjson.loads(content)] if name.endswith("newest.json") else [])
        put(name, content, *rest)

    monkeypatch.setattr(pages._Writer, "_touched", meanwhile)
    monkeypatch.setattr(storage, "put", watched)
    publish_all()
    assert [(page["count"], len(page["comments"])) for page in written] == [(1, 1), (2, 2)]


def test_a_publisher_that_lost_its_lease_leaves_the_thread_due(
    client: Client, moderator: Caller, monkeypatch: Any
) -> None:
    moderator.decide(posted(client), "approve")
    put = storage.put

    def stall(*item: Any) -> None:
        with begin() as session:  # another publisher took over meanwhile
            session.execute(update(Thread).values(lease="01a202e5-df04-77cb-9077-336cd4ad4d3b"))
        put(*item)

    with monkeypatch.context() as patch:
        patch.setattr(publishing.storage, "put", stall)
        publish_all()
    with begin() as session:
        assert session.execute(select(Thread.publish_due)).scalar() is not None
        session.execute(update(Thread).values(lease=None, lease_until=None))
    publish_all()
    assert moderator.page()["count"] == 1


def test_the_feed_is_well_formed_whatever_was_written(client: Client, moderator: Caller) -> None:
    approved(client, moderator, 1, name="A & <B> \ufffe", body="x ]]> & <y>")
    assert _titles(client.get("/sites/demo/thread.atom?thread=/harbour").data) == ["A & <B> "]


def test_the_feed_is_at_its_own_address_and_at_the_plain_pages_link(
    client: Client, moderator: Caller
) -> None:
    approved(client, moderator, 2)
    named = re.search(r'type="application/atom\+xml" href="([^"]+)"', client.get(PLAIN).text)
    assert named
    answer = client.get(unescape(named[1]))
    assert answer.content_type == "application/atom+xml"
    own = ElementTree.fromstring(answer.data).findtext("{*}id") or ""
    again = client.get(
        own.removeprefix(settings().base_url), headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert again.status_code == 304


def test_the_feed_of_a_thread_without_comments_is_empty_and_well_formed(
    client: Client,
) -> None:
    answer = client.get("/sites/demo/thread.atom", query_string={"thread": "/a&<b>\uffff"})
    assert (answer.status_code, _titles(answer.data)) == (200, [])
    assert client.get("/sites/demo/thread.atom").status_code == 422


def _titles(feed: bytes) -> list[str | None]:
    return [
        entry.findtext("{*}title") for entry in ElementTree.fromstring(feed).findall("{*}entry")
    ]


def test_stored_pages_are_complete_json(client: Client, moderator: Caller) -> None:
    approved(client, moderator, 3, title='The "page": of the harbour', thread='/a","page":9')
    stored = storage.get(storage.newest_name("demo", '/a","page":9'))
    assert stored is not None
    assert orjson.loads(stored.content)["thread"] == '/a","page":9'
    assert moderator.page('/a","page":9', page=1)["thread"] == '/a","page":9'


def test_storage_that_fails_for_one_thread_does_not_hold_up_another(
    client: Client, moderator: Caller, monkeypatch: Any
) -> None:
    for thread in ("/broken", "/fine"):
        moderator.decide(posted(client, thread=thread), "approve")
    put, broken = storage.put, storage.newest_name("demo", "/broken")

    def fail(name: str, *rest: Any) -> None:
        if name == broken:
            raise OSError("disk full")
        put(name, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(publishing.storage, "put", fail)
        publish_all()
    assert moderator.page("/fine")["count"] == 1
    assert moderator.page("/broken")["count"] == 0
    publish_all()
    assert moderator.page("/broken")["count"] == 1


def test_answers_that_continue_elsewhere_stay_reachable_when_all_before_them_are_gone(
    client: Client, moderator: Caller
) -> None:
    top = approved(client, moderator, 1)[0]
    replies = approved(client, moderator, 53, parent=top)
    for gone in [*replies[:50], top]:
        moderator.decide(gone, "reject")
    publish_all()
    page = moderator.page()
    assert page["count"] == 3
    assert ids(client.get(page["comments"][0]["more"]).json) == replies[50:]
