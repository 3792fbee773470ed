"""Instructions for caches: a browser asks again each time, a CDN as often as the owner sets, and
nothing else is cached.
"""

from __future__ import annotations

import pytest
from werkzeug.test import TestResponse

from models.settings import settings
from models.store.storage import cache_tag
from tests.caller import Caller, Client, posted, publish_all, screen_all

PAGE = "/v1/sites/demo/comments?thread=/harbour"
FOR_A_CDN = ("CDN-Cache-Control", "Surrogate-Control", "Cache-Tag", "Surrogate-Key")


@pytest.fixture
def published(client: Client, moderator: Caller) -> str:
    comment = posted(client)
    moderator.decide(comment, "approve")
    publish_all()
    return comment


def for_a_cdn(answer: TestResponse) -> list[str | None]:
    return [answer.headers.get(name) for name in FOR_A_CDN]


def test_unless_the_owner_says_so_a_cdn_asks_each_time(client: Client, published: str) -> None:
    answer = client.get(PAGE)
    assert answer.headers["Cache-Control"] == "public, no-cache"
    assert for_a_cdn(answer) == [None] * 4


@pytest.mark.parametrize("query", ["", "&page=1", "&page=7", "&after=0190a0b0"])
def test_a_cdn_gets_the_owners_seconds_and_a_tag_for_purging_the_thread(
    client: Client, published: str, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENROOM_CDN_SECONDS", "30")
    settings.cache_clear()
    answer = client.get(PAGE + query)
    tag = cache_tag("demo", "/harbour")
    unchanged = client.get(PAGE + query, headers={"If-None-Match": answer.headers["ETag"]})
    assert (answer.status_code, unchanged.status_code) == (200, 304)
    for told in (answer, unchanged):
        assert told.headers["Cache-Control"] == "public, no-cache"  # a browser asks the CDN
        assert for_a_cdn(told) == ["max-age=30", "max-age=30", tag, tag]


def test_the_page_of_an_event_has_an_address_that_no_cache_has_seen(
    client: Client, moderator: Caller
) -> None:
    """The event's id in `after=` gives the same page another URL."""
    comment = posted(client)
    screen_all()
    moderator.decide(comment, "approve")
    publish_all()
    [*_, event] = moderator.events()
    assert client.get(f"{PAGE}&after={event['id']}").data == client.get(PAGE).data
    assert comment in client.get(f"{PAGE}&after={event['id']}").text


def test_a_response_without_a_cache_rule_is_not_cached(client: Client, moderator: Caller) -> None:
    """By default a CDN may keep a count, or a 404, for minutes."""
    unsaid = [
        "/v1/sites/demo/counts?thread=/harbour",
        "/v1/receipts/x",
        "/v1/sites/nobody/comments?thread=/x",
        "/nowhere",
    ]
    for path in unsaid:
        assert client.get(path).headers["Cache-Control"] in {"no-store", "no-cache"}, path
    assert moderator.call("GET", "/queue").headers["Cache-Control"] == "no-store"
    for rule in client.application.url_map.iter_rules():
        if "GET" in rule.methods and not rule.arguments:
            with client.get(rule.rule) as answer:
                assert "Cache-Control" in answer.headers, rule
