"""No SQLite file contains erased words, and an obstacle delays this only as long as it lasts."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from models.identifiers import new_id
from models.records import Chore, Comment, Thread
from models.settling.actor import Actor
from models.settling.erasing import erase
from models.store import scrubbing
from models.store.database import begin, engine, now, reading
from models.store.scrubbing import scrub
from tests.caller import Caller, Client, posted, screen_all
from worker.sweep import tidy

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def files() -> dict[str, bytes]:
    database = Path(str(engine().url.database))
    return {
        path.name: path.read_bytes().lower() for path in database.parent.glob(f"{database.name}*")
    }


def owed() -> set[str]:
    with reading() as session:
        return set(session.scalars(select(Chore.name)))


def later() -> bool:
    return scrub(now() + timedelta(minutes=1))


def _filled(client: Client, count: int) -> list[str]:
    """Return ids of comments of very different sizes, each with its own word in name, body and
    HTML.
    """
    dice = random.Random(4)
    first = posted(client)
    ids = []
    for _ in range(count):
        ids.append(new_id())
        with begin() as session:
            thread = session.scalars(select(Thread)).one()
            row = {
                c.name: getattr(session.get_one(Comment, first), c.key)
                for c in Comment.__table__.columns
            }
            mark = _word(ids[-1])
            size = dice.choice((10, 100, 700, 3000, 9000))
            row |= {
                "id": ids[-1],
                "top_id": ids[-1],
                "thread_id": thread.id,
                "said_once": mark,
                "idempotency_key": None,
            }
            session.execute(
                insert(Comment).values(**row | {"name": mark, "body": f"{mark} {'w' * size}"})
            )
            grown = session.get_one(Comment, dice.choice(ids))
            grown.html, grown.screen_due = _word(grown.id) + "h" * dice.choice((10, 700)), None
    return ids


@sqlite_only
def test_nothing_is_left_of_many_erased_comments_of_all_sizes(client: Client) -> None:
    ids = _filled(client, 120)
    gone = random.Random(5).sample(ids, 80)
    for id_ in gone:
        with begin() as session:
            assert erase(session, id_, by=Actor.moderator("x"))
    assert any(_mark(id_) in content for id_ in gone for content in files().values())
    assert owed() == {"merge search", "vacuum", "truncate log"}
    while not later():
        pass
    assert [
        (name, id_) for name, content in files().items() for id_ in gone if _mark(id_) in content
    ] == []
    assert owed() == set()
    assert all(
        _mark(id_) in files()[Path(str(engine().url.database)).name] for id_ in set(ids) - set(gone)
    )


def _mark(id_: str) -> bytes:
    """Return the word without its beginning, which the search index may share with the word before
    it.
    """
    return _word(id_)[12:].encode()


def _word(id_: str) -> str:
    """Return a unique word that is not the id itself, which stays."""
    return "q" + id_.replace("-", "")[::-1]


@sqlite_only
def test_a_reader_in_the_way_holds_it_up_until_it_has_gone(
    client: Client, moderator: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scrubbing, "TRUNCATE_TRIES", 2)
    id_ = posted(client, body="An unheard-of zanthorwick")
    screen_all()
    with reading() as session:
        assert session.get_one(Comment, id_).body.endswith("zanthorwick")
        moderator.call("DELETE", f"/comments/{id_}")
        assert not later()
        assert "truncate log" in owed()
    assert later()
    assert owed() == set()
    assert not any(b"zanthorwick" in content for content in files().values())


@sqlite_only
def test_a_large_database_is_not_vacuumed(
    client: Client, moderator: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scrubbing, "VACUUM_BYTES", 0)
    moderator.call("DELETE", f"/comments/{posted(client)}")
    assert later()
    assert owed() == set()


@sqlite_only
def test_the_search_still_finds_what_is_left(client: Client, moderator: Caller) -> None:
    ids = [posted(client, body=f"The harbour number {number}") for number in range(5)]
    screen_all()
    moderator.call("DELETE", f"/comments/{ids[0]}")
    assert later()
    with engine().connect() as connection:
        found = connection.exec_driver_sql(
            "SELECT count(*) FROM searched_words WHERE searched_words MATCH 'harbour'"
        )
        assert found.scalar_one() == 4
        connection.exec_driver_sql(
            "INSERT INTO searched_words (searched_words) VALUES ('integrity-check')"
        )


@sqlite_only
def test_expired_data_leaves_the_write_ahead_log_too(data: Path) -> None:
    tidy(now())
    assert owed() == {"truncate log"}
    assert later()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_postgresql_needs_no_scrubbing(client: Client, moderator: Caller) -> None:
    moderator.call("DELETE", f"/comments/{posted(client)}")
    tidy(now())
    assert owed() == set()
    assert later()
