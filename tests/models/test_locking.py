"""Transactions that touch the same rows take their locks in one order, so PostgreSQL never has to
break a ring.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event

from models.changes import Change
from models.database import begin, engine
from models.moderation import settle
from models.policy import Verdict
from service import accounts
from tests.caller import COMMENT

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
MEETING_SECONDS = 2.0  # whoever waits for a lock cannot come
_COUNTER = "UPDATE sites SET event_sequence"


@contextmanager
def meeting_after(statement: str) -> Iterator[None]:
    """Two threads wait for each other once, after the first such statement of each, where both come
    so far.
    """
    meeting, came = threading.Barrier(2), threading.local()

    def wait(_connection: Any, _cursor: Any, executed: str, *_: Any) -> None:
        if executed.startswith(statement) and not getattr(came, "yes", False):
            came.yes = True
            try:
                meeting.wait(MEETING_SECONDS)
            except threading.BrokenBarrierError:
                return

    event.listen(engine(), "after_cursor_execute", wait)
    try:
        yield
    finally:
        event.remove(engine(), "after_cursor_execute", wait)


def posted(client: FlaskClient, site: str, number: int) -> str:
    answer = client.post(
        f"/v1/sites/{site}/comments",
        json=COMMENT | {"thread": f"/{number}", "body": f"The ferry was late {number} times."},
    )
    assert answer.json
    return str(answer.json["id"])


def decided(comments: list[str], *, by: str = "policy") -> Callable[[], None]:
    def work() -> None:
        with begin() as session:
            settle(session, [Change(comment, Verdict.APPROVE, by=by) for comment in comments])

    return work


@pytest.mark.parametrize("by", ["policy", "moderator:1"])
def test_two_batches_with_the_same_sites_in_opposite_order_both_commit(
    client: FlaskClient, by: str
) -> None:
    accounts.add_site("other", ["https://paper.example"])
    one, two = ([posted(client, site, number) for site in ("demo", "other")] for number in range(2))
    with meeting_after(_COUNTER), ThreadPoolExecutor(2) as threads:
        for done in [
            threads.submit(decided(one, by=by)),
            threads.submit(decided(two[::-1], by=by)),
        ]:
            done.result(60)
