"""Which threads are too old to take more comments."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from models.records import Site, Thread
from models.settling.ages import too_old
from models.store.database import begin, now, reading
from service.sites import registering


def site_of(key: str) -> int:
    with reading() as session:
        return session.scalars(select(Site.id).where(Site.key == key)).one()


def keys_of_old(before: datetime, site: str = "demo") -> list[str]:
    with reading() as session:
        ids = session.scalars(too_old(site_of(site), before)).all()
        return [session.get_one(Thread, id_).key for id_ in ids]


def test_open_threads_are_old_by_their_first_comment_or_their_last_opening(data: Path) -> None:
    at, day = now(), timedelta(days=1)
    registering.add_site("other", ["https://paper.example"])
    demo, other = site_of("demo"), site_of("other")
    threads = [
        Thread(site_id=demo, key="/old", created_at=at - 9 * day),
        Thread(site_id=demo, key="/oldest", created_at=at - 10 * day),
        Thread(site_id=demo, key="/young", created_at=at - 2 * day),
        Thread(site_id=demo, key="/closed", created_at=at - 9 * day, state="closed"),
        Thread(site_id=demo, key="/again", created_at=at - 9 * day, opened_at=at - day),
        Thread(site_id=demo, key="/once", created_at=at - 9 * day, opened_at=at - 8 * day),
        Thread(site_id=other, key="/other", created_at=at - 9 * day),
    ]
    with begin() as session:
        session.add_all(threads)
    assert keys_of_old(at - 7 * day) == ["/oldest", "/old", "/once"]
    assert keys_of_old(at - 7 * day, "other") == ["/other"]
    assert keys_of_old(at - 30 * day) == []
