"""Work that arrives faster than it is done is done together."""

from __future__ import annotations

import threading

import pytest

from models.settings import settings
from tests.greenroom import PATIENCE
from worker import tasks
from worker.gathering import Gathering


def test_requests_that_arrive_meanwhile_are_the_next_batch() -> None:
    batches, working, go_on = [], threading.Event(), threading.Event()

    def work(items: object) -> None:
        batches.append(items)
        working.set()
        assert go_on.wait(PATIENCE)

    gathering = Gathering[int](work, most=100)
    first = threading.Thread(target=gathering.do, args=([1],))
    first.start()
    assert working.wait(PATIENCE)
    for item in (2, 3, 2, 4):
        gathering.do([item])  # returns at once, because another thread is working
    go_on.set()
    first.join(PATIENCE)
    assert batches == [[1], [2, 3, 4]]


def test_a_batch_has_a_limit_and_nothing_is_left_over() -> None:
    batches: list[list[int]] = []
    Gathering[int](lambda items: batches.append(list(items)), most=3).do(range(8))
    assert batches == [[0, 1, 2], [3, 4, 5], [6, 7]]


def test_a_batch_that_fails_does_not_stop_the_next() -> None:
    done: list[int] = []

    def work(items: object) -> None:
        if items == [1]:
            raise RuntimeError
        done.extend(items)

    gathering = Gathering[int](work, most=100)
    with pytest.raises(RuntimeError):
        gathering.do([1])
    gathering.do([2])
    assert done == [2]


def test_nothing_is_lost_among_many_threads() -> None:
    done: list[int] = []
    gathering = Gathering[int](done.extend, most=7)
    threads = [threading.Thread(target=gathering.do, args=([n, n + 1000],)) for n in range(500)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == sorted([*range(500), *range(1000, 1500)])


def test_a_worker_that_screens_and_publishes_has_threads_left_to_leave_more_to_them() -> None:
    gathering = [each for each in vars(tasks).values() if isinstance(each, Gathering)]
    assert settings().screeners >= len(gathering) + 2
