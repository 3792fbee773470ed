"""Groups of threads: a blocked group soon reports it, and delays no other group."""

from __future__ import annotations

import asyncio
import threading

from service.gate.lanes import Lane

SOON = 0.3


def test_work_is_done_in_a_thread_of_the_lane() -> None:
    names: list[str] = []

    async def ask() -> bool:
        return await Lane("write", threads=2, patience=60).run(
            lambda: names.append(threading.current_thread().name)
        )

    assert asyncio.run(ask())
    assert names == ["write-1"]


def test_a_lane_runs_as_many_jobs_at_once_as_it_has_threads() -> None:
    most, together = 3, threading.Barrier(3)
    at_once: list[int] = []
    busy = [0]
    guard = threading.Lock()

    def work() -> None:
        with guard:
            busy[0] += 1
            at_once.append(busy[0])
        together.wait(30)  # passes only if three threads are here at the same time
        with guard:
            busy[0] -= 1

    async def ask() -> list[bool]:
        lane = Lane("write", threads=most, patience=60)
        return await asyncio.gather(*(lane.run(work) for _ in range(9)))

    assert all(asyncio.run(ask()))
    assert max(at_once) == most


def test_a_request_that_waits_too_long_for_a_blocked_lane_gets_a_503_and_other_lanes_work() -> None:
    frozen = threading.Event()

    async def ask() -> tuple[list[bool], bool]:
        stuck, other = Lane("write", threads=1, patience=SOON), Lane("read", threads=1, patience=60)
        first = asyncio.create_task(stuck.run(lambda: frozen.wait(60) and None))
        await asyncio.sleep(0)
        waited = await asyncio.gather(*(stuck.run(lambda: None) for _ in range(20)))
        well = await other.run(lambda: None)
        frozen.set()
        assert await first
        assert await stuck.run(lambda: None)  # when it is free again, it works as before
        return waited, well

    waited, well = asyncio.run(ask())
    assert waited == [False] * 20
    assert well
