"""Every query of the hot paths finds its rows by an index, even among 100,000 comments.

The test runs the paths, records their statements, and reads the database's plan for each. On
PostgreSQL it also runs the statements again to count the rows that were read, because nothing else
reveals a wrong index.
"""

from __future__ import annotations

import itertools
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import event, select, text, update

from models.classifier import site_model
from models.classifier.model import base_model
from models.judgement.candidate import Candidate
from models.judgement.picks import SESSION
from models.records import Comment, Endpoint, Site, Thread
from models.settling.labels import labels
from models.store.database import begin, engine, now, reading
from models.store.keyring import require_keys
from models.webhooks.endpoints import first_secret, sealed_of
from models.webhooks.owed import overdue_endpoints, release_published, shown_but_waiting
from service.app import create_app
from service.comments.receipts import receipt_of
from service.moderation.queue import coverage
from service.operations.metrics import _oldest_due
from service.people import accounts
from service.sites import registering
from service.sites.error_rates import error_rates
from tests.caller import Caller, client_of, post
from tests.conftest import forget
from tests.fakes.postgres import PostgreSQL
from tests.greenroom import free_port
from worker import sweep
from worker.checks import hosts
from worker.closing import close_old_threads
from worker.learning import teaching
from worker.learning.learner import owe_learning
from worker.learning.recent import place_of, recent_comments
from worker.publishing.publishing import publish_threads
from worker.screening.screening import screen_now
from worker.webhooks.deliveries import Outcome, round_of
from worker.webhooks.retention import tidy_webhooks

COMMENTS = 100_000
BIG = (
    "comments",
    "threads",
    "events",
    "screenings",
    "decisions",
    "reviews",
    "fingerprints",
    "linked_hosts",
)
BIG += ("deliveries", "attempts")
ONLY_WHAT_WAITS = "USING INDEX ix_deliveries_waiting"  # there is nothing else in it
MOST_ROWS = 2500  # rows read by a query, 20 of each of 100 authors; a scan reads 100,000

# The differences between the databases, for making rows in place: `n` is their number, from 1.
SPELLED = {
    "sqlite": {
        "numbers": (
            "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers "
            "WHERE n < {count})"
        ),
        "id": "printf('%032x', {n})",
        "at": "strftime('%Y-%m-%d %H:%M:%S.000000', 'now', ({n} - {count}) || ' seconds')",
        "json": "'{json}'",
    },
    "postgresql": {
        "numbers": "WITH numbers(n) AS (SELECT generate_series(1, {count}))",
        "id": "lpad(to_hex({n}), 32, '0')::uuid",
        "at": "now() + ({n} - {count}) * interval '1 second'",
        "json": "'{json}'::jsonb",
    },
}

