"""Webhooks in the console, to a receiver that really listens."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from tests.receiver import Receiver
from tests.service.signed_in import SignedIn
from tests.service.test_webhooks import send_all

PLACE = "/sites/demo/webhooks"


@pytest.fixture(autouse=True)
def _private(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENROOM_WEBHOOK_ALLOW_PRIVATE", "true")


def test_an_owner_makes_a_webhook_tests_it_reads_the_log_and_sends_it_again(client: FlaskClient) -> None:
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


def test_an_address_that_cannot_be_is_told_at_its_field_and_what_was_typed_stays(client: FlaskClient) -> None:
    answer = SignedIn(client).form(PLACE, url="nowhere", events="comment.approved", description="For search")
    assert answer.status_code == 422
    assert 'id="wrong-url"' in answer.text
    assert 'value="For search"' in answer.text
