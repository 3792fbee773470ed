"""Threads close by age, stay open for the same time again after a moderator opened them, and
threads of other sites do not change.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from models.records import Act, Site, Thread
from models.store.database import begin, now, reading
from service.sites import registering
from tests.caller import Caller, Client, post, posted, publish_all, screen_all
from worker.closing import close_old_threads


@pytest.fixture
def old(client: Client) -> None:
    for thread in ("/old", "/new"):
        posted(client, thread=thread)
    registering.add_site("other", ["https://other.example"])
    screen_all()
    with begin() as session:
        long_ago = now() - timedelta(days=31)
        session.execute(update(Thread).where(Thread.key == "/old").values(created_at=long_ago))
        others = session.scalars(select(Site.id).where(Site.key == "other")).one()
        session.add(Thread(site_id=others, key="/old", created_at=long_ago))


def states() -> dict[str, str]:
    with reading() as session:
        rows = session.execute(
            select(Site.key, Thread.key, Thread.state).join(Site, Site.id == Thread.site_id)
        )
        return {f"{site}{thread}": state for site, thread, state in rows}


@pytest.mark.usefixtures("old")
def test_a_thread_closes_when_it_is_as_old_as_the_site_says(
    client: Client, moderator: Caller
) -> None:
    assert close_old_threads(now()) == 0
    draft = {"threads": {"close_after_days": 30}}
    replayed: Any = moderator.call("POST", "/policy/replay", json=draft).json
    assert replayed["threads_closed"] == 1
    moderator.call("PATCH", "/policy", json=draft)
    assert close_old_threads(now()) == 1
    assert states() == {"demo/old": "closed", "demo/new": "open", "other/old": "open"}
    publish_all()
    assert moderator.page("/old")["state"] == "closed"
    assert post(client, thread="/old", body="Too late").status_code == 409
    with reading() as session:
        assert "closed 1 thread after 30 days" in session.scalars(select(Act.what)).all()

    moderator.call("PATCH", "/threads", json={"thread": "/old", "state": "open"})
    assert close_old_threads(now() + timedelta(days=29)) == 0
    assert close_old_threads(now() + timedelta(days=31)) == 2
