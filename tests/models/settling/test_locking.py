"""Transactions that touch the same rows lock them in one order, so PostgreSQL never has to end a
deadlock.

Each test leads two transactions to the point where they once deadlocked, and fails with
PostgreSQL's `deadlock detected` if one of them takes its locks in the old order. Nothing here waits
for the clock: a transaction continues when the other one is blocked or has ended.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import delete, event, func, insert, select, text, update

from models.identifiers import new_id
from models.judgement.policy import Verdict
from models.judgement.scores import SPAM
from models.mailing.outbox import forget_reader
from models.records import (
    Comment,
    Delivery,
    Endpoint,
    Event,
    Follow,
    Reader,
    Site,
    SiteModelRecord,
    Thread,
)
from models.settings import settings
from models.settling.actor import POLICY, Actor
from models.settling.changes import Change
from models.settling.erasing import erase
from models.settling.settling import settle
from models.settling.site_scores import locked_score
from models.settling.undoing import undo
from models.store.database import Base, begin, engine, now, reading
from models.webhooks.endpoints import opened
from models.webhooks.owed import cancel_deliveries, release_published
from service.sites import registering
from tests.caller import COMMENT, Caller, Client
from tests.greenroom import PATIENCE, until
from worker.learning.learner import owe_learning
from worker.webhooks.deliveries import Due, Job, Outcome, round_of
from worker.webhooks.retention import forget_events

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
Work = Callable[[], object]
_COUNTER = "UPDATE sites SET event_sequence"
_BLOCKED = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def blocked(database_url: str) -> int:
    """Return how many transactions wait for a lock that another one holds."""
    with psycopg.connect(database_url) as connection:
        row = connection.execute(_BLOCKED).fetchone()
    assert row
    return int(row[0])


def both_commit(first: Work, other: Work, *, after: str, database_url: str) -> None:
    """Run `first` up to its first statement that begins with `after`. Start `other` there, and
    continue with `first` when `other` is blocked or has ended.
    """
    paused, started = threading.Event(), threading.Event()

    def pause(_connection: Any, _cursor: Any, executed: str, *_: Any) -> None:
        if executed.startswith(after) and not paused.is_set():
            paused.set()
            assert started.wait(PATIENCE)
            until(lambda: second.done() or blocked(database_url))

    with ThreadPoolExecutor(2) as threads, hearing_of_statements(pause):
        one = threads.submit(first)
        until(lambda: paused.is_set() or one.done())
        second = threads.submit(other)
        started.set()
        for work in (one, second):
            work.result(PATIENCE)
    assert paused.is_set(), f"no statement began with {after}"


@contextmanager
def hearing_of_statements(listener: Callable[..., None]) -> Iterator[None]:
    event.listen(engine(), "after_cursor_execute", listener)
    try:
        yield
    finally:
        event.remove(engine(), "after_cursor_execute", listener)


def posted(client: Client, site: str, number: int) -> str:
    answer = client.post(
        f"/v1/sites/{site}/comments",
        json=COMMENT | {"thread": f"/{number}", "body": f"The ferry was late {number} times."},
    )
    assert answer.json
    return str(answer.json["id"])


def decided(comments: list[str], *, by: Actor = POLICY) -> Work:
    def work() -> None:
        with begin() as session:
            settle(session, [Change(comment, Verdict.APPROVE, by=by) for comment in comments])

    return work


def webhook(moderator: Caller) -> str:
    """Return the id of a new endpoint."""
    wanted = {"url": "https://receiver.example/", "events": ["comment.approved"]}
    answer = moderator.call("POST", "/webhooks", json=wanted)
    assert answer.status_code == 201, answer.text
    return str(answer.json["id"])


@pytest.mark.parametrize("by", [POLICY, Actor.moderator("1")], ids=str)
def test_two_batches_with_the_same_sites_in_opposite_order_both_commit(
    client: Client, database_url: str, by: Actor
) -> None:
    registering.add_site("other", ["https://paper.example"])
    one, two = ([posted(client, site, number) for site in ("demo", "other")] for number in range(2))
    both_commit(
        decided(one, by=by),
        decided(two[::-1], by=by),
        after=_COUNTER,
        database_url=database_url,
    )


def test_an_undo_locks_the_top_comment_before_its_reply_as_a_decision_does(
    client: Client, database_url: str
) -> None:
    top = posted(client, "demo", 1)
    decided([top])()
    said = COMMENT | {"thread": "/1", "parent": top, "body": "I agree."}
    reply = str(client.post("/v1/sites/demo/comments", json=said).json["id"])
    decided([reply], by=Actor.key(new_id()))()

    def take_back() -> None:
        with begin() as session:
            undo(session, reply, by=Actor.key(new_id()))

    both_commit(
        take_back,
        decided([reply], by=Actor.key(new_id())),
        after="SELECT comments.id",
        database_url=database_url,
    )


def test_a_reader_who_leaves_locks_threads_before_mails_as_a_decision_does(
    client: Client, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The decision owes a mail that exists, and the reader's follows of the thread are counted."""
    monkeypatch.setenv("GREENROOM_SMTP_URL", "smtp://127.0.0.1:1")
    settings.cache_clear()
    top = posted(client, "demo", 1)
    decided([top])()
    with begin() as session:
        reader = Reader(site_id=1, kind="proven", subject="Ann", name="Ann")
        session.add(reader)
        session.flush()
        ann, thread = reader.id, session.scalars(select(Thread.id)).one()
        session.execute(update(Comment).values(reader_id=ann))
        session.add(Follow(thread_id=thread, reader_id=ann))
        session.execute(update(Thread).values(followers=1))
    said = COMMENT | {"thread": "/1", "parent": top, "body": "I agree."}
    reply = str(client.post("/v1/sites/demo/comments", json=said).json["id"])
    decided([reply])()
    with begin() as session:
        settle(session, [Change(reply, Verdict.FLAG)])

    def leave() -> None:
        with begin() as session:
            forget_reader(session, ann)

    both_commit(leave, decided([reply]), after="DELETE FROM mails", database_url=database_url)


