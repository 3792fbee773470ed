"""Each metric changes with its cause, and goes back afterwards."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import update

from models.records import Thread
from models.settings import settings
from models.store.database import begin, now
from service.app import create_app
from service.operations import metrics
from service.people import accounts, api_keys
from tests.caller import Caller, Client, client_of, posted, publish_all, screen_all
from tests.conftest import forget
from tests.service.operations.told import Told, told_by
from worker import bell, sweep

NAMES_OF_THE_DESIGN = {
    "greenroom_oldest_pending_seconds",
    "greenroom_oldest_review_seconds",
    "greenroom_webhook_oldest_due_seconds",
    "greenroom_mail_oldest_due_seconds",
    "greenroom_mails",
    "greenroom_publish_lag_seconds",
    "greenroom_sweep_last_seconds",
    "greenroom_checks_unavailable",
}


@contextmanager
def later(seconds: float) -> Iterator[None]:
    with time_machine.travel(now() + timedelta(seconds=seconds)):
        yield


def about(seconds: float) -> object:
    """That many seconds, plus a few for a slow machine."""
    return pytest.approx(seconds + 10, abs=10)


def test_the_names_are_those_of_the_design(client: Client) -> None:
    assert told_by(client).names.keys() >= NAMES_OF_THE_DESIGN


def test_the_age_of_the_oldest_waiting_comment_is_right(client: Client) -> None:
    assert told_by(client)("greenroom_oldest_pending_seconds") == 0
    posted(client)
    with later(90):
        posted(client, body="A younger one")
        assert told_by(client)("greenroom_oldest_pending_seconds") == about(90)
    screen_all()
    assert told_by(client)("greenroom_oldest_pending_seconds") == 0


def test_the_age_of_the_oldest_open_review_is_right(client: Client, moderator: Caller) -> None:
    comment = posted(client)
    assert told_by(client)("greenroom_oldest_review_seconds") == 0
    moderator.decide(comment, "flag")
    with later(7200):
        assert told_by(client)("greenroom_oldest_review_seconds") == about(7200)
    moderator.decide(comment, "reject")
    assert told_by(client)("greenroom_oldest_review_seconds") == 0


def test_pages_lag_since_the_first_change_that_they_do_not_show(
    client: Client, moderator: Caller
) -> None:
    comment = posted(client)
    assert told_by(client)("greenroom_publish_lag_seconds") == 0
    moderator.decide(comment, "approve")
    with begin() as session:
        session.execute(
            update(Thread).values(publish_due=now() + timedelta(seconds=60))
        )  # as every sweep moves it
    with later(300):
        assert told_by(client)("greenroom_publish_lag_seconds") == about(300)
    publish_all()
    assert told_by(client)("greenroom_publish_lag_seconds") == 0


def test_workers_are_counted_by_their_signs_of_life_and_the_last_sweep_by_its_own(
    client: Client,
) -> None:
    told = told_by(client)
    assert (told("greenroom_workers"), told("greenroom_sweep_last_seconds")) == (0, math.inf)
    sweep._beat("screen@here", swept=True)
    sweep._beat("screen@there", swept=False)  # started, but without a sweep yet
    told = told_by(client)
    assert (told("greenroom_workers"), told("greenroom_sweep_last_seconds")) == (2, about(0))
    with later(120):
        told = told_by(client)
        assert (told("greenroom_workers"), told("greenroom_sweep_last_seconds")) == (0, about(120))


def test_a_check_that_could_not_run_is_counted_by_its_name_for_five_minutes(
    client: Client,
) -> None:
    posted(client, email="ann@nowhere.test")  # the resolver of these tests never answers
    assert told_by(client)("greenroom_checks_unavailable", check="email") == 0
    screen_all()
    told = told_by(client)
    assert told("greenroom_checks_unavailable", check="email") == 1
    assert told("greenroom_checks_unavailable", check="links") == 0
    with later(301):
        assert told_by(client)("greenroom_checks_unavailable", check="email") == 0


def test_comments_are_counted_by_status(
    client: Client, moderator: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert told_by(client)("greenroom_comments", status="approved") == 0
    ids = [posted(client, body=f"Comment {number}") for number in range(5)]
    moderator.decide(ids[0], "approve")
    moderator.decide(ids[1], "reject")
    moderator.decide(ids[2], "flag")
    moderator.call("DELETE", f"/comments/{ids[3]}")
    told = told_by(client)
    assert (
        told("greenroom_comments", status="pending"),
        told("greenroom_comments", status="flagged"),
    ) == (1, 1)
    assert told("greenroom_comments", status="approved") == 0  # long counts are cached
    metrics.count_anew()
    told = told_by(client)
    assert [
        told("greenroom_comments", status=status) for status in ("approved", "rejected", "deleted")
    ] == [1, 1, 1]


def test_a_lost_message_is_counted(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    before = told_by(client)
    bell.ring(bell.SCREEN, ["1", "2"])  # there is no broker
    monkeypatch.setenv("GREENROOM_REDIS_URL", "redis://127.0.0.1:1/0")
    settings.cache_clear()
    bell.ring(bell.SCREEN, ["1", "2", "3"])
    after = told_by(client)
    moved = {
        why: _dropped(after, why) - _dropped(before, why) for why in ("no broker", "not taken")
    }
    assert moved == {"no broker": 2, "not taken": 3}


def _dropped(told: Told, why: str) -> float:
    return told("greenroom_bell_dropped_total", why=why)


def test_requests_are_counted_by_route_and_never_by_a_strangers_path(
    client: Client,
) -> None:
    labels = {"route": "/v1/sites/<site>/comments", "method": "GET", "status": "422"}
    name = "greenroom_http_request_seconds_count"
    client.get("/v1/sites/demo/comments")
    before = told_by(client)(name, **labels)
    client.get("/v1/sites/demo/comments?page=ann@example.org")
    client.open("/ann@example.org", method="BREW")
    told = told_by(client)
    assert told(name, **labels) == before + 1
    assert told(name, route="none", method="other", status="404") >= 1
    assert "ann@" not in str(told.samples.keys())


def test_a_database_that_is_down_is_reported_and_other_requests_still_work(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert told_by(client)("greenroom_database_answers") == 1
    forget()
    monkeypatch.setenv("GREENROOM_DATABASE_URL", "postgres://nobody@127.0.0.1:1/nothing")
    settings.cache_clear()
    told = told_by(client)
    assert told("greenroom_database_answers") == 0
    assert "greenroom_http_request_seconds_count" in told.names
    assert "greenroom_oldest_pending_seconds" not in told.names


def test_a_sites_own_key_does_not_read_the_metrics_of_all(data: object) -> None:
    stranger, client = {"REMOTE_ADDR": "203.0.113.9"}, client_of(create_app())
    for scope in ("read", "admin", "post"):
        key = {"Authorization": f"Bearer {accounts.create_key('demo', scope)}"}
        answer = client.get("/metrics", environ_base=stranger, headers=key)
        assert answer.status_code == 403
        assert "--scope metrics" in answer.json["detail"]


def test_strangers_need_a_key_for_metrics(data: object, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = {"REMOTE_ADDR": "203.0.113.9"}
    with begin() as session:
        made = api_keys.create(session, None, api_keys.NewKey(("metrics",)), by="the command line")
    key = {"Authorization": f"Bearer {made.key}"}
    client = client_of(create_app())
    assert client.get("/v1/sites/demo/events", headers=key).status_code == 403
    assert client.get("/metrics", environ_base=stranger).status_code == 403
    assert (
        client.get(
            "/metrics", environ_base=stranger, headers={"Authorization": "Bearer gr_x"}
        ).status_code
        == 403
    )
    assert client.get("/metrics", environ_base=stranger, headers=key).status_code == 200
    monkeypatch.setenv("GREENROOM_PROXY_HOPS", "1")  # a proxy on this machine speaks for strangers
    settings.cache_clear()
    behind = client_of(create_app())
    for forwarded in ("203.0.113.9", "127.0.0.1", "nonsense"):
        assert behind.get("/metrics", headers={"X-Forwarded-For": forwarded}).status_code == 403
    assert (
        behind.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9", **key}).status_code == 200
    )
