"""Greenroom notices a damaged published object: readers get it from the rows, and it is written
again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner
from sqlalchemy import select

from models import caches
from models.records import Thread
from models.store import storage
from models.store.database import reading
from service.commands.main import main
from service.comments import mending
from service.operations import doctor
from tests.caller import Caller, Client, posted, publish_all
from worker.publishing.publishing import publish_threads
from worker.publishing.verifying import Verifier

DAMAGE: dict[str, Callable[[bytes, bytes], bytes]] = {
    "no bytes": lambda _own, _other: b"",
    "cut off": lambda own, _other: own[: len(own) // 2],
    "one byte short": lambda own, _other: own[:-1],
    "zeros in place of its end": lambda own, _other: own[:-100] + bytes(100),
    "only zeros": lambda own, _other: bytes(len(own)),
    "garbage": lambda own, _other: bytes(reversed(own)),
    "another thread's": lambda _own, other: other,
    "other JSON": lambda _own, _other: b"[]",
    "JSON of other fields": lambda _own, _other: b'{"thread":7,"page":1}',
}
# Small pages, so that a handful of comments fills two. Each module has imported the numbers.
SMALL = {"TOPS_A_PAGE": 3, "REPLIES_A_PAGE": 2}
PAGED = (
    "service.api.public",
    "service.operations.page_rules",
    "service.operations.strays",
    "worker.publishing.pages",
    "worker.publishing.verifying",
)
MOST = SMALL["TOPS_A_PAGE"] + 2


@pytest.fixture
def written(client: Client, moderator: Caller, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Publish two pages and continued replies under `/harbour`, and a little under `/other`. Return
    the ids of the former.
    """
    caches.forget()
    for module in PAGED:
        for name, number in SMALL.items():
            monkeypatch.setattr(f"{module}.{name}", number, raising=False)
    monkeypatch.setattr("service.operations.page_rules.PAUSES", ())
    ids = [posted(client, body=f"Comment {n}", email=f"ann{n}@example.org") for n in range(MOST)]
    for comment in ids:
        moderator.decide(comment, "approve")
    for n in range(4):
        reply = posted(client, body=f"Reply {n}", email=f"bob{n}@example.org", parent=ids[0])
        moderator.decide(reply, "approve")
    moderator.decide(posted(client, thread="/other", body="Elsewhere."), "approve")
    publish_all()
    return ids


def damage(data: Path, name: str, other: str, how: str) -> Path:
    """Overwrite a file as a failing disk would; return the file."""
    file, beside = data / "published" / name, data / "published" / other
    age = file.stat().st_mtime
    file.write_bytes(DAMAGE[how](file.read_bytes(), beside.read_bytes()))
    os.utime(
        file, (age + 5, age + 5)
    )  # a process that has read a file does not read it again if second and size are equal
    mending._owed.clear()
    return file


def shown(content: bytes) -> Any:
    return orjson.loads(content)


@pytest.mark.parametrize("kind", ["newest", "older", "replies"])
def test_a_damaged_page_is_served_from_the_rows_and_written_again(
    client: Client, data: Path, written: list[str], kind: str
) -> None:
    names = {
        "newest": (storage.newest_name("demo", "/harbour"), ""),
        "older": (storage.page_name("demo", "/harbour", 1), "&page=1"),
        "replies": (
            storage.replies_name("demo", "/harbour", written[0], 1),
            f"&page=1&replies={written[0]}",
        ),
    }
    name, query = names[kind]
    asked = f"/v1/sites/demo/comments?thread=/harbour{query}"
    before = shown(client.get(asked).data)
    for how in DAMAGE:
        damage(data, name, storage.newest_name("demo", "/other"), how)
        answer = client.get(asked)
        assert (answer.status_code, shown(answer.data)) == (200, before), how
        assert client.get(f"/sites/demo/thread?thread=/harbour{query}").status_code == 200, how
        publish_all()
        assert isinstance(storage.look(name), storage.Stored), how
        assert shown(client.get(asked).data) == before, how
    assert doctor.examine().found == []


def test_a_damaged_feed_is_served_from_the_rows_and_written_again(
    client: Client, data: Path, written: list[str]
) -> None:
    asked, name = "/sites/demo/thread.atom?thread=/harbour", storage.feed_name("demo", "/harbour")
    before = client.get(asked).data
    for how in DAMAGE:
        damage(data, name, storage.feed_name("demo", "/other"), how)
        answer = client.get(asked)
        assert (answer.status_code, answer.data) == (200, before), how
        publish_all()
        assert isinstance(storage.look(name), storage.Stored), how


def test_doctor_names_the_file_and_the_command_that_repairs_it(
    data: Path, written: list[str]
) -> None:
    name = storage.page_name("demo", "/harbour", 1)
    for how in DAMAGE:
        damage(data, name, storage.newest_name("demo", "/other"), how)
        run = CliRunner().invoke(main, ["doctor"])
        assert run.exit_code == 1, how
        assert name in re.sub(r"\s", "", run.stdout), how
        assert "greenroom publish" in " ".join(run.stdout.split()), how
        doctor.mend(doctor.examine().found)
        assert doctor.examine().found == [], how


def test_a_verifying_worker_makes_damaged_and_missing_files_due(
    data: Path, written: list[str]
) -> None:
    newest, older = (
        storage.newest_name("demo", "/harbour"),
        storage.page_name("demo", "/harbour", 1),
    )
    assert Verifier().step() == 0
    for how in DAMAGE:
        damage(data, older, storage.newest_name("demo", "/other"), how)
        storage.remove(newest)
        assert Verifier().step() == 2, how
        publish_all()
        assert Verifier().step() == 0, how
    assert doctor.examine().found == []


def test_only_damaged_objects_and_later_changes_are_written_again(
    data: Path, written: list[str]
) -> None:
    """A thread of a hundred thousand comments is not written again because of one page."""
    newest = storage.page_name("demo", "/harbour", 2)
    damage(data, newest, newest, "cut off")
    before = {file: file.stat().st_mtime_ns for file in (data / "published").rglob("1.json")}
    Verifier().step()
    publish_all()
    assert isinstance(storage.look(newest), storage.Stored)
    untouched = data / "published" / storage.newest_name("demo", "/other").replace("newest", "1")
    assert untouched.stat().st_mtime_ns == before[untouched]


def test_while_the_rows_cannot_be_asked_a_damaged_page_is_a_clear_503(
    client: Client, data: Path, written: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy.exc import OperationalError

    def away(*_: object, **__: object) -> object:
        raise OperationalError("SELECT", None, Exception("connection refused"))

    assert client.get("/v1/sites/demo/comments?thread=/harbour").status_code == 200
    newest = storage.newest_name("demo", "/harbour")
    damage(data, newest, newest, "cut off")
    monkeypatch.setattr(mending, "reading", away)
    for path in ("/v1/sites/demo/comments", "/sites/demo/thread"):
        answer = client.get(f"{path}?thread=/harbour")
        assert answer.status_code == 503
        assert "Retry-After" in answer.headers


def test_a_thread_that_is_published_again_loses_nothing(
    client: Client, data: Path, written: list[str]
) -> None:
    with reading() as session:
        threads = list(session.scalars(select(Thread.id)))
    for name in ("newest.json", "1.json", "2.json", "feed.atom"):
        for file in (data / "published").rglob(name):
            file.write_bytes(b"")
    while Verifier().step():
        publish_threads(threads)
    assert doctor.examine().found == []
