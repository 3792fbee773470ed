"""Webhooks in the console, with a real receiver."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from models.records import Act, Endpoint
from models.settings import settings
from models.store.database import begin, now, reading
from models.webhooks.endpoints import unsealed
from tests.caller import Caller, Client, posted
from tests.fakes.receiver import Answer, Receiver
from tests.service.signed_in import SignedIn
from tests.service.webhooks.test_webhooks import send_all

PLACE = "/sites/demo/webhooks"
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def _private(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENROOM_WEBHOOK_ALLOW_PRIVATE", "true")


def test_an_owner_makes_a_webhook_tests_it_reads_the_log_and_sends_it_again(
    client: Client,
) -> None:
    ann = SignedIn(client)
    with Receiver() as receiver:
        made = ann.form(PLACE, url=receiver.url, events="comment.approved", format="standard")
        assert made.status_code == 200, made.text
        secret = re.findall(r"whsec_[\w+/=]+", made.text)[0]
        place = PLACE + "/" + re.findall(r"demo/webhooks/([0-9a-f-]{36})", made.text)[0]
        assert secret not in ann.get(place)
        assert ann.form(place, do="test").status_code == 303
        send_all()
        assert [body["type"] for body in receiver.verified(secret)] == ["webhook.test"]
        page = ann.get(f"{place}?state=delivered")
        assert "204, " in page
        delivery = re.findall(r'name="delivery" value="([^"]+)"', page)[0]
        assert ann.form(f"{place}/redeliver", delivery=delivery).status_code == 303
        send_all()
        assert len({got.id for got in receiver.got}) == 1
        assert len(receiver.got) == 2
    assert ann.form(place, do="disable").status_code == 303
    assert "Someone disabled it." in ann.get(PLACE)
    assert ann.form(place, do="delete").status_code == 422
    assert ann.form(place, do="delete", sure="1").status_code == 303
    assert "None yet." in ann.get(PLACE)


def test_an_impossible_address_is_an_error_at_its_field_and_the_form_keeps_the_text(
    client: Client,
) -> None:
    answer = SignedIn(client).form(
        PLACE, url="nowhere", events="comment.approved", description="For search"
    )
    assert answer.status_code == 422
    assert 'id="wrong-url"' in answer.text
    assert 'value="For search"' in answer.text


def made(ann: SignedIn, receiver: Receiver, **more: str) -> tuple[str, str]:
    """Return the address of a new webhook's page, and its secret."""
    page = ann.form(
        PLACE, url=receiver.url, **{"events": "comment.rejected", "format": "standard", **more}
    )
    assert page.status_code == 200, page.text
    secret = re.findall(r"whsec_[\w+/=]+", page.text)[0]
    return PLACE + "/" + re.findall(r"demo/webhooks/([0-9a-f-]{36})", page.text)[0], secret


def kept(place: str) -> Endpoint:
    with reading() as session:
        return session.get_one(Endpoint, place.rpartition("/")[2])


@on_sqlite
def test_all_of_how_it_is_sent_can_be_set_and_headers_stay_secret(client: Client) -> None:
    ann = SignedIn(client)
    with Receiver() as receiver:
        how = {"ordered": "1", "coalesce": "1", "ed25519": "1", "rate": "2.5"}
        headers = "X-Tenant: paper\n\nAuthorization:  Bearer very secret \n"
        place, secret = made(ann, receiver, headers=headers, thread_prefix="/2026/", **how)
        row = kept(place)
        assert (row.is_ordered, row.is_coalesced, row.signs_ed25519, row.rate) == (
            True,
            True,
            True,
            2.5,
        )
        assert row.thread_prefix == "/2026/"
        page = ann.get(place)
        assert "whpk_" in page
        assert "very secret" not in page
        assert "Authorization, X-Tenant" in page
        ann.form(place, do="test")
        send_all()
    assert receiver.verified(secret)
    assert receiver.got[0].headers["authorization"] == "Bearer very secret"
    shown = {"url": receiver.url, "events": "comment.rejected", "headers": ""}
    assert ann.form(place, do="save", rate="", **shown).status_code == 303
    row = kept(place)
    assert (row.is_ordered, row.is_coalesced, row.signs_ed25519, row.rate) == (
        False,
        False,
        False,
        None,
    )
    assert list(unsealed(row.sealed).headers) == ["X-Tenant", "Authorization"]
    assert ann.form(place, do="save", no_headers="1", **shown).status_code == 303
    assert unsealed(kept(place).sealed).headers == {}


@on_sqlite
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rate", "many"),
        ("rate", "nan"),
        ("rate", "0"),
        ("headers", "Host: me"),
        ("headers", "no colon"),
        ("url", "x"),
    ],
)
def test_an_impossible_value_is_an_error_at_its_field_also_in_a_change(
    client: Client, field: str, value: str
) -> None:
    ann = SignedIn(client)
    with Receiver() as receiver:
        place, _ = made(ann, receiver)
    given = {
        "url": receiver.url,
        "events": "comment.rejected",
        "headers": "X-Tenant: paper",
        field: value,
    }
    answer = ann.form(place, do="save", **given)
    assert answer.status_code == 422
    assert f'id="wrong-{field}"' in answer.text
    assert f">{given['headers']}</textarea>" in answer.text  # the typed text is still there


