"""The verifier makes every damaged or missing file due, some threads at a time."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, update

from models.records import Thread
from models.settings import settings
from models.store import storage
from models.store.database import begin, reading
from tests.caller import Caller, Client, posted, publish_all
from worker.publishing import verifying
from worker.publishing.verifying import Verifier

STAMP = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


@pytest.fixture
def published(client: Client, moderator: Caller) -> list[str]:
    """Three published threads."""
    keys = ["/a", "/b", "/c"]
    for key in keys:
        moderator.decide(posted(client, thread=key, body=f"About {key}"), "approve")
    publish_all()
    return keys


def file_of(name: str) -> Path:
    return Path(settings().published_url.removeprefix("file://")) / name


def owed() -> list[str]:
    with reading() as session:
        rows = session.scalars(select(Thread.key).where(Thread.publish_due.is_not(None)))
        return sorted(rows)


def test_sound_files_are_left_alone(published: list[str]) -> None:
    assert Verifier().step() == 0
    assert owed() == []


@pytest.mark.parametrize("kind", ["newest", "feed", "page"])
def test_each_missing_object_becomes_due(published: list[str], kind: str) -> None:
    names = {
        "newest": storage.newest_name("demo", "/b"),
        "feed": storage.feed_name("demo", "/b"),
        "page": storage.page_name("demo", "/b", 1),
    }
    file_of(names[kind]).unlink()
    assert Verifier().step() == 1
    assert owed() == ["/b"]
    publish_all()
    assert file_of(names[kind]).exists()
    assert Verifier().step() == 0


def test_a_damaged_object_is_written_again(published: list[str]) -> None:
    file = file_of(storage.newest_name("demo", "/c"))
    sound = file.read_bytes()
    file.write_bytes(sound[:-5])
    assert Verifier().step() == 1
    publish_all()
    assert file.read_bytes() == sound


@pytest.mark.parametrize(
    "unsettled", [{"publish_due": STAMP}, {"published_revision": 0}, {"revision": 0}]
)
def test_a_thread_whose_page_is_not_settled_is_not_looked_at(
    published: list[str], unsettled: dict[str, object]
) -> None:
    file_of(storage.newest_name("demo", "/a")).unlink()
    with begin() as session:
        session.execute(update(Thread).where(Thread.key == "/a").values(unsettled))
    assert Verifier().step() == 0


def test_it_goes_round_all_threads_and_begins_again(
    published: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "THREADS_AT_ONCE", 1)
    for key in published:
        file_of(storage.feed_name("demo", key)).unlink()
    verifier = Verifier()
    found = [verifier.step() for _ in published]
    assert (found, owed()) == ([1, 1, 1], ["/a", "/b", "/c"])
    publish_all()
    file_of(storage.feed_name("demo", "/a")).unlink()
    assert verifier.step() + verifier.step() == 1  # after the last thread comes the first


def test_a_step_is_taken_when_it_is_due(
    published: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    steps: list[float] = []
    monkeypatch.setattr(verifying, "monotonic", lambda: clock[0])
    monkeypatch.setattr(Verifier, "step", lambda self: steps.append(clock[0]))
    verifier = Verifier()
    for seconds in (0, 1, verifying.VERIFY_SECONDS - 1, verifying.VERIFY_SECONDS):
        clock[0] = 1000.0 + seconds
        verifier.step_if_due()
    assert steps == [1000.0, 1000.0 + verifying.VERIFY_SECONDS]


@pytest.mark.parametrize(("pages", "looked_at"), [(0, 0), (1, 1), (25, 1), (26, 2), (1000, 40)])
def test_of_a_long_thread_a_sample_of_pages_is_looked_at(pages: int, looked_at: int) -> None:
    names = list(verifying._names("demo", "/a", pages))
    assert names[:2] == [storage.newest_name("demo", "/a"), storage.feed_name("demo", "/a")]
    assert len(set(names[2:])) == looked_at
    assert verifying.PAGES_AT_ONCE == 40
