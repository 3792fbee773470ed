"""Which endpoints get an event, and from when on."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from sqlalchemy import select, update

from models.judgement.policy import Verdict
from models.records import Comment, Delivery, Endpoint, Thread
from models.settling.actor import POLICY
from models.settling.changes import Change
from models.settling.erasing import erase
from models.store.database import begin, now, reading
from models.webhooks.owed import (
    Happened,
    cancel_deliveries,
    delivery_of,
    release_published,
    shown_but_waiting,
    wants,
)
from tests.caller import Caller, posted
from tests.models.settling.deciding import ANN, decide, settle_one


class Wanting(NamedTuple):
    events: list[str]
    thread_prefix: str = ""
    format: str = "standard"


APPROVED = Wanting(["comment.approved"])
FLAGGED = Wanting(["comment.flagged"])
NEWS = Wanting(["comment.approved", "comment.deleted"], thread_prefix="/news")
SLACK = Wanting(["comment.approved"], format="slack")


@pytest.mark.parametrize(
    ("endpoint", "kind", "ends_approval", "thread", "hears"),
    [
        (APPROVED, "comment.approved", False, "/a", True),
        (APPROVED, "comment.flagged", False, "/a", False),
        # An endpoint that got the approval also gets its end.
        (APPROVED, "comment.rejected", True, "/a", True),
        (APPROVED, "comment.deleted", True, "/a", True),
        (FLAGGED, "comment.deleted", True, "/a", False),
        # Only the threads that it asked for.
        (NEWS, "comment.approved", False, "/news/1", True),
        (NEWS, "comment.approved", False, "/sport/news", False),
        (NEWS, "comment.deleted", True, "/sport", False),
        # A chat gets comments that wait for a moderator, and nothing else.
        (SLACK, "comment.flagged", False, "/a", True),
        (SLACK, "comment.approved", False, "/a", False),
        (SLACK, "comment.rejected", True, "/a", False),
    ],
)
def test_an_endpoint_gets_the_events_that_it_asked_for(
    endpoint: Wanting, kind: str, ends_approval: bool, thread: str, hears: bool
) -> None:
    assert wants(endpoint, kind, ends_approval=ends_approval, thread=thread) is hears


def test_an_event_that_changes_no_page_is_due_at_once() -> None:
    at = now()
    row = delivery_of(Happened("e", 1, "comment.flagged", "c", 3), "endpoint", at)
    assert (row["state"], row["due"], row["sequence"]) == ("owed", at, 3)


def test_an_event_that_changes_a_page_waits_for_it() -> None:
    row = delivery_of(Happened("e", 1, "comment.approved", "c", 1, 7, 2), "endpoint", now())
    assert (row["state"], row["due"]) == ("waiting", None)
    assert (row["thread_id"], row["revision"]) == (7, 2)


@pytest.fixture
def endpoint(moderator: Caller) -> str:
    """An endpoint for approvals in threads below /harbour."""
    wanted = {
        "url": "https://receiver.example/",
        "events": ["comment.approved"],
        "thread_prefix": "/harbour",
    }
    answer = moderator.call("POST", "/webhooks", json=wanted)
    assert answer.status_code == 201, answer.text
    return str(answer.json["id"])


def deliveries() -> list[tuple[str, str]]:
    with reading() as session:
        rows = session.execute(select(Delivery.type, Delivery.state).order_by(Delivery.id))
        return [(kind, state) for kind, state in rows]


def test_settling_adds_deliveries_for_enabled_endpoints(moderator: Caller, endpoint: str) -> None:
    near = posted(moderator.client)
    far = posted(moderator.client, thread="/sport", body="It was on time today.")
    decide(near, "flag", by=POLICY)
    assert deliveries() == []
    decide(near, "approve")
    decide(far, "approve")
    assert deliveries() == [("comment.approved", "waiting")]
    with begin() as session:
        session.execute(update(Endpoint).values(is_enabled=False))
    decide(near, "reject")
    assert len(deliveries()) == 1


def test_a_delivery_that_is_due_at_once_names_its_endpoint(
    moderator: Caller, endpoint: str
) -> None:
    with begin() as session:
        session.execute(update(Endpoint).values(events=["comment.flagged", "comment.approved"]))
    comment = posted(moderator.client)
    flagged = settle_one(Change(comment, Verdict.FLAG))
    approved = settle_one(Change(comment, Verdict.APPROVE, by=ANN))
    assert flagged
    assert approved
    assert (flagged.owed, approved.owed) == ((endpoint,), ())


def test_a_published_page_releases_the_deliveries_that_waited_for_it(
    moderator: Caller, endpoint: str
) -> None:
    comment = posted(moderator.client)
    decide(comment, "approve")
    with reading() as session:
        thread = session.get_one(Comment, comment).thread_id
    with begin() as session:
        assert release_published(session, now(), [thread]) == []
    with begin() as session:
        session.execute(update(Thread).values(published_revision=Thread.revision))
    with begin() as session:
        assert shown_but_waiting(session) == [thread]
        assert release_published(session, now(), [thread]) == [endpoint]
        assert release_published(session, now(), [thread]) == []
    assert deliveries() == [("comment.approved", "owed")]


def test_an_erasure_cancels_due_deliveries_and_is_sent_to_their_endpoints(
    moderator: Caller, endpoint: str
) -> None:
    """The endpoint asked only for approvals, and the comment is no longer approved."""
    comment = posted(moderator.client)
    decide(comment, "approve")
    with begin() as session:
        session.execute(update(Endpoint).values(events=["comment.edited"]))
    with begin() as session:
        erase(session, comment, by=ANN)
    assert deliveries() == [("comment.approved", "cancelled"), ("comment.deleted", "waiting")]


def test_the_word_that_a_comment_is_gone_is_never_cancelled(
    moderator: Caller, endpoint: str
) -> None:
    comment = posted(moderator.client)
    decide(comment, "approve")
    with begin() as session:
        erase(session, comment, by=ANN)
    with begin() as session:
        assert cancel_deliveries(session, comment) == set()
    assert deliveries()[-1] == ("comment.deleted", "waiting")
