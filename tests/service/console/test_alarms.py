"""The console says what is down and what that means, and checks at most every few seconds."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from service.console import alarms
from service.console.alarms import FRESH_SECONDS, MEANS, current
from tests.greenroom import PATIENCE


class Health:
    """Parts that are down, as the test sets them. `asked` is how often the console checked."""

    def __init__(self) -> None:
        self.down: set[str] = set()
        self.asked = 0
        self.answers = threading.Event()
        self.answers.set()

    def parts_down(self) -> set[str]:
        self.asked += 1
        assert self.answers.wait(PATIENCE)
        return set(self.down)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    clock = [1000.0]
    monkeypatch.setattr(alarms, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(alarms, "_last", (0.0, ""))
    return clock


@pytest.fixture
def health(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> Iterator[Health]:
    health = Health()
    monkeypatch.setattr(alarms, "parts_down", health.parts_down)
    yield health
    health.answers.set()
    found_out()


def found_out() -> None:
    """Wait until no check is running."""
    for thread in threading.enumerate():
        if thread.name == "alarm":
            thread.join(PATIENCE)


def told() -> str:
    current()
    found_out()
    return current()


@pytest.mark.parametrize(
    ("down", "parts"),
    [
        (set(), []),
        ({"broker"}, ["broker"]),
        ({"model", "storage"}, ["storage", "model"]),  # always in the same order
        ({"broker", "workers"}, ["workers"]),  # without workers the broker hardly matters
        ({"broker", "storage", "workers"}, ["workers", "storage"]),
        ({"database"}, []),  # nobody could read it: the console needs the database
    ],
)
def test_parts_that_are_down_are_explained(
    health: Health, down: set[str], parts: list[str]
) -> None:
    health.down = down
    assert told() == " ".join(MEANS[part] for part in parts)


def test_nobody_waits_for_the_first_answer(health: Health) -> None:
    health.down = {"broker"}
    health.answers.clear()
    assert current() == ""
    health.answers.set()
    found_out()
    assert current() == MEANS["broker"]


@pytest.mark.parametrize(("later", "asked"), [(FRESH_SECONDS, 1), (FRESH_SECONDS + 1, 2)])
def test_an_answer_holds_for_ten_seconds(
    health: Health, clock: list[float], later: float, asked: int
) -> None:
    told()
    clock[0] += later
    told()
    assert health.asked == asked


def test_while_one_thread_checks_the_others_get_the_last_answer(
    health: Health, clock: list[float]
) -> None:
    health.down = {"storage"}
    told()
    clock[0] += FRESH_SECONDS + 1
    health.answers.clear()
    assert [current() for _ in range(5)] == [MEANS["storage"]] * 5
    health.answers.set()
    found_out()
    assert health.asked == 2
