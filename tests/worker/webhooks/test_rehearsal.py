"""Test messages that an endpoint must accept or refuse, with a real receiver."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from models.settings import settings
from models.webhooks import signatures
from models.webhooks.endpoints import Kept, Sealed, first_secret
from tests.fakes.receiver import CUT, Answer, Receiver
from worker.webhooks import rehearsal
from worker.webhooks.rehearsal import OLD_SECONDS, _cases, rehearse

AT = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
STAMP = int(AT.timestamp())
DATA = {
    "comment": {"name": "Ann", "html": "<p>Late again.</p>"},
    "thread": {"title": None, "key": "/harbour"},
    "decision": None,
}
EVENT = {"type": "webhook.test", "timestamp": "2026-11-28T12:00:00Z", "data": DATA}
NAMES = ["good signature", "duplicate", "newer first", "out of order"]
OTHERS = ["bad signature", "old timestamp", "slow"]


@pytest.fixture(autouse=True)
def _private(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("GREENROOM_WEBHOOK_ALLOW_PRIVATE", "true")
    monkeypatch.setattr(rehearsal, "PAUSE_SECONDS", 0.01)
    settings.cache_clear()
    yield
    settings.cache_clear()


def endpoint(url: str = "https://hooks.example/", kind: str = "standard") -> Kept:
    content = Sealed(secrets=(first_secret(signs_ed25519=True),), headers={"x-own": "1"})
    return Kept("0190", url, kind, None, False, False, None, content)


def rehearsed(receiver: Receiver, kind: str = "standard") -> list[dict[str, Any]]:
    return asyncio.run(rehearse(endpoint(f"{receiver.url}/hook", kind), EVENT, AT))


def test_each_signature_is_what_its_case_says() -> None:
    kept = endpoint()
    secret = kept.sealed.secrets[0].shared
    first, others = _cases(kept, EVENT, STAMP)
    wrong = {
        case.name: signatures.wrong(secret, case.headers, case.content, at=STAMP)
        for case in (*first, *others)
    }
    assert list(wrong) == NAMES + OTHERS
    assert wrong.pop("bad signature") == "its signature is not by this secret"
    assert wrong.pop("old timestamp") == f"its timestamp is {OLD_SECONDS} s off"
    assert set(wrong.values()) == {None}


def test_a_duplicate_is_the_same_message_and_every_other_is_a_new_one() -> None:
    first, others = _cases(endpoint(), EVENT, STAMP)
    good, duplicate, *rest = [case.headers["webhook-id"] for case in (*first, *others)]
    assert good == duplicate
    assert len({good, *rest}) == len(rest) + 1


def test_out_of_order_means_that_the_older_state_is_sent_later() -> None:
    first, _ = _cases(endpoint(), EVENT, STAMP)
    sequences = [orjson.loads(case.content)["data"].get("sequence") for case in first]
    assert sequences == [None, None, 2, 1]


def test_an_endpoint_that_takes_everything_fails_where_it_must_refuse() -> None:
    with Receiver() as receiver:
        found = rehearsed(receiver)
    assert [result["case"] for result in found] == NAMES + OTHERS
    handled = {result["case"]: result["handled"] for result in found}
    assert [name for name, well in handled.items() if not well] == OTHERS[:2]
    for result in found:
        assert (result["advice"] is None) is result["handled"]
        assert (result["status"], result["error"]) == (204, None)


def test_an_endpoint_that_refuses_everything_fails_where_it_must_take() -> None:
    with Receiver(always=Answer(401)) as receiver:
        handled = {result["case"]: result["handled"] for result in rehearsed(receiver)}
    assert [name for name, well in handled.items() if well] == OTHERS[:2]


@pytest.mark.parametrize("answer", [Answer(500), Answer(302, {"Location": "/"}), CUT])
def test_an_error_or_a_redirect_handles_nothing_well(answer: Answer) -> None:
    with Receiver(always=answer) as receiver:
        found = rehearsed(receiver)
    assert not any(result["handled"] for result in found)
    assert all(result["advice"] for result in found)
    if answer is CUT:
        assert all(result["error"] and result["status"] is None for result in found)


def test_the_endpoints_own_headers_go_along() -> None:
    with Receiver() as receiver:
        rehearsed(receiver)
        assert {got.headers.get("x-own") for got in receiver.got} == {"1"}


@pytest.mark.parametrize(("status", "handled"), [(200, True), (404, False)])
def test_a_chat_gets_one_message(status: int, handled: bool) -> None:
    with Receiver(always=Answer(status)) as receiver:
        [result] = rehearsed(receiver, "slack")
    assert (result["case"], result["handled"]) == ("message", handled)
    assert len(receiver.got) == 1
