"""Which requests the gate reads, and in which threads they are answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from service.gate import app as gates
from service.gate.app import Gate, _most_bytes
from service.http.body_sizes import COMMENT_BYTES, CONSOLE_BYTES, MOST_BYTES
from service.http.problems import REFUSED
from tests.service.gate.asked import Exchange, Sent, asked


class App:
    """A WSGI application that repeats what it was given."""

    def __init__(self) -> None:
        self.refusals: list[str | None] = []
        self.bodies: list[bytes] = []

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        refusal = environ.get(REFUSED)
        self.refusals.append(refusal.detail if refusal else None)
        self.bodies.append(environ["wsgi.input"].read())
        start(f"{refusal.status if refusal else 200} Said", [])
        return [b""]


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
def gate(app: App) -> Gate:
    gate = Gate(app)
    app.refusals.clear()  # the gate requests /health/live when it starts
    app.bodies.clear()
    return gate


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/v1/sites/demo/comments", COMMENT_BYTES),
        ("/v1/sites/demo/comments/import", MOST_BYTES),
        ("/v1/sites/demo/policy", MOST_BYTES),
        ("/console/", CONSOLE_BYTES),
        ("/console/demo/comments", CONSOLE_BYTES),
        ("/", MOST_BYTES),
        ("/x/v1/sites/demo/comments", MOST_BYTES),
    ],
)
def test_how_long_a_body_may_be_follows_from_its_path(path: str, most: int) -> None:
    assert _most_bytes(path) == most


@pytest.mark.parametrize(
    ("method", "path", "query", "lane"),
    [
        ("POST", "/v1/sites/demo/comments", "", "_writing"),
        ("DELETE", "/v1/sites/demo/comments", "", "_writing"),
        ("GET", "/v1/sites/demo/comments", "", "_reading"),
        ("OPTIONS", "/v1/sites/demo/comments", "", "_reading"),
        ("GET", "/v1/sites/unknown/comments", "", "_looking"),
        ("GET", "/sites/demo/thread.atom", "", "_reading"),
        ("GET", "/v1/sites/demo/queue", "", "_looking"),
        ("GET", "/health/ready", "", "_reading"),
        ("GET", "/health/ready", "for=writing", "_looking"),
        ("HEAD", "/embed.js", "", "_reading"),
        ("GET", "/console/", "", "_looking"),
    ],
)
def test_requests_without_the_database_never_wait_for_others(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, method: str, path: str, query: str, lane: str
) -> None:
    monkeypatch.setattr(gates, "remembered_site", lambda key: key if key == "demo" else None)
    assert gate._lane(Sent(method, path, query)) is getattr(gate, lane)


def post(length: object, path: str = "/v1/sites/demo/comments") -> Sent:
    return Sent("POST", path, lines=[("content-length", str(length))])


def test_a_body_is_passed_on_whole(gate: Gate, app: App) -> None:
    status, _, _ = asked(gate, post(6), Exchange([b"abc", b"def"]))
    assert (status, app.bodies) == (200, [b"abcdef"])


@pytest.mark.parametrize(("over", "is_read"), [(0, True), (1, False)])
def test_a_body_over_the_limit_is_not_taken_in(
    gate: Gate, app: App, over: int, is_read: bool
) -> None:
    """Flask sees in the head that the body is too long; the connection ends with the answer."""
    content = b"x" * (COMMENT_BYTES + over)
    _, headers, _ = asked(gate, post(len(content)), Exchange([content]))
    assert app.bodies == [content if is_read else b""]
    assert (("Connection", "close") in headers) is not is_read


def test_a_body_of_unknown_length_needs_a_length(gate: Gate, app: App) -> None:
    sent = Sent("PUT", "/v1/sites/demo/policy", lines=[("transfer-encoding", "chunked")])
    status, headers, _ = asked(gate, sent, Exchange([b"{}"]))
    assert (status, app.bodies) == (411, [b""])
    assert app.refusals == ["Content-Length is missing. Send the length of the body."]
    assert ("Connection", "close") in headers


def test_the_live_check_never_reaches_the_application(gate: Gate, app: App) -> None:
    assert asked(gate, Sent("GET", "/health/live"))[0] == 200
    assert app.bodies == []


def test_a_request_that_ended_is_under_way_no_more(gate: Gate) -> None:
    asked(gate, Sent("GET", "/console/"))
    assert gate._under_way == 0
