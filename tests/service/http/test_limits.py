"""How fast one address may post on one site, per minute and per hour."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from models import runtime
from models.settings import settings
from service.http.limits import count_post, in_words


class Clock:
    """The time that the counters see."""

    def __init__(self) -> None:
        self.at = 1_800_000_000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    monkeypatch.setattr(time, "time", clock)
    monkeypatch.setenv("GREENROOM_RATE_LIMITS", "on")
    monkeypatch.setenv("GREENROOM_RATE_PER_MINUTE", "3")
    monkeypatch.setenv("GREENROOM_RATE_PER_HOUR", "5")
    settings.cache_clear()
    runtime.replace()
    yield clock
    settings.cache_clear()
    runtime.replace()


def accepted(count: int, site: str = "demo", address: str = "home") -> list[bool]:
    return [count_post(site, address) is None for _ in range(count)]


@pytest.mark.usefixtures("clock")
def test_a_minute_allows_a_limited_number_of_posts() -> None:
    assert accepted(5) == [True, True, True, False, False]


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("other", [{"site": "another"}, {"address": "away"}])
def test_another_site_or_address_is_counted_for_itself(other: dict[str, str]) -> None:
    accepted(4)
    assert accepted(3, **other) == [True, True, True]


def test_a_minute_moves_with_the_posts(clock: Clock) -> None:
    for _ in range(3):
        assert accepted(1) == [True]
        clock.at += 20
    clock.at += 1  # the first is a minute old, the second is not
    assert accepted(2) == [True, False]


def test_an_hour_has_its_own_limit(clock: Clock) -> None:
    for _ in range(5):
        assert accepted(1) == [True]
        clock.at += 61
    assert accepted(1) == [False]
    clock.at += 3600 - 5 * 61 + 1
    assert accepted(1) == [True]


def test_a_refused_post_is_not_counted(clock: Clock) -> None:
    accepted(3)
    for _ in range(30):
        clock.at += 1
        accepted(1)
    clock.at += 31
    assert accepted(1) == [True]  # of five an hour, three were counted


def test_the_answer_says_when_to_come_back(clock: Clock) -> None:
    accepted(3)
    clock.at += 20
    problem = count_post("demo", "home")
    assert problem is not None
    assert problem.headers is not None
    wait = int(problem.headers["Retry-After"])
    assert (problem.status, wait) == (429, 40)
    assert problem.detail.endswith(f"Please try again in {in_words(wait)}.")
    clock.at += wait + 1
    assert accepted(1) == [True]


def test_limits_can_be_off(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENROOM_RATE_LIMITS", "off")
    settings.cache_clear()
    assert accepted(50) == [True] * 50


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1, "1 second"),
        (2, "2 seconds"),
        (120, "120 seconds"),
        (121, "3 minutes"),
        (180, "3 minutes"),
        (181, "4 minutes"),
        (3600, "60 minutes"),
    ],
)
def test_a_wait_is_never_said_too_short(seconds: int, words: str) -> None:
    assert in_words(seconds) == words
