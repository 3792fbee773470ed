"""Old webhook data is deleted a little at a time, but nothing that is still to be sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from models.identifiers import new_id
from models.records import Attempt, Comment, Delivery, Endpoint, Event, Site, Thread
from models.settings import settings
from models.store.database import begin, now, reading
from worker import lots
from worker.webhooks.retention import KEPT, forget_events, tidy_webhooks

AT = now()
DAY = timedelta(days=1)
OLD, RECENT = AT - KEPT - DAY, AT - KEPT + DAY


@pytest.fixture(autouse=True)
def site(data: Path) -> int:
    """A site with an endpoint `ENDPOINT`, and a comment `COMMENT` that events are about."""
    with begin() as session:
        site = session.scalars(select(Site.id)).one()
        session.add(Thread(id=1, site_id=site, key="/a"))
        session.flush()
        comment = Comment(id=COMMENT, site_id=site, thread_id=1, top_id=COMMENT, status="approved")
        comment.name, comment.body, comment.email_index, comment.address = "Ann", "Hm", "", ""
        session.add(comment)
        session.add(Endpoint(id=ENDPOINT, site_id=site, url="", events=[], sealed=b""))
    return site


COMMENT, ENDPOINT = new_id(), new_id()


def delivery(
    *, event: str | None = None, state: str = "delivered", ended: datetime | None = None
) -> str:
    id_ = new_id()
    with begin() as session:
        row = Delivery(id=id_, endpoint_id=ENDPOINT, event_id=event or new_id(), state=state)
        row.type, row.comment_id, row.sequence = "comment.approved", COMMENT, 1
        row.ended_at = ended
        session.add(row)
    return id_


def attempt(of: str, *, at: datetime = AT) -> None:
    with begin() as session:
        session.add(Attempt(id=new_id(), delivery_id=of, at=at, status=204, ms=1))


def event(site: int, position: int, *, at: datetime) -> str:
    id_ = new_id()
    with begin() as session:
        row = Event(id=id_, site_id=site, position=position, nth=0, sequence=position, data={})
        row.type, row.comment_id, row.at = "comment.approved", COMMENT, at
        session.add(row)
    return id_


def left(record: type[Attempt | Delivery | Endpoint | Event]) -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(record)) or 0


def positions() -> list[int]:
    with reading() as session:
        return list(session.scalars(select(Event.position).order_by(Event.position)))


def test_deliveries_that_ended_a_month_ago_are_deleted_with_their_attempts() -> None:
    attempt(delivery(ended=OLD), at=OLD)
    attempt(delivery(ended=RECENT), at=RECENT)
    tidy_webhooks(AT)
    assert (left(Delivery), left(Attempt), left(Endpoint)) == (1, 1, 1)


def test_a_delivery_that_has_not_ended_stays() -> None:
    delivery(state="owed")
    tidy_webhooks(AT + 10 * KEPT)
    assert left(Delivery) == 1


def test_a_delivery_stays_while_one_of_its_attempts_does() -> None:
    attempt(delivery(ended=OLD), at=RECENT)
    tidy_webhooks(AT)
    assert (left(Delivery), left(Attempt)) == (1, 1)


def test_a_deleted_endpoint_goes_with_all_that_was_its_own() -> None:
    attempt(delivery(state="owed"))
    with begin() as session:
        session.get_one(Endpoint, ENDPOINT).deleted_at = AT
    tidy_webhooks(AT)
    assert (left(Endpoint), left(Delivery), left(Attempt)) == (0, 0, 0)


def test_a_long_log_is_removed_in_lots_and_the_rest_next_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lots, "AT_ONCE", 2)
    monkeypatch.setattr(lots, "MOST_LOTS", 2)
    for _ in range(7):
        delivery(ended=OLD)
    tidy_webhooks(AT)
    assert left(Delivery) == 3
    tidy_webhooks(AT)
    assert left(Delivery) == 0


def test_the_oldest_events_are_deleted_first(site: int) -> None:
    for position, at in ((1, OLD), (2, OLD), (3, RECENT), (4, OLD)):
        event(site, position, at=at)
    forget_events(AT - KEPT)
    assert positions() == [3, 4]  # a later event that is old waits for those before it
    with reading() as session:
        assert session.get_one(Site, site).forgotten == 2


@pytest.mark.parametrize(("state", "kept"), [("owed", [2, 3]), ("waiting", [2, 3]), ("dead", [])])
def test_an_event_with_a_due_delivery_is_kept_and_all_later_ones(
    site: int, state: str, kept: list[int]
) -> None:
    events = [event(site, position, at=OLD) for position in (1, 2, 3)]
    delivery(event=events[1], state=state)
    forget_events(AT - KEPT)
    assert positions() == kept


def test_events_are_kept_for_good_unless_a_setting_says_how_long(
    site: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    event(site, 1, at=AT - 400 * DAY)
    monkeypatch.setenv("GREENROOM_EVENT_DAYS", "0")
    settings.cache_clear()
    tidy_webhooks(AT)
    assert positions() == [1]
    monkeypatch.setenv("GREENROOM_EVENT_DAYS", "399")
    settings.cache_clear()
    tidy_webhooks(AT)
    assert positions() == []


def test_many_events_are_deleted_in_groups(site: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lots, "AT_ONCE", 2)
    for position in range(1, 6):
        event(site, position, at=OLD)
    forget_events(AT - KEPT)
    assert positions() == []
