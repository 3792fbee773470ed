"""Requests that arrive at the same moment share one transaction, and each gets its own outcome."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest
from sqlalchemy.exc import TimeoutError as WaitedTooLong

from models.store import deadlines
from service.comments.together import Together
from tests.greenroom import PATIENCE


def in_threads(
    together: Together[int, int], items: Sequence[int]
) -> dict[int, int | BaseException]:
    outcomes: dict[int, int | BaseException] = {}

    def do(item: int) -> None:
        try:
            outcomes[item] = together.do(item)
        except ValueError as error:
            outcomes[item] = error

    threads = [threading.Thread(target=do, args=(item,)) for item in items]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    return outcomes


def test_alone_the_work_is_done_at_once_in_the_same_thread() -> None:
    seen: list[int] = []

    def work(items: Sequence[int]) -> list[int | BaseException]:
        seen.append(threading.get_ident())
        return [item * 2 for item in items]

    assert Together[int, int](work, most=10).do(21) == 42
    assert seen == [threading.get_ident()]


def test_requests_during_a_batch_share_the_next_batch() -> None:
    batches, started, go_on = [], threading.Event(), threading.Event()

    def work(items: Sequence[int]) -> list[int | BaseException]:
        batches.append(list(items))
        started.set()
        assert go_on.wait(PATIENCE)
        return [item * 2 for item in items]

    together = Together[int, int](work, most=10)
    first = threading.Thread(target=together.do, args=(0,))
    first.start()
    assert started.wait(PATIENCE)
    later = threading.Thread(target=lambda: outcomes.update(in_threads(together, range(1, 6))))
    outcomes: dict[int, int | BaseException] = {}
    later.start()
    while len(together._waiting) < 5:
        pass
    go_on.set()
    first.join(PATIENCE)
    later.join(PATIENCE)
    assert [sorted(batch) for batch in batches] == [[0], [1, 2, 3, 4, 5]]
    assert outcomes == {1: 2, 2: 4, 3: 6, 4: 8, 5: 10}


def test_each_of_many_gets_its_own_outcome_and_its_own_error() -> None:
    def work(items: Sequence[int]) -> list[int | BaseException]:
        assert len(items) <= 7
        return [ValueError(item) if item % 3 == 0 else item * 2 for item in items]

    outcomes = in_threads(Together[int, int](work, most=7), range(200))
    assert len(outcomes) == 200
    for item, outcome in outcomes.items():
        assert (repr(outcome) == repr(ValueError(item))) if item % 3 == 0 else outcome == item * 2


def test_failing_work_fails_for_its_batch_and_no_later_one() -> None:
    def work(items: Sequence[int]) -> list[int | BaseException]:
        if 1 in items:
            raise ValueError("the disk is full")
        return list(items)

    together = Together[int, int](work, most=10)
    with pytest.raises(ValueError, match="the disk is full"):
        together.do(1)
    assert together.do(2) == 2


def test_a_request_that_misses_its_deadline_gives_up_and_is_not_worked_on() -> None:
    seen, started, go_on = list[int](), threading.Event(), threading.Event()

    def work(items: Sequence[int]) -> list[int | BaseException]:
        seen.extend(items)
        started.set()
        assert go_on.wait(20)
        return [item * 2 for item in items]

    together = Together[int, int](work, most=10)
    leader = threading.Thread(target=together.do, args=(0,))
    leader.start()
    assert started.wait(20)
    with pytest.raises(WaitedTooLong), deadlines.within(0.1):
        together.do(1)
    go_on.set()
    leader.join(20)
    assert together.do(2) == 4
    assert seen == [0, 2]
