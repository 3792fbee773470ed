"""`/health/live` is answered without the application, with the application's first answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from service.gate.live import PATH, Live
from service.operations import metrics
from tests.service.gate.asked import Exchange, Sent


class App:
    """A WSGI application that counts its requests."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        self.asked.append(environ)
        start("200 OK", [("Content-Type", "application/json")])
        return [b'{"status":"ok"}']


@pytest.mark.parametrize(("method", "body"), [("GET", b'{"status":"ok"}'), ("HEAD", b"")])
def test_it_repeats_the_applications_first_answer(method: str, body: bytes) -> None:
    app = App()
    live = Live(app)
    for _ in range(3):
        exchange = Exchange()
        assert live.answer(Sent(method, PATH), exchange)
        assert exchange.answers == [(200, [("Content-Type", "application/json")], body)]
    assert [environ["PATH_INFO"] for environ in app.asked] == [PATH]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", PATH),
        ("OPTIONS", PATH),
        ("GET", "/health/ready"),
        ("GET", f"{PATH}/"),
        ("GET", PATH.upper()),
        ("GET", "/"),
    ],
)
def test_everything_else_is_left_to_the_application(method: str, path: str) -> None:
    exchange = Exchange()
    assert not Live(App()).answer(Sent(method, path), exchange)
    assert exchange.answers == []


def test_a_query_changes_nothing() -> None:
    assert Live(App()).answer(Sent("GET", PATH, "verbose=1"), Exchange())


def test_each_answer_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[tuple[str, str, int]] = []
    monkeypatch.setattr(
        metrics, "count", lambda route, method, status, _: counted.append((route, method, status))
    )
    live = Live(App())
    for method in ("GET", "HEAD", "POST"):
        live.answer(Sent(method, PATH), Exchange())
    assert counted == [(PATH, "GET", 200), (PATH, "HEAD", 200)]
