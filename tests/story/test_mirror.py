"""A consumer that mirrors `comment.approved` as the docs show has the same comments as the
published page, whatever is decided.

The test claims deliveries as the worker does, and hands them over out of order, some twice, some
late.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as of_hypothesis
from hypothesis import strategies as st
from sqlalchemy import func, insert, select

from models.identifiers import new_id
from models.judgement.policy import Verdict
from models.records import Comment, Delivery, Site, Thread
from models.settings import settings
from models.settling.actor import Actor
from models.settling.changes import Change
from models.settling.erasing import erase
from models.settling.settling import settle
from models.settling.undoing import Refused, undo
from models.store.database import Base, begin, now, reading
from models.webhooks.owed import overdue_endpoints
from tests.caller import Caller, Client
from worker.publishing.publishing import publish_threads
from worker.webhooks.deliveries import Outcome, round_of

EXAMPLE = Path("service/api/examples/receiver.py")
COMMENTS = 5  # in one thread; the last two are replies
STEPS, EXAMPLES = (
    40,
    38,
)  # transactions, and walks in each of the four parts: more than 10,000 decisions in all
PARTS = [
    ("sqlite", 0),
    ("sqlite", 1),
    ("postgresql", 2),
    ("postgresql", 3),
]  # different walks on each database

# One transaction: decisions on some comments together, an undo, an erasure; then perhaps
# publishing, and delivering.
decisions = st.lists(
    st.tuples(st.integers(0, COMMENTS - 1), st.sampled_from(list(Verdict))), min_size=4, max_size=10
)
transactions = st.one_of(
    decisions,
    decisions,
    decisions,
    st.tuples(st.just("undo"), st.integers(0, COMMENTS - 1)),
    st.tuples(
        st.sampled_from(["erase"] + ["publish"] * 4 + ["hear"] * 4), st.integers(0, COMMENTS - 1)
    ),
)


@pytest.fixture
def webhook(moderator: Caller, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("GREENROOM_WEBHOOK_ALLOW_PRIVATE", "true")
    settings.cache_clear()
    wanted = {"url": "http://127.0.0.1:9/", "events": ["comment.approved"]}
    return moderator.call("POST", "/webhooks", json=wanted).json


def consumer() -> ModuleType:
    """The example of the docs, unchanged."""
    example = ModuleType("receiver")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WEBHOOK_SECRET", "whsec_none")
        exec(compile(EXAMPLE.read_text(encoding="utf-8"), EXAMPLE, "exec"), example.__dict__)
    return example


_numbers = count(1)


def thread_of_comments() -> tuple[int, str, list[str]]:
    key, at = f"/mirror/{next(_numbers)}", now()
    with begin() as session:
        site = session.execute(select(Site.id)).scalar_one()
        thread = Thread(site_id=site, key=key)
        session.add(thread)
        session.flush()
        ids = [new_id() for _ in range(COMMENTS)]
        rows = [
            {
                "id": id_,
                "site_id": site,
                "thread_id": thread.id,
                "name": f"Ann {number}",
                "body": f"Words {number}",
                "parent_id": ids[0] if number > 2 else None,
                "top_id": ids[0] if number > 2 else id_,
                "at": at,
                "screen_due": None,
            }
            for number, id_ in enumerate(ids)
        ]
        session.execute(insert(Comment), rows)
        settle(session, [Change(ids[0], Verdict.APPROVE)])  # only what is published can be answered
        return thread.id, key, ids


def hear(example: ModuleType, chance: random.Random, late: list[Any], *, all_of_it: bool) -> None:
    """Claim what is due. Hand it over out of order, some of it twice, and some only the next
    time.
    """
    while True:
        with reading() as session:
            endpoints = overdue_endpoints(session, now() + timedelta(seconds=1))
        jobs = round_of([], dict.fromkeys(endpoints, 50)).jobs if endpoints else []
        late += [due.said for job in jobs for due in job.deliveries]
        round_of([Outcome(job, now(), 1, status=204) for job in jobs], {})
        if not jobs:
            break
    chance.shuffle(late)
    heard = [late.pop() for _ in range(len(late) if all_of_it else chance.randint(0, len(late)))]
    for event in heard + [event for event in heard if chance.random() < 0.2]:
        example.hear(event)


def shown(client: Client, key: str) -> dict[str, tuple[Any, ...]]:
    page = client.get("/v1/sites/demo/comments", query_string={"thread": key}).json
    assert page is not None
    flat = [comment for top in page["comments"] for comment in (top, *top["replies"])]
    return {comment["id"]: told(comment) for comment in flat if comment["id"]}


def told(comment: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(comment[name] for name in ("id", "parent", "name", "website", "html", "at"))


@pytest.mark.parametrize(("database_url", "part"), PARTS, indirect=["database_url"])
def test_the_mirror_of_the_docs_equals_the_published_page(
    moderator: Caller, webhook: Any, part: int
) -> None:
    steps = 0

    @seed(part)
    @of_hypothesis(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    @given(st.lists(transactions, min_size=STEPS - 10, max_size=STEPS), st.integers(0, 1 << 32))
    def mirrored(walk: list[Any], luck: int) -> None:
        nonlocal steps
        chance = random.Random(luck)
        thread, key, ids = thread_of_comments()
        example, late = consumer(), list[Any]()
        for step in walk:
            if isinstance(step, list):
                steps += len(step)
                changes = [
                    Change(ids[which], verdict, by=Actor.key("test")) for which, verdict in step
                ]
                with begin() as session:
                    settle(session, changes)
                continue
            what, which = step
            if what == "publish":
                publish_threads([thread])
            elif what == "hear":
                hear(example, chance, late, all_of_it=False)
            else:
                steps += 1
                _take_back(what, ids[which])
        publish_threads([thread])
        hear(example, chance, late, all_of_it=True)
        assert {id_: told(comment) for id_, comment in example.mirror.items()} == shown(
            moderator.client, key
        )
        answer = moderator.call("GET", f"/events/digest?thread={key}").json
        assert answer is not None
        assert (answer["digest"], answer["count"]) == (example.digest(), len(example.mirror))

    mirrored()
    assert steps >= 2500
    with reading() as session:
        left = select(func.count(Delivery.id)).where(Delivery.state.in_(("owed", "waiting")))
        assert session.scalar(left) == 0


def _take_back(what: str, comment: str) -> None:
    try:
        with begin() as session:
            undo(session, comment, by=Actor.key("test")) if what == "undo" else erase(
                session, comment, by=Actor.key("test")
            )
    except Refused:
        pass  # nothing to undo, or the comment is erased


def test_the_digest_of_a_thread_without_comments_is_that_of_an_empty_list(
    moderator: Caller,
) -> None:
    answer = moderator.call("GET", "/events/digest?thread=/nowhere").json
    nothing = hashlib.sha256(b"").hexdigest()
    assert answer == {"thread": "/nowhere", "count": 0, "digest": nothing, "next": "0.0"}
    assert moderator.call("GET", "/events/digest").status_code == 422


@pytest.fixture(autouse=True)
def _from_the_checkout(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(Path(__file__).parents[2])
    yield
    assert Base.metadata  # the schema is complete
