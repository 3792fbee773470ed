"""An avatar depends on name and thread, and avatars made from an email address are replaced."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from models.avatars import avatar_of
from models.records import Comment, Thread
from models.settling.actor import Actor
from models.settling.erasing import erase
from models.store.database import begin, now, reading
from models.store.storage import get, newest_name
from tests.caller import Caller, Client, posted, publish_all
from worker.publishing import avatar_seeds
from worker.publishing.avatar_seeds import redraw_avatars

VICTIM = "victim@paper.example"


def shown(client: Client, thread: str = "/harbour") -> dict[str, str]:
    """Return the avatars that readers see, by name."""
    page = client.get(f"/v1/sites/demo/comments?thread={thread}").json
    return {comment["name"]: comment["avatar"] for comment in page["comments"]}


def approved(client: Client, moderator: Caller, **fields: Any) -> str:
    comment = posted(client, **{"thread": "/harbour"} | fields)
    moderator.decide(comment, "approve")
    publish_all()
    return comment


def test_an_equal_avatar_confirms_no_email(client: Client, moderator: Caller) -> None:
    approved(client, moderator, name="Victim", email=VICTIM, body="What I wrote myself.")
    approved(client, moderator, name="Mallory", email=VICTIM, body="What a guesser wrote.")
    approved(
        client, moderator, name="Stranger", email="other@paper.example", body="What another wrote."
    )
    assert len(set(shown(client).values())) == 3


def test_it_is_the_same_for_a_name_whatever_the_email_its_case_and_its_blanks(
    client: Client, moderator: Caller
) -> None:
    for number, name in enumerate(("Ann Miller", "ANN MILLER", "ann  miller")):
        approved(
            client,
            moderator,
            name=name,
            email=f"a{number}@paper.example",
            body=f"Comment {number} of mine.",
        )
    assert len(set(shown(client).values())) == 1


def test_an_avatar_differs_in_another_thread_and_for_another_name(client: Client) -> None:
    assert (
        len({avatar_of(name, thread) for name in ("Ann", "Änn", "Ann M", "") for thread in (1, 2)})
        == 8
    )


@pytest.fixture
def old(client: Client, moderator: Caller) -> list[str]:
    """Comments as an earlier release stored them: approved ones of two threads, a pending and an
    erased one.
    """
    ids = [
        approved(
            client, moderator, name=f"Ann {number}", thread=thread, body=f"Comment {number} here."
        )
        for thread in ("/harbour", "/bridge")
        for number in range(3)
    ]
    ids.append(posted(client, name="Waits", body="Not decided yet."))
    ids.append(approved(client, moderator, name="Gone", body="This will be erased."))
    with begin() as session:
        erase(session, ids[-1], by=Actor.moderator("1"))
    publish_all()
    with begin() as session:
        session.execute(
            update(Comment)
            .where(Comment.erased_at.is_(None))
            .values(avatar="0ld00", avatar_from=None)
        )
        session.execute(
            update(Comment).where(Comment.erased_at.is_not(None)).values(avatar_from=None)
        )
        session.execute(update(Thread).values(published_revision=0, publish_due=now()))
    publish_all()
    assert set(shown(client).values()) == {"0ld00"}
    return ids


def test_old_avatars_are_replaced_and_their_pages_published(client: Client, old: list[str]) -> None:
    assert redraw_avatars(now()) == len(old)
    publish_all()
    with reading() as session:
        thread = dict(session.execute(select(Thread.key, Thread.id)).all())
        rows = {row.id: row for row in session.scalars(select(Comment)).all()}
    for key in ("/harbour", "/bridge"):
        assert shown(client, key) == {
            f"Ann {n}": avatar_of(f"Ann {n}", thread[key]) for n in range(3)
        }
        assert b"0ld00" not in get(newest_name("demo", key)).content
    assert rows[old[-2]].avatar == avatar_of("Waits", rows[old[-2]].thread_id)
    assert (rows[old[-1]].avatar, rows[old[-1]].avatar_from) == ("", "name")
    assert redraw_avatars(now()) == 0


def test_avatars_are_replaced_a_few_at_a_time_and_continue_after_a_stop(
    client: Client, old: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(avatar_seeds, "COMMENTS_AT_ONCE", 2)
    monkeypatch.setattr(avatar_seeds, "THREADS_AT_ONCE", 1)
    counts = [redraw_avatars(now()) for _ in range(6)]
    assert sum(counts) == len(old)
    assert max(counts) == 2
    publish_all()
    assert "0ld00" not in {*shown(client).values(), *shown(client, "/bridge").values()}


def test_nothing_is_drawn_while_many_pages_wait(
    old: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(avatar_seeds, "MOST_OWED", 0)
    with begin() as session:
        session.execute(update(Thread).values(publish_due=now() - 2 * avatar_seeds.OVERDUE))
    assert redraw_avatars(now()) == 0


def test_only_a_threads_revision_moves_and_no_comments_version(old: list[str]) -> None:
    with reading() as session:
        before = dict(session.execute(select(Thread.id, Thread.revision)).all())
        versions = dict(session.execute(select(Comment.id, Comment.version)).all())
    redraw_avatars(now())
    with reading() as session:
        assert dict(session.execute(select(Thread.id, Thread.revision)).all()) == {
            thread: revision + 1 for thread, revision in before.items()
        }
        assert dict(session.execute(select(Comment.id, Comment.version)).all()) == versions