# Thread 1 has 20,000 comments, all others 40. Every fourth is top-level, with three replies.
TOP = "n - (n - 1) % 4"
THREAD = "CASE WHEN n <= 20000 THEN 1 ELSE 2 + (n - 20001) / 40 END"
STATUS = (
    "CASE WHEN n > {count} - 400 THEN 'pending' WHEN n % 100 = 0 THEN 'flagged' "
    "WHEN n % 10 = 1 AND n % 4 <> 1 THEN 'rejected' ELSE 'approved' END"
)
ENDPOINTS = 10
ENDPOINT = "CASE WHEN n <= 20000 THEN {first} WHEN n <= 40000 THEN {second} ELSE {other} END"
STATE = (
    "CASE WHEN n <= 20000 THEN 'owed' WHEN n <= 40000 AND n % 3 = 0 THEN 'dead' WHEN n > "
    "{count} - 200 THEN 'waiting' "
    "WHEN n > {count} - 400 THEN 'owed' ELSE 'delivered' END"
)
UNSCREENED = "SELECT id FROM comments WHERE screen_due IS NOT NULL"
ROWS = {
    "threads": {
        "id": "n", "site_id": "1", "key": "'/' || n", "title_is_final": "false", "state": "'open'", "count": "0",
        "places": "CASE WHEN n = 1 THEN 5000 ELSE 10 END", "revision": "40000", "published_revision": "40000",
        "created_at": "{at}",
    },
    "comments": {
        "id": "{id}", "site_id": "1", "thread_id": THREAD, "top_id": "{top}",
        "parent_id": "CASE WHEN n % 4 = 1 THEN NULL ELSE {top} END",
        "status": STATUS, "version": "2", "name": "'Ann'", "email_index": "'who' || n % 5000", "body": "'Words ' || n",
        "html": "'<p>Words'", "avatar": "'abcde'", "at": "{at}", "address": "'where' || n % 7000", "form": "{empty}",
        "page": "{empty}", "said_once": "'said' || n", "idempotency_key": "'key' || n",
        "screen_due": "CASE WHEN n > {count} - 400 THEN {at} END", "screenings": "0", "revision": "n % 20000",
        "place": ("CASE WHEN n > 20000 THEN (n % 40) / 4 WHEN n % 4 = 1 THEN n / 4 ELSE (n - 2) "
"% 4 END"),
        "places": "CASE WHEN n % 4 = 1 THEN 3 ELSE 0 END", "event_sequence": "1",
    },
    "screenings": {
        "id": "{id}", "comment_id": "{id}", "number": "1", "evidence": "{none}", "policy_version": "1", "at": "{at}"
    },
    "decisions": {
        "id": "{id}", "comment_id": "{id}", "site_id": "1",
        "by": "CASE WHEN n % 50 = 0 THEN 'key:1' ELSE 'policy' END", "verdict": "'approve'", "was": "'pending'",
        "becomes": "'approved'", "version": "2", "reasons": "{none}", "note": "''", "at": "{at}", "teaches": "true",
    },
    "events": {
        "id": "{id}", "site_id": "1", "position": "n", "nth": "1", "type": "'comment.approved'", "comment_id": "{id}",
        "sequence": "1", "data": "{told}", "at": "{at}",
    },
    "reviews": {
        "id": "{id}", "site_id": "1", "comment_id": "{id}", "cause": "'flagged'", "opened_at": "{at}",
        "due_at": "{at}",
        "closed_at": "CASE WHEN n % 100 = 0 THEN NULL ELSE {at} END",
    },
    "fingerprints": {"site_id": "1", "band": "n % 30000", "comment_id": "{id}", "at": "{at}"},
    "linked_hosts": {"site_id": "1", "host": "'shop' || (n % 20) || '.example'", "comment_id": "{id}"},
    # The first endpoint has a backlog of 20,000. A third of the second one's deliveries are dead.
    # The others accepted all but the newest.
    "deliveries": {
        "id": "{id}", "endpoint_id": ENDPOINT, "event_id": "{id}", "type": "'comment.approved'", "comment_id": "{id}",
        "sequence": "1", "thread_id": THREAD, "revision": "40000",
        "state": STATE, "due": f"CASE WHEN {STATE} = 'owed' THEN {{at}} END", "attempts": "1", "created_at": "{at}",
        "ended_at": f"CASE WHEN {STATE} NOT IN ('owed', 'waiting') THEN {{at}} END",
    },
    "attempts": {"id": "{id}", "delivery_id": "{id}", "at": "{at}", "status": "204", "ms": "9", "answer": "''"},
}  # fmt: skip


def id_of(n: int) -> str:
    return str(UUID(int=n))


def _listen() -> None:
    """Make ten endpoints of site 1: one with all options that cost something, one that is dead,
    eight that work.
    """
    made = [
        Endpoint(
            id=id_of(n), site_id=1, url=f"https://hook{n}.example/", events=["comment.approved"]
        )
        for n in range(1, ENDPOINTS + 1)
    ]
    made[0].is_ordered = made[0].is_coalesced = True
    made[0].rate = 1000.0
    with begin() as session:
        for endpoint in made:
            endpoint.sealed = sealed_of(first_secret(signs_ed25519=False), {})
            session.add(endpoint)
        session.execute(update(Site).values(endpoints=ENDPOINTS))