@on_sqlite
def test_the_receiver_is_tested_and_its_faults_are_listed(client: Client) -> None:
    ann = SignedIn(client)
    with Receiver() as careless:
        place, _ = made(ann, careless)
        page = ann.form(place, do="check").text
    assert "Some were not handled correctly." in page
    assert '<dt>Bad signature</dt><dd><b class="error">failed</b>' in page
    assert '<dt>Good signature</dt><dd><b class="good">passed</b>' in page
    assert not re.search(r"\.\.|\. ?;| ms [A-Z]", page.partition("<dl")[2].partition("</dl>")[0])


@on_sqlite
def test_dead_deliveries_are_sent_again_singly_all_together_or_by_type(
    client: Client, moderator: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENROOM_WEBHOOK_SCHEDULE", "0")
    settings.cache_clear()
    ann = SignedIn(client)
    with Receiver() as receiver:
        place, secret = made(ann, receiver)
        ann.form(place, do="save", url=receiver.url, events=["comment.rejected", "comment.flagged"])  # type: ignore[arg-type]
        receiver.next(500, 500, 500)
        for number, verdict in enumerate(("reject", "reject", "flag")):
            moderator.decide(posted(moderator.client, body=f"Number {number}"), verdict)
        send_all()
        ids = re.findall(r'name="delivery" value="([^"]+)" form', ann.get(f"{place}?state=dead"))
        assert len(ids) == 3
        ann.form(f"{place}/redeliver", delivery=ids[0])
        send_all(1)
        assert len(receiver.got) == 4
        dead = {"since": "2026-01-01T00:00", "only": "failed", "types": "comment.flagged"}
        with time_machine.travel(now()):
            assert "again=0" in ann.form(f"{place}/redeliver", **dead).location
            assert "again=2" in ann.form(f"{place}/redeliver", all_dead="1").location
        send_all(1)
        assert "Nothing in this state." in ann.get(f"{place}?state=dead")
    assert len(receiver.verified(secret)) == 6


@on_sqlite
def test_every_page_warns_owners_of_a_failing_or_disabled_webhook_until_someone_acts(
    client: Client, moderator: Caller
) -> None:
    ann, bob = SignedIn(client), SignedIn(client, "bob@paper.example", role="moderator")
    with Receiver() as receiver:
        place, _ = made(ann, receiver)
        receiver.always = Answer(500)
        moderator.decide(posted(moderator.client), "reject")
        send_all()
        assert "View webhook" not in ann.get("/")  # only a short failure so far
        with time_machine.travel(now() + timedelta(minutes=11)):
            assert "The webhook of demo to 127.0.0.1 is failing" in ann.get("/")
            assert "View webhook" not in bob.get("/")
        receiver.always = Answer(410)
        send_all(3600)
    for page in ("/", "/log", place):
        assert (
            "The webhook of demo to 127.0.0.1 is disabled: The endpoint answered 410 Gone."
            in ann.get(page)
        )
    assert ann.form(place, do="disable").status_code == 303  # "Keep it disabled"
    assert "View webhook" not in ann.get("/")
    made(ann, receiver)
    with begin() as session:
        session.execute(
            update(Endpoint).values(
                is_enabled=False, disabled_why="The endpoint answered 410 Gone."
            )
        )
    page = ann.get("/")
    assert "2 webhooks have problems" in page
    assert page.count("is disabled: The endpoint answered 410 Gone.") == 2


@on_sqlite
def test_changes_of_a_webhook_are_in_the_log_without_its_address(
    client: Client, moderator: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address of a chat's webhook is all that is needed to write there."""
    ann = SignedIn(client)
    with Receiver() as receiver:
        place, _ = made(ann, receiver)
    webhook = place.rpartition("/")[2]
    for do in ("disable", "enable", "test", "rotate"):
        page = ann.form(place, do=do).text
    assert re.search(r"also signs messages until \w+day \d\d \w+ \d{4}, \d\d:\d\d UTC\.", page)
    moderator.call("PATCH", f"/webhooks/{webhook}", json={"description": "Search"})
    ann.form(f"{place}/redeliver", delivery=webhook)
    ann.form(place, do="delete", sure="1")
    with reading() as session:
        about = select(Act.by, Act.what).where(Act.kind != "keys")
        acts = session.execute(about.order_by(Act.id)).all()
    to = "the webhook to 127.0.0.1"
    did = (
        "made",
        "disabled",
        "enabled",
        "tested",
        "gave a new secret to",
        "changed",
        "sent events again to",
        "deleted",
    )
    assert [act.what for act in acts] == [f"{each} {to}" for each in did]
    assert [act.by.partition(":")[0] for act in acts] == [
        *["moderator"] * 5,
        "key",
        *["moderator"] * 2,
    ]
    monkeypatch.setattr("service.webhooks.endpoints.note_webhook", lambda *_: 1 / 0)
    with Receiver() as receiver:
        assert ann.form(PLACE, url=receiver.url, events="comment.approved").status_code == 500
    assert "None yet." in ann.get(PLACE)  # not without its line in the log
