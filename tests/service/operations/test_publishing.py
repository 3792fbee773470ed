"""`greenroom publish`: make all pages of threads due, and write them now."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from models.records import Thread
from models.store import storage
from models.store.database import begin, now, reading
from service.operations import publishing
from tests.caller import Caller, Client, posted, publish_all


@pytest.fixture
def threads(client: Client, moderator: Caller) -> list[int]:
    """Two published threads, and one that never had a page."""
    for number in range(2):
        moderator.decide(posted(client, thread=f"/{number}", body=f"Number {number}"), "approve")
    posted(client, thread="/waits")
    publish_all()
    with reading() as session:
        return list(session.scalars(select(Thread.id).order_by(Thread.id)))


def page(number: int) -> str:
    return storage.page_name("demo", f"/{number}", 1)


def test_lost_pages_are_written_again(threads: list[int]) -> None:
    for number in range(2):
        storage.remove(page(number))
    done: list[int] = []
    assert publishing.publish(threads[:2], done.append) == []
    assert sum(done) == 2
    for number in range(2):
        assert storage.get(page(number)) is not None


def test_only_threads_that_ever_had_a_page_are_all_threads(threads: list[int]) -> None:
    assert list(publishing.every_thread()) == threads[:2]
    publishing.owe_all()
    with reading() as session:
        owed = session.scalars(select(Thread.id).where(Thread.publish_due.is_not(None))).all()
    assert sorted(owed) == threads[:2]


def test_a_thread_held_by_a_publisher_stays_due_and_is_reported(threads: list[int]) -> None:
    held = {"lease": "0195511c-6a20-7c3e-9d41-3f1f0a6b52c7"}
    with begin() as session:
        later = now() + timedelta(minutes=5)
        values = {**held, "lease_until": later}
        session.execute(update(Thread).where(Thread.id == threads[0]).values(values))
    assert publishing.publish(threads[:2]) == [threads[0]]


def test_threads_are_named_by_number_or_by_site_and_key(threads: list[int]) -> None:
    assert publishing.numbered([str(threads[1]), str(threads[0])], None) == threads[1::-1]
    assert publishing.numbered(["/0", "/waits"], "demo") == [threads[0], threads[2]]


@pytest.mark.parametrize(
    ("name", "site", "words"),
    [
        ("/0", None, "--site demo /0"),
        ("999999", None, "There is no thread 999999"),
        ("/nowhere", "demo", "There is no thread /nowhere on a site 'demo'"),
        ("/0", "other", "on a site 'other'"),
        ("9" * 30, None, "is not a thread's number"),
        ("１", None, "is not a thread's number"),
    ],
)
def test_an_unknown_thread_is_reported_with_advice(
    threads: list[int], name: str, site: str | None, words: str
) -> None:
    with pytest.raises(LookupError, match=words):
        publishing.numbered([name], site)