def fill(rows_of: dict[str, dict[str, str]] = ROWS) -> None:
    """Insert 100,000 rows into each of the big tables, for site 1."""
    spelled = SPELLED[engine().dialect.name]
    words = {
        "count": COMMENTS,
        "id": spelled["id"].format(n="n"),
        "top": spelled["id"].format(n=f"({TOP})"),
        "first": spelled["id"].format(n="1"),
        "second": spelled["id"].format(n="2"),
        "other": spelled["id"].format(n=f"(3 + n % {ENDPOINTS - 2})"),
        "hundredth": spelled["id"].format(n="((n - 1) % 1000 + 1)"),
        "largest": spelled["id"].format(n="60001"),
        "at": spelled["at"].format(n="n", count=COMMENTS),
        "empty": spelled["json"].format(json="{}"),
        "none": spelled["json"].format(json="[]"),
        "told": spelled["json"].format(json='{"comment": {}, "decision": null}'),
    }
    with begin() as session:
        connection = session.connection()
        for table, columns in rows_of.items():
            count = 2 + (COMMENTS - 20_000) // 40 if table == "threads" else COMMENTS
            numbers = spelled["numbers"].format(count=count)
            names = ", ".join(f'"{name}"' for name in columns)
            values = ", ".join(value.format(**words) for value in columns.values())
            rows = f"SELECT {values} FROM numbers"
            insert = f"INSERT INTO {table} ({names})"
            whole = f"{insert} {numbers} {rows}"
            connection.exec_driver_sql(
                whole.replace("%", "%%") if engine().dialect.name == "postgresql" else whole
            )
        connection.exec_driver_sql(f"UPDATE sites SET event_sequence = {COMMENTS}")
        connection.exec_driver_sql(f"DELETE FROM screenings WHERE comment_id IN ({UNSCREENED})")
        if engine().dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT setval('threads_id_seq', 1000000)")
    if engine().dialect.name == "postgresql":
        with engine().execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")  # as autovacuum would sooner or later


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def large(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """A database with 100,000 comments on the site `demo`."""
    folder = tmp_path_factory.mktemp("large")
    with pytest.MonkeyPatch.context() as patch, ExitStack() as database:
        patch.setenv("GREENROOM_DATA", str(folder))
        patch.setenv("GREENROOM_DNS", f"127.0.0.1:{free_port()}")
        patch.setenv("GREENROOM_DNS_SECONDS", "0.2")
        patch.setenv("GREENROOM_RATE_PER_MINUTE", "1000")
        if request.param == "sqlite":
            shutil.copy(request.getfixturevalue("sqlite_template"), folder / "greenroom.db")
        else:
            server: PostgreSQL = request.getfixturevalue("postgres")
            patch.setenv(
                "GREENROOM_DATABASE_URL",
                database.enter_context(server.database("large", like="greenroom")),
            )
        forget()
        registering.add_site("demo", ["https://paper.example"])
        require_keys()  # as every process does at its start
        _listen()
        fill()
        yield
        forget()


@pytest.fixture
def moderator(large: None) -> Caller:
    return Caller(client_of(create_app()), accounts.create_key("demo", "admin"))


class Question(NamedTuple):
    """A statement with its values."""

    statement: str
    values: Any


@contextmanager
def questions() -> Iterator[list[Question]]:
    """Record the statements inside the block, each once."""
    noted: dict[str, Question] = {}

    def note(_: Any, __: Any, statement: str, values: Any, context: Any, executemany: bool) -> None:
        if re.match(r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE)", statement):
            noted.setdefault(statement, Question(statement, values[0] if executemany else values))

    event.listen(engine(), "before_cursor_execute", note)
    listed: list[Question] = []
    try:
        yield listed
    finally:
        event.remove(engine(), "before_cursor_execute", note)
        listed += noted.values()


def objections(question: Question) -> list[str]:
    """Return what is wrong with the database's plan."""
    return (_in_sqlite if engine().dialect.name == "sqlite" else _in_postgresql)(question)


def _in_sqlite(question: Question) -> list[str]:
    if question.statement.startswith(
        "INSERT"
    ):  # it would only look for a broken deferred key, and there is none
        return []
    with engine().connect() as connection:
        plan = connection.exec_driver_sql(
            f"EXPLAIN QUERY PLAN {question.statement}", question.values
        ).all()
    steps = [row[3] for row in plan]
    scans = [step for step in steps if (found := re.match(r"SCAN (\w+)", step)) and found[1] in BIG]
    return [step for step in scans if not step.endswith(ONLY_WHAT_WAITS)]


def _in_postgresql(question: Question) -> list[str]:
    """Run it, so that rows can be counted, and roll it back. Skip a statement that would only
    conflict now.
    """
    counted = "" if question.statement.lstrip().startswith("INSERT") else "ANALYZE, "
    with engine().connect() as connection:
        explained = f"EXPLAIN ({counted}FORMAT JSON) {question.statement}"
        plan = connection.exec_driver_sql(explained, question.values).scalar_one()
        connection.rollback()
    return [wrong for node in _nodes(plan[0]["Plan"]) for wrong in _wrong_with(node)]


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", ()):
        yield from _nodes(below)


def _wrong_with(node: dict[str, Any]) -> Iterator[str]:
    table = node.get("Relation Name")
    if table not in BIG:
        return
    if node["Node Type"] == "Seq Scan":
        yield f"reads all of {table}"
    dropped = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    rows = (node.get("Actual Rows", 0) + dropped) * node.get("Actual Loops", 1)
    if rows > MOST_ROWS and node["Node Type"] != "Bitmap Index Scan":
        yield f"looks at {rows:.0f} rows of {table} by {node.get('Index Name', 'no index')}"


def accepting(moderator: Caller) -> None:
    new = {"thread": "/1", "parent": id_of(1), "body": "A new reply"}
    first = post(moderator.client, headers={"Idempotency-Key": "mine"}, **new)
    assert first.status_code == 202
    assert post(moderator.client, headers={"Idempotency-Key": "mine"}, **new).json == first.json
    assert post(moderator.client, **new).json == first.json
    assert post(moderator.client, thread="/new", url="https://paper.example/new").status_code == 202


def screening(moderator: Caller) -> None:
    assert len(screen_now([id_of(n) for n in range(COMMENTS - 300, COMMENTS - 200)])) == 100


def screening_few(moderator: Caller) -> None:
    batch = [id_of(n) for n in range(COMMENTS - 90, COMMENTS - 80)]
    with begin() as session:
        session.execute(
            update(Comment)
            .where(Comment.id.in_(batch))
            .values(body="Buy it at https://shop.example. " * 9)
        )
    assert len(screen_now(batch)) == 10
    assert len(screen_now([id_of(COMMENTS - 79)])) == 1


def knowing_hosts(moderator: Caller) -> None:
    links = " ".join(f"https://shop{n}.example/a" for n in range(20))
    with reading() as session:
        site = session.execute(select(Site.id)).scalar_one()
        linking = [
            Candidate(id_of(COMMENTS - n), site, 1, "Ann", "ann@paper.example", links, now())
            for n in range(9)
        ]
        assert all(found.counts["new"] == 0 for found in hosts.check(linking, session, now()))


def learning(moderator: Caller) -> None:
    with begin() as session:
        site = session.execute(select(Site.id)).scalar_one()
        assert len(labels(session, site)) > 1000
    base = base_model()
    with begin() as session:
        model = site_model.SiteModel(
            np.zeros(site_model.COLUMNS, np.float32), 0.0, (), base.version
        )
        assert (
            len(
                model.probabilities(
                    recent_comments(session, site).comments.seen(base, place_of(session, site))
                )
            )
            == 1000
        )
        assert error_rates(session, site).judged == 0


def teaching_picks(moderator: Caller) -> None:
    assert moderator.call("POST", "/queue/teach").status_code == 202
    with reading() as session:
        site = session.execute(select(Site.id)).scalar_one()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(teaching, "first_id", lambda _: id_of(0))  # the ids here tell no time
        assert teaching.draw_picks(site) == SESSION
    first = moderator.call("GET", "/queue?teach=1&limit=5").json
    second = moderator.call("GET", f"/queue?teach=1&cursor={first['next']}").json
    assert len(first["items"]) + len(second["items"]) == SESSION
    assert moderator.decide(first["items"][0]["id"], "approve").status_code == 201
    assert moderator.undo(first["items"][0]["id"]).status_code == 201
    teaching.remove_old_picks(now() + timedelta(days=2))


def sweeping(moderator: Caller) -> None:
    later = now() + timedelta(hours=1)
    with begin() as session:
        session.execute(update(Thread).where(Thread.id < 50).values(publish_due=now()))
    assert sweep._overdue(Comment, Comment.screen_due, later)
    assert sweep._overdue(Thread, Thread.publish_due, later)
    assert sweep._overdue(Comment, Comment.screen_due, later) == []
    owe_learning(now())
    sweep._unheard(now())
    sweep.tidy(now() - timedelta(days=10))
    sweep._beat("worker@here", swept=True)


def publishing(moderator: Caller) -> None:
    for comment in (1, 5, 9):
        assert moderator.decide(id_of(comment), "reject").status_code == 201
    assert publish_threads([1]) == 1


def listing(moderator: Caller) -> None:
    for status in ("pending", "flagged", "approved", "rejected", "review"):
        listed = moderator.call("GET", f"/queue?status={status}").json
        assert listed["items"], status
        moderator.call("GET", f"/queue?status={status}&cursor={id_of(60_000)}")
    assert moderator.record(id_of(77))
    assert moderator.call("GET", "/queue?group=campaign").json["groups"]
    assert moderator.call("POST", "/policy/replay", json={"last": 500}).status_code == 200


def deciding(moderator: Caller) -> None:
    comment = id_of(30_001)
    assert moderator.decide(comment, "reject", version=2).status_code == 201
    assert moderator.decide(comment, "flag", version=2).status_code == 409
    assert moderator.undo(comment).status_code == 201
    assert moderator.call("DELETE", f"/comments/{comment}").status_code == 204


def deciding_many(moderator: Caller) -> None:
    items = [{"id": id_of(n)} for n in range(40_100, 44_000, 100)]
    decided = moderator.call("POST", "/decisions", json={"verdict": "reject", "items": items}).json
    assert len(decided["done"]) == len(items)
    undone = moderator.call("POST", "/decisions/undo", json={"batch": decided["batch"]}).json
    assert len(undone["done"]) == len(items)
    assert moderator.call("GET", f"/comments/{id_of(77)}/others").status_code == 200
    assert moderator.call("GET", f"/comments/{id_of(77)}/notes").status_code == 200
    assert moderator.call("GET", "/log?limit=500").status_code == 200
    with begin() as session:
        site = session.execute(select(Site.id)).scalar_one()
        assert coverage(session, [site]).of == 1000
        session.execute(update(Site).values(policy={"threads": {"close_after_days": 3650}}))
    assert close_old_threads(now()) == 0


def telling(moderator: Caller) -> None:
    assert len(moderator.call("GET", "/events?after=50000.1&limit=1000").json["events"]) == 1000
    assert moderator.client.get(f"/v1/receipts/{receipt_of(id_of(100))}").status_code == 200
    assert moderator.client.get(f"/v1/receipts/{receipt_of(id_of(10))}").status_code == 200
    assert moderator.client.get("/v1/sites/demo/counts?thread=/1&thread=/2").status_code == 200
    assert moderator.client.get(f"/sites/demo/c/{id_of(6)}").status_code == 302


def objecting(moderator: Caller) -> None:
    """Report a comment, send a notice about it, reject it, and appeal."""
    comment, client = id_of(60_003), moderator.client
    reports = f"/v1/sites/demo/comments/{comment}/reports"
    for _ in range(2):
        assert client.post(reports, json={"reason": "insult"}).status_code == 202
    notice = {
        "comment": comment,
        "explanation": "It names me.",
        "category": "ILLEGAL_OR_HARMFUL_SPEECH",
        "name": "Ann Example",
        "email": "ann@example.org",
        "good_faith": True,
    }
    assert client.post("/v1/sites/demo/notices", json=notice).status_code == 202
    for cause in ("reported", "notice"):
        assert moderator.call("GET", f"/queue?cause={cause}").json["items"]
    assert moderator.decide(comment, "reject", reason="abuse").status_code == 201
    receipt = f"/v1/receipts/{receipt_of(comment)}"
    assert client.post(f"{receipt}/appeal", json={"text": "Why?"}).status_code == 201
    assert client.get(receipt).json["appeal"]["status"] == "open"
    assert moderator.decide(comment, "approve").status_code == 201


def looking_after_own_comments(moderator: Caller) -> None:
    """Edit a comment that is a few minutes old, list it among others, and delete it."""
    comment, client = id_of(COMMENTS - 498), moderator.client
    receipt = f"/v1/receipts/{receipt_of(comment)}"
    assert moderator.call("PATCH", "/policy", json={"edit_minutes": 10_080}).status_code == 200
    with begin() as session:  # its screening is in the table
        session.execute(update(Comment).where(Comment.id == comment).values(screenings=1))
    assert client.patch(receipt, json={"body": "A new text"}).status_code == 200
    assert len(screen_now([comment])) == 1
    receipts = [receipt_of(id_of(n)) for n in range(COMMENTS - 500, COMMENTS - 496)]
    mine = client.post("/sites/demo/mine", json={"receipts": receipts}).json
    assert len(mine["comments"]) == len(receipts)
    assert client.delete(receipt).status_code == 204


def delivering(moderator: Caller) -> None:
    """Run rounds that claim and record for all endpoints, sweep, and release the deliveries whose
    pages are shown.
    """
    room = {id_of(n): 16 for n in range(1, ENDPOINTS + 1)}
    taken = round_of([], room)
    assert {job.endpoint.id for job in taken.jobs} >= room.keys() - {id_of(2)}
    answers = itertools.cycle([204, 500])
    round_of([Outcome(job, now(), 9, status=next(answers)) for job in taken.jobs[:30]], room)
    with begin() as session:
        assert id_of(1) in overdue_endpoints(session, now())
        assert shown_but_waiting(session)
        assert release_published(session, now(), [2 + (COMMENTS - 20_010) // 40])
        assert session.scalar(_oldest_due())
    sweep._sweep_deliveries(now() - timedelta(days=2))
    tidy_webhooks(now() - timedelta(days=60))


def looking_after_webhooks(moderator: Caller) -> None:
    asked = [
        "1",
        "1?state=owed",
        "2?state=dead",
        "2?state=coalesced",
        "3?state=waiting",
        "3?state=dead",
        "3?state=delivered",
    ]
    for n, query in (each.partition("?")[::2] for each in asked):
        for more in ("", f"&cursor={id_of(50_000)}"):
            path = f"/webhooks/{id_of(int(n))}/deliveries?{query}{more}"
            assert moderator.call("GET", path).status_code == 200
    since = (now() - timedelta(minutes=15)).isoformat()
    for only in ("all", "missed", "failed"):
        wanted = {"since": since, "only": only}
        assert (
            moderator.call("POST", f"/webhooks/{id_of(5)}/redeliver", json=wanted).status_code
            == 202
        )
    dead = {"since": "2020-01-01T00:00:00Z", "only": "failed"}
    answer = moderator.call("POST", f"/webhooks/{id_of(4)}/redeliver", json=dead)
    assert answer.json == {"count": 0, "more_since": None}
    named = {"deliveries": [id_of(20_001)]}
    assert moderator.call("POST", f"/webhooks/{id_of(2)}/redeliver", json=named).status_code == 202
    assert moderator.call("POST", f"/webhooks/{id_of(3)}/test").status_code == 202
    assert moderator.call("DELETE", f"/comments/{id_of(COMMENTS - 1000)}").status_code == 204


def in_the_console(moderator: Caller) -> None:
    client = moderator.client
    password = accounts.add_moderator("ann@example.org", "demo", "owner", "correct horse")
    client.post("/console/sign-in", data={"email": "ann@example.org", "password": password})
    for tab in ("review", "pending", "approved", "rejected", "unread"):
        for order in ("oldest", "newest", "risk", "due"):
            assert client.get(f"/console/?tab={tab}&order={order}").status_code == 200
            assert (
                client.get(
                    f"/console/rows?tab={tab}&order={order}&after={id_of(50_000)}"
                ).status_code
                == 200
            )
    assert client.get(f"/console/?q={id_of(77)}").status_code == 200
    assert client.get("/console/?q=77777").status_code == 200
    for named in ("tab=all&author", "tab=review&author", "tab=all&campaign", "tab=asked&author"):
        assert client.get(f"/console/?{named}={id_of(77)}").status_code == 200
    assert client.get("/console/log").status_code == 200
    assert client.get(f"/console/teach?session={id_of(77)}").status_code == 200
    assert client.get("/console/recent").status_code == 200
    assert client.get("/console/threads/2").status_code == 200


def measuring(moderator: Caller) -> None:
    """Show the quality of the last twelve months. Only what arrived in them is read."""
    assert moderator.call("GET", "/quality").json["total"]["comments"]["live"] < MOST_ROWS


@pytest.mark.parametrize(
    "path",
    [
        *(accepting, screening, screening_few, knowing_hosts, learning, teaching_picks, sweeping),
        *(publishing, listing, deciding, deciding_many, telling, in_the_console),
        *(delivering, looking_after_webhooks, measuring),
        *(objecting, looking_after_own_comments),
    ],
    ids=lambda p: p.__name__,
)
def test_no_query_reads_more_than_it_needs(
    path: Callable[[Caller], None], moderator: Caller
) -> None:
    with questions() as asked:
        path(moderator)
    assert asked
    wrong = [
        (objection, question.statement) for question in asked for objection in objections(question)
    ]
    assert wrong == [], "\n".join(f"{a}: {b[:300]}" for a, b in wrong)


def test_a_query_without_an_index_is_objected_to(large: None) -> None:
    with questions() as asked, begin() as session:
        session.execute(text("SELECT id FROM comments WHERE name = 'Bob'"))
        session.execute(
            text("SELECT id FROM comments WHERE id > :id AND name = 'Bob' ORDER BY id"),
            {"id": _first_id()},
        )
    assert objections(asked[0])
    assert engine().dialect.name == "sqlite" or objections(asked[1])


def _first_id() -> str:
    return id_of(1).replace("-", "") if engine().dialect.name == "sqlite" else id_of(1)
