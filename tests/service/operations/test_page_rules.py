"""The doctor compares every published page with the database."""

from __future__ import annotations

import orjson
import pytest
from sqlalchemy import select, update

from models.records import Comment, Thread
from models.store import storage
from models.store.database import begin, reading
from models.store.storage import TOPS_A_PAGE
from service.operations import page_rules
from service.operations.violation import Violation
from tests.caller import Caller, Client, posted, publish_all

NAME = ("demo", "/harbour")


@pytest.fixture(autouse=True)
def _looks_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look once, without the pauses for a thread that is being published."""
    monkeypatch.setattr(page_rules, "PAUSES", ())


@pytest.fixture
def thread(client: Client, moderator: Caller) -> list[str]:
    """A thread with two published comments; the second one is a reply."""
    first = posted(client, body="The ferry was late.", title="The harbour")
    moderator.decide(first, "approve")
    publish_all()
    reply = posted(client, body="So it was.", parent=first)
    moderator.decide(reply, "approve")
    publish_all()
    return [first, reply]


def found() -> list[Violation]:
    with reading() as session:
        thread_id = session.scalars(select(Thread.id)).one()
    return page_rules.examine(thread_id, lambda names: map(storage.look, names))


def rules() -> set[str]:
    return {violation.rule for violation in found()}


def rewrite(name: str, **changes: object) -> None:
    """Change a stored page as a bug, or someone else, might."""
    stored = storage.get(name)
    assert stored is not None
    content = orjson.dumps({**orjson.loads(stored.content), **changes})
    storage.put(name, content, "application/json")


def change(model: type[Comment | Thread], **values: object) -> None:
    with begin() as session:
        session.execute(update(model).values(**values))


def test_a_freshly_published_thread_has_no_problems(thread: list[str]) -> None:
    assert found() == []


def test_a_comment_that_is_not_on_its_page_is_named(thread: list[str]) -> None:
    rewrite(storage.page_name(*NAME, 1), comments=[])
    missing = [violation.words for violation in found() if violation.rule == "on its page"]
    assert any(thread[0] in words for words in missing)
    assert any(thread[1] in words for words in missing)


def test_a_page_that_is_missing_is_named(thread: list[str]) -> None:
    storage.remove(storage.page_name(*NAME, 1))
    assert "on its page" in rules()
    assert "its page 1.json is missing" in found()[0].words


def test_a_changed_text_is_named(thread: list[str]) -> None:
    with begin() as session:
        session.get_one(Comment, thread[1]).html = "<p>Other words.</p>"
    (violation, *_) = found()
    assert violation.rule == "as written"
    assert thread[1] in violation.words
    assert violation.command.startswith("greenroom publish ")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"title": "Another"}, "say title 'Another', but it is 'The harbour'"),
        ({"state": "closed"}, "say state 'closed', but it is 'open'"),
        ({"count": 9}, "say count 9, but it is 2"),
        ({"revision": 1}, "say revision 1, but it is"),
    ],
)
def test_the_head_of_the_newest_page_is_compared(
    thread: list[str], changes: dict[str, object], words: str
) -> None:
    rewrite(storage.newest_name(*NAME), **changes)
    (violation,) = found()
    assert violation.rule == "head"
    assert words in violation.words


def test_counts_and_places_are_compared_with_the_comments(thread: list[str]) -> None:
    change(Thread, count=7, places=5)
    assert {"counts", "places"} <= rules()


def test_a_feed_that_is_missing_is_named(thread: list[str]) -> None:
    storage.remove(storage.feed_name(*NAME))
    assert rules() == {"feed"}


def test_pages_that_are_due_may_be_behind(thread: list[str]) -> None:
    change(Thread, revision=Thread.revision + 1)
    rewrite(storage.newest_name(*NAME), count=9)
    assert found() == []


def test_a_gap_in_the_places_is_named_with_whole_pages(client: Client, moderator: Caller) -> None:
    ids = [posted(client, body=f"Number {n}") for n in range(TOPS_A_PAGE + 1)]
    for id_ in ids:
        moderator.decide(id_, "approve")
    publish_all()
    assert found() == []
    with begin() as session:
        session.get_one(Comment, ids[-1]).place = TOPS_A_PAGE + 3
    assert "places" in rules()


def test_every_thread_is_looked_at(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_rules, "THREADS_AT_ONCE", 2)
    for number in range(5):
        posted(client, thread=f"/{number}")
    keys = [(row.site, row.Thread.key) for row in page_rules.threads()]
    assert keys == [("demo", f"/{number}") for number in range(5)]