def test_an_erasure_locks_the_site_before_its_events_as_their_retention_does(
    client: Client, database_url: str
) -> None:
    comment = posted(client, "demo", 1)
    decided([comment])()

    def erase_it() -> None:
        with begin() as session:
            erase(session, comment, by=Actor.moderator("1"))

    def forget() -> None:
        forget_events(now() + timedelta(days=1))

    both_commit(erase_it, forget, after="UPDATE events", database_url=database_url)
    with reading() as session:
        assert session.scalars(select(Event.type)).all() == ["comment.deleted"]


def test_deliveries_are_released_in_the_order_in_which_they_are_cancelled(
    moderator: Caller, database_url: str
) -> None:
    """Without an explicit order, PostgreSQL would release them in the order of the table, where the
    newer one is first here.

    A third transaction holds the older one until both wait for it, the cancellation first.
    """
    for _ in range(2):
        webhook(moderator)
    comment = posted(moderator.client, "demo", 1)
    decided([comment])()
    older, _ = turn_deliveries_round()

    def cancel() -> None:
        with begin() as session:
            cancel_deliveries(session, comment)

    def release() -> None:
        with begin() as session:
            release_published(session, now(), [1])

    with ThreadPoolExecutor(2) as threads:
        with begin() as holder:
            holder.execute(select(Delivery.id).where(Delivery.id == older).with_for_update())
            started: list[Future[None]] = []
            for work in (cancel, release):
                started.append(threads.submit(work))
                until(lambda: blocked(database_url) == len(started))
        for done in started:
            done.result(PATIENCE)
    with reading() as session:
        assert set(session.scalars(select(Delivery.state))) == {"cancelled"}


def turn_deliveries_round() -> list[str]:
    """Write all deliveries again, the newest first, with their pages shown. Return their ids, the
    oldest first.
    """
    table = Base.metadata.tables["deliveries"]
    with begin() as session:
        rows = session.execute(select(table).order_by(table.c.id)).mappings().all()
        session.execute(delete(Delivery))
        session.connection().execute(insert(table), [dict(row) for row in reversed(rows)])
        session.execute(text("UPDATE threads SET published_revision = revision"))
    return [str(row["id"]) for row in rows]


def test_learning_becomes_due_in_the_order_of_the_sites_ids(
    client: Client, database_url: str
) -> None:
    """Without an explicit order, PostgreSQL would change them in the order of the table, where
    `demo` is last here.

    It reads a table of one page as a whole if it knows the size, which ANALYZE determines.
    """
    registering.add_site("other", ["https://paper.example"])
    with begin() as session:
        for site in session.scalars(select(Site)).all():
            record = a_model_of_another_base(site.id)
            session.add(record)
            session.flush()
            locked_score(session, site.id, SPAM).model = record.id
    with begin() as session:
        session.execute(update(Site).where(Site.key == "demo").values(locale="de"))
        session.execute(text("ANALYZE sites"))
    comments = [posted(client, site, 1) for site in ("demo", "other")]
    both_commit(
        decided(comments),
        lambda: owe_learning(now()),
        after=_COUNTER,
        database_url=database_url,
    )
    with reading() as session:
        owed = select(func.count(Site.id)).where(Site.learn_due.is_not(None))
        assert session.scalar(owed) == 2


def a_model_of_another_base(site_id: int) -> SiteModelRecord:
    return SiteModelRecord(
        site_id=site_id,
        version=f"{site_id}.1",
        sha256="0" * 64,
        file=b"",
        weights=b"",
        card={"base": "another"},
        seen=[],
        scores={},
    )


def test_the_health_of_endpoints_is_noted_in_the_order_of_their_ids(
    moderator: Caller, database_url: str
) -> None:
    for _ in range(2):
        webhook(moderator)
    with reading() as session:
        endpoints = [opened(row) for row in session.scalars(select(Endpoint))]
    failures = [
        Outcome(
            Job(endpoint, (Due(new_id(), new_id(), 0, "comment.approved", {}),), new_id()),
            now(),
            ms=1,
            status=500,
        )
        for endpoint in endpoints
    ]
    both_commit(
        lambda: round_of(failures, {}),
        lambda: round_of(failures[::-1], {}),
        after="UPDATE endpoints",
        database_url=database_url,
    )
    with reading() as session:
        assert all(session.scalars(select(Endpoint.failing_since)))
