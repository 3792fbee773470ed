"""A Greenroom with a bit of everything in it, and an empty one beside it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from models.settings import settings
from service.operations import metrics
from tests.caller import Caller, Client, posted, publish_all, screen_all
from tests.conftest import forget

_numbers = count(1)


@pytest.fixture(autouse=True)
def _count_anew() -> None:
    """Forget the counts that metrics remember from another test."""
    metrics.count_anew()


@pytest.fixture
def lived_in(client: Client, moderator: Caller) -> dict[str, str]:
    """A published thread without problems; return its ids by outcome."""
    bodies = ("approved", "rejected", "flagged", "undone", "erased", "taken down")
    ids = {
        what: posted(client, body=f"A comment that is {what}", email=f"{what[:3]}@example.org")
        for what in bodies
    }
    screen_all()
    for what in bodies:
        moderator.decide(ids[what], {"rejected": "reject", "flagged": "flag"}.get(what, "approve"))
    ids["answer"] = posted(client, body="An answer", parent=ids["approved"])
    moderator.decide(ids["answer"], "approve")
    moderator.decide(ids["undone"], "reject")
    moderator.undo(ids["undone"])
    moderator.decide(ids["taken down"], "reject")
    moderator.call("DELETE", f"/comments/{ids['erased']}")
    publish_all()
    return ids


@pytest.fixture(params=["sqlite", "postgresql"])
def move(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], Path]]:
    """Continue this test with an empty, migrated Greenroom elsewhere; return its folder."""
    folder = tmp_path / "elsewhere"

    def begin_anew(url: str) -> Path:
        forget()
        monkeypatch.setenv("GREENROOM_DATA", str(folder))
        monkeypatch.setenv("GREENROOM_DATABASE_URL", url)
        settings.cache_clear()
        return folder

    folder.mkdir()
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), folder / "greenroom.db")
        yield lambda: begin_anew(f"sqlite:///{folder}/greenroom.db")
    else:
        server = request.getfixturevalue("postgres")
        with server.database(f"elsewhere{next(_numbers)}", like="greenroom") as url:
            yield lambda: begin_anew(url)
            forget()
