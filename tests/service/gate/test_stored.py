"""Pages of threads answered by the gate itself have Flask's bytes and headers."""

from __future__ import annotations

import pytest
from werkzeug.test import TestResponse

from models.settings import settings
from service.app import create_app
from service.gate import stored
from service.gate.app import Gate
from service.gate.rsgi import Headers
from tests.caller import Caller, Client, client_of, posted, publish_all
from tests.service.gate.asked import Exchange, Sent, asked

HOME, ELSEWHERE = "https://paper.example", "https://elsewhere.example"
PATH = "/v1/sites/demo/comments"
QUERIES = [
    "thread=/harbour",
    "thread=%2Fharbour",
    "thread=%2fharbour",
    "thread=/h%61rbour",
    "thread=/harbour&page=1",
    "thread=/harbour&after=0190a0b0-0000-7000-8000-000000000000",
    "thread=+/harbour+",
    "thread=%20/harbour%0A",
]
NOT_PLAIN = [
    "",
    "thread",
    "thread=",
    "thread=/harbour&page=0",
    "thread=/harbour&page=%31",
    "thread=/harbour&page=123456789",
    "thread=/harbour&page=\u0661",
    "thread=/harbour&page=",
    "thread=/harbour&page=7",
    "thread=/harbour&replies=x",
    "thread=/harbour&thread=/other",
    "thread=/harbour&page=1&page=2",
    "thread=/harbour&after=1&replies=x",
    "page=1&thread=/harbour",
    "THREAD=/harbour",
    "thread=%00",
    "thread=%FF",
    "thread=%ZZ",
    "thread=/nobody-wrote-here",
    "thread=/harbour;x",
    f"thread={'x' * 501}",
]


@pytest.fixture
def gate(client: Client, moderator: Caller) -> Gate:
    """A gate for a site with one published thread, whose owner's origin is HOME."""
    comment = posted(client)
    moderator.decide(comment, "approve")
    publish_all()
    client.get(f"{PATH}?thread=/harbour")  # now the process knows the site
    return Gate(client.application)


def both(gate: Gate, client: Client, method: str, query: str, lines: Headers) -> bool:
    """Compare the gate's answer with Flask's. Return whether the gate answered by itself."""
    sent, exchange = Sent(method, PATH, query, lines), Exchange()
    is_answered = stored.answer(sent, exchange)
    if not is_answered:
        exchange.answers.append(asked(gate, sent))
    told = client.open(f"{PATH}?{query}", method=method, headers=lines)
    [(status, headers, body)] = exchange.answers
    assert (status, body) == (told.status_code, told.data)
    assert headers == headers_of(told)
    return is_answered


def headers_of(answer: TestResponse) -> Headers:
    return list(answer.headers)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("origin", [None, HOME, ELSEWHERE, "null", ""])
def test_a_page_is_flasks_to_the_byte(
    client: Client, gate: Gate, method: str, origin: str | None
) -> None:
    lines = [("origin", origin)] if origin is not None else []
    for query in QUERIES:
        assert both(gate, client, method, query, lines), query


def test_flask_answers_requests_whose_meaning_is_not_obvious(client: Client, gate: Gate) -> None:
    for query in NOT_PLAIN:
        assert not both(gate, client, "GET", query, []), query
    for method in ("POST", "OPTIONS", "DELETE", "get"):
        assert not stored.answer(Sent(method, PATH, QUERIES[0]), Exchange())
    for path in (
        "/v1/sites/nobody/comments",
        "/v1/sites/demo/comments/",
        "/v1/sites/demo/x/comments",
        "/comments",
    ):
        assert not stored.answer(Sent("GET", path, QUERIES[0]), Exchange())


def test_a_reader_who_has_the_page_gets_a_304(client: Client, gate: Gate) -> None:
    tag = client.get(f"{PATH}?thread=/harbour").headers["ETag"]
    for known, is_plain in {
        tag: True,
        f"W/{tag}": True,
        '"other"': True,
        f'"other", {tag}': False,
        "*": False,
        tag.strip('"'): False,
        '"': False,
        "": False,
    }.items():
        for method in ("GET", "HEAD"):
            assert (
                both(gate, client, method, "thread=/harbour", [("if-none-match", known)])
                is is_plain
            ), known


def test_a_cdn_gets_the_same_headers(
    client: Client, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENROOM_CDN_SECONDS", "30")
    settings.cache_clear()
    assert both(gate, client, "GET", "thread=/harbour", [("origin", HOME)])


@pytest.mark.parametrize(
    "public_url", ["https://comments.paper.example", "http://comments.paper.example", ""]
)
@pytest.mark.parametrize("hops", ["0", "1", "2"])
def test_a_browser_is_kept_to_https_by_both(
    client: Client, gate: Gate, monkeypatch: pytest.MonkeyPatch, public_url: str, hops: str
) -> None:
    monkeypatch.setenv("GREENROOM_PUBLIC_URL", public_url)
    monkeypatch.setenv("GREENROOM_PROXY_HOPS", hops)
    settings.cache_clear()
    client = client_of(create_app())
    for said in ("https", "http", "https, http", "http,https", "", "https,http,http"):
        assert both(gate, client, "GET", "thread=/harbour", [("x-forwarded-proto", said)]), said


def test_a_changed_page_is_shown_at_once(client: Client, gate: Gate, moderator: Caller) -> None:
    before = asked(gate, Sent("GET", PATH, "thread=/harbour"))
    other = posted(client, name="Bea", email="bea@example.org", body="Mine as well.")
    moderator.decide(other, "approve")
    publish_all()
    after = asked(gate, Sent("GET", PATH, "thread=/harbour"))
    assert other.encode() not in before[2]
    assert other.encode() in after[2]


def test_the_memory_for_addresses_is_bounded(client: Client, gate: Gate) -> None:
    for number in range(stored.MOST_REMEMBERED + 10):
        stored.answer(Sent("GET", PATH, f"thread={number}"), Exchange())
    before = stored._parsed.cache_info()
    assert before.currsize == stored.MOST_REMEMBERED
    stored.answer(Sent("GET", PATH, f"thread={'x' * 5000}"), Exchange())
    assert stored._parsed.cache_info() == before  # too long to be cached
