"""Greenroom stops waiting for a database that does not answer, but does not mistake slow work for
it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from time import monotonic
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as WaitedTooLong

from bench.chaos.proxy import Proxy
from models.records import Comment, Heartbeat
from models.settings import settings
from models.store import deadlines, postgresql
from models.store.database import FairLock, OutcomeUnknown, begin, engine, now, reading
from service.comments import accepting
from service.sites import lookup
from tests.caller import Caller, Client, post, posted, publish_all
from tests.conftest import forget
from tests.greenroom import until

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

NEVER = 60.0  # seconds: a test that waits this long for a frozen database has failed


@pytest.fixture
def between(data: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A proxy between us and PostgreSQL. It lets everything pass until its `hole()`."""
    server = urlsplit(settings().database_url).port
    assert server
    with Proxy(server) as proxy:
        monkeypatch.setenv(
            "GREENROOM_DATABASE_URL",
            settings().database_url.replace(f":{server}/", f":{proxy.port}/"),
        )
        forget()
        look()
        yield proxy
        proxy.mend()
        until(lambda: postgresql.probe().unanswered_since is None, 30)


def look() -> None:
    with reading() as session:
        session.execute(text("SELECT 1"))


def beat(name: str) -> None:
    with begin() as session:
        session.add(Heartbeat(name=name, at=now()))


@on_postgresql
def test_a_statement_without_an_answer_ends_at_the_deadline(between: Proxy) -> None:
    between.hole()
    with pytest.raises(OperationalError, match="did not respond in time"), deadlines.within(0.5):
        look()
    between.mend()
    look()


@on_postgresql
def test_a_new_connection_ends_at_the_deadline_with_any_number_of_hosts(
    between: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine().dispose()
    more = ",".join([f"127.0.0.1:{between.port}"] * 20)
    monkeypatch.setenv("GREENROOM_DATABASE_URL", f"postgresql://postgres@/postgres?host={more}")
    forget()
    between.hole()
    began = monotonic()
    with pytest.raises(OperationalError), deadlines.within(0.5):
        look()
    assert monotonic() - began < 20 * 3  # the sum of the hosts' own time-outs


@on_postgresql
def test_without_a_deadline_a_database_that_never_answers_is_given_up(between: Proxy) -> None:
    between.hole()
    for _ in range(3):
        with (
            pytest.raises(OperationalError, match="does not respond"),
            deadlines.within(NEVER, patience=0.5),
        ):
            look()


@on_postgresql
def test_while_the_database_is_down_nothing_waits_for_it(between: Proxy) -> None:
    """One statement notices it; the next one, on any connection, does not wait for a second
    tick.
    """
    between.hole()
    with deadlines.within(NEVER, patience=0.5):
        with pytest.raises(OperationalError):
            look()
        began = monotonic()
        for _ in range(20):
            with pytest.raises(OperationalError):
                look()
        assert monotonic() - began < 20 * postgresql.LOOK_SECONDS


@on_postgresql
def test_a_database_that_is_back_is_used_again_automatically(between: Proxy) -> None:
    between.hole()
    with pytest.raises(OperationalError), deadlines.within(NEVER, patience=0.5):
        look()
    between.mend()

    def answers() -> bool:
        try:
            with deadlines.within(NEVER, patience=0.5):
                look()
        except OperationalError:
            return False
        return True

    until(answers, 30)


@on_postgresql
def test_slow_work_is_not_cut_while_the_database_answers_others(data: object) -> None:
    with deadlines.within(NEVER, patience=3.0), reading() as session:
        session.execute(text(f"SELECT pg_sleep({postgresql.LOOK_SECONDS + 4})"))


@on_postgresql
def test_a_connection_that_died_without_a_word_is_given_up_while_others_live(
    between: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker has no deadline. The probe's new connection gets an answer, and this one never
    does.
    """
    monkeypatch.setitem(deadlines._process, "silence", 2.5)

    def look_twice() -> None:
        with reading() as session:
            session.execute(text("SELECT 1"))
            between.strand()
            session.execute(text("SELECT 1"))

    with pytest.raises(OperationalError, match="never responded"):
        look_twice()
    look()


@on_postgresql
def test_a_change_that_was_cut_before_its_commit_is_not_made_later(between: Proxy) -> None:
    def write() -> None:
        with deadlines.within(1.0), begin() as session:
            session.add(Heartbeat(name="cut", at=now()))
            between.hole()
            session.flush()

    with pytest.raises(OperationalError):
        write()
    between.mend()
    beat("after")
    with reading() as session:
        assert list(session.scalars(select(Heartbeat.name))) == ["after"]


@on_postgresql
def test_an_interrupted_commit_has_an_unknown_outcome(between: Proxy) -> None:
    def write() -> None:
        with deadlines.within(1.0), begin() as session:
            session.add(Heartbeat(name="cut", at=now()))
            session.flush()
            between.hole()

    with pytest.raises(OutcomeUnknown):
        write()


@on_postgresql
def test_a_post_whose_commit_was_cut_is_never_called_refused_and_never_kept_twice(
    between: Proxy, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    posted(client, body="The first one makes the thread and the day's key.")
    keep = accepting._keep

    def keep_and_freeze(*asked: object) -> object:
        kept = keep(*asked)  # type: ignore[arg-type]
        between.hole()
        return kept

    monkeypatch.setattr(accepting, "_keep", keep_and_freeze)
    answer = post(client, body="The bridge is closed.")
    assert answer.status_code == 503
    assert "may or may not have been accepted" in answer.json["detail"]
    monkeypatch.undo()
    monkeypatch.setenv("GREENROOM_RATE_LIMITS", "off")
    between.mend()
    until(lambda: post(client, body="The bridge is closed.").status_code == 202, 30)
    with reading() as session:
        kept = list(
            session.scalars(select(Comment.id).where(Comment.body == "The bridge is closed."))
        )
    assert len(kept) == 1


@on_postgresql
def test_a_frozen_database_is_a_503_for_posts_while_threads_are_read(
    between: Proxy, client: Client, moderator: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    moderator.decide(posted(client), "approve")
    publish_all()
    monkeypatch.setattr(lookup, "FRESH_SECONDS", 0.0)
    between.hole()
    answer = post(client, body="The bridge is closed.")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "Nothing was accepted" in answer.json["detail"]
    assert moderator.page()["count"] == 1
    assert client.get("/v1/sites/demo/counts?thread=/harbour&thread=/x").json == {
        "/harbour": 1,
        "/x": 0,
    }
    between.mend()
    until(lambda: post(client, body="The bridge is closed.").status_code == 202, 30)


@on_sqlite
def test_a_file_that_another_process_keeps_locked_is_a_503_within_the_deadline(
    client: Client,
) -> None:
    posted(client)
    with sqlite3.connect(str(engine().url.database), isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        began = monotonic()
        answer = post(client, body="The bridge is closed.")
        took = monotonic() - began
        other.execute("ROLLBACK")
    assert answer.status_code == 503
    assert took < 10  # the time that a writer without a deadline waits
    posted(client, body="The bridge is closed.")


def test_a_turn_that_misses_its_deadline_is_given_up_and_passed_on() -> None:
    lock = FairLock()

    def take() -> None:
        with deadlines.within(0.1), lock:
            pass

    with lock, pytest.raises(WaitedTooLong):
        take()
    take()
