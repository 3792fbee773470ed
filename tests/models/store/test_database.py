"""Transactions and their order: SQLite and PostgreSQL behave the same."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import OperationalError

from models.judgement.policy import Verdict
from models.records import Comment, Heartbeat, Site, Thread
from models.settings import settings
from models.settling.actor import Actor
from models.settling.changes import Change
from models.settling.settling import settle
from models.store.database import begin, engine, insert_new, now, reading
from service.comments import accepting
from service.comments.submission import Submission
from service.sites import registering
from service.sites.lookup import find_site
from tests.caller import COMMENT, Caller, Client, post, posted
from tests.conftest import forget
from tests.fakes.postgres import PostgreSQL
from tests.greenroom import PATIENCE
from worker import sweep
from worker.publishing.publishing import publish_threads

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

Set = Callable[[str], None]


@pytest.fixture
def set_url(data: object, monkeypatch: pytest.MonkeyPatch) -> Set:
    def change(url: str) -> None:
        monkeypatch.setenv("GREENROOM_DATABASE_URL", url)
        forget()

    return change


def test_a_time_comes_back_in_utc_whatever_the_servers_zone(data: object) -> None:
    at = datetime(2026, 3, 3, 12, 0, 0, 123456, tzinfo=UTC)
    with begin() as session:
        session.connection().execute(insert_new(Heartbeat), {"name": "here", "at": at})
    with reading() as session:
        kept = session.execute(select(Heartbeat.at)).scalar_one()
    assert kept == at
    assert kept.isoformat() == "2026-03-03T12:00:00.123456+00:00"


def test_inserting_an_existing_row_returns_no_row(data: object) -> None:
    row = {"key": "other", "origins": []}
    with begin() as session:
        assert session.connection().execute(insert_new(Site, "key"), row).one_or_none() == (
            "other",
        )
        assert session.connection().execute(insert_new(Site, "key"), row).one_or_none() is None
    with pytest.raises(ValueError, match="'demo' already"):
        registering.add_site("demo", ["https://paper.example"])


def test_only_notes_on_work_that_can_be_done_again_do_not_wait_for_the_disk(data: object) -> None:
    """Promises are synced even on a connection that has just written notes."""
    is_sqlite = engine().dialect.name == "sqlite"
    asked = text("PRAGMA synchronous" if is_sqlite else "SHOW synchronous_commit")
    waits, does_not = (2, 1) if is_sqlite else ("on", "off")  # 2 is FULL, 1 NORMAL
    found = []
    for synced in (True, False, True):
        with begin(synced=synced) as session:
            found.append(session.execute(asked).scalar())
    assert found == [waits, does_not, waits]


def test_a_note_that_did_not_wait_for_the_disk_outlives_its_process(data: object) -> None:
    subprocess.run([sys.executable, "-c", NOTED], check=False)
    with reading() as session:
        assert session.execute(select(Heartbeat.name)).scalars().all() == ["noted"]


NOTED = """
import os, signal
from models.store.database import begin, now
from models.records import Heartbeat

with begin(synced=False) as session:
    session.add(Heartbeat(name="noted", at=now()))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
@on_postgresql
def test_every_spelling_of_a_postgresql_url_is_understood(set_url: Set, scheme: str) -> None:
    set_url(settings().database_url.replace("postgresql", scheme))
    assert engine().driver == "psycopg"
    with reading() as session:
        assert session.execute(text("SHOW lock_timeout")).scalar() == "10s"


@on_postgresql
def test_options_in_the_url_override_our_own(set_url: Set) -> None:
    set_url(
        settings().database_url
        + "?application_name=paper&options=-c%20lock_timeout%3D2s&connect_timeout=9"
    )
    with reading() as session:
        assert session.execute(text("SHOW application_name")).scalar() == "paper"
        assert session.execute(text("SHOW lock_timeout")).scalar() == "2s"


@on_postgresql
def test_tls_is_insisted_on_where_the_url_says_so(set_url: Set) -> None:
    set_url(settings().database_url + "?sslmode=require")
    with pytest.raises(OperationalError, match="does not support SSL"), reading() as session:
        session.execute(text("SELECT 1"))


@on_postgresql
def test_many_threads_share_no_more_connections_than_a_process_may_have(
    data: object, postgres: PostgreSQL
) -> None:
    most = settings().database_threads
    meet = threading.Barrier(most)

    def look(n: int) -> None:
        with reading() as session:
            session.execute(text("SELECT 1"))
            if n < most:
                meet.wait(PATIENCE)

    with ThreadPoolExecutor(3 * most) as threads:
        list(threads.map(look, range(3 * most)))
    with reading() as session:
        ours = text(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'greenroom'"
        )
        assert session.execute(ours).scalar_one() <= most


FORKED = """
import os
from sqlalchemy import text
from models.store.database import engine, reading

def backend():
    with reading() as session:
        return session.execute(text("SELECT pg_backend_pid()")).scalar_one()

mine = backend()
if child := os.fork():
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert backend() == mine, "the child has ended its parent's connection"
else:
    assert backend() != mine, "the child talks on its parent's connection"
"""


@on_postgresql
def test_a_fork_opens_its_own_connections_and_leaves_its_parents_alone(data: object) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKED], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@on_postgresql
def test_the_death_of_every_connection_is_not_noticed_by_the_next_request(
    client: Client, postgres: PostgreSQL
) -> None:
    posted(client)
    postgres.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'test%'"
    )
    posted(client, body="It was on time today.")


@on_postgresql
def test_a_comment_is_accepted_while_its_thread_and_parent_are_being_settled(
    client: Client, moderator: Caller
) -> None:
    parent = posted(client)
    moderator.decide(parent, "approve")
    with begin() as session:
        settle(session, [Change(parent, Verdict.FLAG, by=Actor.moderator("ann"))])
        assert post(client, parent=parent, body="A reply").status_code == 202


@on_postgresql
def test_batches_of_the_same_new_threads_in_opposite_order_do_not_wait_in_a_ring(
    data: object,
) -> None:
    site = find_site("demo")
    assert site

    def asked(names: list[str], body: str) -> list[accepting._Asked]:
        said = [
            Submission.model_validate({**COMMENT, "thread": name, "body": body}) for name in names
        ]
        return [
            accepting._Asked(
                site, one, accepting._row(site, one, None, address="", idempotency_key=None), None
            )
            for one in said
        ]

    for turn in range(10):
        names = [f"/{turn}/{n}" for n in range(20)]
        batches = [asked(names, "There"), asked(names[::-1], "And back")]
        with ThreadPoolExecutor(2) as threads:
            outcomes = [
                outcome for kept in threads.map(accepting._keep_all, batches) for outcome in kept
            ]
        assert all(
            isinstance(outcome, accepting.Accepted) and outcome.is_new for outcome in outcomes
        ), outcomes


def test_simultaneous_sweeps_and_publishers_share_due_work(client: Client) -> None:
    for n in range(30):
        posted(client, thread=f"/{n}", body=f"Comment {n}")
    with begin() as session:
        session.execute(update(Thread).values(publish_due=now(), revision=1))
    later = now() + timedelta(seconds=4)
    with ThreadPoolExecutor(4) as threads:
        swept = list(
            threads.map(lambda _: sweep._overdue(Comment, Comment.screen_due, later), range(4))
        )
        numbers = list(range(1, 31))
        published = list(
            threads.map(publish_threads, [numbers, numbers[::-1], numbers, numbers[::-1]])
        )
    assert sum(map(len, swept)) == 30
    assert sum(published) == 30
