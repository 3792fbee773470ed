"""Webhooks over the API, with a real receiver: what is sent, to whom, when, and what the log
says.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import event, select, text

from models.records import Attempt, Delivery, Endpoint, Event, Site
from models.settings import settings
from models.store.database import begin, engine, now, reading
from models.webhooks.owed import overdue_endpoints
from service.people import accounts
from service.sites import registering
from tests.caller import Caller, Client, posted, publish_all, screen_all
from tests.fakes.dns_server import DnsServer
from tests.fakes.receiver import CUT, HANG, Answer, Receiver
from worker import sweep
from worker.webhooks import sending
from worker.webhooks.sending import deliver_now

FLAGGED = "https://a.example https://b.example https://c.example https://d.example"


@pytest.fixture(autouse=True)
def _private(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENROOM_WEBHOOK_ALLOW_PRIVATE", "true")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as listening:
        yield listening


def make(moderator: Caller, receiver: Receiver, *events: str, **more: Any) -> Any:
    """Return a new webhook, as the API answers it."""
    wanted = {"url": receiver.url, "events": list(events or ("comment.approved",)), **more}
    answer = moderator.call("POST", "/webhooks", json=wanted)
    assert answer.status_code == 201, answer.text
    return answer.json


def send_all(after: float = 0) -> None:
    """Send everything that is due now, or that many seconds later, as the worker would."""
    with time_machine.travel(now() + timedelta(seconds=after)):
        with reading() as session:
            owed = overdue_endpoints(session, now() + timedelta(milliseconds=1))
        deliver_now(owed)


def log(moderator: Caller, webhook: Any, query: str = "") -> list[Any]:
    answer = moderator.call("GET", f"/webhooks/{webhook['id']}/deliveries{query}")
    assert answer.status_code == 200, answer.text
    return list(answer.json["deliveries"])


def approved(moderator: Caller, **fields: Any) -> str:
    comment = posted(moderator.client, **fields)
    assert moderator.decide(comment, "approve").status_code == 201
    publish_all()
    return comment


def types(receiver: Receiver) -> list[str]:
    return [got.type for got in receiver.got]


def test_an_approved_comment_is_sent_signed_with_its_whole_public_state(
    moderator: Caller, receiver: Receiver
) -> None:
    webhook = make(moderator, receiver)
    comment = approved(moderator, website="https://ann.example")
    send_all()
    (body,) = receiver.verified(webhook["secret"])
    assert list(body) == ["type", "timestamp", "data"]
    assert body["type"] == "comment.approved"
    data = body["data"]
    (event,) = moderator.events()
    assert data == event["data"]
    assert body["timestamp"] == event["timestamp"]
    assert receiver.got[0].id == event["id"]
    assert {"site", "thread", "permalink", "sequence", "supersedes", "comment", "decision"} == set(
        data
    )
    assert {"id", "parent", "status", "version", "name", "website", "badges", "html", "at"} == set(
        data["comment"]
    )
    assert (data["comment"]["id"], data["comment"]["status"]) == (comment, "approved")
    assert (data["sequence"], data["supersedes"]) == (1, None)
    actor = data["decision"].pop("actor")
    assert (actor["type"], actor["name"]) == ("key", None)
    assert data["decision"] == {"by": "moderator", "verdict": "approve", "reasons": []}
    assert "ann@example.org" not in receiver.got[0].content.decode()
    assert receiver.got[0].headers["content-type"] == "application/json"
    (delivery,) = log(moderator, webhook)
    assert (delivery["state"], delivery["event"]) == ("delivered", event["id"])
    assert [attempt["status"] for attempt in delivery["attempts"]] == [204]


def test_events_that_change_a_page_wait_for_the_page_and_others_are_sent_at_once(
    moderator: Caller, receiver: Receiver
) -> None:
    webhook = make(moderator, receiver, "comment.approved", "comment.flagged")
    comment = posted(moderator.client)
    moderator.decide(comment, "flag")
    moderator.decide(comment, "approve")
    send_all()
    assert types(receiver) == ["comment.flagged"]
    assert [delivery["state"] for delivery in log(moderator, webhook)] == ["waiting", "delivered"]
    publish_all()
    send_all()
    assert types(receiver) == ["comment.flagged", "comment.approved"]


def test_an_endpoint_that_got_an_approval_gets_its_end_and_nothing_else(
    moderator: Caller, receiver: Receiver
) -> None:
    webhook = make(moderator, receiver, "comment.approved")
    comment = posted(moderator.client)
    for verdict in ("flag", "reject", "approve", "flag", "reject", "approve"):
        moderator.decide(comment, verdict)
    moderator.undo(comment)
    moderator.undo(comment)
    publish_all()
    send_all()
    told = [got.body for got in receiver.got]
    assert [
        (body["type"], body["data"]["sequence"])
        for body in sorted(told, key=lambda body: body["data"]["sequence"])
    ] == [
        ("comment.approved", 3),
        ("comment.flagged", 4),
        ("comment.approved", 6),
        ("comment.rejected", 7),
    ]
    assert len(receiver.verified(webhook["secret"])) == 4


def test_only_the_requested_threads_and_types_are_sent(
    moderator: Caller, receiver: Receiver
) -> None:
    make(moderator, receiver, "comment.approved", thread_prefix="/2026/")
    approved(moderator, thread="/2025/old")
    new = approved(moderator, thread="/2026/new")
    moderator.decide(posted(moderator.client, thread="/2026/new", body="Another"), "reject")
    send_all()
    assert [got.body["data"]["comment"]["id"] for got in receiver.got] == [new]


def test_another_sites_webhook_gets_nothing(
    client: Client, moderator: Caller, receiver: Receiver
) -> None:
    registering.add_site("other", ["https://other.example"])
    key = accounts.create_key("other", "admin")
    wanted = {"url": receiver.url, "events": ["comment.approved"]}
    made = client.post(
        "/v1/sites/other/webhooks", json=wanted, headers={"Authorization": f"Bearer {key}"}
    )
    assert made.status_code == 201
    approved(moderator)
    send_all()
    assert receiver.got == []
    assert moderator.call("GET", f"/webhooks/{made.json['id']}").status_code == 404


def test_an_attempt_that_fails_is_made_again_by_the_schedule_with_the_same_id_and_bytes(
    moderator: Caller, receiver: Receiver
) -> None:
    webhook = make(moderator, receiver)
    approved(moderator)
    receiver.always = Answer(500, {}, b"no, " + b"x" * 2000)
    send_all()
    waited = 0.0
    for delay in settings().webhook_schedule[1:]:
        send_all(waited + delay * 0.99)  # never earlier
        before = len(receiver.got)
        waited += delay * 1.11  # at most a tenth more, at random
        send_all(waited)
        assert len(receiver.got) == before + 1
    send_all(10 * waited)
    assert len(receiver.got) == 10
    assert len({(got.id, got.content) for got in receiver.got}) == 1
    (delivery,) = log(moderator, webhook)
    assert (delivery["state"], delivery["due"]) == ("dead", None)
    assert [attempt["status"] for attempt in delivery["attempts"]] == [500] * 10
    assert delivery["attempts"][0]["answer"] == "no, " + "x" * 1020


@pytest.mark.parametrize(
    "answer", [Answer(302, {"Location": "http://127.0.0.1:1/"}), Answer(404), Answer(500), CUT]
)
def test_anything_but_a_2xx_is_a_failure(
    moderator: Caller, receiver: Receiver, answer: Answer
) -> None:
    webhook = make(moderator, receiver)
    approved(moderator)
    receiver.next(answer, 200)
    send_all()
    assert log(moderator, webhook)[0]["state"] == "owed"
    send_all(after=6)
    assert len(receiver.got) == 2
    assert log(moderator, webhook)[0]["state"] == "delivered"


def test_an_endpoint_with_retry_after_is_left_alone_until_then(
    moderator: Caller, receiver: Receiver
) -> None:
    make(moderator, receiver)
    approved(moderator)
    receiver.next(Answer(429, {"Retry-After": "600"}))
    send_all()
    send_all(after=590)
    assert len(receiver.got) == 1
    send_all(after=602)
    assert len(receiver.got) == 2


def test_410_disables_and_due_deliveries_wait_until_it_is_enabled_again(
    moderator: Caller, receiver: Receiver
) -> None:
    webhook = make(moderator, receiver)
    approved(moderator)
    receiver.next(410)
    send_all()
    told = moderator.call("GET", f"/webhooks/{webhook['id']}").json
    assert told is not None
    assert told["enabled"] is False
    assert "410" in told["disabled_why"]
    approved(moderator, body="Born while it was disabled")
    send_all(after=100)
    assert len(receiver.got) == 1
    assert moderator.call("POST", f"/webhooks/{webhook['id']}/test").status_code == 409
    assert (
        moderator.call("PATCH", f"/webhooks/{webhook['id']}", json={"enabled": True}).json[
            "enabled"
        ]
        is True
    )
    range_ = {"since": when(now() - timedelta(hours=1)), "until": when(now()), "only": "missed"}
    again = moderator.call("POST", f"/webhooks/{webhook['id']}/redeliver", json=range_)
    assert (again.status_code, again.json["count"]) == (202, 2)
    send_all(after=1)
    assert len(receiver.got) == 3


def when(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def test_an_endpoint_that_accepted_nothing_for_five_days_is_disabled(
    moderator: Caller, receiver: Receiver
) -> None:
    webhook = make(moderator, receiver)
    approved(moderator)
    receiver.always = Answer(503)
    send_all()
    with time_machine.travel(now() + timedelta(days=4, hours=23)):
        approved(moderator, body="Almost five days later")
        send_all()
        assert moderator.call("GET", f"/webhooks/{webhook['id']}").json["enabled"] is True
        send_all(after=3700)
    told = moderator.call("GET", f"/webhooks/{webhook['id']}").json
    assert told is not None
    assert (told["enabled"], told["disabled_why"]) == (
        False,
        "The endpoint accepted nothing for 5 days.",
    )


def test_a_success_ends_the_count_of_days(moderator: Caller, receiver: Receiver) -> None:
    webhook = make(moderator, receiver)
    approved(moderator)
    receiver.next(500)
    send_all()
    assert moderator.call("GET", f"/webhooks/{webhook['id']}").json["failing_since"]
    send_all(after=6)
    assert moderator.call("GET", f"/webhooks/{webhook['id']}").json["failing_since"] is None


def test_a_range_that_ends_before_it_begins_is_refused(
    moderator: Caller, receiver: Receiver
) -> None:
    webhook = make(moderator, receiver)
    range_ = {"since": when(now()), "until": when(now() - timedelta(hours=1))}
    refused = moderator.call("POST", f"/webhooks/{webhook['id']}/redeliver", json=range_)
    assert refused.status_code == 422
    assert refused.json["errors"] == [
        {"field": "until", "message": "`until` must not be before `since`."}
    ]


def test_redelivering_sends_the_same_id_and_bytes_again(
    moderator: Caller, receiver: Receiver
) -> None:
    webhook = make(moderator, receiver)
    approved(moderator)
    send_all()
    range_ = {"since": when(now() - timedelta(hours=1)), "until": when(now() + timedelta(hours=1))}
    assert moderator.call("POST", f"/webhooks/{webhook['id']}/redeliver", json=range_).json == {
        "count": 1,
        "more_since": None,
    }
    send_all()
    assert len(receiver.got) == 2
    assert len({(got.id, got.content) for got in receiver.got}) == 1
    assert [len(delivery["attempts"]) for delivery in log(moderator, webhook)] == [2]


def test_one_delivery_is_sent_again_by_its_id(moderator: Caller, receiver: Receiver) -> None:
    webhook = make(moderator, receiver)
    approved(moderator)
    approved(moderator, body="Another one")
    send_all()
    wanted = log(moderator, webhook)[1]
    again = {"deliveries": [wanted["id"], "no-such-id", "0197a000-0000-7000-8000-000000000000"]}
    assert (
        moderator.call("POST", f"/webhooks/{webhook['id']}/redeliver", json=again).json["count"]
        == 1
    )
    send_all()
    assert receiver.got[-1].id == wanted["event"]


def test_redelivering_keeps_to_a_rate_and_can_begin_with_the_newest(
    moderator: Caller, receiver: Receiver
) -> None:
    webhook = make(moderator, receiver, rate=2)
    comments = [
        approved(moderator, body=f"Words number {number}", thread=f"/{number}")
        for number in range(5)
    ]
    send_all(after=60)
    send_all(after=120)
    receiver.got.clear()
    with begin() as session:
        session.execute(text("DELETE FROM attempts"))
        session.execute(text("DELETE FROM deliveries"))
    range_ = {"since": when(now() - timedelta(hours=1)), "newest_first": True}
    assert (
        moderator.call("POST", f"/webhooks/{webhook['id']}/redeliver", json=range_).json["count"]
        == 5
    )
    due = sorted(datetime.fromisoformat(delivery["due"]) for delivery in log(moderator, webhook))
    assert [(later - due[0]).total_seconds() for later in due] == pytest.approx(
        [0, 0.5, 1, 1.5, 2], abs=0.01
    )
    for second in range(6):
        send_all(after=200 + second)
    assert [got.body["data"]["comment"]["id"] for got in receiver.got] == comments[::-1]


def test_during_a_rotation_both_secrets_verify_and_then_only_the_new(
    moderator: Caller, receiver: Receiver
) -> None:
    webhook = make(moderator, receiver)
    new = moderator.call(
        "POST", f"/webhooks/{webhook['id']}/rotate", json={"overlap_seconds": 600}
    ).json
    assert new is not None
    assert new["secret"].startswith("whsec_")
    assert new["secret"] != webhook["secret"]
    approved(moderator)
    send_all()
    assert len(receiver.got[0].headers["webhook-signature"].split(" ")) == 2
    assert receiver.verified(webhook["secret"]) == receiver.verified(new["secret"])
    receiver.got.clear()
    approved(moderator, body="When the old one has ended")
    send_all(after=601)
    with time_machine.travel(now() + timedelta(seconds=601)):
        assert len(receiver.verified(new["secret"])) == 1
        with pytest.raises(Exception, match="No matching signature"):
            receiver.verified(webhook["secret"])


def test_the_secret_is_shown_once_and_kept_only_encrypted(
    moderator: Caller, receiver: Receiver, data: Any
) -> None:
    webhook = make(moderator, receiver, headers={"Authorization": "Bearer very-secret"})
    shown = [
        moderator.call("GET", path).text for path in ("/webhooks", f"/webhooks/{webhook['id']}")
    ]
    assert all(webhook["secret"] not in text and "very-secret" not in text for text in shown)
    with reading() as session:
        sealed = session.execute(select(Endpoint.sealed)).scalar_one()
    assert webhook["secret"].encode() not in sealed
    approved(moderator)
    send_all()
    assert receiver.got[0].headers["authorization"] == "Bearer very-secret"


def test_ed25519_signatures_come_beside_the_shared_secrets(
    moderator: Caller, receiver: Receiver
) -> None:
    from base64 import b64decode

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    webhook = make(moderator, receiver, ed25519=True)
    approved(moderator)
    send_all()
    got = receiver.got[0]
    signatures = dict(
        signature.split(",") for signature in got.headers["webhook-signature"].split(" ")
    )
    public = Ed25519PublicKey.from_public_bytes(
        b64decode(webhook["public_keys"][0].removeprefix("whpk_"))
    )
    signed = f"{got.id}.{got.headers['webhook-timestamp']}.".encode() + got.content
    public.verify(b64decode(signatures["v1a"]), signed)
    assert receiver.verified(webhook["secret"])


def test_a_test_event_is_real_and_signed_and_looks_like_any_other(
    moderator: Caller, receiver: Receiver
) -> None:
    webhook = make(moderator, receiver)
    sent = moderator.call("POST", f"/webhooks/{webhook['id']}/test")
    assert sent.status_code == 202
    send_all()
    (body,) = receiver.verified(webhook["secret"])
    assert body["type"] == "webhook.test"
    assert {"site", "thread", "permalink", "sequence", "supersedes", "comment", "decision"} == set(
        body["data"]
    )
    assert receiver.got[0].id == sent.json["event"]
    assert moderator.events() == []


def test_an_erased_comments_event_has_no_content_and_its_pending_deliveries_are_cancelled(
    moderator: Caller, receiver: Receiver
) -> None:
    webhook = make(moderator, receiver)
    comment = approved(moderator, body="Unforgettable words", name="Forgetme")
    receiver.next(Answer(200, {}, b"I heard: Unforgettable words"))
    send_all()
    receiver.next(500)
    moderator.decide(comment, "reject")
    publish_all()
    send_all()
    moderator.call("DELETE", f"/comments/{comment}")
    publish_all()
    receiver.got.clear()
    send_all(after=600)
    assert types(receiver) == [
        "comment.deleted"
    ]  # although its approval had ended before: that event never arrived
    assert receiver.got[0].body["data"]["comment"]["html"] == ""
    told = log(moderator, webhook)
    assert [delivery["state"] for delivery in told] == ["delivered", "cancelled", "delivered"]
    assert "unforgettable" not in str(told).lower()
    since = {"since": when(now() - timedelta(days=1))}
    assert (
        moderator.call("POST", f"/webhooks/{webhook['id']}/redeliver", json=since).json["count"]
        == 1
    )


def test_of_one_comment_one_after_the_other_where_the_endpoint_asks_for_it(
    moderator: Caller, receiver: Receiver
) -> None:
    make(moderator, receiver, "comment.approved", "comment.flagged", ordered=True)
    comment, other = posted(moderator.client), posted(moderator.client, body="Of another comment")
    for verdict in ("flag", "approve", "flag"):
        moderator.decide(comment, verdict)
    moderator.decide(other, "flag")
    publish_all()
    receiver.next(500, 500)
    send_all()
    first = [
        (got.body["data"]["comment"]["id"], got.body["data"]["sequence"]) for got in receiver.got
    ]
    assert sorted(first) == sorted([(comment, 1), (other, 1)])
    send_all(after=6)
    of_it = [
        got.body["data"]["sequence"]
        for got in receiver.got
        if got.body["data"]["comment"]["id"] == comment
    ]
    assert of_it == [1, 1, 2, 3]


def test_a_backlog_is_coalesced_to_the_newest_state_where_the_endpoint_asks_for_it(
    moderator: Caller, receiver: Receiver
) -> None:
    webhook = make(moderator, receiver, "comment.approved", "comment.flagged", coalesce=True)
    comment = posted(moderator.client)
    for verdict in ("flag", "approve", "flag"):
        moderator.decide(comment, verdict)
    publish_all()
    send_all()
    assert [got.body["data"]["sequence"] for got in receiver.got] == [3]
    assert [delivery["state"] for delivery in log(moderator, webhook)] == [
        "delivered",
        "coalesced",
        "coalesced",
    ]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_backlog_longer_than_a_piece_is_coalesced_and_replaced_events_are_never_sent(
    moderator: Caller, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.webhooks.deliveries.PIECE", 5)
    monkeypatch.setattr("worker.webhooks.sending.UNPROVED", 2)
    make(moderator, receiver, "comment.flagged", "comment.rejected", coalesce=True)
    comments = [posted(moderator.client, body=f"Number {number}") for number in range(3)]
    for verdict in ("flag", "reject", "flag", "reject", "flag"):
        for comment in comments:
            moderator.decide(comment, verdict)
    send_all()
    told = {
        (got.body["data"]["comment"]["id"], got.body["data"]["sequence"]) for got in receiver.got
    }
    assert told == {(comment, 5) for comment in comments}
    assert len(receiver.got) == 3


def test_dead_deliveries_are_found_among_any_number_of_later_events(
    moderator: Caller, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.webhooks.redelivery.MOST_REDELIVERED", 2)
    monkeypatch.setenv("GREENROOM_WEBHOOK_SCHEDULE", "0")
    settings.cache_clear()
    webhook = make(moderator, receiver, "comment.rejected")
    receiver.next(204, 204, 204, 500)
    for number in range(5):
        moderator.decide(posted(moderator.client, body=f"Number {number}"), "reject")
        send_all()
    wanted = {"since": "2020-01-01T00:00:00Z", "only": "failed"}
    answer = moderator.call("POST", f"/webhooks/{webhook['id']}/redeliver", json=wanted)
    assert answer.json == {"count": 1, "more_since": None}
    send_all(1)
    assert receiver.got[3].id == receiver.got[5].id


def test_a_rate_holds(moderator: Caller, receiver: Receiver) -> None:
    make(moderator, receiver, rate=2)
    for number in range(4):
        approved(moderator, body=f"Words number {number}", thread=f"/{number}")
    for second in range(3):
        send_all(after=100 + second * 0.5)
        assert len(receiver.got) == second + 1


def test_a_private_address_is_never_contacted_and_the_log_says_which_setting_allows_it(
    moderator: Caller, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENROOM_WEBHOOK_ALLOW_PRIVATE", "false")
    with DnsServer({"hook.test": {"A": ["127.0.0.1"]}}) as dns:
        dns.serve(monkeypatch)
        monkeypatch.setenv("GREENROOM_WEBHOOK_PORTS", str(receiver.port))
        settings.cache_clear()
        wanted = {"url": f"https://hook.test:{receiver.port}/", "events": ["comment.approved"]}
        webhook = moderator.call("POST", "/webhooks", json=wanted).json
        approved(moderator)
        send_all()
    attempt = log(moderator, webhook)[0]["attempts"][0]
    assert attempt["status"] is None
    assert "GREENROOM_WEBHOOK_ALLOW_PRIVATE=true" in attempt["error"]
    assert receiver.connections == 0


def test_metrics_say_since_when_the_oldest_webhook_is_due(
    moderator: Caller, receiver: Receiver
) -> None:
    def seconds() -> float:
        told = moderator.client.get("/metrics").text
        return float(
            told.partition("\ngreenroom_webhook_oldest_due_seconds ")[2].partition("\n")[0]
        )

    make(moderator, receiver)
    assert seconds() == 0
    approved(moderator)
    with time_machine.travel(now() + timedelta(seconds=60)):
        assert 60 <= seconds() < 90
        send_all()
        assert seconds() == 0


def test_a_dead_endpoint_does_not_hold_up_another(moderator: Caller, receiver: Receiver) -> None:
    with Receiver(always=HANG) as dead:
        make(moderator, dead, "comment.rejected")
        make(moderator, receiver, "comment.rejected")
        sender = sending.sender()
        try:
            for number in range(30):
                moderator.decide(posted(moderator.client, body=f"Words number {number}"), "reject")
                with reading() as session:
                    sender.wake(overdue_endpoints(session, now() + timedelta(seconds=1)))
            _until(lambda: len(receiver.got) == 30)
            assert 1 <= dead.busiest <= settings().webhook_in_flight
        finally:
            sending.stop()


def test_one_endpoint_gets_few_attempts_at_the_same_time(
    moderator: Caller, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENROOM_WEBHOOK_IN_FLIGHT", "3")
    settings.cache_clear()
    make(moderator, receiver, "comment.rejected")
    receiver.always = Answer(200, {}, b"slow", drip=0.02)
    for number in range(12):
        moderator.decide(posted(moderator.client, body=f"Words number {number}"), "reject")
    send_all()
    assert len(receiver.got) == 12
    assert receiver.busiest == 3


def test_a_deleted_webhook_gets_no_more_events_and_its_log_is_deleted(
    moderator: Caller, receiver: Receiver
) -> None:
    webhook = make(moderator, receiver)
    approved(moderator)
    assert moderator.call("DELETE", f"/webhooks/{webhook['id']}").status_code == 204
    approved(moderator, body="After it was deleted")
    send_all()
    assert receiver.got == []
    assert moderator.call("GET", f"/webhooks/{webhook['id']}").status_code == 404
    assert moderator.call("GET", "/webhooks").json == {"webhooks": []}
    sweep.tidy(now())
    with reading() as session:
        assert session.execute(select(Endpoint.id)).first() is None
        assert session.execute(select(Delivery.id)).first() is None


def test_the_attempt_log_is_kept_for_thirty_days(moderator: Caller, receiver: Receiver) -> None:
    webhook = make(moderator, receiver)
    approved(moderator)
    send_all()
    sweep.tidy(now() + timedelta(days=29))
    assert len(log(moderator, webhook)[0]["attempts"]) == 1
    sweep.tidy(now() + timedelta(days=31))
    with reading() as session:
        assert session.execute(select(Attempt.id)).first() is None
        assert session.execute(select(Delivery.id)).first() is None


def test_the_event_log_is_kept_for_the_set_time_and_an_expired_cursor_gets_an_error(
    moderator: Caller, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENROOM_EVENT_DAYS", "90")
    settings.cache_clear()
    for number in range(3):
        approved(moderator, body=f"Words number {number}")
    page = moderator.call("GET", "/events?limit=1").json
    assert page is not None
    make(moderator, receiver)
    approved(moderator, body="Still owed to someone")
    sweep.tidy(now() + timedelta(days=89))
    assert len(moderator.events()) == 4
    sweep.tidy(now() + timedelta(days=91))
    assert [event["data"]["comment"]["html"] for event in moderator.events()] == [
        "<p>Still owed to someone</p>"
    ]
    gone = moderator.call("GET", f"/events?after={page['next']}")
    assert (gone.status_code, gone.json["oldest"]) == (410, "3.0")
    assert len(moderator.call("GET", "/events?after=3.0").json["events"]) == 1


def test_a_killed_workers_deliveries_are_sent_by_the_next_after_their_lease(
    moderator: Caller, receiver: Receiver
) -> None:
    make(moderator, receiver)
    approved(moderator)
    with reading() as session:
        (endpoint,) = overdue_endpoints(session, now() + timedelta(seconds=1))
    from worker.webhooks.deliveries import round_of

    assert len(round_of([], {endpoint: 5}).jobs) == 1  # claimed, but its sender is dead
    send_all(after=10)
    assert receiver.got == []
    send_all(after=21)
    assert len(receiver.got) == 1


def test_the_sweep_sends_deliveries_whose_message_was_lost(
    moderator: Caller, receiver: Receiver
) -> None:
    make(moderator, receiver, "comment.rejected")
    moderator.decide(posted(moderator.client), "reject")
    with time_machine.travel(now() + timedelta(seconds=4)):
        sweep.sweep()
        try:
            sending.sender()
            _until(lambda: receiver.got)
        finally:
            sending.stop()
    assert types(receiver) == ["comment.rejected"]


def test_the_sweep_finds_deliveries_whose_page_is_shown_already(
    moderator: Caller, receiver: Receiver
) -> None:
    webhook = make(moderator, receiver)
    approved(moderator)
    with begin() as session:
        session.execute(text("UPDATE deliveries SET state = 'waiting', due = NULL"))
    sweep.sweep()
    assert log(moderator, webhook)[0]["state"] == "owed"


def _until(true: Any) -> None:
    from tests.greenroom import until

    until(true)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"url": "https://example.org/"},
        {"events": ["comment.approved"]},
        {"url": "https://example.org/", "events": []},
        {"url": "https://example.org/", "events": ["comment.exploded"]},
        {"url": "ftp://example.org/", "events": ["comment.approved"]},
        {"url": "https://ann:secret@example.org/", "events": ["comment.approved"]},
        {"url": "https://example.org/#there", "events": ["comment.approved"]},
        {"url": "https://exa mple.org/", "events": ["comment.approved"]},
        {"url": "https:///path", "events": ["comment.approved"]},
        {"url": 7, "events": ["comment.approved"]},
        {
            "url": "https://example.org/",
            "events": ["comment.approved"],
            "headers": {"Webhook-Id": "mine"},
        },
        {
            "url": "https://example.org/",
            "events": ["comment.approved"],
            "headers": {"Host": "mine"},
        },
        {
            "url": "https://example.org/",
            "events": ["comment.approved"],
            "headers": {"X": "a\r\nb: c"},
        },
        {"url": "https://example.org/", "events": ["comment.approved"], "rate": 0},
        {"url": "https://example.org/", "events": ["comment.approved"], "colour": "red"},
    ],
)
def test_a_webhook_of_the_wrong_shape_is_refused(moderator: Caller, wrong: Any) -> None:
    answer = moderator.call("POST", "/webhooks", json=wrong)
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert answer.json["errors"]


@pytest.mark.parametrize(
    ("field", "body"),
    [("events", {"url": "https://example.org/"}), ("url", {"events": ["comment.approved"]})],
)
def test_an_error_names_what_a_new_webhook_lacks(moderator: Caller, field: str, body: Any) -> None:
    answer = moderator.call("POST", "/webhooks", json=body)
    assert [error["field"] for error in answer.json["errors"]] == [field]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/redeliver", {}),
        ("POST", "/redeliver", {"since": "yesterday"}),
        ("POST", "/redeliver", {"since": "2026-01-01T00:00:00"}),
        ("POST", "/redeliver", {"since": "0001-01-01T00:00:00+23:00"}),
        (
            "POST",
            "/redeliver",
            {"since": "2026-01-01T00:00:00Z", "until": "9999-12-31T23:59:59-23:00"},
        ),
        ("POST", "/rotate", {"overlap_seconds": -1}),
        ("GET", "/deliveries?state=lost", None),
        ("GET", "/deliveries?cursor=x", None),
        ("PATCH", "", {"events": []}),
        ("PATCH", "", {"url": "gopher://example.org"}),
    ],
)
def test_a_call_of_the_wrong_shape_is_refused(
    moderator: Caller, receiver: Receiver, method: str, path: str, body: Any
) -> None:
    webhook = make(moderator, receiver)
    more = {"json": body} if body is not None else {}
    assert moderator.call(method, f"/webhooks/{webhook['id']}{path}", **more).status_code == 422


@pytest.mark.parametrize("scope", ["read", "moderate"])
def test_webhooks_are_for_admins(client: Client, scope: str) -> None:
    caller = Caller(client, accounts.create_key("demo", scope))
    wanted = {"url": "https://example.org/", "events": ["comment.approved"]}
    assert caller.call("POST", "/webhooks", json=wanted).status_code == 403
    assert caller.call("GET", "/webhooks").status_code == 403


def test_a_site_without_webhooks_is_not_asked_for_them_when_it_settles(
    moderator: Caller, receiver: Receiver
) -> None:
    asked: list[str] = []

    def note(*about: Any) -> None:
        asked.append(about[2])

    event.listen(engine(), "before_cursor_execute", note)
    screen_all()
    moderator.decide(posted(moderator.client), "approve")
    event.remove(engine(), "before_cursor_execute", note)
    assert asked
    assert not [
        statement
        for statement in asked
        if "endpoints.url" in statement or "FROM endpoints" in statement
    ]


def test_changing_a_webhook_changes_only_what_is_given(
    moderator: Caller, receiver: Receiver
) -> None:
    webhook = make(moderator, receiver, description="For search", headers={"X-Team": "search"})
    changed = moderator.call(
        "PATCH", f"/webhooks/{webhook['id']}", json={"events": ["comment.rejected"]}
    ).json
    assert changed == {name: value for name, value in webhook.items() if name != "secret"} | {
        "events": ["comment.rejected"]
    }
    assert moderator.call("GET", f"/webhooks/{webhook['id']}").json == changed
    with reading() as session:
        assert session.execute(select(Site.endpoints)).scalar() == 1
        assert session.execute(select(Event.id)).first() is None
