"""The parts that a process owns: made once, at the first use, and never shared after a fork."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from models import caches, runtime
from models.runtime import Part, inherited, part


@pytest.fixture(autouse=True)
def _a_runtime_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "_runtime", runtime.Runtime())


@pytest.fixture
def numbered() -> Part[int]:
    numbers = count(1)

    @part
    def number() -> int:
        """The number of the runtime."""
        return next(numbers)

    return number


def test_a_part_is_made_once(numbered: Part[int]) -> None:
    assert [numbered(), numbered(), numbered()] == [1, 1, 1]
    assert numbered.__doc__ == "The number of the runtime."


def test_a_dropped_part_is_made_again(numbered: Part[int]) -> None:
    assert numbered() == 1
    numbered.cache_clear()
    numbered.cache_clear()  # there is nothing to drop
    assert numbered() == 2


def test_a_part_may_be_none() -> None:
    asked: list[int] = []

    @part
    def nothing() -> None:
        asked.append(1)

    assert nothing() is nothing() is None
    assert asked == [1]


def test_threads_that_ask_at_once_share_one_part() -> None:
    together = threading.Barrier(8)
    made: list[object] = []
    inside = threading.Semaphore(1)

    @part
    def thing() -> object:
        assert inside.acquire(blocking=False), "two threads make the same part"
        threading.Event().wait(0.01)
        inside.release()
        return object()

    def ask() -> None:
        together.wait()
        made.append(thing())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert len(set(map(id, made))) == 1


def test_a_part_may_ask_for_another(numbered: Part[int]) -> None:
    @part
    def doubled() -> int:
        return 2 * numbered()

    assert doubled() == 2


def test_a_part_that_cannot_be_made_is_tried_again() -> None:
    answers: Iterator[Callable[[], int]] = iter([lambda: 1 // 0, lambda: 7])

    @part
    def late() -> int:
        return next(answers)()

    with pytest.raises(ZeroDivisionError):
        late()
    assert late() == 7


def test_a_new_runtime_makes_every_part_again_and_empties_the_caches(
    numbered: Part[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    remembered = {"a": 1}
    monkeypatch.setattr(caches, "_clearing", [remembered.clear])
    assert numbered() == 1
    runtime.replace()
    assert numbered() == 2
    assert remembered == {}


def test_a_forked_process_keeps_only_what_can_be_inherited(numbered: Part[int]) -> None:
    @inherited(lambda kept: kept.append("prepared"))
    def notes() -> list[str]:
        return ["made"]

    assert (numbered(), notes()) == (1, ["made"])
    told, tells = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(tells, f"{numbered()} {' '.join(notes())}".encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(tells)
    with os.fdopen(told) as answer:
        assert answer.read() == "2 made prepared"
    assert (numbered(), notes()) == (1, ["made"])
