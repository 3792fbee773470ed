"""What happens to a delivery after an attempt, and how an endpoint's health is judged.

tests/service/webhooks/test_webhooks.py tests the transactions around it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.settings import settings
from models.webhooks.endpoints import Kept, Sealed
from worker.webhooks.deliveries import (
    JITTER,
    MOST_RETRY_AFTER,
    Due,
    Job,
    Outcome,
    _attempt,
    _becomes,
    _latest_of_each,
    body,
)

AT = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
SCHEDULE = (0.0, 10.0, 100.0)


@pytest.fixture(autouse=True)
def _schedule(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Three attempts: one at once, and two more."""
    monkeypatch.setenv("GREENROOM_WEBHOOK_SCHEDULE", "0,10,100")
    settings.cache_clear()
    assert settings().webhook_schedule == SCHEDULE
    yield
    settings.cache_clear()


def due(attempts: int = 0, *, said: dict[str, Any] | None = None) -> Due:
    return Due("delivery", "event", attempts, "comment.approved", said or {"type": "x"})


def outcome(endpoint: str = "a", **more: Any) -> Outcome:
    kept = Kept(endpoint, "https://hooks.example/", "standard", None, False, False, None, Sealed())
    return Outcome(Job(kept, (due(),), "lease"), AT, 12, **more)


@pytest.mark.parametrize(
    ("more", "is_success", "was_tried"),
    [
        ({"status": 200}, True, True),
        ({"status": 299}, True, True),
        ({"status": 199}, False, True),
        ({"status": 300}, False, True),
        ({"status": 500}, False, True),
        ({"error": "no answer in time"}, False, True),
        ({}, False, False),
    ],
)
def test_only_a_2xx_is_a_success(more: dict[str, Any], is_success: bool, was_tried: bool) -> None:
    found = outcome(**more)
    assert (found.is_success, found.was_tried) == (is_success, was_tried)


@pytest.mark.parametrize(
    ("more", "attempts", "state", "tried"),
    [
        ({"status": 204}, 0, "delivered", 1),
        ({"status": 204}, 2, "delivered", 3),
        ({"status": 500}, 0, "owed", 1),
        ({"status": 500}, 1, "owed", 2),
        ({"status": 500}, 2, "dead", 3),  # the schedule has three attempts
        ({"error": "cut"}, 2, "dead", 3),
        ({"status": 410}, 0, "dead", 1),  # gone: it wants no more events
        ({"status": 404}, 0, "owed", 1),
        ({}, 0, "owed", 0),  # nothing was sent, so this is no attempt
        ({}, 2, "owed", 2),
    ],
)
def test_outcomes_of_a_delivery(
    more: dict[str, Any], attempts: int, state: str, tried: int
) -> None:
    becomes = _becomes(outcome(**more), due(attempts), AT)
    assert (becomes["new_state"], becomes["new_attempts"]) == (state, tried)
    assert (becomes["new_ended"] == AT) is (state != "owed")
    assert (becomes["new_due"] is None) is (state != "owed")


def test_a_delivery_that_was_not_tried_is_due_at_once() -> None:
    assert _becomes(outcome(), due(1), AT)["new_due"] == AT


def test_a_delivery_whose_event_is_kept_no_more_is_not_tried_again() -> None:
    lost = Due("delivery", "event", 0, "comment.approved", None)
    assert _becomes(outcome(status=500), lost, AT)["new_state"] == "dead"


def pause(more: dict[str, Any], attempts: int = 0) -> float:
    becomes = _becomes(outcome(**more), due(attempts), AT)
    return float((becomes["new_due"] - AT) / timedelta(seconds=1))


@pytest.mark.parametrize("attempts", [0, 1])
def test_the_pause_is_the_schedules_and_up_to_a_tenth_more(attempts: int) -> None:
    least = SCHEDULE[attempts + 1]
    pauses = [pause({"status": 500}, attempts) for _ in range(50)]
    assert least <= min(pauses)
    assert max(pauses) <= least * (1 + JITTER)
    assert len(set(pauses)) > 1  # spread, so that not all retries come at once


@pytest.mark.parametrize(
    ("retry_after", "least", "most"),
    [
        (1.0, 10.0, 11.0),  # never sooner than the schedule
        (60.0, 60.0, 60.0),
        (10 * MOST_RETRY_AFTER, MOST_RETRY_AFTER, MOST_RETRY_AFTER),
    ],
)
def test_an_endpoint_may_ask_for_a_longer_pause_but_not_an_endless_one(
    retry_after: float, least: float, most: float
) -> None:
    assert least <= pause({"status": 429, "retry_after": retry_after}) <= most


def test_an_endpoint_is_healthy_if_it_took_anything() -> None:
    good, bad = outcome(status=204), outcome(status=500)
    assert _latest_of_each([good, bad]) == [good]
    assert _latest_of_each([bad, good]) == [good]


def test_of_failures_the_last_counts() -> None:
    assert _latest_of_each([outcome(status=500), outcome(status=503)])[0].status == 503


def test_gone_counts_even_beside_a_success() -> None:
    good, gone = outcome(status=204), outcome(status=410)
    assert _latest_of_each([good, gone]) == [gone]


def test_a_delivery_that_was_not_tried_does_not_count_against_an_endpoint() -> None:
    assert _latest_of_each([outcome()]) == []


def test_endpoints_are_judged_apart_in_the_order_of_their_ids() -> None:
    found = _latest_of_each([outcome("b", status=500), outcome("a", status=204)])
    assert [(each.job.endpoint.id, each.status) for each in found] == [("a", 204), ("b", 500)]


@pytest.mark.parametrize(("length", "kept"), [(300, 300), (301, 300), (0, None)])
def test_a_long_error_is_cut_for_the_log(length: int, kept: int | None) -> None:
    row = _attempt(outcome(error="x" * length), due())
    assert (len(row["new_error"]) if row["new_error"] else None) == kept


def test_the_body_is_the_same_at_every_attempt() -> None:
    said = {
        "type": "comment.approved",
        "timestamp": "2026-11-28T12:00:00Z",
        "data": {"b": 1, "a": 2},
    }
    assert body(due(0, said=said)) == body(due(5, said=said))
    assert body(due(said=said)).startswith(b'{"type":"comment.approved","timestamp":')
